"""Where gateways report by HTTP what became of a message: a server of this process that takes everything and counts it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httptools

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Reports:
    """Come to `port`; `count` of them have not been taken."""

    def __init__(self) -> None:
        self.port = self.count = 0
        self._wanted_count = 0
        self._told = asyncio.Event()

    def came(self) -> None:
        self.count += 1
        if self.count >= self._wanted_count:
            self._told.set()

    async def take(self, count: int, within_s: float) -> None:
        """Returns when `count` have come, and counts those after them anew. TimeoutError when they do not come."""
        self._wanted_count = count
        try:
            async with asyncio.timeout(within_s):
                while self.count < count:
                    self._told.clear()
                    await self._told.wait()
        except TimeoutError:
            raise TimeoutError(f"{count - self.count} reports had not come after {within_s:.0f} s") from None
        self.count -= count


class _Connection(asyncio.Protocol):
    def __init__(self, reports: Reports) -> None:
        self._reports = reports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._parser = transport, httptools.HttpRequestParser(self)

    def data_received(self, octets: bytes) -> None:
        self._parser.feed_data(octets)

    def on_message_complete(self) -> None:
        self._transport.write(ANSWER)  # type: ignore[attr-defined]  # a transport that writes
        self._reports.came()


@asynccontextmanager
async def reports() -> AsyncIterator[Reports]:
    """Listens inside the block, on a free port of loopback."""
    taken = Reports()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(taken), "127.0.0.1", 0)
    taken.port = server.sockets[0].getsockname()[1]
    try:
        yield taken
    finally:
        server.close()
