"""What every process shows of itself on its ops port: /metrics, /healthz and /readyz.

The customer API has the same three paths on its own port. Log lines are written by `relais.logs`.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

Readiness = Callable[[], Mapping[str, bool]]  # what a process needs before it can work → whether it has it
STOP_WITHIN_S = 3


def ops_app(ready: Readiness, registry: CollectorRegistry = REGISTRY) -> Starlette:
    """The ASGI application of an ops port.

    /healthz: 200 while the loop turns. /readyz: 200 when everything `ready` names is true, else 503; its body names
    each. /metrics: Prometheus text exposition format.
    """

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        needs = dict(ready())
        return JSONResponse(needs, status_code=200 if all(needs.values()) else 503)

    return Starlette(routes=[Route("/metrics", metrics), Route("/healthz", healthz), Route("/readyz", readyz)])


class OpsServer:
    """Serves `ops_app` inside a running event loop between `start` and `stop`; port 0 takes a free one."""

    def __init__(self, host: str, port: int, ready: Readiness, registry: CollectorRegistry = REGISTRY) -> None:
        self.host = host
        self.port = port
        self._app = ops_app(ready, registry)
        self._server: _QuietServer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when connections are taken. OSError (EADDRINUSE) when the port is taken."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.create_server((self.host, self.port), family=family)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            loop="none",
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
        self._server = _QuietServer(config)
        self._task = asyncio.create_task(self._server.serve([listener]), name="ops")
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({listening, self._task}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()

    async def stop(self) -> None:
        """Ends the server; harmless when it was never started."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
            self._server = self._task = None


class _QuietServer(uvicorn.Server):
    """A uvicorn that leaves the process's signals alone and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()
