"""The gateway is killed with -9 while a client sends over SMPP, long messages in parts of its own among them."""

import asyncio
import subprocess
from collections.abc import Callable
from typing import Any

import psycopg
from tests.story.conftest import House, house_in_spain, open_count, stop

from relais.transport.smpp import SmppEnd, connect
from relais.wire.smpp import pdus
from relais.wire.smpp.events import Bound, Event
from relais.wire.smpp.states import SessionSettings

MESSAGES_COUNT, LONG_EVERY, WINDOW, KILLS_AT = 600, 10, 30, (150, 400)
WITHIN_S = 90.0


class Sender:
    """Sends every message until it is answered, binds again when it falls, and answers receipts."""

    def __init__(self, port: int, answered: Callable[[int], None]) -> None:
        self.port = port
        self.due: list[tuple[int, int]] = []  # number of the message, part
        for number in range(MESSAGES_COUNT):
            self.due += [(number, 1), (number, 2)] if number % LONG_EVERY == 0 else [(number, 0)]
        self.ids: dict[tuple[int, int], str] = {}
        self.reported: set[str] = set()
        self.parts_count = len(self.due)
        self._answered = answered
        self._end: SmppEnd | None = None
        self._gone = asyncio.Event()

    async def run(self) -> None:
        while not self._done:
            self._gone.clear()
            try:
                bind = pdus.BindTransceiver(system_id="monsters", password="smpp-tm1")
                await connect("127.0.0.1", self.port, bind, SessionSettings(), self, timeout_s=2)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            while not self._gone.is_set():
                if self._done:
                    assert self._end is not None
                    await self._end.unbind()
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

    def _send(self) -> None:
        end = self._end
        while end is not None and end.session.bound and self.due and end.session.pending_count < WINDOW:
            number, part = self.due.pop(0)
            text, esm_class = b"Message %d" % number, 0
            if part:
                text, esm_class = bytes((5, 0, 3, number % 256, 2, part)) + b"%d" % part * 150, 0x40
            request = pdus.SubmitSm(
                source_ton=5, source="Monsters", destination_ton=1, destination_npi=1,
                destination=f"34600{200_200 + number}", esm_class=esm_class, registered_delivery=1, short_message=text,
            )  # fmt: skip
            end.send(request, (number, part))

    def bound(self, end: SmppEnd, event: Bound) -> None:
        self._end = end
        self._send()

    def answered(self, end: SmppEnd, context: Any, response: Any) -> None:
        if response.status == 0:
            self.ids[context] = response.message_id
            self._answered(len(self.ids))
        else:
            self.due.append(context)
        self._send()

    def unanswered(self, end: SmppEnd, context: Any) -> None:
        self.due.append(context)

    def arrived(self, end: SmppEnd, request: pdus.Pdu) -> None:
        assert isinstance(request, pdus.DeliverSm)
        assert b"stat:DELIVRD" in request.short_message, request.short_message
        self.reported.add(request.short_message.split()[0].decode().removeprefix("id:"))
        end.answer(request)

    def noticed(self, end: SmppEnd, event: Event) -> None: ...

    def closed(self, end: SmppEnd, reason: str) -> None:
        self._end = None
        self._gone.set()


def test_every_id_that_an_smpp_client_was_answered_is_charged_once_and_reported(
    server_dsn: str, spain_template: str
) -> None:
    with house_in_spain(server_dsn, spain_template) as (house, dsn):
        simulator, gateways = house.start("simulate", "smsc"), [house.start("gateway")]
        kills = list(KILLS_AT)

        def answered(count: int) -> None:
            if kills and count >= kills[0]:
                del kills[0]
                gateways[-1].kill()
                gateways[-1].wait()
                gateways.append(house.start("gateway"))

        try:
            sender = Sender(int(house.environment["RELAIS_SMPP_PORT"]), answered)
            asyncio.run(asyncio.wait_for(sender.run(), WITHIN_S))
            assert not kills, "every kill took place"
            _books_are_right(house, dsn, sender)
        finally:
            _stop_all(gateways[-1], simulator)


def _books_are_right(house: House, dsn: str, sender: Sender) -> None:
    house.until(lambda: open_count(dsn) == 0, 60)
    with psycopg.connect(dsn) as database:
        rows = database.execute("SELECT id::text, status, segments_count FROM traffic_message").fetchall()
        client_micros = database.execute("SELECT sum(net_micros) FROM traffic_edr WHERE level = 0").fetchone()
        waiting = database.execute("SELECT message_id::text FROM traffic_waiting_part").fetchall()
    found = {row[0] for row in rows}
    answered = {told.partition(".")[0] for told in sender.ids.values()}
    assert answered <= found | {row[0] for row in waiting}, "no answered id is lost"
    again = len(found) - MESSAGES_COUNT + len(waiting)
    assert 0 <= again <= WINDOW * len(KILLS_AT), "sent again is only what was not answered"
    assert {row[1] for row in rows} == {10}
    assert client_micros == (sum(row[2] for row in rows) * 40_000,), "each is charged once, by its segments"
    verified = house.relais("verify")
    assert verified.returncode == 0, verified.stdout


def _stop_all(*processes: "subprocess.Popen[bytes]") -> None:
    for process in processes:
        stop(process)
