"""A PostgreSQL server of our own: made on first use, started, watched for readiness, stopped; nothing to install.

    with Embedded(data_dir) as server:
        connect(server.dsn)

What it promises:
- One launcher a data folder: the second is refused (`AlreadyRunning`). The promise is a kernel lock, so that it ends
  with its holder however that dies.
- A clean stop is SIGINT (PostgreSQL's fast shutdown). After kill -9 of the server, of the launcher or of both, the next
  start clears what is left and PostgreSQL recovers from its log.
- Only a unix socket in a folder of mode 0700, only passwords (SCRAM); the product's role is no superuser.
- The server does not outlive its launcher: the kernel sends it SIGINT when the launching *thread* ends, which is why
  `start` insists on the main thread.

What it does not: back up, replicate, listen on a network, move data between major versions. A server that has to do
those is named by `RELAIS_DATABASE_URL`, and this module is not used.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING
from urllib.parse import quote

from relais.database import trampoline
from relais.database.account import COMMAND_PATH, Account, server_account
from relais.database.binaries import find_binaries
from relais.database.cluster import SUPERUSER, ensure_cluster, password, write_configuration
from relais.database.faults import AlreadyRunning, CannotStart, EmbeddedFault
from relais.database.leftovers import CLEAN_STOP_WITHIN_S, HARD_STOP_WITHIN_S, clear_leftovers, postmaster_pid
from relais.database.placement import Places, make_data_dir, make_socket_folder

if TYPE_CHECKING:
    import psycopg  # imported where it is needed: the command line must start quickly

OWNER = "relais"  # the role and the database of the product
REPORTS = "relais_reports"  # the role that SQL reports run as: it reads what migrations let it
READY_WITHIN_S = 300.0  # recovery after a crash replays at most max_wal_size
POLL_S = 0.05
LOG_OCTETS_MAX = 16 * 1024 * 1024  # a longer log is set aside (one generation) at the next start
LOG_TAIL_LINES = 15
NOTHING: Mapping[str, str] = MappingProxyType({})


# A vacuum worker is the superuser's: a test could not end it in order to drop its database.
_THROW_AWAY = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


class Embedded:
    """One server on one data folder. Not for use by several threads."""

    def __init__(
        self,
        data_dir: Path,
        *,
        installed: Path | None = None,
        overrides: Mapping[str, str] = NOTHING,
        durable: bool = True,
    ) -> None:
        """`installed`: bin folder of an installed PostgreSQL, None = the wheel's. `overrides`: for postgresql.conf.

        `durable=False` neither waits for the disk when making the cluster nor later: throw-away servers of tests only.
        """
        self._places = Places(data_dir.absolute())
        self._installed = installed
        self._overrides = dict(overrides) if durable else {**_THROW_AWAY, **overrides}
        self._durable = durable
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """URL of the product's database for its role, with the password; the same at every start."""
        return _url(self._places, OWNER, OWNER, password(self._places.owner_password))

    @property
    def pid(self) -> int | None:
        """Process id of the running server, None when there is none."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def start(self, *, ready_within_s: float = READY_WITHIN_S, give_up: Callable[[], bool] = lambda: False) -> None:
        """Starts the server and returns when it answers queries; makes its files first when there are none.

        May be called again after the server died. `give_up` is asked between attempts. Raises `AlreadyRunning`,
        `CannotStart` (also on giving up) or `EmbeddedFault`; then nothing keeps running and the lock is free.
        """
        if threading.current_thread() is not threading.main_thread():
            raise AssertionError("the server lives as long as the thread that starts it: start it in the main thread")
        if self.pid is not None:
            raise AssertionError("started already")
        places = self._places
        account = server_account(places.cluster)
        make_data_dir(places, account)
        if self._lock is None:
            self._lock = _take_lock(places)
        try:
            clear_leftovers(places)
            binaries = find_binaries(self._installed, account, places.data_dir)
            ensure_cluster(places, binaries, account, durable=self._durable)
            socket_folder = make_socket_folder(places, account)
            write_configuration(places, binaries, account, socket_folder, self._overrides)
            self._process = _spawn(places, binaries.postgres, account)
            self._wait_until_ready(time.monotonic() + ready_within_s, give_up)
            _write_url(places.url, self.dsn)
        except BaseException:
            self.stop()
            raise

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Exit code of the server once it has ended; None when it still runs after `timeout_s`."""
        if self._process is None:
            raise AssertionError("not started")
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Stops the server cleanly, harder when it does not obey, and lets go of the data folder. Harmless twice."""
        if self._process is not None:
            for number, within_s in (
                (signal.SIGINT, CLEAN_STOP_WITHIN_S),
                (signal.SIGQUIT, HARD_STOP_WITHIN_S),
                (signal.SIGKILL, HARD_STOP_WITHIN_S),
            ):
                if self.pid is not None:
                    self._process.send_signal(number)
                    self.wait(within_s)
            self._process = None
            self._places.url.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "Embedded":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self, deadline: float, give_up: Callable[[], bool]) -> None:
        """Waits until the server takes connections (it refuses them while it recovers); completes role and database."""
        import psycopg

        superuser = _url(self._places, SUPERUSER, SUPERUSER, password(self._places.superuser_password))
        while True:
            if (code := self.wait(POLL_S)) is not None:
                raise CannotStart(
                    f"PostgreSQL ended with code {code} while starting; "
                    f"the end of {self._places.log}:\n{_tail(self._places.log)}"
                )
            try:
                with psycopg.connect(superuser, autocommit=True, connect_timeout=5) as connection:
                    _ensure_owner(connection, password(self._places.owner_password))
                    return
            except psycopg.OperationalError as error:
                if "authentication failed" in str(error):
                    raise CannotStart(f"{self._places.superuser_password} is not this cluster's password") from error
                if give_up() or time.monotonic() > deadline:
                    raise CannotStart(f"PostgreSQL does not answer: {str(error).strip()}") from error


def running_dsn(data_dir: Path) -> str | None:
    """DSN of the server that some process keeps running on `data_dir`, or None.

    Raises `EmbeddedFault` when it runs but belongs to another user.
    """
    places = Places(data_dir.absolute())
    try:
        url = places.url.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise EmbeddedFault(f"the database in {places.data_dir} belongs to another user") from error
    return url if postmaster_pid(places) is not None else None


def _take_lock(places: Places) -> int:
    descriptor = os.open(places.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise AlreadyRunning(
            f"the database in {places.data_dir} is already run by process {holder}: "
            "stop that one, or set RELAIS_DATA_DIR to another folder"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor


def _spawn(places: Places, postgres: Path, account: Account) -> subprocess.Popen[bytes]:
    with contextlib.suppress(FileNotFoundError):
        if places.log.stat().st_size > LOG_OCTETS_MAX:
            places.log.rename(places.log.with_suffix(".log.1"))
    log = os.open(places.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    identity = (str(os.getpid()), str(account.uid), str(account.gid), str(int(account.switch)))
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", trampoline.__file__, *identity, str(postgres), "-D", str(places.cluster)],
            cwd="/",
            env={"PATH": COMMAND_PATH, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C at the terminal is for the launcher, which stops things in order
        )
    finally:
        os.close(log)


def _ensure_owner(connection: "psycopg.Connection[tuple[object, ...]]", owner_password: str) -> None:
    """Completes what a kill may have left half done; the password file and the role always agree afterwards."""
    from psycopg import sql

    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone()
    verb = sql.SQL("ALTER" if known else "CREATE")
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN CREATEDB PASSWORD {}").format(
            verb, sql.Identifier(OWNER), sql.Literal(owner_password)
        )
    )
    if connection.execute("SELECT to_regrole(%s)", [REPORTS]).fetchone() == (None,):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(REPORTS)))
    connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(REPORTS), sql.Identifier(OWNER)))
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [OWNER]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(OWNER)))


def _url(places: Places, role: str, database: str, role_password: str) -> str:
    return f"postgresql://{role}:{role_password}@/{database}?host={quote(str(places.socket_folder), safe='')}"


def _write_url(path: Path, url: str) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{url}\n")
    unfinished.rename(path)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:])


def forget(data_dir: Path) -> None:
    """Deletes the database in `data_dir`, its passwords, log and key; files that are not ours stay, and their folder.

    Raises `AlreadyRunning` when a launcher keeps it; a server without a launcher is ended.
    """
    places = Places(data_dir.absolute())
    if not places.data_dir.is_dir():
        return
    lock = _take_lock(places)
    try:
        clear_leftovers(places)
        for folder in (
            places.cluster,
            places.cluster_unfinished,
            places.socket_folder,
            *places.data_dir.glob("postgres-*"),
        ):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (
            places.log,
            places.log.with_suffix(".log.1"),
            places.owner_password,
            places.superuser_password,
            places.url,
            places.data_dir / "secret.key",
            places.lock,
        ):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty: somebody keeps files of their own there
            places.data_dir.rmdir()
    finally:
        os.close(lock)
