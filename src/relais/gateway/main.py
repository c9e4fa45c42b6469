"""The gateway process: pipeline, vendor connections and, composed in by the command line, the customer API."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

import structlog

from relais.collector import calm_collector
from relais.pipeline.following import Configuration
from relais.pipeline.traffic import Traffic
from relais.secretbox import SecretBox

COLLECT_AFTER_OBJECTS = 500_000  # made and not freed yet: more than the messages under way have

log = structlog.get_logger()


async def serve(
    *,
    dsn: str,
    box: SecretBox,
    tick_s: float,
    callbacks_allow_private: bool,
    connections_allow_private: bool = False,
    edges: Callable[[Traffic], list[Any]],
    sends: bool = True,
) -> None:
    """Run until SIGINT or SIGTERM: clients are let go first, then vendors, then the last tick is written.

    Without `sends` messages are only accepted, for the gateways that own the vendor connections.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    configuration = Configuration(dsn, box, connections_allow_private=connections_allow_private)
    await configuration.open()
    traffic = Traffic(dsn, configuration, tick_s=tick_s, callbacks_allow_private=callbacks_allow_private, sends=sends)
    listening = edges(traffic)
    await traffic.open()
    try:
        for edge in listening:
            await edge.start()
        calm_collector(COLLECT_AFTER_OBJECTS)
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
