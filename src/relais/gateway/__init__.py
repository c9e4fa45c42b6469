"""The process that carries messages: pipeline, vendor connections, and the edges put on it."""
