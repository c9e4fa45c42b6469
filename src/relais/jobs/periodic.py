"""Periodic jobs, on Procrastinate: each runs once a time, however many workers there are."""

from datetime import UTC, datetime, timedelta

import procrastinate
import structlog

from relais.jobs.outbox import SendText, add_outbox
from relais.store.blocks import blocks
from relais.store.sessions import open_session

ANSWERS_KEPT = timedelta(hours=24)
CHANGES_KEPT = timedelta(days=1)
AUDIT_KEPT = timedelta(days=731)  # 24 months (AUD-15)

_SQL = blocks("upkeep")
log = structlog.get_logger()


def make_app(dsn: str, text_sender: SendText | None = None) -> procrastinate.App:
    """The application with its jobs, not opened yet. Django must be set up: some jobs are business verbs."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=dsn))
    add_outbox(app, text_sender)

    @app.periodic(cron="17 * * * *")
    @app.task(queueing_lock="upkeep", pass_context=False, name="upkeep")
    async def upkeep(timestamp: int) -> None:
        """Partitions ahead; answers, signals, sessions and audit that nobody needs any more."""
        await keep_up(dsn, datetime.fromtimestamp(timestamp, UTC))

    @app.periodic(cron="* * * * *")
    @app.task(queueing_lock="lapse_payments", name="lapse_payments")
    def lapse_payments(timestamp: int) -> None:
        """Payments whose confirmation did not come in time stop counting (PAY-14, PAY-60)."""
        from django.db import close_old_connections

        from relais.records.billing.actions.lapse_payments import lapse_payments as lapse

        close_old_connections()
        lapse(datetime.now(UTC))

    @app.periodic(cron="43 2 * * *")
    @app.task(queueing_lock="block_unused_users", name="block_unused_users")
    def block_unused_users(timestamp: int) -> None:
        """Who has been away too long is blocked (PWD-9, PWD-27); guesses that no policy counts any more go."""
        from django.db import close_old_connections

        from relais.records.access.actions.block_unused_users import block_unused_users as block
        from relais.records.access.tries import forget_tries

        close_old_connections()
        now = datetime.now(UTC)
        log.info("unused_users.blocked", users=block(now))
        forget_tries(now)

    return app


async def keep_up(dsn: str, now: datetime) -> None:
    """What the hourly job does; also done when a worker starts."""
    session = await open_session(dsn)
    try:
        made = await session.fetchval(_SQL["ensure_partitions"])
        await session.execute(_SQL["forget_idempotent_answers"], now - ANSWERS_KEPT)
        await session.execute(_SQL["forget_changes"], now - CHANGES_KEPT)
        await session.execute(_SQL["forget_sessions"], now)
        forgotten = await session.fetchval(_SQL["forget_audit"], now - AUDIT_KEPT)
        log.info("upkeep.done", partitions_made=made, audit_actions_forgotten=forgotten)
    finally:
        await session.close()
