"""Business verbs of this area, one a file. A refused verb raises `Invalid` and changes nothing."""
