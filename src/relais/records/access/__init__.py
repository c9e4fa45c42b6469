"""Who gets in, and how: the password policy, log-ins and their limits, sessions, the second factor, a person's own account."""
