"""Plain messages take a short way through the server: what a client sees must not depend on which way was taken."""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

import pytest
import uvloop
from tests.api.fake_pipeline import FakePipeline

from relais.api.app import create_app
from relais.api.express import HEADS_MAX, ExpressProtocol
from relais.api.main import serve

BODY = '{"from":"Monsters","to":"34600000001","text":"%s"}'
SHORT = "Content-Type: application/json\r\n"
USUAL = "Content-Type: application/json; charset=utf-8\r\n"  # any other spelling takes the usual way


def run(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def request(text: str, headers: str, key: str = "full", body: str = BODY) -> bytes:
    content = (body % text if "%s" in body else body).encode()
    head = f"POST /api/v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n{headers}"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, octets: bytes) -> bytes:
    writer.write(octets)
    return await answer(reader)


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    return head + await reader.readexactly(int(length[1]))


def told(octets: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Status line, sorted headers without date and id, and the body without what differs between two messages."""
    head, _, body = octets.partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    body = re.sub(rb'"(?:request_)?id":"[^"]*"|urn:uuid:[0-9a-f-]+', b"", body)
    return status, sorted(line for line in headers if not line.startswith((b"date", b"x-request-id"))), body


@pytest.mark.parametrize(
    ("text", "key", "body"),
    [
        ("Hello", "full", BODY),
        ("refuse:balance_too_low", "full", BODY),
        ("late:balance_too_low", "full", BODY),
        ("refuse:overloaded", "full", BODY),
        ("fault", "full", BODY),
        ("Hello", "nobody", BODY),
        ("Hello", "reads", BODY),
        ("Hello", "disabled", BODY),
        ("", "full", "{"),
        ("", "full", ""),
        ("", "full", '{"from":"Monsters","to":5}'),
    ],
)
def test_both_ways_answer_alike(text: str, key: str, body: str) -> None:
    async def work() -> None:
        async with serve(create_app(FakePipeline()), "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            short = await exchange(reader, writer, request(text, SHORT, key, body))
            usual = await exchange(reader, writer, request(text, USUAL, key, body))
            assert told(short) == told(usual)
            assert short.count(b"\r\ndate: ") == 1
            writer.close()

    run(work())


def test_a_body_may_arrive_in_pieces_of_any_size() -> None:
    async def work() -> None:
        pipeline = FakePipeline()
        async with serve(create_app(pipeline), "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            octets = request("in pieces", SHORT)
            for start in range(0, len(octets), 7):
                writer.write(octets[start : start + 7])
                await asyncio.sleep(0)
            assert (await answer(reader)).startswith(b"HTTP/1.1 202 Accepted\r\n")
            writer.close()
        assert [submission.text for _, submission in pipeline.stored] == ["in pieces"]

    run(work())


def test_pipelined_requests_of_both_ways_are_answered_in_order() -> None:
    async def work() -> None:
        pipeline = FakePipeline()
        async with serve(create_app(pipeline), "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            health = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
            writer.write(request("1", SHORT) + health + request("2", USUAL) + request("3", SHORT) + health)
            statuses = [(await answer(reader))[9:12] for _ in range(5)]
            assert statuses == [b"202", b"200", b"202", b"202", b"200"]
            writer.close()
        assert [submission.text for _, submission in pipeline.stored] == ["1", "2", "3"]

    run(work())


def test_an_idle_connection_is_closed_and_one_in_use_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[float] = []

    async def work() -> None:
        monkeypatch.setattr("relais.api.main.KEEP_ALIVE_S", 1)
        async with serve(create_app(FakePipeline()), "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            loop = asyncio.get_running_loop()
            await exchange(reader, writer, request("first", SHORT))
            await asyncio.wait_for(_nothing_for(reader, 0.7), 5)
            await exchange(reader, writer, request("second", SHORT))
            used_s = loop.time()
            assert await reader.read() == b""
            closed.append(loop.time() - used_s)
            writer.close()

    run(work())
    assert closed[0] >= 0.9, "counted from the last answer"


async def _nothing_for(reader: asyncio.StreamReader, seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await reader.read()


def test_the_short_way_is_the_one_served() -> None:
    async def work() -> None:
        async with serve(create_app(FakePipeline()), "127.0.0.1", 0) as server:
            assert server._server is not None and server._server.config.http_protocol_class is ExpressProtocol

    run(work())


@pytest.mark.parametrize("headers", [SHORT, USUAL])
def test_an_idempotency_key_means_the_same_on_both_ways(headers: str) -> None:
    async def work() -> None:
        pipeline = FakePipeline()
        async with serve(create_app(pipeline), "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            keyed = headers + "Idempotency-Key: order 1\r\n"
            first = await exchange(reader, writer, request("once", keyed))
            again = await exchange(reader, writer, request("once", keyed))
            other = await exchange(reader, writer, request("another", keyed))
            wrong = await exchange(reader, writer, request("once", headers + "Idempotency-Key: \u00e9\r\n"))
            assert [octets[9:12] for octets in (first, again, other, wrong)] == [b"202", b"202", b"422", b"422"]
            assert first.partition(b"\r\n\r\n")[2] == again.partition(b"\r\n\r\n")[2], "the same id"
            assert b"\r\nidempotent-replayed: true\r\n" in again
            writer.close()
        assert [submission.text for _, submission in pipeline.stored] == ["once"]

    run(work())


def test_a_head_that_comes_again_is_not_parsed_again() -> None:
    async def work() -> None:
        pipeline = FakePipeline()
        app = create_app(pipeline)
        async with serve(app, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            for text in ("one", "two", "six"):
                assert (await exchange(reader, writer, request(text, SHORT))).startswith(b"HTTP/1.1 202 ")
            assert [head.length for head in app.plain_heads.values()] == [len(BODY % "one")]
            # In pieces, two at once, with another length and after a request of the usual way: all are parsed.
            octets = request("ten", SHORT)
            writer.write(octets[:90])
            await asyncio.sleep(0)
            writer.write(octets[90:] + request("1st", SHORT) + request("2nd", SHORT))
            for _ in range(3):
                assert (await answer(reader)).startswith(b"HTTP/1.1 202 ")
            assert (await exchange(reader, writer, request("usual", USUAL))).startswith(b"HTTP/1.1 202 ")
            assert (await exchange(reader, writer, request("end", SHORT))).startswith(b"HTTP/1.1 202 ")
            assert (await exchange(reader, writer, request("longer", SHORT))).startswith(b"HTTP/1.1 202 ")
            assert (await exchange(reader, writer, request("Hello", SHORT, "nobody"))).startswith(b"HTTP/1.1 401 ")
            assert (await exchange(reader, writer, request("Hello", SHORT, "nobody"))).startswith(b"HTTP/1.1 401 ")
            writer.close()
        texts = [submission.text for _, submission in pipeline.stored]
        assert texts == ["one", "two", "six", "ten", "1st", "2nd", "usual", "end", "longer"]

    run(work())


@pytest.mark.parametrize(
    "octets",
    [
        request("a", SHORT + "Idempotency-Key: 1\r\n"),
        request("a", SHORT + "X-Long: " + "x" * 2_048 + "\r\n"),
        request("a", SHORT + "X-Twice: 1\r\nX-Twice: 2\r\n"),
        b"\r\n\r\n" + request("a", SHORT),
    ],
)
def test_only_heads_that_will_come_again_and_are_beyond_doubt_are_kept(octets: bytes) -> None:
    async def work() -> None:
        app = create_app(FakePipeline())
        async with serve(app, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            for _ in range(2):
                assert (await exchange(reader, writer, octets)).startswith(b"HTTP/1.1 202 ")
            assert app.plain_heads == {}
            writer.close()

    run(work())


def test_heads_are_forgotten_before_they_are_too_many() -> None:
    async def work() -> None:
        app = create_app(FakePipeline())
        async with serve(app, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            for number in range(HEADS_MAX + 2):
                await exchange(reader, writer, request("a", SHORT + f"X-Try: {number}\r\n"))
            assert len(app.plain_heads) == 2
            await exchange(reader, writer, request("a", SHORT + "X-Request-Id: mine\r\n"))
            assert len(app.plain_heads) == 2, "that of one request does not come again"
            writer.close()

    run(work())
