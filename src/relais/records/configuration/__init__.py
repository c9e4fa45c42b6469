"""How the data plane learns that configuration changed: one row a table and transaction, and a NOTIFY."""
