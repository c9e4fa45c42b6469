"""The worker process."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

import procrastinate
import structlog
from procrastinate.exceptions import ConnectorException

from relais.jobs.callbacks import CallbackSender
from relais.jobs.periodic import keep_up, make_app
from relais.jobs.texts import CodeTexts
from relais.store.sessions import CONNECTION_LOST, SESSION_ENDED

RESTART_S = 1.0
log = structlog.get_logger()


class Edge(Protocol):
    """Something that listens while the worker runs."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


async def serve(
    *,
    dsn: str,
    secret_key: str,
    callbacks_allow_private: bool,
    audit_kept_months: int,
    lookups_kept_days: int,
    ops: Callable[[Callable[[], Mapping[str, bool]]], Edge],
) -> None:
    """Run until SIGINT or SIGTERM. Django must be set up."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    sender = CallbackSender(dsn, secret_key, allow_private=callbacks_allow_private)
    texts = CodeTexts(dsn, secret_key)
    edge = ops(lambda: {"database": sender.ready})
    await edge.start()
    tasks = [
        asyncio.create_task(sender.run(), name="callbacks"),
        asyncio.create_task(_run_periodic(dsn, texts, audit_kept_months, lookups_kept_days), name="periodic"),
    ]
    stopping = asyncio.create_task(stop.wait())
    log.info("worker.started")
    try:
        done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()
    finally:
        for task in (*tasks, stopping):
            task.cancel()
        await asyncio.gather(*tasks, stopping, return_exceptions=True)
        await texts.close()
        await edge.stop()
        log.info("worker.stopped")


async def _run_periodic(dsn: str, texts: CodeTexts, audit_kept_months: int, lookups_kept_days: int) -> None:
    """Periodic jobs and what pages have asked to be sent, taken up again after the database was away."""
    kept = {"audit_kept_months": audit_kept_months, "lookups_kept_days": lookups_kept_days}
    while True:
        try:
            await keep_up(dsn, datetime.now(UTC), **kept)
            async with make_app(dsn, texts.send, **kept).open_async() as app:
                await app.run_worker_async(install_signal_handlers=False, wait=True, listen_notify=False)
        except (
            *CONNECTION_LOST,
            *SESSION_ENDED,
            ConnectorException,
            procrastinate.exceptions.ProcrastinateException,
        ) as error:
            log.warning("periodic.postponed", error=str(error) or type(error).__name__)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.sleep(RESTART_S)
