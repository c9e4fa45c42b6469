"""A client sends over SMPP through two gateways, the parts of long messages through one each; both are killed with -9 in turn."""

import asyncio
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
from tests.ports import free_port
from tests.story.conftest import House, house_in_spain, open_count, stop

from relais.transport.smpp import SmppEnd, connect
from relais.wire.smpp import pdus
from relais.wire.smpp.events import Bound, Event
from relais.wire.smpp.states import SessionSettings

MESSAGES_COUNT, LONG_EVERY, WINDOW, KILLS_AT = 600, 10, 30, (150, 400)
WITHIN_S = 90.0


class Sender:
    """Sends every message until it is answered, over a session at each gateway as long as it stands, and binds again when one
    falls; answers receipts."""

    def __init__(self, ports: list[int], answered: Callable[[int], None]) -> None:
        self.ports = ports
        self.due: list[tuple[int, int]] = []  # number of the message, part
        for number in range(MESSAGES_COUNT):
            self.due += [(number, 1), (number, 2)] if number % LONG_EVERY == 0 else [(number, 0)]
        self.ids: dict[tuple[int, int], str] = {}
        self.reported: set[str] = set()
        self.parts_count = len(self.due)
        self._answered = answered
        self._ends: dict[int, SmppEnd] = {}  # by port, of those that are bound
        self._ports: dict[SmppEnd, int] = {}

    async def run(self) -> None:
        await asyncio.gather(*map(self._keep_bound, self.ports))

    async def _keep_bound(self, port: int) -> None:
        while not self._done:
            try:
                bind = pdus.BindTransceiver(system_id="monsters", password="smpp-tm1")
                end = await connect("127.0.0.1", port, bind, SessionSettings(), self, timeout_s=2)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            self._ports[end] = port
            while not end.session.closed:
                if self._done:
                    await end.unbind()
                    return
                await asyncio.sleep(0.02)

    @property
    def _done(self) -> bool:
        return len(self.ids) == self.parts_count and self.whole_ids <= self.reported

    @property
    def whole_ids(self) -> set[str]:
        """Those of whole messages. A part that was stored, not answered before the kill and sent again begins a message of its
        own, which nobody completes."""
        messages: dict[int, set[str]] = {}
        for (number, _), told in self.ids.items():
            messages.setdefault(number, set()).add(told.partition(".")[0])
        return {told for (number, _), told in self.ids.items() if len(messages[number]) == 1}

    def _next(self, port: int) -> tuple[int, int] | None:
        """What is to go to that gateway: its own half, and all while there is no other."""
        alone, place = len(self._ends) == 1, self.ports.index(port)
        for position, (number, part) in enumerate(self.due):
            if alone or (number // LONG_EVERY + part if part else number) % 2 == place:
                return self.due.pop(position)
        return None

    def _send(self, end: SmppEnd) -> None:
        while end.session.bound and end.session.pending_count < WINDOW and (due := self._next(self._ports[end])):
            number, part = due
            text, esm_class = b"Message %d" % number, 0
            if part:
                text, esm_class = bytes((5, 0, 3, number % 256, 2, part)) + b"%d" % part * 150, 0x40
            request = pdus.SubmitSm(
                source_ton=5, source="Monsters", destination_ton=1, destination_npi=1,
                destination=f"34600{200_200 + number}", esm_class=esm_class, registered_delivery=1, short_message=text,
            )  # fmt: skip
            end.send(request, (number, part))

    def bound(self, end: SmppEnd, event: Bound) -> None:
        self._ends[self._ports[end]] = end
        self._send(end)

    def answered(self, end: SmppEnd, context: Any, response: Any) -> None:
        if response.status == 0:
            self.ids[context] = response.message_id
            self._answered(len(self.ids))
        else:
            self.due.append(context)
        self._send(end)

    def unanswered(self, end: SmppEnd, context: Any) -> None:
        self.due.append(context)

    def arrived(self, end: SmppEnd, request: pdus.Pdu) -> None:
        assert isinstance(request, pdus.DeliverSm)
        assert b"stat:DELIVRD" in request.short_message, request.short_message
        self.reported.add(request.short_message.split()[0].decode().removeprefix("id:"))
        end.answer(request)

    def noticed(self, end: SmppEnd, event: Event) -> None: ...

    def closed(self, end: SmppEnd, reason: str) -> None:
        self._ends.pop(self._ports[end], None)


def test_every_id_that_an_smpp_client_was_answered_is_charged_once_and_reported(
    server_dsn: str, spain_template: str
) -> None:
    with house_in_spain(server_dsn, spain_template) as (house, dsn):
        places = [house.environment, house.environment | _ports_of_another()]
        simulator, gateways = house.start("simulate", "smsc"), [_start(house, place) for place in places]
        kills = list(KILLS_AT)

        def answered(count: int) -> None:
            if kills and count >= kills[0]:
                del kills[0]
                fallen = len(kills) % 2
                gateways[fallen].kill()
                gateways[fallen].wait()
                gateways[fallen] = _start(house, places[fallen])

        try:
            sender = Sender([int(place["RELAIS_SMPP_PORT"]) for place in places], answered)
            asyncio.run(asyncio.wait_for(sender.run(), WITHIN_S))
            assert not kills, "every kill took place"
            _books_are_right(house, dsn, sender)
        finally:
            _stop_all(*gateways, simulator)


def _ports_of_another() -> dict[str, str]:
    return {f"RELAIS_{name}_PORT": str(free_port()) for name in ("API", "GATEWAY_OPS", "SMPP")}


def _start(house: House, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    return replace(house, environment=environment).start("gateway")


def _books_are_right(house: House, dsn: str, sender: Sender) -> None:
    house.until(lambda: open_count(dsn) == 0, 60)
    with psycopg.connect(dsn) as database:
        rows = database.execute("SELECT id::text, status, segments_count FROM traffic_message").fetchall()
        client_micros = database.execute("SELECT sum(net_micros) FROM traffic_edr WHERE level = 0").fetchone()
        waiting = database.execute(
            "SELECT message_id::text FROM traffic_waiting_message WHERE owner IS NULL"
        ).fetchall()
    found = {row[0] for row in rows}
    answered = {told.partition(".")[0] for told in sender.ids.values()}
    assert answered <= found | {row[0] for row in waiting}, "no answered id is lost"
    again = len(found) - MESSAGES_COUNT + len(waiting)
    assert 0 <= again <= WINDOW * len(KILLS_AT), "sent again is only what was not answered"
    assert {row[1] for row in rows} == {10}
    long = [number for number in range(0, MESSAGES_COUNT, LONG_EVERY)]
    joined = sum(sender.ids[number, 1].partition(".")[0] == sender.ids[number, 2].partition(".")[0] for number in long)
    assert joined >= len(long) - len(KILLS_AT) * WINDOW // 2, "parts that came to two gateways are one message"
    assert client_micros == (sum(row[2] for row in rows) * 40_000,), "each is charged once, by its segments"
    verified = house.relais("verify")
    assert verified.returncode == 0, verified.stdout


def _stop_all(*processes: "subprocess.Popen[bytes]") -> None:
    for process in processes:
        stop(process)
