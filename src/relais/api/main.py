"""The HTTP server: uvicorn inside an event loop that is already running and owns the process.

Signals, logging and the choice of loop stay with the process; only the socket and its connections are ours.
"""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from relais.api.app import CustomerApi
from relais.api.express import ExpressProtocol

BACKLOG_CONNECTIONS = 2_048
KEEP_ALIVE_S = 65  # longer than the idle time of clients' pools, so that it is the client that closes
STOP_WITHIN_S = 10


class PortTaken(Exception):
    """Somebody else listens there."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"cannot serve the API on {host}:{port}: another process listens there")
        self.host = host
        self.port = port


class _Embedded(uvicorn.Server):
    """A uvicorn that leaves signals alone and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class Server:
    """Serves `app` on `host`:`port` between `start` and `stop`; port 0 takes a free one, then told by `port`."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app = app
        self.host = host
        self.port = port
        self._server: _Embedded | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when connections are taken. `PortTaken` when the port is; OSError when the address is not ours."""
        listener = _listener(self.host, self.port)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            loop="none",
            http=ExpressProtocol if isinstance(self._app, CustomerApi) else "httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
        self._server = _Embedded(config)
        self._task = asyncio.create_task(self._server.serve([listener]), name="api")
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({listening, self._task}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if self._task.done():
            listener.close()
            await self._task

    async def stop(self) -> None:
        """Takes no more connections, lets open requests be answered for `STOP_WITHIN_S`, and returns. Repeatable."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
            self._server = self._task = None


@asynccontextmanager
async def serve(app: ASGIApp, host: str, port: int) -> AsyncIterator[Server]:
    """A started `Server`, stopped at the end of the block."""
    server = Server(app, host, port)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _listener(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    try:
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG_CONNECTIONS)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host, port) from error
        raise
    listener.setblocking(False)
    return listener
