"""Schema of the hot tables, as SQL: partitioning and storage settings are beyond the ORM."""
