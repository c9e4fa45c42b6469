"""The ASGI application: addresses to handlers. One message goes in past the router; everything else through it."""

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from relais.api import documents
from relais.api.asking import Asking
from relais.api.callers import REQUEST_ID, body_with, request_id_in
from relais.api.carrier import Carrier
from relais.api.endpoints import REQUESTS, Endpoint
from relais.api.express import MESSAGES_PATH, Head
from relais.api.keys import Gate
from relais.api.ports import DEFAULTS, ApiSettings, Pipeline
from relais.api.problems import EdgeProblem, headers_of, problem
from relais.api.replies import PROBLEM_JSON, Handler, Reply, refused
from relais.api.sending import Sending
from relais.api.two_way import TwoWay


def create_app(pipeline: Pipeline, settings: ApiSettings = DEFAULTS) -> "CustomerApi":
    """The customer API over `pipeline`."""
    return CustomerApi(pipeline, settings)


class CustomerApi:
    """Matches the hot path by comparing one string; the router sees the rest. Served by `ExpressProtocol`, plain messages
    do not even come here: it asks `sending` itself, counts at `send_message`, and keeps
    `plain_heads`."""

    __slots__ = ("_routed", "plain_heads", "send_message", "sending")

    def __init__(self, pipeline: Pipeline, settings: ApiSettings) -> None:
        gate = Gate(pipeline, settings.proxies)
        self.sending, asking = Sending(pipeline, gate), Asking(pipeline, gate)
        self.send_message = Endpoint("send_message", self.sending.send_message)
        self.plain_heads: dict[bytes, Head] = {}
        two_way = TwoWay(pipeline, gate)
        pages = documents.Documents(settings)
        routes = [
            Route(
                MESSAGES_PATH,
                _ByMethod(self.send_message, Endpoint("list_messages", asking.messages)),
                methods=["GET", "POST"],
            ),
            _route("POST", MESSAGES_PATH + "/batch", "send_batch", self.sending.send_batch),
            _route("POST", MESSAGES_PATH + "/preview", "preview_message", self.sending.preview),
            _route("GET", MESSAGES_PATH + "/{message_id:uuid}", "get_message", asking.message),
            _route("POST", MESSAGES_PATH + "/{message_id:uuid}/cancel", "cancel_message", asking.cancel),
            _route("GET", "/api/v1/balance", "get_balance", asking.balances),
            Route("/api", Endpoint("carrier", Carrier(pipeline, gate).ask), methods=["GET", "POST"]),
            _route("GET", "/api/v1/incoming", "list_incoming", two_way.incoming),
            Route(
                "/api/v1/stop-list",
                _ByMethod(Endpoint("add_stops", two_way.put), Endpoint("list_stops", two_way.stops)),
                methods=["GET", "POST"],
            ),
            _route("POST", "/api/v1/stop-list/remove", "remove_stops", two_way.take_away),
            _route("GET", "/api/v1/openapi.json", "openapi", pages.openapi),
            _route("GET", "/api/v1/docs", "docs", pages.page),
            _route("GET", "/problems/{code}", "problem", pages.problem),
            _route("GET", "/healthz", "healthz", _alive),
            _route("GET", "/readyz", "readyz", _readiness(pipeline)),
        ]
        if settings.serves_metrics:
            routes.append(_route("GET", "/metrics", "metrics", _metrics))
        self._routed = Starlette(routes=routes, exception_handlers={HTTPException: _unrouted})
        self._routed.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == MESSAGES_PATH and scope["method"] == "POST":
            await self.send_message(scope, receive, send)
        else:
            await self._routed(scope, receive, send)


class _ByMethod:
    """One address that takes something and lists it: one route, so that a refused method is told both."""

    __slots__ = ("_get", "_post")

    def __init__(self, post: Endpoint, get: Endpoint) -> None:
        self._post, self._get = post, get

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._post if scope["method"] == "POST" else self._get)(scope, receive, send)


def _route(method: str, path: str, operation: str, handle: Handler) -> Route:
    return Route(path, Endpoint(operation, handle), methods=[method])


async def _unrouted(request: Request, error: Exception) -> Response:
    """The router's own refusals, 404 and 405, as problems."""
    allowed = error.headers.get("Allow") if isinstance(error, HTTPException) and error.headers else None
    if allowed is None:
        told, headers = problem(EdgeProblem.NOT_FOUND), {}
    else:
        allow = ", ".join(sorted(method.strip() for method in allowed.split(",")))
        told, headers = problem(EdgeProblem.METHOD_NOT_ALLOWED, f"This address takes {allow}."), {"allow": allow}
    REQUESTS.labels("none", str(told.status)).inc()
    headers |= {name.decode(): value.decode() for name, value in headers_of(told)}
    request_id = request_id_in(dict(request.scope["headers"]))
    headers[REQUEST_ID.decode()] = request_id.decode()
    return Response(body_with(refused(told), request_id), told.status, headers, PROBLEM_JSON.decode())


async def _alive(_scope: Scope, _receive: Receive) -> Reply:
    return Reply(200, b'{"status":"ok"}')


def _readiness(pipeline: Pipeline) -> Handler:
    async def readiness(_scope: Scope, _receive: Receive) -> Reply:
        return Reply(200, b'{"status":"ready"}') if pipeline.ready else refused(problem(EdgeProblem.NOT_READY))

    return readiness


async def _metrics(_scope: Scope, _receive: Receive) -> Reply:
    return Reply(200, generate_latest(REGISTRY), CONTENT_TYPE_LATEST.encode())
