"""The asyncio ends of wire protocols: sockets, timers, back-pressure. No business: what octets mean is `wire`'s, what
to do about it is for whoever owns the end."""
