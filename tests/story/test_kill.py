"""Gateway (with the API) and database are killed with -9 while 5,000 messages are on their way."""

import os
import random
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from tests.story.conftest import PROJECT, House, open_count, stop

MESSAGES_COUNT = 5_000
KILLS = ("gateway", "database", "gateway", "database", "gateway", "database")
CLIENTS_COUNT = 16
PAID = ('payment_amount: "100.00"', 'payment_amount: "200.00"')  # by the client: as it is, and what these messages cost
CLIENT_PRICE_MICROS, RESELLER_PRICE_MICROS = 40_000, 30_000


@pytest.mark.timeout(400)
def test_every_answered_id_ends_once_and_is_charged_once(house: House) -> None:
    scenario = house.folder / "scenario.yaml"
    text = (PROJECT / "scenarios" / "spain.yaml").read_text(encoding="utf-8").replace(*PAID)
    scenario.write_text(text.replace("port: 2776", f"port: {house.simulator_port}"), encoding="utf-8")
    up = house.start("up")
    simulator = house.start("simulate", "smsc")
    try:
        house.until(lambda: "Running." in house.output("up"))
        applied = house.relais("apply", str(scenario))
        assert applied.returncode == 0, applied.stderr
        house.until(house.bound)
        ids = _send_under_fire(house, up)
        dsn = house.relais("db", "url").stdout.strip()
        house.until(lambda: open_count(dsn) == 0, 120)
        with psycopg.connect(dsn) as database:
            statuses = dict(database.execute("SELECT id::text, status FROM traffic_message").fetchall())
            sums = database.execute(
                "SELECT level, sum(net_micros + tax_micros) FROM traffic_edr GROUP BY level ORDER BY level"
            ).fetchall()
        assert len(ids) == MESSAGES_COUNT and len(statuses) == MESSAGES_COUNT
        assert {statuses[each] for each in ids} == {10}, "every answered id is delivered"
        assert sums == [(0, MESSAGES_COUNT * CLIENT_PRICE_MICROS), (1, MESSAGES_COUNT * RESELLER_PRICE_MICROS)]
        verified = house.relais("verify")
        assert verified.returncode == 0, verified.stdout
    finally:
        stop(up)
        stop(simulator)


def _send_under_fire(house: House, up: "subprocess.Popen[bytes]") -> set[str]:
    """Send every message until it is answered, with a key of its own; kill at random counts of answers."""
    chance = random.Random(20_261_124)
    moments = sorted(chance.sample(range(100, MESSAGES_COUNT - 100), len(KILLS)))
    victims = list(zip(moments, KILLS, strict=True))
    ids: set[str] = set()
    lock = threading.Lock()

    def send(number: int) -> None:
        body = {"from": "Monsters", "to": f"34600{100_000 + number + 200}", "text": f"Message {number}"}
        answer: dict[str, str] = {}

        def answered() -> bool:
            nonlocal answer
            status, answer = house.post(body, key=f"message-{number}")
            assert status in (202, 503), answer
            return status == 202

        house.until(answered, 120)
        with lock:
            ids.add(answer["id"])
            due = victims.pop(0)[1] if victims and len(ids) >= victims[0][0] else None
        if due is not None:
            _kill(house, up, due)

    with ThreadPoolExecutor(CLIENTS_COUNT) as clients:
        list(clients.map(send, range(MESSAGES_COUNT)))
    assert not victims, "every kill took place"
    return ids


def _kill(house: House, up: "subprocess.Popen[bytes]", victim: str) -> None:
    """kill -9 the gateway, or the database's postmaster."""
    if victim == "database":
        pid_file = next((house.folder / "data").rglob("postmaster.pid"))
        pid = int(pid_file.read_text().splitlines()[0])
    else:
        pid = _child(house, up.pid, "gateway")
    os.kill(pid, signal.SIGKILL)


def _child(house: House, parent: int, word: str) -> int:
    """The child of `parent` whose command line has `word`; between two lives there is none: then wait for the next."""
    found: list[int] = []

    def is_there() -> bool:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        found[:] = [int(c) for c in children if word in Path(f"/proc/{c}/cmdline").read_text().split("\0")]
        return bool(found)

    house.until(is_there)
    return found[0]
