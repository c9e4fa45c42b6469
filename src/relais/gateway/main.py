"""The gateway process: pipeline, vendor connections and, composed in by the command line, the customer API."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog

from relais.pipeline.configuration import Configuration
from relais.pipeline.traffic import Traffic
from relais.secretbox import SecretBox

log = structlog.get_logger()


class Edge(Protocol):
    """Something that listens for clients."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


async def serve(
    *,
    dsn: str,
    box: SecretBox,
    tick_s: float,
    callbacks_allow_private: bool,
    edges: Callable[[Traffic], list[Any]],
    started: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Run until SIGINT or SIGTERM: clients are let go first, then vendors, then the last tick is written."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    configuration = Configuration(dsn, box)
    await configuration.open()
    traffic = Traffic(dsn, configuration, tick_s=tick_s, callbacks_allow_private=callbacks_allow_private)
    listening = edges(traffic)
    await traffic.open()
    try:
        for edge in listening:
            await edge.start()
        if started is not None:
            await started()
        log.info("gateway.started")
        ends = {asyncio.create_task(stop.wait()), asyncio.create_task(traffic.failed())}
        done, pending = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        for task in done:
            task.result()
    finally:
        for edge in reversed(listening):
            await edge.stop()
        await traffic.close()
        await configuration.close()
        log.info("gateway.stopped")
