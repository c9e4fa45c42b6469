"""The short way of the one request that comes thousands of times a second: POST /api/v1/messages, one plain message.

Such a request is answered by the HTTP parser's own callbacks and what the pipeline tells: no task, no ASGI events, one
write. Anything about it that is not plain (a pipelined or chunked request, another media type, a client that does not read)
takes the usual way through the application, with the same answers: both ways share `Sending` and `Endpoint`.

A client sends the same head again and again. One that the parser took for plain is remembered, octet by octet: a request
that comes in one piece with such a head needs no parsing.
"""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from relais.api.callers import REQUEST_ID, body_with, request_id_in
from relais.api.endpoints import Endpoint
from relais.api.replies import JSON, Header, Reply
from relais.api.sending import Sending, told_reply
from relais.pipeline.submission import Told

MESSAGES_PATH: Final = "/api/v1/messages"
PLAIN_OCTETS_MAX: Final = 32_768
HEAD_OCTETS_MAX, HEADS_MAX = 2_048, 512  # of heads that are remembered
_URL: Final = MESSAGES_PATH.encode()
_REQUEST_LINE: Final = b"POST %b HTTP/1.1\r\n" % _URL
_NOT_PLAIN: Final = frozenset({b"content-encoding", b"transfer-encoding", b"expect", b"upgrade"})
_OF_ONE_REQUEST: Final = frozenset({b"idempotency-key", REQUEST_ID})
_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class Head(NamedTuple):
    """Of a plain request: its headers, and how many octets of body follow."""

    headers: dict[bytes, bytes]
    length: int


class _Promised:
    """A request under way on the short way, where uvicorn keeps its own cycle: it asks after these. Called with what the
    pipeline tells."""

    __slots__ = ("_protocol", "_started_s", "disconnected", "keep_alive", "request_id", "response_complete")
    message_event = asyncio.Event()  # set when the connection is lost; nobody waits

    def __init__(self, protocol: "ExpressProtocol", started_s: float, request_id: bytes) -> None:
        self._protocol = protocol
        self._started_s = started_s
        self.request_id = request_id
        self.response_complete = self.disconnected = False
        self.keep_alive = True

    def __call__(self, told: Told) -> None:
        self._protocol.tell(self, self._started_s, told)


class ExpressProtocol(HttpToolsProtocol):
    """A connection that answers plain messages itself. `config.app` has `sending`, `send_message` and `plain_heads`."""

    def __init__(self, config: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(config, *arguments, **named)
        self._sending: Sending = config.app.sending
        self._endpoint: Endpoint = config.app.send_message
        self._heads: dict[bytes, Head] = config.app.plain_heads
        self._between = True  # nothing but whole plain requests has come so far, or since the latest one
        self._unknown_head: bytes | None = None  # of the request that begins with the octets being parsed
        self._chunks: list[bytes] | None = None  # the body of a plain request while it arrives
        self._plain_headers: dict[bytes, bytes] = {}
        self._started_s = 0.0
        self._idle_since_s: float | None = None  # None while a request arrives or is under way
        self._dated: tuple[Any, bytes] = (None, b"")  # the server's headers of this second, as octets

    def data_received(self, data: bytes) -> None:
        if self._between and data.startswith(_REQUEST_LINE):
            end = data.find(b"\r\n\r\n") + 4
            head = data[:end]
            known = self._heads.get(head)
            if (
                known is not None
                and len(data) == end + known.length
                and self._free()
                and not self.transport.is_closing()
            ):
                self._unset_keepalive_if_required()
                self._take(known.headers, data[end:], perf_counter())
                return
            self._unknown_head = head if known is None and 4 <= end <= HEAD_OCTETS_MAX else None
        super().data_received(data)
        self._unknown_head = None

    def on_message_begin(self) -> None:
        self._between = False
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        headers = dict(self.headers)
        head, self._unknown_head = self._unknown_head, None
        if self._plain(headers):
            self._chunks, self._plain_headers = [], headers
            self._started_s = perf_counter()
            if head is not None:
                self._remember(head, headers)
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
        self._between = True
        self._take(self._plain_headers, body, self._started_s)

    def _take(self, headers: dict[bytes, bytes], body: bytes, started_s: float) -> None:
        waiting = _Promised(self, started_s, request_id_in(headers))
        self.cycle = waiting  # type: ignore[assignment]  # stands in for uvicorn's
        try:
            reply = self._sending.take_message(headers, body, waiting, self.client[0] if self.client else "")
        except Exception as error:
            reply = self._endpoint.fault(error, waiting.request_id)
        if reply is not None:
            self._answer(waiting, started_s, reply)

    def _plain(self, headers: dict[bytes, bytes]) -> bool:
        parser = self.parser
        if self.url != _URL or parser.get_method() != b"POST" or parser.get_http_version() != "1.1":
            return False
        if not self._free():
            return False
        length = headers.get(b"content-length", b"")
        return (
            length.isdigit()
            and int(length) <= PLAIN_OCTETS_MAX
            and headers.get(b"content-type") == JSON
            and _NOT_PLAIN.isdisjoint(headers)
            and parser.should_keep_alive()
        )

    def _free(self) -> bool:
        """Nothing is under way, and the client reads."""
        return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused

    def _remember(self, head: bytes, headers: dict[bytes, bytes]) -> None:
        """Keep a head that will come again; not one with a key or an id of its own, nor one whose lines are not its headers
        one by one (so that its first empty line is for certain where the parser saw its end)."""
        if (
            not _OF_ONE_REQUEST.isdisjoint(headers)
            or head.count(b"\n") != len(headers) + 2
            or len(headers) != len(self.headers)
        ):
            return
        if len(self._heads) >= HEADS_MAX:
            self._heads.clear()
        self._heads[head] = Head(headers, int(headers[b"content-length"]))

    def tell(self, waiting: _Promised, started_s: float, told: Told) -> None:
        """The pipeline has done with a request."""
        try:
            reply = told_reply(told)
        except Exception as error:
            reply = self._endpoint.fault(error, waiting.request_id)
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
        body = body_with(reply, waiting.request_id)
        self.transport.write(
            b"%b%bcontent-type: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\n%b\r\n%b"
            % (
                _STATUS_LINES[reply.status],
                self._dated[1],
                reply.content_type,
                len(body),
                waiting.request_id,
                own,
                body,
            )
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
