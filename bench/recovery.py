"""`python -m bench.recovery [ROUNDS]`: how long after a kill -9 a message is answered and delivered.

`relais up` runs as a customer runs it, and clients send without a pause, each message until it is answered, with its own key.
Killed in turns: the gateway (with the API), the database, and everything, which then is started again at once, as an init system
does. Timed is a message that is handed in after the kill. It ends with 1 when one takes over 5 s to be answered, when an answered
message is not delivered or charged other than once, or the books do not agree.
"""

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, LiteralString

import psycopg

from bench.machine import descendants
from bench.measure import API_KEY, SENDER, numbers
from bench.processes import free_ports
from bench.product import SECRET_KEY, scenario
from relais.pipeline.verify import verify

CLIENTS_COUNT, ROUNDS = 16, 5
ANSWERED_WITHIN_S, GIVEN_UP_AFTER_S = 5.0, 60.0
LOOK_EVERY_S = 0.01
BETWEEN_MESSAGES = 1_000  # are answered between a recovery and the next kill
PROCESSES = ("WEB", "WEB_OPS", "API", "GATEWAY_OPS", "WORKER_OPS", "SMPP", "SIMULATOR", "SIMULATOR_OPS")
DELIVERED, LEVELS_COUNT = 10, 2


class House:
    """The product's processes, and who sends through them."""

    def __init__(self, folder: Path) -> None:
        ports = dict(zip(PROCESSES, map(str, free_ports(len(PROCESSES))), strict=True))
        self._folder = folder
        self._url = f"http://127.0.0.1:{ports['API']}/api/v1/messages"
        self._ops_url = f"http://127.0.0.1:{ports['GATEWAY_OPS']}/metrics"
        self._simulator_port = int(ports["SIMULATOR"])
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")}
        self._environment = clean | {f"RELAIS_{name}_PORT": port for name, port in ports.items()} | {
            "RELAIS_DATA_DIR": str(folder / "data"), "RELAIS_SECRET_KEY": SECRET_KEY, "RELAIS_LOG_LEVEL": "warning",
            "RELAIS_CONNECTIONS_ALLOW_PRIVATE": "yes",
        }  # fmt: skip
        self._serials, self._numbers = count(1), numbers()
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self.ids: set[str] = set()

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self._folder / f"{arguments[0]}.log").open("ab") as log:
            return subprocess.Popen(self._command(*arguments), env=self._environment, stdout=log, stderr=log)

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "relais", *arguments]

    @contextmanager
    def running(self) -> Iterator["House"]:
        """The product and a simulator, with a scenario applied and the vendor connection bound."""
        simulator = self.start("simulate", "smsc")
        self.up = self.start("up")
        try:
            until(self._answers)
            applied = self._folder / "bench.yaml"
            applied.write_text(scenario(self._simulator_port), encoding="utf-8")
            subprocess.run(
                self._command("apply", str(applied)), env=self._environment, check=True, stdout=subprocess.DEVNULL
            )
            until(self._bound)
            yield self
        finally:
            for child in (self.up, simulator):
                child.send_signal(signal.SIGINT)
                child.wait(timeout=GIVEN_UP_AFTER_S)

    def dsn(self) -> str:
        told = subprocess.run(
            self._command("db", "url"), env=self._environment, check=True, capture_output=True, text=True
        )
        return told.stdout.strip()

    def _answers(self) -> bool:
        return b"relais_" in _got(self._ops_url)

    def _bound(self) -> bool:
        return b'relais_connection_ready{connection="Simulator"} 1.0' in _got(self._ops_url)

    def send(self) -> str:
        """The id of a new message, asked for until it is answered."""
        with self._lock:
            serial, number = next(self._serials), next(self._numbers)
        body = json.dumps({"from": SENDER, "to": number, "text": f"Message {serial}"}).encode()
        headers = {
            "Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json", "Idempotency-Key": f"m{serial}"
        }  # fmt: skip
        answer: dict[str, Any] = {}

        def answered() -> bool:
            answer.update(json.loads(_got(self._url, body, headers)))
            return True

        until(answered)
        with self._lock:
            self.ids.add(answer["id"])
        return str(answer["id"])

    def has_answered(self, messages_count: int) -> bool:
        return len(self.ids) >= messages_count

    def is_delivered(self, message_id: str) -> bool:
        answer = _got(f"{self._url}/{message_id}", headers={"Authorization": f"Bearer {API_KEY}"})
        return bool(json.loads(answer)["status"] == "delivered")

    @contextmanager
    def under_load(self) -> Iterator[None]:
        """Clients that send inside the block."""

        def go_on() -> None:
            while not self._ends.is_set():
                self.send()

        clients = [threading.Thread(target=go_on) for _ in range(CLIENTS_COUNT)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self._ends.set()
            for client in clients:
                client.join()

    def fall(self, victim: str) -> None:
        """kill -9 of the gateway, of the database's first process, or of all but the simulator."""
        if victim == "database":
            pids = [int(next((self._folder / "data").rglob("postmaster.pid")).read_text().split()[0])]
        else:
            pids = [pid for pid in descendants(self.up.pid) if victim == "everything" or victim in _command_line(pid)]
        assert pids, victim
        for pid in pids:
            with suppress(ProcessLookupError):  # ended with its parent
                os.kill(pid, signal.SIGKILL)
        if victim == "everything":
            self.up.wait()
            self.up = self.start("up")


def _got(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    """The body of an answer of 2xx; OSError without one."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers or {}), timeout=15) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            if error.code != http.client.SERVICE_UNAVAILABLE:
                raise AssertionError(f"{error.code} {error.read()!r}") from error
            raise OSError("not now") from error
    except http.client.HTTPException as error:  # killed between the head and the body of the answer
        raise OSError(str(error)) from error


def _command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def until(holds: Callable[[], bool], within_s: float = GIVEN_UP_AFTER_S) -> None:
    """Until it holds; what cannot be reached does not hold yet."""
    deadline_s = time.monotonic() + within_s
    while True:
        with suppress(OSError):
            if holds():
                return
        assert time.monotonic() < deadline_s, "it did not come about"
        time.sleep(LOOK_EVERY_S)


def measure(house: House, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """By victim: seconds until a message was answered, and until it was delivered."""
    found: dict[str, list[tuple[float, float]]] = {"gateway": [], "database": [], "everything": []}
    for _ in range(rounds):
        for victim, times in found.items():
            until(partial(house.has_answered, len(house.ids) + BETWEEN_MESSAGES))
            house.fall(victim)
            fallen_s = time.monotonic()
            message_id = house.send()
            answered_s = time.monotonic() - fallen_s
            until(partial(house.is_delivered, message_id))
            times.append((answered_s, time.monotonic() - fallen_s))
    return found


def troubles(dsn: str, ids: set[str]) -> list[str]:
    """What is wrong with the answered messages once none is open any more."""

    def none_is_open() -> bool:
        with connected(dsn) as database:
            return not _rows(database, "SELECT 1 FROM traffic_message WHERE status < 10 LIMIT 1")

    until(none_is_open)
    with connected(dsn) as database:
        statuses = dict(_rows(database, "SELECT id::text, status FROM traffic_message"))
        charged = dict(_rows(database, "SELECT message_id::text, count(*) FROM traffic_edr GROUP BY 1"))
    holds = asyncio.run(verify(dsn)).holds
    said = {
        "messages are lost": len(ids - set(statuses)),
        "messages were not asked for": len(set(statuses) - ids),
        "messages are not delivered": sum(status != DELIVERED for status in statuses.values()),
        "messages are not charged once at each level": sum(charged.get(each) != LEVELS_COUNT for each in ids),
        "times relais verify did not hold": 0 if holds else 1,
    }
    return [f"{number} {words}" for words, number in said.items() if number]


@contextmanager
def connected(dsn: str) -> "Iterator[psycopg.Connection[Any]]":
    """OSError while the database is away."""
    try:
        with psycopg.connect(dsn, connect_timeout=5) as database:
            yield database
    except psycopg.OperationalError as error:
        raise OSError(str(error)) from error


def _rows(database: "psycopg.Connection[Any]", query: LiteralString) -> list[tuple[Any, ...]]:
    return database.execute(query).fetchall()


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 in time and nothing lost, 1 otherwise, 2 used wrongly."""
    if len(arguments) > 1 or not all(each.isdigit() for each in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    rounds = int(arguments[0]) if arguments else ROUNDS
    with tempfile.TemporaryDirectory(prefix="relais-bench-") as folder:
        Path(folder).chmod(0o711)
        with House(Path(folder)).running() as house:
            with house.under_load():
                found = measure(house, rounds)
            wrong = troubles(house.dsn(), house.ids)
    print(f"{'killed with -9':16} {'times':>5} {'answered after s':>22} {'delivered after s':>22}")
    for victim, times in found.items():
        answered, delivered = ([each[n] for each in times] for n in (0, 1))
        told = [f"{median(each):.2f}, at most {max(each):.2f}" for each in (answered, delivered)]
        print(f"{victim:16} {len(times):5} {told[0]:>22} {told[1]:>22}")
        if max(answered) > ANSWERED_WITHIN_S:
            wrong.append(f"{victim}: over {ANSWERED_WITHIN_S:.0f} s")
    print(f"{len(house.ids):,} messages; {'; '.join(wrong) or 'each is delivered and charged once, the books agree'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
