"""Migrations, in order; SQL stands beside those that need it."""
