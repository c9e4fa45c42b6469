"""An ASGI callable around a handler: times it, counts it, and keeps its faults from the client."""

from time import perf_counter
from uuid import uuid4

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import Receive, Scope, Send

from relais.api.callers import body_with, request_id_in
from relais.api.problems import EdgeProblem, problem
from relais.api.replies import Handler, Reply, refused, send_reply

REQUESTS = Counter("relais_api_requests", "Requests answered by the customer API.", ["operation", "status"])
SECONDS = Histogram(
    "relais_api_request_seconds",
    "From the request's headers to its answer, waiting for the commit included.",
    ["operation"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

_log = structlog.get_logger("relais.api")


class Endpoint:
    """Serves one operation. Raw ASGI: no request or response object is built."""

    __slots__ = ("_counts", "_handle", "_observe", "operation")

    def __init__(self, operation: str, handle: Handler) -> None:
        self.operation = operation
        self._handle = handle
        self._observe = SECONDS.labels(operation).observe
        self._counts: dict[int, Counter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_s = perf_counter()
        request_id = request_id_in(dict(scope["headers"]))
        try:
            reply = await self._handle(scope, receive)
        except Exception as error:
            reply = self.fault(error, request_id)
        if reply is None:
            return
        await send_reply(reply, body_with(reply, request_id), request_id, receive, send)
        self.count(reply.status, started_s)

    def fault(self, error: BaseException, request_id: bytes) -> Reply:
        """Log what broke; what the client is told of it leads to that line."""
        instance = f"urn:uuid:{uuid4()}"
        _log.error(
            "api_request.failed",
            operation=self.operation,
            request=request_id.decode(),
            instance=instance,
            exc_info=error,
        )
        return refused(problem(EdgeProblem.INTERNAL, instance=instance))

    def count(self, status: int, started_s: float) -> None:
        """One more request answered; `started_s` of `perf_counter`."""
        count = self._counts.get(status)
        if count is None:
            count = self._counts[status] = REQUESTS.labels(self.operation, str(status))
        count.inc()
        self._observe(perf_counter() - started_s)
