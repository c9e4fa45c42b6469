"""Periodic jobs, on Procrastinate: each runs once a time, however many workers there are."""

from datetime import UTC, datetime, timedelta

import asyncpg
import procrastinate
import structlog

from relais.jobs.money import add_money_jobs
from relais.jobs.outbox import SendText, add_outbox, add_sender_mails
from relais.jobs.traffic_watch import add_traffic_watch
from relais.pipeline.ids import floor
from relais.store.blocks import blocks
from relais.store.sessions import open_session

ANSWERS_KEPT = timedelta(hours=24)
CHANGES_KEPT = timedelta(days=1)
DELIVERIES_KEPT = timedelta(days=3)
SESSIONS_KEPT = timedelta(days=8)  # of conversations of 24 hours; a message is worthless after 7 days
CALLBACKS_KEPT = timedelta(days=7)
SANDBOX_KEPT = timedelta(days=7)
AUDIT_KEPT_MONTHS = 24  # unless a setting says otherwise (AUD-15)
USES_KEPT, GUARDED_KEPT = timedelta(days=2), timedelta(days=30)  # of caps; what guard rails stopped
FLOODS_KEPT = timedelta(hours=1)  # what numbers got
LOOKUPS_KEPT_DAYS = 90  # unless a setting says otherwise
SEALED_AT_ONCE = 1_000
FORGOTTEN_AT_ONCE = 10_000

_SQL = blocks("upkeep")
_GUARDS = blocks("guard_rails")
log = structlog.get_logger()


def make_app(
    dsn: str,
    text_sender: SendText | None = None,
    *,
    audit_kept_months: int = AUDIT_KEPT_MONTHS,
    lookups_kept_days: int = LOOKUPS_KEPT_DAYS,
) -> procrastinate.App:
    """The application with its jobs, not opened yet. Django must be set up: some jobs are business verbs."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=dsn))
    add_outbox(app, text_sender)
    add_sender_mails(app)

    @app.periodic(cron="17 * * * *")
    @app.task(queueing_lock="upkeep", pass_context=False, name="upkeep")
    async def upkeep(timestamp: int) -> None:
        """Partitions ahead; answers, signals, sessions and audit that nobody needs any more."""
        now = datetime.fromtimestamp(timestamp, UTC)
        await keep_up(dsn, now, audit_kept_months=audit_kept_months, lookups_kept_days=lookups_kept_days)

    @app.periodic(cron="* * * * *")
    @app.task(queueing_lock="seal_audit", pass_context=False, name="seal_audit")
    async def seal_audit(timestamp: int) -> None:
        """What was done since the last time becomes part of the audit's chain."""
        session = await open_session(dsn)
        try:
            await seal(session)
        finally:
            await session.close()

    @app.periodic(cron="* * * * *")
    @app.task(queueing_lock="tell_stopped", name="tell_stopped")
    def tell_stopped(timestamp: int) -> None:
        """Whose webhook said that it is gone is written to."""
        from django.db import close_old_connections

        from relais.records.traffic.webhooks import tell_stopped as tell

        close_old_connections()
        tell(datetime.now(UTC))

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

    @app.periodic(cron="37 * * * *")
    @app.task(queueing_lock="cancel_forgotten_imports", name="cancel_forgotten_imports")
    def cancel_forgotten_imports(timestamp: int) -> None:
        """Imports of rates that nobody has gone on with (RI-13)."""
        from django.db import close_old_connections

        from relais.records.catalog.actions.import_rates import cancel_forgotten

        close_old_connections()
        log.info("imports.forgotten", imports=cancel_forgotten(datetime.now(UTC)))

    add_money_jobs(app)
    add_traffic_watch(app)
    return app


async def keep_up(
    dsn: str,
    now: datetime,
    *,
    audit_kept_months: int = AUDIT_KEPT_MONTHS,
    lookups_kept_days: int = LOOKUPS_KEPT_DAYS,
) -> None:
    """What the hourly job does; also done when a worker starts."""
    session = await open_session(dsn)
    try:
        made = await session.fetchval(_SQL["ensure_partitions"])
        await session.execute(_SQL["forget_idempotent_answers"], now - ANSWERS_KEPT)
        await session.execute(_SQL["forget_deliveries"], now - DELIVERIES_KEPT)
        await session.execute(_SQL["forget_session_members"], now - SESSIONS_KEPT)
        await session.execute(_SQL["forget_callbacks"], now - CALLBACKS_KEPT)
        await session.execute(_SQL["forget_stop_changes"], now - CHANGES_KEPT)
        await session.execute(_SQL["forget_sandbox"], floor(now - SANDBOX_KEPT))
        await session.execute(_GUARDS["forget_uses"], now - USES_KEPT)
        await session.execute(_GUARDS["forget_floods"], now - FLOODS_KEPT)
        await session.execute(_GUARDS["forget_guarded"], now - GUARDED_KEPT)
        await session.execute(_SQL["forget_changes"], now - CHANGES_KEPT)
        await session.execute(_SQL["forget_sessions"], now)
        await _forget_lookups(session, now - timedelta(days=lookups_kept_days))
        await seal(session)
        forgotten = await session.fetchval(_SQL["forget_audit"], now, audit_kept_months)
        log.info("upkeep.done", partitions_made=made, audit_actions_forgotten=forgotten)
    finally:
        await session.close()


async def _forget_lookups(session: asyncpg.Connection, before: datetime) -> None:
    """Ten thousand a transaction, so that gateways never wait long for a row or for the log to be written."""
    least = floor(before)
    while await session.fetchval(_SQL["forget_lookups"], least, FORGOTTEN_AT_ONCE) == FORGOTTEN_AT_ONCE:
        pass


async def seal(session: asyncpg.Connection) -> None:
    """Seals every action that is committed, a thousand a transaction. The log has the newest seal: a witness outside the
    database."""
    sealed = count = await session.fetchval(_SQL["seal_audit"], SEALED_AT_ONCE)
    while count == SEALED_AT_ONCE:
        count = await session.fetchval(_SQL["seal_audit"], SEALED_AT_ONCE)
        sealed += count
    if sealed:
        newest = await session.fetchrow(_SQL["newest_seal"])
        log.info("audit.sealed", actions=sealed, position=newest["position"], digest=newest["digest"])
