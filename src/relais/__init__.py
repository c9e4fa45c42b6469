"""Business messaging that can be resold: carries a message and charges for it, exactly, at every level of the chain."""
