"""Counterparts of the product for the demo, tests and clients' sandboxes. Nothing of the product imports them but `cli`."""
