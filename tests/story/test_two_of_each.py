"""Two gateways and two API processes on one database; each of them is killed with -9 in turn while messages are on their way."""

import subprocess
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from tests.ports import free_port
from tests.story.conftest import House, house_in_spain, open_count, stop

MESSAGES_COUNT, CLIENTS_COUNT, WINDOW = 800, 8, 100
TAKEN_OVER_WITHIN_S = 5.0
CLIENT_PRICE_MICROS, RESELLER_PRICE_MICROS = 40_000, 30_000
KILLED_AT = {150: "first gateway", 300: "first API", 450: "second gateway", 600: "second API"}


@dataclass
class Place:
    """One process that takes messages, on ports of its own."""

    house: House
    role: str
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.process = self.house.start(self.role)

    @property
    def owns(self) -> bool:
        """Whether this gateway drives the vendor's connection."""
        return self.house.bound()

    def answers(self) -> bool:
        with urllib.request.urlopen(f"{self.house.api_url}/api/v1/openapi.json", timeout=5) as answer:
            return bool(answer.status == 200)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@pytest.mark.timeout(400)
def test_whoever_falls_the_others_go_on_and_nothing_is_lost_or_charged_twice(
    server_dsn: str, spain_template: str
) -> None:
    with house_in_spain(server_dsn, spain_template) as (house, dsn):
        simulator = house.start("simulate", "smsc")
        names = {"first gateway": "gateway", "second gateway": "gateway", "first API": "api", "second API": "api"}
        places = {name: _place(house, role) for name, role in names.items()}
        try:
            for place in places.values():
                place.start()
                house.until(place.answers)
            house.until(lambda: places["first gateway"].owns)
            ids = _send_to_all(places)
            house.until(lambda: open_count(dsn) == 0, 120)
            _nothing_is_lost(house, dsn, ids)
        finally:
            for place in places.values():
                if place.process is not None:
                    stop(place.process)
            stop(simulator)


def _place(house: House, role: str) -> Place:
    ports = {name: free_port() for name in ("API", "GATEWAY_OPS", "SMPP")}
    environment = house.environment | {f"RELAIS_{name}_PORT": str(port) for name, port in ports.items()}
    own = House(
        house.folder, environment, f"http://127.0.0.1:{ports['API']}", f"http://127.0.0.1:{ports['GATEWAY_OPS']}",
        house.simulator_port,
    )  # fmt: skip
    return Place(own, role)


def _send_to_all(places: dict[str, Place]) -> set[str]:
    """Each message is asked of one place after the other, with a key of its own, until one answers; one place falls at each of
    the counts, and comes back once the others have what it had."""
    ids: set[str] = set()
    lock = threading.Lock()
    due = dict(KILLED_AT)
    addresses = list(places.values())

    def send(number: int) -> None:
        body = {"from": "Monsters", "to": f"34600{200_200 + number}", "text": f"Message {number}"}
        answer: dict[str, Any] = {}
        asked = number

        def answered() -> bool:
            nonlocal answer, asked
            asked += 1
            status, answer = addresses[asked % len(addresses)].house.post(body, key=f"message-{number}")
            assert status in (202, 503), answer
            return status == 202

        addresses[0].house.until(answered, 120)
        with lock:
            ids.add(answer["id"])
            victim = due.pop(len(ids), None)
        if victim is not None:
            _fall(places, victim)

    with ThreadPoolExecutor(CLIENTS_COUNT) as clients:
        list(clients.map(send, range(MESSAGES_COUNT)))
    assert not due, "every one fell"
    return ids


def _fall(places: dict[str, Place], name: str) -> None:
    place = places[name]
    owned = place.role == "gateway" and place.owns
    place.kill()
    if owned:
        began_s = time.monotonic()
        other = next(each for each in places.values() if each.role == "gateway" and each is not place)
        other.house.until(lambda: other.owns, 60)
        assert time.monotonic() - began_s < TAKEN_OVER_WITHIN_S, "the other gateway sends in time"
    place.start()
    place.house.until(place.answers)


def _nothing_is_lost(house: House, dsn: str, ids: set[str]) -> None:
    with psycopg.connect(dsn) as database:
        statuses = dict(database.execute("SELECT id::text, status FROM traffic_message").fetchall())
        sums = database.execute(
            "SELECT level, sum(net_micros + tax_micros) FROM traffic_edr GROUP BY level ORDER BY level"
        ).fetchall()
    assert len(ids) == MESSAGES_COUNT and ids == set(statuses), "one message for each key, and none but those"
    assert set(statuses.values()) == {10}, "every answered id is delivered"
    assert sums == [(0, MESSAGES_COUNT * CLIENT_PRICE_MICROS), (1, MESSAGES_COUNT * RESELLER_PRICE_MICROS)]
    gateways_fallen = sum("gateway" in name for name in KILLED_AT.values())
    assert MESSAGES_COUNT <= _taken(house) <= MESSAGES_COUNT + gateways_fallen * WINDOW, "again is what was unanswered"
    verified = house.relais("verify")
    assert verified.returncode == 0, verified.stdout


def _taken(house: House) -> int:
    """Messages that the vendor took, repeated ones too."""
    url = f"http://127.0.0.1:{house.environment['RELAIS_SIMULATOR_OPS_PORT']}/metrics"
    with urllib.request.urlopen(url, timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return int(float(next(line for line in lines if line.startswith("smsc_accepted_total ")).split()[1]))
