"""The hourly upkeep: what is old goes, what is not stays."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg

from relais.jobs.periodic import AUDIT_KEPT, keep_up


def test_AUD_15_the_audit_is_kept_for_24_months_and_sessions_until_they_end(spain_db: str) -> None:
    with psycopg.connect(spain_db, autocommit=True) as session:
        session.execute(
            "INSERT INTO access_session (session_key, session_data, expire_date) "
            "VALUES ('old', '', now() - interval '1 s'), ('new', '', now() + interval '1 h')"
        )
        actions = session.execute("SELECT count(*) FROM people_auditaction").fetchone()
        assert actions is not None and actions[0] > 0
        asyncio.run(keep_up(spain_db, datetime.now(UTC)))
        assert session.execute("SELECT session_key FROM access_session").fetchall() == [("new",)]
        assert session.execute("SELECT count(*) FROM people_auditaction").fetchone() == actions
        asyncio.run(keep_up(spain_db, datetime.now(UTC) + AUDIT_KEPT + timedelta(minutes=5)))
        assert session.execute("SELECT count(*) FROM people_auditaction").fetchone() == (0,)
