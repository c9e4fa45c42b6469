"""Guard rails: what a level forbids, or watches, of the traffic of those it serves."""
