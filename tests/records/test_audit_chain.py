"""The chain of seals over the audit: what is altered shows, whatever is killed or runs twice."""

import asyncio
import threading
from typing import Any

import psycopg
import pytest
from tests.conftest import relais
from tests.jobs.test_upkeep import backdate

from relais.pipeline.verify import verify

SEALED = "the audit is as it was sealed"
WAITS = "every action is sealed or waits for its seal"
IN_WORDS = "is not what was sealed, or follows another"


def act(session: psycopg.Connection, *names: str) -> list[int]:
    """An action with a line for each name; their ids."""
    ids = []
    for name in names:
        with session.transaction():
            session.execute("SELECT audit_begin(%s::jsonb)", [f'{{"actor": "system", "action": "{name}"}}'])
            session.execute("UPDATE parties_company SET description = description || 'x'")
            ids.append(int(one(session, "SELECT audit_end('')")))
    return ids


def one(session: psycopg.Connection, query: str, *values: Any) -> Any:
    row = session.execute(query, values).fetchone()  # type: ignore[call-overload]  # constant texts of this file
    return row[0] if row else None


def seal(session: psycopg.Connection, most: int = 1_000) -> int:
    return int(one(session, "SELECT audit_seal_waiting(%s)", most))


def faults(dsn: str) -> dict[str, tuple[str, ...]]:
    found = asyncio.run(verify(dsn)).findings
    return {finding.rule: finding.examples for finding in found if "audit" in finding.rule or "seal" in finding.rule}


@pytest.fixture
def audit(db: str) -> Any:
    """A session on a database whose every action is sealed but the last two."""
    with psycopg.connect(db, autocommit=True) as session:
        act(session, "one", "two", "three", "four", "five")
        seal(session)
        act(session, "six", "seven")
        yield session


TABLES = ("people_auditline", "people_auditaction", "audit_seal", "audit_waiting")


def forge(session: psycopg.Connection, *statements: str) -> None:
    """By somebody to whom the tables belong, who can switch triggers off."""
    with session.transaction():
        for table in TABLES:
            session.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        for statement in statements:
            session.execute(statement.encode())
        session.execute(b"SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            session.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER".encode())


def at(session: psycopg.Connection, name: str) -> str:
    """How `relais verify` names the sealed action."""
    query = (
        "SELECT s.position, a.id FROM audit_seal s JOIN people_auditaction a ON a.id = s.action_id WHERE action = %s"
    )
    row = session.execute(query, [name]).fetchone()
    assert row is not None
    return f"position {row[0]}, action {row[1]}"


def test_AUD_9_every_action_is_sealed_once_in_one_chain_and_verify_names_its_end(audit: Any, db: str) -> None:
    actions = one(audit, "SELECT count(*) FROM people_auditaction")
    assert seal(audit, 1) == 1 and seal(audit) == 1 and seal(audit) == 0
    positions = audit.execute("SELECT array_agg(position ORDER BY position), max(position) FROM audit_seal").fetchone()
    assert positions == (list(range(1, actions + 1)), actions)
    assert faults(db) == {}
    head = one(audit, "SELECT encode(digest, 'hex') FROM audit_seal ORDER BY position DESC LIMIT 1")
    told = relais("verify", dsn=db)
    assert told.returncode == 0, told.stdout
    assert f"seal of the audit: position {actions}, digest {head}" in told.stdout.splitlines()
    assert f"audit entries: {actions}" in told.stdout and "audit entries not sealed yet: 0" in told.stdout


def test_AUD_9_verify_says_where_the_audit_was_altered(audit: Any, db: str) -> None:
    """Each forgery is shown and undone again, except that the last one stays for the command."""
    line = "people_auditline WHERE action_id = (SELECT id FROM people_auditaction WHERE action = 'three')"
    of_three = "WHERE action_id = (SELECT id FROM people_auditaction WHERE action = 'three')"
    three, four = at(audit, "three"), at(audit, "four")
    position = one(audit, f"SELECT position FROM audit_seal {of_three}")
    rehashed = (
        "UPDATE audit_seal SET digest = sha256((SELECT digest FROM audit_seal WHERE position = "
        f"{position - 1}) || audit_content(action_id)) WHERE position = {position}"
    )
    changed = "UPDATE people_auditaction SET user_name = 'Nobody' WHERE action = 'three'"
    forgeries: list[tuple[list[str], dict[str, list[str]]]] = [
        ([changed], {SEALED: [f"{three}, fault {IN_WORDS}"]}),
        ([changed, rehashed], {SEALED: [f"{four}, fault {IN_WORDS}"]}),
        ([f"DELETE FROM {line}"], {SEALED: [f"{three}, fault {IN_WORDS}"]}),
        (
            ["INSERT INTO people_auditline (action_id, table_name, operation, object_id)"
             " SELECT id, 't', 'insert', '1' FROM people_auditaction WHERE action = 'three'"],
            {SEALED: [f"{three}, fault {IN_WORDS}"]},
        ),
        (
            [f"DELETE FROM {line}", "DELETE FROM people_auditaction WHERE action = 'three'"],
            {SEALED: [f"{three}, fault is gone"]},
        ),
        (
            [f"DELETE FROM audit_seal {of_three}", f"DELETE FROM {line}",
             "DELETE FROM people_auditaction WHERE action = 'three'"],
            {SEALED: [f"{four}, fault what was sealed before it is gone"]},
        ),
        (["DELETE FROM audit_seal WHERE position = 1"], {SEALED: [], WAITS: []}),
        (
            ["DELETE FROM audit_seal WHERE action_id < (SELECT action_id FROM audit_seal ORDER BY position DESC LIMIT 1)",
             "DELETE FROM people_auditline WHERE action_id IN (SELECT id FROM people_auditaction WHERE action <= 'five')",
             "DELETE FROM people_auditaction WHERE action = 'five'"],
            {SEALED: [f"{at(audit, 'five')}, fault is gone before its time"], WAITS: []},
        ),
        (
            ["DELETE FROM people_auditline WHERE action_id = (SELECT max(id) FROM people_auditaction)",
             "DELETE FROM people_auditaction WHERE action = 'seven'"],
            {WAITS: []},
        ),
        (["DELETE FROM audit_waiting"], {WAITS: []}),
    ]  # fmt: skip
    for statements, expected in forgeries:
        copies = [f"CREATE TABLE kept_{t} AS SELECT * FROM {t}" for t in TABLES]
        back = [f"DELETE FROM {t}" for t in TABLES]
        back += [f"INSERT INTO {t} SELECT * FROM kept_{t}" for t in reversed(TABLES)]
        back += [f"DROP TABLE kept_{t}" for t in TABLES]
        forge(audit, *copies, *statements)
        found = faults(db)
        assert set(found) == set(expected), statements
        for rule, examples in expected.items():
            assert found[rule] and (not examples or list(found[rule]) == examples), statements
        forge(audit, *back)
        assert faults(db) == {}, statements
    forge(audit, changed)
    told = relais("verify", dsn=db)
    assert told.returncode == 1
    assert f"BROKEN: {SEALED}\n  {three}, fault {IN_WORDS}" in told.stdout


def test_AUD_9_not_even_the_owner_of_the_tables_alters_them_by_the_way(audit: Any, db: str) -> None:
    before = one(audit, "SELECT count(*) FROM audit_seal")
    for statement in ("UPDATE audit_seal SET position = position", "DELETE FROM audit_seal", "TRUNCATE audit_seal"):
        with pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
            audit.execute(statement)
    with pytest.raises(psycopg.errors.CheckViolation, match="last 30 days stays"):
        audit.execute("SELECT audit_forget(now() - interval '29 days')")
    for table in ("people_auditline", "people_auditaction WHERE id NOT IN (SELECT action_id FROM people_auditline)"):
        with pytest.raises(psycopg.errors.CheckViolation, match="last 30 days stays"), audit.transaction():
            audit.execute("SET LOCAL relais.audit_forgetting = 'yes'")
            audit.execute("INSERT INTO people_auditaction (actor, action) VALUES ('system', 'without lines')")
            audit.execute(f"DELETE FROM {table}")
    assert one(audit, "SELECT count(*) FROM audit_seal") == before and faults(db) == {}


def test_AUD_15_retention_takes_the_beginning_of_the_chain_and_the_rest_still_holds(db: str) -> None:
    with psycopg.connect(db, autocommit=True) as session:
        act(session, "old")
        backdate(session, "3 years")
        seal(session)
        old = one(session, "SELECT count(*) FROM audit_seal")
        young = act(session, "young", "younger")
        seal(session, 1)
        assert one(session, "SELECT audit_forget()") == old
        assert one(session, "SELECT audit_forget()") == 0
        assert session.execute("SELECT min(position), max(position) FROM audit_seal").fetchone() == (old, old + 1)
        kept = session.execute("SELECT action FROM people_auditaction ORDER BY id").fetchall()
        assert [row[0] for row in kept[:2]] == ["young", "younger"] and kept[2][0].startswith("Forget the audit before")
        assert session.execute("SELECT DISTINCT action_id FROM people_auditline ORDER BY 1").fetchall() == [
            (each,) for each in young
        ]
        assert faults(db) == {}
        assert seal(session) == 2 and faults(db) == {}


def test_a_sealer_that_is_killed_leaves_no_trace_and_the_next_one_seals_what_it_had(audit: Any, db: str) -> None:
    sealed = one(audit, "SELECT count(*) FROM audit_seal")
    with psycopg.connect(db) as killed:
        assert seal(killed) == 2
        process = one(killed, "SELECT pg_backend_pid()")
        assert one(audit, "SELECT pg_terminate_backend(%s, 5000)", process)
        with pytest.raises(psycopg.OperationalError):
            killed.commit()
    assert one(audit, "SELECT count(*) FROM audit_seal") == sealed and faults(db) == {}
    assert seal(audit) == 2 and faults(db) == {}


def test_an_action_that_commits_after_younger_ones_were_sealed_is_sealed_later(db: str) -> None:
    with psycopg.connect(db) as slow, psycopg.connect(db, autocommit=True) as quick:
        slow.execute("UPDATE parties_company SET name = 'Slow'")
        act_of_another = one(
            quick, "INSERT INTO people_auditaction (actor, action) VALUES ('job', 'quick') RETURNING id"
        )
        seal(quick)
        slow.commit()
        assert seal(quick) == 1
        newest = one(quick, "SELECT action_id FROM audit_seal ORDER BY position DESC LIMIT 1")
        assert newest < act_of_another and faults(db) == {}


def test_sealers_at_once_with_writers_make_one_chain(db: str) -> None:
    sealed: list[int] = []
    rounds = 20

    def write() -> None:
        with psycopg.connect(db, autocommit=True) as session:
            for number in range(rounds):
                session.execute("INSERT INTO people_auditaction (actor, action) VALUES ('job', %s)", [str(number)])

    def seal_again_and_again() -> None:
        with psycopg.connect(db, autocommit=True) as session:
            sealed.extend(seal(session, 7) for _ in range(rounds))

    threads = [threading.Thread(target=target) for target in (write, write, *[seal_again_and_again] * 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with psycopg.connect(db, autocommit=True) as session:
        seal(session)
        count = one(session, "SELECT count(*) FROM people_auditaction")
        assert session.execute("SELECT count(*), max(position) FROM audit_seal").fetchone() == (count, count)
    assert sum(sealed) > 0 and faults(db) == {}


def test_the_content_of_an_action_is_the_same_in_every_session(audit: Any) -> None:
    query = "SELECT audit_content(max(id)) FROM people_auditaction"
    digest = one(audit, query)
    audit.execute("SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'; SET extra_float_digits = 0")
    assert one(audit, query) == digest and len(digest) == 32


def test_a_whole_import_is_sealed_as_quickly_as_it_was_written(db: str) -> None:
    """One action with 60,000 lines (the largest number-prefix files have as many): one seal, within a few seconds."""
    with psycopg.connect(db, autocommit=True) as session:
        seal(session)
        session.execute(
            "WITH made AS (INSERT INTO people_auditaction (actor, action) VALUES ('job', 'import') RETURNING id)"
            " INSERT INTO people_auditline (action_id, table_name, operation, object_id, new)"
            " SELECT made.id, 't', 'insert', n::text, jsonb_build_object('prefix', n, 'country', 'ES')"
            " FROM made, generate_series(1, 60000) AS n"
        )
        session.execute("SET statement_timeout = '5s'")
        assert seal(session) == 1
