"""Sender IDs: the names and numbers that messages come from."""
