"""The worker: what may wait. Clients' callbacks, mails and log-in codes, and periodic jobs on the database."""
