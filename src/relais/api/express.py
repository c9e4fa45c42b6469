"""The short way of the one request that comes thousands of times a second: POST /api/v1/messages, one plain message.

Such a request is answered by the HTTP parser's own callbacks and a promise of the pipeline: no task, no ASGI events.
Anything about it that is not plain (an idempotency key, a pipelined or chunked request, another media type, a client that
does not read) takes the usual way through the application, with the same answers: both ways share `Sending` and `Endpoint`.
"""

import asyncio
from collections.abc import Iterable
from functools import partial
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from relais.api.endpoints import Endpoint
from relais.api.replies import JSON, Header, Reply
from relais.api.sending import Sending, single
from relais.pipeline.submission import Outcome

MESSAGES_PATH: Final = "/api/v1/messages"
PLAIN_OCTETS_MAX: Final = 32_768
_URL: Final = MESSAGES_PATH.encode()
_NOT_PLAIN: Final = frozenset({b"idempotency-key", b"content-encoding", b"transfer-encoding", b"expect", b"upgrade"})
_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class _Promised:
    """A request under way on the short way, where uvicorn keeps its own cycle: it asks after these."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")
    message_event = asyncio.Event()  # set when the connection is lost; nobody waits

    def __init__(self) -> None:
        self.response_complete = self.disconnected = False
        self.keep_alive = True


class ExpressProtocol(HttpToolsProtocol):
    """A connection that answers plain messages itself. `config.app` has `sending` and `send_message`."""

    def __init__(self, config: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(config, *arguments, **named)
        self._sending: Sending = config.app.sending
        self._endpoint: Endpoint = config.app.send_message
        self._chunks: list[bytes] | None = None  # the body of a plain request while it arrives
        self._plain_headers: dict[bytes, bytes] = {}
        self._started_s = 0.0
        self._idle_since_s: float | None = None  # None while a request arrives or is under way
        self._dated: tuple[Any, bytes] = (None, b"")  # the server's headers of this second, as octets

    def on_message_begin(self) -> None:
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        headers = dict(self.headers)
        if self._plain(headers):
            self._chunks, self._plain_headers = [], headers
            self._started_s = perf_counter()
            return
        read = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = read[0], read[2]
        self.headers += read[1]  # the scope holds this list
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._chunks is None:
            super().on_body(body)
        else:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        if self._chunks is None:
            super().on_message_complete()
            return
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = None
        waiting = _Promised()
        self.cycle = waiting  # type: ignore[assignment]  # stands in for uvicorn's
        try:
            promise = self._sending.take_message(self._plain_headers, body)
        except Exception as error:
            promise = self._endpoint.fault(error)
        if isinstance(promise, Reply):
            self._answer(waiting, self._started_s, promise)
        else:
            promise.add_done_callback(partial(self._kept, waiting, self._started_s))

    def _plain(self, headers: dict[bytes, bytes]) -> bool:
        parser = self.parser
        if self.url != _URL or parser.get_method() != b"POST" or parser.get_http_version() != "1.1":
            return False
        if (self.cycle is not None and not self.cycle.response_complete) or self.flow.write_paused:
            return False
        length = headers.get(b"content-length", b"")
        return (
            length.isdigit()
            and int(length) <= PLAIN_OCTETS_MAX
            and headers.get(b"content-type") == JSON
            and _NOT_PLAIN.isdisjoint(headers)
            and parser.should_keep_alive()
        )

    def _kept(self, waiting: _Promised, started_s: float, promise: "asyncio.Future[Outcome]") -> None:
        try:
            reply = single(promise.result())
        except (Exception, asyncio.CancelledError) as error:
            reply = self._endpoint.fault(error)
        self._answer(waiting, started_s, reply)

    def _answer(self, waiting: _Promised, started_s: float, reply: Reply) -> None:
        """Write the whole answer, once; a client that left does without."""
        waiting.response_complete = True
        self._endpoint.count(reply.status, started_s)
        if waiting.disconnected or self.transport.is_closing():
            return
        default = self.server_state.default_headers
        if self._dated[0] is not default:  # uvicorn makes a new list every second
            self._dated = (default, _lines(default))
        own = _lines(reply.headers) if waiting.keep_alive else _lines((*reply.headers, (b"connection", b"close")))
        self.transport.write(
            b"%b%bcontent-type: %b\r\ncontent-length: %d\r\n%b\r\n%b"
            % (_STATUS_LINES[reply.status], self._dated[1], reply.content_type, len(reply.body), own, reply.body)
        )
        if not waiting.keep_alive:
            self.transport.close()
        self.on_response_complete()

    # Keeping alive: one timer a connection, that looks when the connection was used last, instead of two a request.

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        self._idle_since_s = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _unset_keepalive_if_required(self) -> None:
        """Called by uvicorn when octets arrive, and when the connection is gone."""
        self._idle_since_s = None
        if self.transport.is_closing():
            super()._unset_keepalive_if_required()

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since_s is None:
            return  # the end of the answer sets it anew
        left_s = self._idle_since_s + self.timeout_keep_alive - self.loop.time()
        if left_s <= 0:
            super().timeout_keep_alive_handler()
        else:
            self.timeout_keep_alive_task = self.loop.call_later(left_s, self.timeout_keep_alive_handler)


def _lines(headers: Iterable[Header]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])
