"""The supervisor: children are restarted, stopped in order, and never outlive it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.platform.platform_samples import WITHIN_S, open_folder

from relais.database.embedded import running_dsn
from relais.supervisor import RESTART_AFTER_MAX_S, RESTART_AFTER_MIN_S, STEADY_AFTER_S, Restarts

# Two children that only wait. `relais.lifeline` runs commands of the product; these stand for them, tied the same way.
SUPERVISED = """
import sys
from relais import supervisor
from relais.logs import configure_logging
from relais.settings import load
from relais.supervisor import Role, Supervisor

WAITING = "import os, signal; from relais.lifeline import end_with_parent; end_with_parent(%d); signal.pause()"

class OfWaiters(Supervisor):
    def _spawn(self, arguments):
        import os, subprocess
        return subprocess.Popen([sys.executable, "-c", WAITING % os.getpid()], start_new_session=True)

configure_logging("supervisor", "info", "json")
with OfWaiters(load()) as running:
    running.start(Role("first", (), None), Role("second", (), None))
    running.run()
"""


class Supervised:
    """A supervisor in a process of its own, read by its log lines."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISED],
            env={**os.environ, "RELAIS_DATA_DIR": str(data_dir)},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.seen: list[dict[str, object]] = []

    def until(self, wanted: Callable[[dict[str, object]], bool]) -> dict[str, object]:
        """The next log line that is wanted; the test fails at the end of the log."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.seen.append(json.loads(line))
            if wanted(self.seen[-1]):
                return self.seen[-1]
        raise AssertionError(f"the supervisor ended: {self.seen}")

    def started(self, role: str, event: str = "process.started") -> int:
        pid = self.until(lambda line: line["event"] == event and line["role"] == role)["pid"]
        assert isinstance(pid, int)
        return pid

    def rest(self) -> list[tuple[object, object]]:
        """The log to its end: events and roles."""
        assert self.process.stderr is not None
        lines = [json.loads(line) for line in self.process.stderr]
        assert self.process.wait(WITHIN_S) == 0
        return [(line["event"], line.get("role")) for line in lines]


@pytest.fixture
def supervised() -> Iterator[Supervised]:
    with open_folder() as folder:
        running = Supervised(folder / "data")
        yield running
        if running.process.poll() is None:
            running.process.send_signal(signal.SIGTERM)
            running.process.wait(WITHIN_S)
        assert running.process.stderr is not None
        running.process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_request_ends_children_in_reverse_order_and_the_database_last(
    supervised: Supervised, number: signal.Signals
) -> None:
    supervised.started("second")
    supervised.process.send_signal(number)
    assert supervised.rest() == [
        ("process.stopped", "second"),
        ("process.stopped", "first"),
        ("database.stopped", None),
    ]
    assert running_dsn(supervised.data_dir) is None


def test_a_child_that_dies_is_started_again(supervised: Supervised) -> None:
    pid = supervised.started("first")
    supervised.started("second")
    os.kill(pid, signal.SIGKILL)
    assert supervised.started("first", "process.restarted") != pid
    ended = next(line for line in supervised.seen if line["event"] == "process.ended")
    assert (ended["role"], ended["code"]) == ("first", -signal.SIGKILL)


def test_a_database_that_dies_is_started_again_and_the_children_go_on(supervised: Supervised) -> None:
    database = supervised.until(lambda line: line["event"] == "database.started")["pid"]
    assert isinstance(database, int)
    second = supervised.started("second")
    os.kill(database, signal.SIGKILL)
    assert supervised.started("database", "process.restarted") != database
    assert running_dsn(supervised.data_dir) is not None
    os.kill(second, 0)
    assert "process.ended" not in {line["event"] for line in supervised.seen}


def test_nothing_outlives_a_supervisor_that_is_killed_and_a_new_one_starts(supervised: Supervised) -> None:
    children = [os.pidfd_open(supervised.started(role)) for role in ("first", "second")]
    supervised.process.kill()
    supervised.process.wait(WITHIN_S)
    for child in children:
        wait_for_end(child)
    again = Supervised(supervised.data_dir)
    again.started("second")
    again.process.send_signal(signal.SIGTERM)
    assert again.rest()[-1] == ("database.stopped", None)


def test_the_wait_before_a_restart_doubles_up_to_a_limit_and_a_steady_run_resets_it() -> None:
    restarts = Restarts()
    waits_s, now_s = [], 100.0
    for _ in range(9):
        restarts.started(now_s)
        waits_s.append(restarts.ended(now_s))
    assert waits_s == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert (waits_s[0], waits_s[-1]) == (RESTART_AFTER_MIN_S, RESTART_AFTER_MAX_S)
    restarts.started(now_s)
    assert restarts.ended(now_s + STEADY_AFTER_S) == RESTART_AFTER_MIN_S
    assert restarts.due_s == now_s + STEADY_AFTER_S + RESTART_AFTER_MIN_S


def wait_for_end(descriptor: int) -> None:
    """Until the process behind a pidfd has ended."""
    import select

    try:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        assert waiting.poll(WITHIN_S * 1000), "the child outlived its supervisor"
    finally:
        os.close(descriptor)
