"""The life of a message: accept, rate, charge, send, settle, tell. One writer a process, one transaction a tick."""
