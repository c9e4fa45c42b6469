"""One module a screen: a page of its own in the frame, for what is no list of records."""
