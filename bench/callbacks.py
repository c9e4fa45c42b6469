"""How many signed events a second one worker tells a webhook: `python -m bench.callbacks [COUNT]`; and what the whole product
does with one for each step of each message, or for its final status alone: `python -m bench.callbacks traffic [COUNT] [final]`.

The sender is the worker's, on an embedded PostgreSQL with fsync; the receiver is a process of its own on this machine.
"""

import asyncio
import contextlib
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import httptools
import uvloop

from bench.load import closed_loop, single_requests
from bench.machine import cpu_s
from bench.measure import API_KEY, SENDER, numbers, singles, until_settled
from bench.product import Product, product
from relais.database.embedded import Embedded
from relais.jobs.callbacks import CallbackSender
from relais.store.blocks import blocks

COUNT = 20_000
EVENT = {"type": "message.delivered", "timestamp": "2026-01-01T10:16:00Z",
         "data": {"id": "0195f0d2-7a44-7c31-9a5e-3f6f0a2b9c10", "status": "delivered", "final": True, "to": "34600123456",
                  "client_ref": "order-7", "accepted_at": "2026-01-01T10:15:58Z", "error": None}}  # fmt: skip


def receive(told: "multiprocessing.connection.Connection") -> None:
    """A webhook that takes everything; tells its port."""

    class Connection(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._transport, self._parser = transport, httptools.HttpRequestParser(self)

        def data_received(self, octets: bytes) -> None:
            self._parser.feed_data(octets)

        def on_message_complete(self) -> None:
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")  # type: ignore[attr-defined]  # a transport that writes

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(serve())


async def send(dsn: str, url: str, count: int) -> tuple[float, float]:
    """Seconds and CPU seconds until all of them are answered and stored."""
    session = await asyncpg.connect(dsn)
    await session.execute(
        blocks("tick")["insert_callbacks"], datetime.now(UTC), [1] * count, [1] * count, [None] * count,
        [uuid4() for _ in range(count)], [url] * count, [json.dumps(EVENT)] * count,
    )  # fmt: skip
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    running = asyncio.create_task(CallbackSender(dsn, "a key for the bench, never for more", allow_private=True).run())
    while await session.fetchval("SELECT EXISTS (SELECT FROM traffic_callback WHERE due_at IS NOT NULL)"):
        await asyncio.sleep(0.05)
    took = time.monotonic() - began_s, time.process_time() - began_cpu_s
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await session.close()
    return took


async def traffic(running: Product, url: str, count: int) -> None:
    """Single messages over HTTP, until each is final and all that it had to tell is told."""
    await singles(running, 2_000)
    session = await asyncpg.connect(running.dsn)
    assert running.worker_pid is not None
    pids = (running.gateway_pid, running.database_pid, running.worker_pid)
    before, began_s = [cpu_s(pid) for pid in pids], time.monotonic()
    requests = single_requests(API_KEY, SENDER, numbers(), callback_url=url)
    result = await closed_loop("127.0.0.1", running.api_port, requests, count, 50)
    await until_settled(session)
    took_s = time.monotonic() - began_s
    events = await session.fetchval("SELECT count(*) FROM traffic_callback WHERE state = 2")
    await session.close()
    spent = [(cpu_s(pid) - earlier) * 10_000 / count for pid, earlier in zip(pids, before, strict=True)]
    print(
        f"{result.accepted} accepted at {result.per_second:,.0f}/s, {result.accepted / took_s:,.0f}/s with all of {events} "
        "events told; CPU seconds for 10,000 messages: gateway {:.2f}, database {:.2f}, worker {:.2f}".format(*spent)
    )


def main() -> None:
    arguments = sys.argv[1:]
    whole = arguments[:1] == ["traffic"]
    given = arguments[1:] if whole else arguments
    final_only = "final" in given
    count = next((int(each) for each in given if each != "final"), COUNT)
    here, there = multiprocessing.Pipe()
    receiver = multiprocessing.Process(target=receive, args=(there,), daemon=True)
    receiver.start()
    url = f"http://127.0.0.1:{here.recv()}/hook"
    if whole:
        with product(worker=True, final_only=final_only) as running:
            uvloop.run(traffic(running, url, count))
    else:
        alone(url, count)
    receiver.terminate()


def alone(url: str, count: int) -> None:
    """The worker's sender and nothing else."""
    with tempfile.TemporaryDirectory(prefix="relais-bench-") as folder:
        Path(folder).chmod(0o711)
        with Embedded(Path(folder) / "data") as server:
            settings = {"RELAIS_DATABASE_URL": server.dsn, "RELAIS_SECRET_KEY": "a key for the bench, never for more"}
            migrate = [sys.executable, "-m", "relais", "migrate", "--without-dictionaries"]
            subprocess.run(migrate, env=os.environ | settings, check=True, stdout=subprocess.DEVNULL)
            took_s, spent_s = uvloop.run(send(server.dsn, url, count))
    print(f"{count / took_s:,.0f} callbacks/s, {spent_s / count * 1e6:.0f} µs of the worker's CPU each")


if __name__ == "__main__":
    main()
