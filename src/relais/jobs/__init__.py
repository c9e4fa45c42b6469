"""The worker: what may wait. Clients' callbacks, and periodic jobs on the database."""
