"""What a handler answers, and the one place that puts answers on the wire."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec
from starlette.types import Receive, Scope, Send

from relais.api.problems import Problem, headers_of

Header = tuple[bytes, bytes]

JSON = b"application/json"
PROBLEM_JSON = b"application/problem+json"
# How much of a body that nobody will read is still taken in, so that its sender lives to read the answer.
DRAINED_OCTETS_MAX = 4 * 1_048_576
DRAINED_FOR_S = 2

encode = msgspec.json.Encoder().encode


class Reply(msgspec.Struct, frozen=True, gc=False):
    """A whole answer. `closes` ends the connection after it, leaving the rest of the request's body unread."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[Header, ...] = ()
    closes: bool = False


# None: the client left before it had sent its request; there is nobody to answer.
Handler = Callable[[Scope, Receive], Awaitable[Reply | None]]


def refused(problem: Problem, *headers: Header, closes: bool = False) -> Reply:
    """The answer that carries `problem`, with the headers its code asks for and `headers`."""
    return Reply(problem.status, encode(problem), PROBLEM_JSON, headers_of(problem) + headers, closes)


async def send_reply(reply: Reply, body: bytes, request_id: bytes, receive: Receive, send: Send) -> None:
    """Sends `reply` whole, with that body."""
    headers = [
        (b"content-type", reply.content_type), (b"content-length", b"%d" % len(body)), (b"x-request-id", request_id),
        *reply.headers,
    ]  # fmt: skip
    if reply.closes:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.closes:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAINED_FOR_S):
                await _drain(receive)
        await send({"type": "http.response.body"})
    else:
        await send({"type": "http.response.body", "body": body})


async def _drain(receive: Receive) -> None:
    """Takes and drops what is still arriving, up to `DRAINED_OCTETS_MAX`.

    Closing a socket with octets unread resets it, and the reset may overtake the answer that stands in the client's
    buffer; most clients that see the answer stop sending and close.
    """
    drained_octets = 0
    while drained_octets < DRAINED_OCTETS_MAX:
        event = await receive()
        drained_octets += len(event.get("body", b""))
        if event["type"] == "http.disconnect" or not event.get("more_body", False):
            return
