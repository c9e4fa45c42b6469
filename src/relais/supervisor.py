"""Runs the product on one machine: the embedded database, then each role as a child process, until it is told to stop.

    with Supervisor(settings) as supervisor:      # the database answers
        supervisor.command("migrate")             # a command to its end
        supervisor.start(GATEWAY, WORKER)         # children
        supervisor.wait_until_ready()
        supervisor.run()                          # until SIGINT, SIGTERM or SIGHUP
                                                  # then children in reverse order, the database last

A child that ends is started again, later each time it ends quickly; so is the database. Everything is done by process
id, in one thread, without a clock to poll: the process waits for a signal (SIGCHLD among them) or for the next restart.
Not for many machines: there, systemd or an orchestrator starts `relais gateway` and `relais worker`.
"""

import http.client
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any

import structlog

from relais.database.embedded import Embedded
from relais.database.faults import EmbeddedFault
from relais.settings import Settings, variable

RESTART_AFTER_MIN_S, RESTART_AFTER_MAX_S = 0.5, 30.0
STEADY_AFTER_S = 60.0  # a process that ran as long starts again with the shortest wait
STOP_WITHIN_S = 20.0
READY_WITHIN_S = 60.0
ATTEND_S = 0.1  # between two questions whether a child is ready
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Role:
    """A child process: `relais` with these arguments; ready when `port`'s /readyz says so (None: at once)."""

    name: str
    arguments: tuple[str, ...]
    port: Callable[[Settings], int] | None


GATEWAY = Role("gateway", ("gateway",), lambda settings: settings.gateway_ops_port)
WORKER = Role("worker", ("worker",), lambda settings: settings.worker_ops_port)
PAGES = Role("web", ("web",), lambda settings: settings.web_ops_port)
SMSC = Role("smsc", ("simulate", "smsc"), None)


@dataclass(slots=True)
class Restarts:
    """When something that ended may start again. Times are of the monotonic clock, in seconds."""

    started_s: float = 0.0
    quick_ends_count: int = 0
    due_s: float | None = None

    def started(self, now_s: float) -> None:
        self.started_s, self.due_s = now_s, None

    def ended(self, now_s: float) -> float:
        """Plans the restart; seconds until then."""
        self.quick_ends_count = 0 if now_s - self.started_s >= STEADY_AFTER_S else self.quick_ends_count + 1
        wait_s = min(RESTART_AFTER_MAX_S, RESTART_AFTER_MIN_S * 2.0 ** max(0, min(self.quick_ends_count - 1, 16)))
        self.due_s = now_s + wait_s
        return wait_s


@dataclass(slots=True)
class Child:
    """A role and the process that plays it now (None between two)."""

    role: Role
    process: subprocess.Popen[bytes] | None = None
    restarts: Restarts = field(default_factory=Restarts)


class Supervisor:
    """One a process, in its main thread. See the module's docstring for the order of use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.children: list[Child] = []
        self._database: Embedded | None = None
        self._database_restarts = Restarts()
        self._stop_requests_count = 0
        self._wake_reader, self._wake_writer = os.pipe()
        self._handlers: dict[signal.Signals, Any] = {}
        if settings.database_url is None:
            self._database = Embedded(settings.data_dir, installed=settings.postgres_bin)

    @property
    def dsn(self) -> str:
        """The database that the children use."""
        if self._database is not None:
            return self._database.dsn
        assert self.settings.database_url is not None
        return self.settings.database_url

    @property
    def stopping(self) -> bool:
        """Whether somebody asked this process to stop."""
        return self._stop_requests_count > 0

    def __enter__(self) -> "Supervisor":
        self._catch_signals()
        try:
            if self._database is not None:
                self._database.start(give_up=lambda: self.stopping)
                self._database_restarts.started(time.monotonic())
                log.info("database.started", pid=self._database.pid)
        except BaseException:
            self._release_signals()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for child in reversed(self.children):
                self._stop_child(child)
            if self._database is not None:
                self._database.stop()
                log.info("database.stopped")
        finally:
            self._release_signals()

    def command(self, *arguments: str) -> int:
        """Runs `relais` with `arguments` on the same database to its end; its exit code. A stop request ends it."""
        process = self._spawn(arguments)
        while process.poll() is None:
            if self.stopping:
                process.terminate()
            self._wait_for_signal(1.0)
        return process.returncode

    def start(self, *roles: Role) -> None:
        """Starts a child for each role; they stop in the reverse order."""
        for role in roles:
            child = Child(role)
            self.children.append(child)
            self._start_child(child)

    def wait_until_ready(self, within_s: float = READY_WITHIN_S) -> bool:
        """Attends to the children until all are ready; False when they were not in time, or a stop was requested."""
        deadline_s = time.monotonic() + within_s
        while not self.stopping and time.monotonic() < deadline_s:
            if all(self._is_ready(child) for child in self.children):
                return True
            self.attend(ATTEND_S)
        if not self.stopping:
            waiting = [child.role.name for child in self.children if not self._is_ready(child)]
            log.warning("processes.not_ready", processes=waiting, within_s=within_s)
        return False

    def run(self) -> None:
        """Attends to the children until a stop is requested."""
        while not self.stopping:
            self.attend(None)

    def attend(self, within_s: float | None) -> None:
        """Waits for something to happen, at most `within_s` (None: as long as it takes), and sees to what ended."""
        now_s = time.monotonic()
        planned = [child.restarts.due_s for child in self.children] + [self._database_restarts.due_s]
        waits = [max(0.0, due_s - now_s) for due_s in planned if due_s is not None]
        if within_s is not None:
            waits.append(within_s)
        self._wait_for_signal(min(waits, default=None))
        if self.stopping:
            return
        self._see_to_database()
        for child in self.children:
            self._see_to_child(child)

    def _see_to_database(self) -> None:
        database, restarts, now_s = self._database, self._database_restarts, time.monotonic()
        if database is None or database.pid is not None:
            return
        if restarts.due_s is None:
            log.error("database.ended", restart_in_s=restarts.ended(now_s))
        elif restarts.due_s <= now_s:
            try:
                database.start(give_up=lambda: self.stopping)
            except EmbeddedFault as fault:
                log.error("database.not_started", reason=str(fault), restart_in_s=restarts.ended(time.monotonic()))
                return
            restarts.started(time.monotonic())
            log.warning("process.restarted", role="database", pid=database.pid)

    def _see_to_child(self, child: Child) -> None:
        now_s = time.monotonic()
        if child.process is not None and (code := child.process.poll()) is not None:
            child.process = None
            log.error("process.ended", role=child.role.name, code=code, restart_in_s=child.restarts.ended(now_s))
        elif child.restarts.due_s is not None and child.restarts.due_s <= now_s:
            self._start_child(child)
            assert child.process is not None
            log.warning("process.restarted", role=child.role.name, pid=child.process.pid)

    def _start_child(self, child: Child) -> None:
        child.process = self._spawn(child.role.arguments)
        child.restarts.started(time.monotonic())
        log.info("process.started", role=child.role.name, pid=child.process.pid)

    def _stop_child(self, child: Child) -> None:
        """SIGTERM, and SIGKILL when that is not obeyed in time or when a second request shows impatience."""
        process = child.process
        if process is None or process.poll() is not None:
            return
        requests_count = self._stop_requests_count
        process.terminate()
        deadline_s = time.monotonic() + STOP_WITHIN_S
        while process.poll() is None:
            if time.monotonic() > deadline_s or self._stop_requests_count > max(1, requests_count):
                process.kill()
            self._wait_for_signal(1.0)
        log.info("process.stopped", role=child.role.name, code=process.returncode)

    def _spawn(self, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
        """The settings that are not in our own environment (database, key) are handed on there, not as arguments."""
        ours = {
            variable("database_url"): self.dsn,
            variable("secret_key"): self.settings.secret_key,
            variable("data_dir"): str(self.settings.data_dir),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "relais.lifeline", str(os.getpid()), *arguments],
            env={**os.environ, **ours},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is for us: we stop the children in order
        )

    def _is_ready(self, child: Child) -> bool:
        if child.process is None or child.process.poll() is not None:
            return False
        if child.role.port is None:
            return True
        connection = http.client.HTTPConnection(self.settings.ops_host, child.role.port(self.settings), timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _catch_signals(self) -> None:
        os.set_blocking(self._wake_writer, False)
        os.set_blocking(self._wake_reader, False)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            self._handlers[number] = signal.signal(number, self._request_stop)
        self._handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)

    def _release_signals(self) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_requests_count += 1

    def _wait_for_signal(self, within_s: float | None) -> None:
        """Returns when a signal came (also one that came before the call), or after `within_s`."""
        ready, _, _ = select.select([self._wake_reader], [], [], within_s)
        if ready:
            os.read(self._wake_reader, 4096)
