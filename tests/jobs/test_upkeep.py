"""The hourly upkeep: what is old goes, what is not stays."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from relais.jobs.periodic import keep_up


def test_AUD_15_the_audit_is_kept_for_24_months_or_as_long_as_told_and_sessions_until_they_end(spain_db: str) -> None:
    """A database that was last used 23 months and a bit ago."""
    with psycopg.connect(spain_db, autocommit=True) as session:
        session.execute(
            "INSERT INTO access_session (session_key, session_data, expire_date) "
            "VALUES ('old', '', now() - interval '1 s'), ('new', '', now() + interval '1 h')"
        )
        backdate(session, "23 months 5 days")
        actions = session.execute("SELECT count(*) FROM people_auditaction").fetchone()
        assert actions is not None and actions[0] > 0
        asyncio.run(keep_up(spain_db, datetime.now(UTC)))
        assert session.execute("SELECT session_key FROM access_session").fetchall() == [("new",)]
        assert session.execute("SELECT count(*) FROM people_auditaction").fetchone() == actions
        assert session.execute("SELECT count(*) FROM audit_seal").fetchone() == actions
        asyncio.run(keep_up(spain_db, datetime.now(UTC), audit_kept_months=23))
        left = session.execute("SELECT actor, action FROM people_auditaction").fetchall()
        day = session.execute(
            "SELECT to_char(now() AT TIME ZONE 'UTC' - interval '23 months', 'DD.MM.YYYY')"
        ).fetchone()
        assert day is not None
        assert left == [("job", f"Forget the audit before {day[0]}: {actions[0]} entries")]


def test_what_came_of_looking_numbers_up_is_kept_for_90_days_or_as_long_as_told(
    spain_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relais.jobs.periodic.FORGOTTEN_AT_ONCE", 2)
    now = datetime.now(UTC)
    with psycopg.connect(spain_db, autocommit=True) as session:
        for days in (95, 94, 93, 92, 91, 89, 31, 29):
            session.execute(
                "INSERT INTO traffic_lookup (message_id, connection_id, result, took_ms)"
                " VALUES (traffic_uuid_floor(%s), 1, 1, %s)",
                [now - timedelta(days=days), days],
            )

        def left() -> list[int]:
            return [row[0] for row in session.execute("SELECT took_ms FROM traffic_lookup ORDER BY 1 DESC")]

        asyncio.run(keep_up(spain_db, now))
        assert left() == [89, 31, 29]
        asyncio.run(keep_up(spain_db, now, lookups_kept_days=30))
        assert left() == [29]


def backdate(session: psycopg.Connection, interval: str) -> None:
    """Stands for time that has passed: the audit refuses a change as long as nobody switches its triggers off."""
    with session.transaction():
        session.execute("ALTER TABLE people_auditaction DISABLE TRIGGER USER")
        session.execute("UPDATE people_auditaction SET at = at - %s::interval", [interval])
        session.execute("ALTER TABLE people_auditaction ENABLE TRIGGER USER")
