"""How many signed events a second one worker tells a webhook: `python -m bench.callbacks [COUNT]`.

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


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    here, there = multiprocessing.Pipe()
    receiver = multiprocessing.Process(target=receive, args=(there,), daemon=True)
    receiver.start()
    with tempfile.TemporaryDirectory(prefix="relais-bench-") as folder:
        Path(folder).chmod(0o711)
        with Embedded(Path(folder) / "data") as server:
            settings = {"RELAIS_DATABASE_URL": server.dsn, "RELAIS_SECRET_KEY": "a key for the bench, never for more"}
            migrate = [sys.executable, "-m", "relais", "migrate", "--without-dictionaries"]
            subprocess.run(migrate, env=os.environ | settings, check=True, stdout=subprocess.DEVNULL)
            took_s, cpu_s = uvloop.run(send(server.dsn, f"http://127.0.0.1:{here.recv()}/hook", count))
    receiver.terminate()
    print(f"{count / took_s:,.0f} callbacks/s, {cpu_s / count * 1e6:.0f} µs of the worker's CPU each")


if __name__ == "__main__":
    main()
