"""When an agreement is billed: its periods."""
