"""One module an entity; each holds an `Entity` in a constant, and that is all it takes (docs/howto/add-an-entity.md)."""
