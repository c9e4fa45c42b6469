"""A real PostgreSQL for every test that asks: `db` is a fresh, migrated database, `spain_db` one with Spain in it.

The server is embedded and thrown away, or `RELAIS_TEST_DATABASE_URL` names one (whose role may create databases).
Migrating happens once a run, into a template; a test's database is a clone of it, dropped after the test.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from relais.database.embedded import Embedded

PROJECT = Path(__file__).resolve().parent.parent
SPAIN = PROJECT / "scenarios" / "spain.yaml"
SECRET_KEY = "a key for tests, the same everywhere"
COMMAND_WITHIN_S = 120
MEMORY_OCTETS_MIN = 2 * 2**30


def named_database(dsn: str, name: str) -> str:
    """`dsn` with its database replaced by `name`."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


def relais(*arguments: str, dsn: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line of the product on the database `dsn`, to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")}
    return subprocess.run(
        [sys.executable, "-m", "relais", *arguments],
        env=clean | {"RELAIS_DATABASE_URL": dsn, "RELAIS_SECRET_KEY": SECRET_KEY, "RELAIS_LOG_FORMAT": "json"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=COMMAND_WITHIN_S,
        check=False,
    )


@contextmanager
def new_database(server_dsn: str, template: str | None = None) -> Iterator[str]:
    """The DSN of a database that exists inside the block: a clone of `template`, or an empty one."""
    name = f"relais_test_{secrets.token_hex(6)}"
    source = sql.Identifier(template) if template else sql.Identifier("template0")
    with psycopg.connect(server_dsn, autocommit=True) as server:
        # Copied as files: six times as fast as through the log, which nobody replays here.
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(name), source)
        )
    try:
        yield named_database(server_dsn, name)
    finally:
        with psycopg.connect(server_dsn, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _in_memory() -> str | None:
    """A folder in memory, where there is one with room. A clone is some thousand files, and a file system on a disk spends
    more on making and forgetting them than the tests do on everything else."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > MEMORY_OCTETS_MIN
    return str(shared) if roomy else None


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """A server for this run: the DSN of a database on it, whose role may create others."""
    if external := os.environ.get("RELAIS_TEST_DATABASE_URL"):
        yield external
        return
    with tempfile.TemporaryDirectory(prefix="relais-", dir=_in_memory()) as folder:
        Path(folder).chmod(0o711)  # when root runs the tests, the server's account passes through it
        with Embedded(Path(folder) / "data", durable=False) as server:
            yield server.dsn


@pytest.fixture(scope="session")
def migrated_template(server_dsn: str) -> Iterator[str]:
    """Name of a migrated database without rows but those the migrations make."""
    with new_database(server_dsn) as dsn:
        _succeed("migrate", "--without-dictionaries", dsn=dsn)
        yield _name(dsn)


@pytest.fixture(scope="session")
def spain_template(server_dsn: str, migrated_template: str) -> Iterator[str]:
    """Name of a database with the dictionaries and the Spain scenario."""
    with new_database(server_dsn, migrated_template) as dsn:
        _succeed("migrate", dsn=dsn)
        _succeed("apply", str(SPAIN), dsn=dsn)
        yield _name(dsn)


@pytest.fixture
def empty_db(server_dsn: str) -> Iterator[str]:
    """DSN of a database in which nothing was done yet."""
    with new_database(server_dsn) as dsn:
        yield dsn


@pytest.fixture
def db(server_dsn: str, migrated_template: str) -> Iterator[str]:
    """DSN of a fresh migrated database; the test may do with it what it likes."""
    with new_database(server_dsn, migrated_template) as dsn:
        yield dsn


@pytest.fixture
def spain_db(server_dsn: str, spain_template: str) -> Iterator[str]:
    """DSN of a fresh database with the dictionaries and the Spain scenario."""
    with new_database(server_dsn, spain_template) as dsn:
        yield dsn


def _name(dsn: str) -> str:
    return urlsplit(dsn).path.removeprefix("/")


def _succeed(*arguments: str, dsn: str) -> None:
    done = relais(*arguments, dsn=dsn)
    if done.returncode != 0:
        pytest.fail(f"relais {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
