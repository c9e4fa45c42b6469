"""The SMPP server for clients: an edge of the pipeline, as the customer API is one over HTTP."""
