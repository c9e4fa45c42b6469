"""Load clients for the customer API: raw HTTP/1.1 over keep-alive connections, cheap enough not to be the bottleneck.

`closed_loop` sends as fast as the answers come back; `open_loop` offers a fixed rate and measures the answer's delay
from the instant at which a request was due, so that a stall is not hidden by the client waiting for it.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import cast


class Result:
    """`latencies_s` of the answered requests, in the order of the answers; `refused` maps a status line to a count."""

    def __init__(self) -> None:
        self.accepted = 0
        self.refused: dict[bytes, int] = {}
        self.latencies_s: list[float] = []
        self.started_s = time.perf_counter()
        self.ended_s = self.started_s

    @property
    def per_second(self) -> float:
        return self.accepted / max(self.ended_s - self.started_s, 1e-9)

    def percentile_ms(self, percent: float) -> float:
        """Latency that `percent` of the answers did not exceed, in ms."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000 if ordered else 0.0


class _Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, answered: Callable[["_Connection", bytes, int], None]) -> None:
        self._answered = answered
        self._buffer = b""
        self.transport: asyncio.Transport | None = None
        self.due_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._buffer[: head_end + 2].lower()
        length_at = head.find(b"content-length:")
        length = int(head[length_at + 15 : head.index(b"\r\n", length_at)])
        end = head_end + 4 + length
        if len(self._buffer) >= end:
            status, body = self._buffer[9:12], self._buffer[head_end + 4 : end]
            self._buffer = self._buffer[end:]
            self._answered(self, status, body.count(b'"status":"accepted"'))

    def connection_lost(self, exc: Exception | None) -> None:
        self._answered(self, b"lost", 0)


def single_requests(
    key: str, sender: str, numbers: Iterator[str], *, callback_url: str | None = None
) -> Iterator[bytes]:
    """Requests of one message each; with a `callback_url` that is told of each step."""
    sample = {"from": sender, "to": "%s", "text": "Your code is %s"}
    if callback_url:
        sample["callback_url"] = callback_url
    body = json.dumps(sample, separators=(",", ":")).encode()
    for serial in count():
        yield _request("/api/v1/messages", key, body % (next(numbers).encode(), b"%06d" % (serial % 1_000_000)))


def batch_requests(key: str, sender: str, numbers: Iterator[str], size: int) -> Iterator[bytes]:
    """Requests of `size` messages each."""
    for serial in count():
        messages = [{"from": sender, "to": next(numbers), "text": f"News {serial}.{n}"} for n in range(size)]
        body = json.dumps({"messages": messages}, separators=(",", ":")).encode()
        yield _request("/api/v1/messages/batch", key, body)


def _request(path: str, key: str, content: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: relais\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def closed_loop(
    host: str, port: int, requests: Iterator[bytes], requests_count: int, connections_count: int
) -> Result:
    """Send `requests_count` requests over `connections_count` connections, each as soon as the one before is answered."""
    result = Result()
    done = asyncio.get_running_loop().create_future()
    left = requests_count
    under_way = 0

    def send(connection: _Connection) -> None:
        nonlocal left, under_way
        if left > 0 and connection.transport:
            left -= 1
            under_way += 1
            connection.due_s = time.perf_counter()
            connection.transport.write(next(requests))

    def answered(connection: _Connection, status: bytes, accepted: int) -> None:
        nonlocal under_way
        if status == b"lost":
            if not done.done():
                done.set_exception(ConnectionError("the API closed a connection"))
            return
        under_way -= 1
        _record(result, connection, status, accepted)
        send(connection)
        if left == 0 and under_way == 0 and not done.done():
            done.set_result(None)

    await _run(host, port, connections_count, answered, send, done, result)
    return result


async def open_loop(
    host: str, port: int, requests: Iterator[bytes], rate_per_s: float, duration_s: float, connections_count: int
) -> Result:
    """Offer `rate_per_s` requests a second for `duration_s`, over idle connections."""
    result = Result()
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    idle: list[_Connection] = []
    queue: list[float] = []  # instants at which requests were due and found no idle connection
    wanted = int(rate_per_s * duration_s)
    issued = answered_count = 0

    def start(connection: _Connection, due_s: float) -> None:
        connection.due_s = due_s
        if connection.transport:
            connection.transport.write(next(requests))

    def answered(connection: _Connection, status: bytes, accepted: int) -> None:
        nonlocal answered_count
        if status == b"lost":
            return
        answered_count += 1
        _record(result, connection, status, accepted)
        if queue:
            start(connection, queue.pop(0))
        else:
            idle.append(connection)
        if answered_count == wanted and not done.done():
            done.set_result(None)

    def tick(began_s: float) -> None:
        nonlocal issued
        now_s = time.perf_counter()
        while issued < wanted and began_s + issued / rate_per_s <= now_s:
            due_s = began_s + issued / rate_per_s
            issued += 1
            if idle:
                start(idle.pop(), due_s)
            else:
                queue.append(due_s)
        if issued < wanted:
            loop.call_later(0.001, tick, began_s)

    def begin(connection: _Connection) -> None:
        idle.append(connection)
        if len(idle) == connections_count:
            tick(time.perf_counter())

    await _run(host, port, connections_count, answered, begin, done, result)
    return result


def _record(result: Result, connection: _Connection, status: bytes, accepted: int) -> None:
    result.ended_s = time.perf_counter()
    result.latencies_s.append(result.ended_s - connection.due_s)
    if status in (b"202", b"200"):
        result.accepted += accepted
    else:
        result.refused[status] = result.refused.get(status, 0) + 1


async def _run(
    host: str,
    port: int,
    connections_count: int,
    answered: Callable[[_Connection, bytes, int], None],
    begin: Callable[[_Connection], None],
    done: "asyncio.Future[None]",
    result: Result,
) -> None:
    loop = asyncio.get_running_loop()
    connections = []
    for _ in range(connections_count):
        _, connection = await loop.create_connection(lambda: _Connection(answered), host, port)
        connections.append(connection)
    result.started_s = time.perf_counter()
    for connection in connections:
        begin(connection)
    try:
        await done
    finally:
        done.cancel()
        for connection in connections:
            connection._answered = lambda *_: None
            if connection.transport:
                connection.transport.close()
