"""Countries, networks and number prefixes as shipped: seed data that operators edit afterwards in the database."""
