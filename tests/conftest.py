"""A real PostgreSQL for every test that asks: `db` is a fresh, migrated database, `spain_db` one with Spain in it.

The server is embedded and thrown away, or `RELAIS_TEST_DATABASE_URL` names one (whose role may create databases).
Migrating happens once a run, into a template that its workers share; a test's database is a clone of it, dropped after the test.
"""

import gc
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from relais.database.embedded import Embedded

PROJECT = Path(__file__).resolve().parent.parent
SPAIN = PROJECT / "scenarios" / "spain.yaml"
SECRET_KEY = "a key for tests, the same everywhere"
COMMAND_WITHIN_S = 120
HALVED = ("tests/pages/test_conformance.py", "tests/pages/test_matrix.py")  # more than a worker's share: two take them
LONGEST = (
    "tests/pages/test_conformance.py",
    "tests/pages/test_matrix.py",
    "tests/pages/test_every_page_in_a_browser.py",
    "tests/story/test_reselling_in_the_browser.py",
    "tests/story/test_kill.py",
    "tests/story/test_kill_smpp.py",
    "tests/story/test_demo.py",
    "tests/simulation/test_simulated_gateways.py",
    "tests/pages/test_rate_tree.py",
    "tests/story/test_rates_as_people_edit_them.py",
    "tests/story/test_pages_as_people_use_them.py",
    "tests/platform/test_embedded_postgres.py",
    "tests/pages/test_site.py",
)
# Properties are tried on the same examples in every run, and none has a limit of time: a change fails for what it changed, on a
# busy machine as on an idle one. `make search` tries others.
settings.register_profile("search", deadline=None, print_blob=True, suppress_health_check=(HealthCheck.too_slow,))
settings.load_profile("ci")
SERVER = "RELAIS_TEST_DATABASE_URL"
RUN = "RELAIS_TEST_RUN"  # told to the workers of a run
MEMORY_OCTETS_MIN = 2 * 2**30


def named_database(dsn: str, name: str) -> str:
    """`dsn` with its database replaced by `name`."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


def relais(*arguments: str, dsn: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line of the product on the database `dsn`, to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")}
    return subprocess.run(
        [sys.executable, "-m", "relais", *arguments],
        env=clean
        | {
            "RELAIS_DATABASE_URL": dsn,
            "RELAIS_SECRET_KEY": SECRET_KEY,
            "RELAIS_LOG_FORMAT": "json",
            "RELAIS_CONNECTIONS_ALLOW_PRIVATE": "yes",
        },
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


def in_memory() -> str | None:
    """A folder in memory, where there is one with room from which programs may be run. A cluster or a clone is some thousand
    files, and a file system on a disk spends more on making and forgetting them than the tests do on everything else."""
    shared = Path("/dev/shm")
    usable = shared.is_dir() and os.access(shared, os.W_OK) and not os.statvfs(shared).f_flag & os.ST_NOEXEC
    return str(shared) if usable and shutil.disk_usage(shared).free > MEMORY_OCTETS_MIN else None


def pytest_configure(config: pytest.Config) -> None:
    """One server for all workers of a run: they find it as they would find one that was named, and share its templates."""
    if hasattr(config, "workerinput"):
        return
    os.environ[RUN] = secrets.token_hex(6)
    kept = ExitStack()
    config.add_cleanup(kept.close)
    if named := os.environ.get(SERVER):
        kept.callback(_drop_templates, named)
    elif config.getoption("numprocesses", None) and not config.option.collectonly:
        os.environ[SERVER] = kept.enter_context(_server())
        kept.callback(os.environ.pop, SERVER)


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that at the end no worker waits for another. A file is run by one worker,
    which makes its world once, unless a test has itself a group."""
    items.sort(key=lambda item: LONGEST.index(_file(item)) if _file(item) in LONGEST else len(LONGEST))
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(_group(item)))


def pytest_collection_finish() -> None:
    """What was collected stays: the garbage collector need not look at it, nor look as often as it would by itself."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def _group(item: pytest.Item) -> str:
    """The file; of one that two workers share, the half by the entity's name."""
    name = getattr(item, "callspec", None) and item.callspec.params.get("name")
    half = f" {sum(map(ord, name)) % 2}" if name and _file(item) in HALVED else ""
    return f"{_file(item)}{half}"


def _file(item: pytest.Item) -> str:
    return item.path.relative_to(PROJECT).as_posix()


@contextmanager
def _server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="relais-", dir=in_memory()) as folder:
        Path(folder).chmod(0o711)  # when root runs the tests, the server's account passes through it
        with Embedded(Path(folder) / "data", durable=False) as server:
            yield server.dsn


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """A server for this run: the DSN of a database on it, whose role may create others."""
    if named := os.environ.get(SERVER):
        yield named
        return
    with _server() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def migrated_template(server_dsn: str) -> str:
    """Name of a migrated database without rows but those the migrations make."""
    return template_of(server_dsn, "migrated", None, ["migrate", "--without-dictionaries"])


@pytest.fixture(scope="session")
def spain_template(server_dsn: str, migrated_template: str) -> str:
    """Name of a database with the dictionaries and the Spain scenario."""
    return template_of(server_dsn, "spain", migrated_template, ["migrate"], ["apply", str(SPAIN)])


def template_of(server_dsn: str, kind: str, source: str | None, *commands: list[str]) -> str:
    """Name of a clone of `source` on which the commands were run: by the first of the run that asks, while others wait."""

    def run(dsn: str) -> None:
        for command in commands:
            _succeed(*command, dsn=dsn)

    return filled_template(server_dsn, kind, source, run)[0]


def filled_template(server_dsn: str, kind: str, source: str | None, fill: Callable[[str], Any]) -> tuple[str, Any]:
    """Name of a clone of `source` in which `fill` has made records, and what it told of them (as JSON keeps it): done by the
    first of the run that asks, while others wait."""
    name = f"{_templates()}{kind}"
    with psycopg.connect(server_dsn, autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        kept = server.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
        if kept is None:
            with new_database(server_dsn, source) as dsn:
                kept = (json.dumps(fill(dsn), default=str),)
                made, named = sql.Identifier(_name(dsn)), sql.Identifier(name)
                server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(made, named))
                server.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(named, sql.Literal(kept[0])))
    return name, json.loads(kept[0])


def _templates() -> str:
    """What the names of this run's templates begin with."""
    return f"relais_template_{os.environ[RUN]}_"


def _drop_templates(server_dsn: str) -> None:
    with psycopg.connect(server_dsn, autocommit=True) as server:
        found = server.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_templates()]
        ).fetchall()
        for (name,) in found:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


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
