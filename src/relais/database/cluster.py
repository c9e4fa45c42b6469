"""Makes the files of a server (`initdb`) and writes its configuration. Starts nothing that keeps running."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from relais.database.account import Account
from relais.database.binaries import Binaries
from relais.database.faults import CannotStart, EmbeddedFault
from relais.database.placement import Places

SUPERUSER = "postgres"
PASSWORD_OCTETS = 24

# Measured: ARCHITECTURE.md §7.5. Durability (fsync, synchronous_commit, full_page_writes) is stated although it is
# PostgreSQL's default, because a balance depends on it.
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": "''",
        "port": "5432",
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "password_encryption": "'scram-sha-256'",
        "shared_buffers": "256MB",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "jit": "off",
        "autovacuum_naptime": "15s",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "lc_messages": "'C'",
        "log_line_prefix": "'%m [%p] %d '",
        # Statements carry message texts and secrets: neither they nor their parameters may reach a log file.
        "log_min_error_statement": "panic",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }
)
LOCAL_FILE = "local.conf"


def ensure_cluster(places: Places, binaries: Binaries, account: Account, *, durable: bool = True) -> None:
    """Makes the cluster unless it exists. An `initdb` that was killed half-way leaves nothing that is mistaken for one.

    `durable=False` does not wait for the disk (throw-away clusters of tests).
    Raises `CannotStart` with what initdb said, or `EmbeddedFault` when the files are another major version's.
    """
    if places.cluster.exists():
        _refuse_other_version(places.cluster, binaries)
        return
    unfinished = places.cluster_unfinished
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    account.own(unfinished)
    password_file = places.data_dir / "initdb.password"  # initdb reads it as the server's account
    try:
        _write_private(password_file, password(places.superuser_password))
        account.own(password_file)
        said = account.run(
            [
                binaries.initdb,
                f"--pgdata={unfinished}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                *binaries.locale_options,
                *(() if durable else ("--no-sync",)),
            ],
            cwd=unfinished,
        )
    finally:
        password_file.unlink(missing_ok=True)
    if said.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise CannotStart(f"initdb failed in {places.data_dir}: {said.stderr.strip() or said.stdout.strip()}")
    unfinished.rename(places.cluster)
    if durable:
        _sync_folder(places.data_dir)


def write_configuration(
    places: Places, binaries: Binaries, account: Account, socket_folder: Path, overrides: Mapping[str, str]
) -> None:
    """Writes `postgresql.conf` anew: it is ours, so that an upgrade of Relais reaches old clusters.

    An administrator's own lines go to `local.conf` beside it, which is read last and never written.
    """
    chosen = {**SETTINGS, "unix_socket_directories": f"'{_quoted(socket_folder)}'"}
    chosen["wal_compression"] = "lz4" if _knows_lz4(places, binaries, account) else "pglz"
    chosen.update(overrides)
    lines = [
        "# Written by Relais at every start; changes here are lost.",
        f"# Put your own lines into {LOCAL_FILE} in this folder: it is read last.",
        *(f"{name} = {value}" for name, value in chosen.items()),
        f"include_if_exists = '{LOCAL_FILE}'",
    ]
    path = places.cluster / "postgresql.conf"
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    _write_private(unfinished, "\n".join(lines) + "\n")
    account.own(unfinished)
    unfinished.rename(path)


def password(path: Path) -> str:
    """The password kept in `path` (mode 0600), made on first use."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        made = secrets.token_urlsafe(PASSWORD_OCTETS)
        unfinished = path.with_name(f"{path.name}.unfinished")
        unfinished.unlink(missing_ok=True)
        _write_private(unfinished, made)
        unfinished.rename(path)
        return made
    except PermissionError as error:
        raise EmbeddedFault(f"{path} cannot be read: it belongs to whoever started the server first") from error


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_other_version(cluster: Path, binaries: Binaries) -> None:
    with contextlib.suppress(FileNotFoundError):
        written_by = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
        if written_by == str(binaries.major):
            return
        raise EmbeddedFault(
            f"the files in {cluster} are PostgreSQL {written_by}'s and cannot be opened by {binaries.major}: "
            f"set RELAIS_POSTGRES_BIN to the bin folder of a PostgreSQL {written_by} (its pg_dump moves them on)"
        )
    raise EmbeddedFault(f"{cluster} is not a PostgreSQL cluster (it has no PG_VERSION): move it away")


def _knows_lz4(places: Places, binaries: Binaries, account: Account) -> bool:
    """Whether this build has lz4 (it is an option of the build), asked of the server itself."""
    named = ("-c", "wal_compression=lz4", "-C", "wal_compression")
    return account.run([binaries.postgres, "-D", places.cluster, *named], cwd=places.cluster).returncode == 0


def _quoted(folder: Path) -> str:
    """A folder as an item of a list inside a quoted string: both kinds of quoting, inner and outer."""
    return '"' + str(folder).replace('"', '""').replace("'", "''") + '"'
