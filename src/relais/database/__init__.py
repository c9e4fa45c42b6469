"""The database of one machine: PostgreSQL started, watched and stopped by Relais itself.

`embedded.py` is the door. A server named by `RELAIS_DATABASE_URL` needs nothing of this package.
"""
