"""The server inside another's event loop: ports, stopping, and the hands it keeps off the process."""

import asyncio
import logging
import signal
import socket
from collections.abc import Coroutine
from typing import Any

import pytest
import uvloop
from tests.api.api_client import Client
from tests.api.fake_pipeline import KEYS, FakePipeline

from relais.api.app import create_app
from relais.api.main import PortTaken, Server, serve
from relais.pipeline.configuration import ApiKey
from relais.pipeline.submission import Answer, Idempotency, Refused, Submission, Tell

MESSAGE = {"from": "Monsters", "to": "34600000001", "text": "Hello"}


def run(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


class SlowPipeline(FakePipeline):
    """Keeps its promises only when `open` is set, like a commit that takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.open = asyncio.Event(), asyncio.Event()

    def submit_one(
        self, key: ApiKey, submission: Submission, idempotency: Idempotency | None, tell: Tell
    ) -> Refused | None:
        async def keep() -> None:
            self.asked.set()
            await self.open.wait()
            tell(Answer([self._store(key, submission)]))

        self.kept = asyncio.ensure_future(keep())
        return None


def test_a_taken_port_is_said_clearly() -> None:
    async def work() -> None:
        async with serve(create_app(FakePipeline()), "127.0.0.1", 0) as first:
            second = Server(create_app(FakePipeline()), "127.0.0.1", first.port)
            with pytest.raises(PortTaken) as taken:
                await second.start()
            assert (taken.value.host, taken.value.port) == ("127.0.0.1", first.port)
            assert str(taken.value) == (
                f"cannot serve the API on 127.0.0.1:{first.port}: another process listens there"
            )
            await second.stop()
            assert (await asyncio.to_thread(Client(first.host, first.port).get, "/healthz")).status == 200

    run(work())


def test_the_port_is_free_again_after_stopping_and_stopping_twice_is_harmless() -> None:
    async def work() -> None:
        server = Server(create_app(FakePipeline()), "127.0.0.1", 0)
        await server.start()
        port = server.port
        await server.stop()
        await server.stop()
        async with serve(create_app(FakePipeline()), "127.0.0.1", port) as again:
            assert again.port == port

    run(work())


def test_an_address_of_another_machine_is_the_systems_error() -> None:
    async def work() -> None:
        with pytest.raises(OSError, match="assign requested address"):
            await Server(create_app(FakePipeline()), "192.0.2.1", 0).start()

    run(work())


def test_a_message_under_way_is_answered_before_the_server_stops() -> None:
    async def work() -> None:
        pipeline = SlowPipeline()
        server = Server(create_app(pipeline), "127.0.0.1", 0)
        await server.start()
        asked = asyncio.create_task(asyncio.to_thread(Client(server.host, server.port).post, MESSAGE))
        await pipeline.asked.wait()
        stopping = asyncio.create_task(server.stop())
        asyncio.get_running_loop().call_later(0.3, pipeline.open.set)  # the server is well into its stopping by then
        assert (await asked).status == 202
        await stopping
        assert pipeline.stored == [
            (KEYS["full"].company_id, Submission(source="Monsters", destination="34600000001", text="Hello"))
        ]

    run(work())


def test_a_client_that_leaves_while_it_waits_does_not_undo_its_message() -> None:
    async def work() -> None:
        pipeline = SlowPipeline()
        async with serve(create_app(pipeline), "127.0.0.1", 0) as server:
            body = b'{"from":"Monsters","to":"34600000001","text":"Hello"}'
            head = "POST /api/v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer full\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            _, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(head.encode() + body)
            await pipeline.asked.wait()
            writer.close()
            await writer.wait_closed()
            pipeline.open.set()
        assert len(pipeline.stored) == 1

    run(work())


def test_requests_on_one_connection_are_answered_in_order() -> None:
    async def work() -> None:
        pipeline = FakePipeline()
        async with serve(create_app(pipeline), "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            for text in ("one", "two", "three"):
                body = f'{{"from":"Monsters","to":"34600000001","text":"{text}"}}'
                head = f"POST /api/v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
                writer.write(
                    f"{head}Authorization: Bearer full\r\nContent-Type: application/json\r\n\r\n{body}".encode()
                )
            for index in range(3):
                answer = await reader.readuntil(b"}}")
                assert answer.startswith(b"HTTP/1.1 202 ") and f"3f6f0000000{index}".encode() in answer
            writer.close()
        assert [submission.text for _, submission in pipeline.stored] == ["one", "two", "three"]

    run(work())


def test_signals_and_logging_stay_with_the_process() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT), logging.getLogger("uvicorn").handlers[:]

    async def work() -> None:
        inside = signal.getsignal(signal.SIGTERM)
        async with serve(create_app(FakePipeline()), "127.0.0.1", 0):
            assert signal.getsignal(signal.SIGTERM) == inside
            assert logging.getLogger("uvicorn").handlers == before[2]

    run(work())
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before[:2]


def test_it_serves_ipv6_where_there_is_some() -> None:
    async def work() -> None:
        async with serve(create_app(FakePipeline()), "::1", 0) as server:
            assert (await asyncio.to_thread(Client("::1", server.port).get, "/healthz")).status == 200

    if socket.has_ipv6:
        run(work())
