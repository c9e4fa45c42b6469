"""Ports for what a test starts. One that the system chose and we closed is free for everybody: the next to ask gets it too."""

import contextlib
import os
import socket
from itertools import chain

FIRST = 20_000  # all of ours lie below those the system gives to connections
PER_WORKER_COUNT = 2_000

_first = FIRST + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 6 * PER_WORKER_COUNT
_begin = _first + os.getpid() * 17 % PER_WORKER_COUNT  # test runs beside each other begin in different places
_ports = chain(range(_begin, _first + PER_WORKER_COUNT), range(_first, _begin))


def free_port() -> int:
    """A port nobody listens at; each is given once."""
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port of this worker has been given")
