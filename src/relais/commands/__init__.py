"""One file a family of commands. Only click is imported at the top of each: `--help` has to be quick."""
