"""What this machine's microseconds are worth now: the cost of a fixed piece of work that is like the product's.

Two servers answer JSON over HTTP on loopback while a client loads them, so that three processes share the cores, caches
and system calls as they do in a measurement. Each request is parsed, decoded, looked up in a table larger than a core's
cache, made into many small objects, kept for a tick and encoded again. The work never changes: figures are divided by it.
"""

import asyncio
import itertools
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import httptools
import msgspec
import uvloop

from bench.load import closed_loop, single_requests
from bench.machine import cpu_s

SERVERS_COUNT = 2
REQUESTS, CONNECTIONS = 4_000, 25  # a server
TABLE_ROWS = 200_000  # some 60 MB
LOOKUPS, OBJECTS = 24, 40  # a request
TICK_S = 0.003


class Reference:
    """The running servers; `us` measures them."""

    def __init__(self, servers: list[tuple[int, int]]) -> None:
        self._servers = servers  # process id, port

    async def us(self) -> float:
        """CPU microseconds of the servers for one request, now."""
        before_s = [cpu_s(pid) for pid, _ in self._servers]
        requests = [single_requests("reference", "Reference", itertools.repeat("34600123456")) for _ in self._servers]
        await asyncio.gather(
            *(
                closed_loop("127.0.0.1", port, each, REQUESTS, CONNECTIONS)
                for (_, port), each in zip(self._servers, requests, strict=True)
            )
        )
        after_s = [cpu_s(pid) for pid, _ in self._servers]
        return (sum(after_s) - sum(before_s)) * 1e6 / (REQUESTS * len(self._servers))


@contextmanager
def reference() -> Iterator[Reference]:
    """The servers run inside the block."""
    children = [
        subprocess.Popen([sys.executable, "-m", "bench.pace"], stdout=subprocess.PIPE) for _ in range(SERVERS_COUNT)
    ]
    try:
        servers = []
        for child in children:
            assert child.stdout is not None
            servers.append((child.pid, int(child.stdout.readline())))
        yield Reference(servers)
    finally:
        for child in children:
            child.terminate()
            child.wait(timeout=10)


class _Asked(msgspec.Struct):
    source: str = msgspec.field(name="from")
    destination: str = msgspec.field(name="to")
    text: str


class _Row(msgspec.Struct):
    id: int
    name: str
    amounts: tuple[int, ...]


class _Work:
    """The table, and what is done for a request."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_Asked).decode
        self._encode = msgspec.json.Encoder().encode
        self._random = random.Random(7)
        self._table = {str(34600000000 + n): _Row(n, f"row {n}", (n, n + 1, n + 2)) for n in range(TABLE_ROWS)}
        self._waiting: list[asyncio.Future[None]] = []
        self._loop = asyncio.get_running_loop()

    async def answer(self, body: bytes) -> bytes:
        asked = self._decode(body)
        now = datetime.now(UTC)
        total, made = 0, []
        for _ in range(LOOKUPS):
            row = self._table[str(34600000000 + self._random.randrange(TABLE_ROWS))]
            total += sum(row.amounts)
        for n in range(OBJECTS):
            made.append((asked.destination, f"{total}:{n}", {"level": n, "total": total}))
        await self._next_tick()
        identity = UUID(int=total << 64 | len(made))
        return self._encode({"id": identity, "status": "accepted", "at": now, "to": asked.destination, "of": total})

    def _next_tick(self) -> asyncio.Future[None]:
        if not self._waiting:
            self._loop.call_later(TICK_S, self._tick)
        future = self._loop.create_future()
        self._waiting.append(future)
        return future

    def _tick(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class _Served(asyncio.Protocol):
    """One connection, for httptools and asyncio."""

    _transport: asyncio.Transport

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._parser = httptools.HttpRequestParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._body = b""
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body, self._headers = self._body, b"", {}
        task = asyncio.get_running_loop().create_task(self._respond(body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _respond(self, body: bytes) -> None:
        content = await self._work.answer(body)
        head = b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(content)
        if not self._transport.is_closing():
            self._transport.write(head + content)


async def _serve() -> None:
    work = _Work()
    server = await asyncio.get_running_loop().create_server(lambda: _Served(work), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
