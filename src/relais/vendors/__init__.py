"""One folder a kind of vendor connection, found by the registry."""
