"""Named SQL of the data plane and its typed functions. No decision is taken here, and no SQL is written elsewhere."""
