"""Wire protocols without I/O: octets in, events out, octets to send. No socket, no clock, no logging."""
