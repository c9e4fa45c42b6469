"""A load client over SMPP: sessions that keep their window full, and answer every receipt."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from bench.load import Result
from relais.transport.smpp import SmppEnd, connect
from relais.wire.smpp.events import Bound, Event
from relais.wire.smpp.pdus import BindTransceiver, Pdu, SubmitSm
from relais.wire.smpp.states import SessionSettings

LOGIN, PASSWORD = "monsters", "smpp-tm1"


class _Load:
    """The handler of all sessions; sends until `messages` are answered, then waits for `receipts_count` of them."""

    def __init__(self, messages: int, window: int, numbers: Iterator[str]) -> None:
        self.result = Result()
        self.left = messages
        self.messages = messages
        self.window = window
        self.answered_count = self.receipts_count = 0
        self.all_answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._numbers = numbers

    def bound(self, end: SmppEnd, event: Bound) -> None:
        for _ in range(self.window):
            self._send(end)

    def _send(self, end: SmppEnd) -> None:
        if self.left:
            self.left -= 1
            text = b"Your code is %06d" % (self.left % 1_000_000)
            request = SubmitSm(
                source_ton=5, source="Monsters", destination_ton=1, destination_npi=1, destination=next(self._numbers),
                registered_delivery=1, short_message=text,
            )  # fmt: skip
            end.send(request, time.perf_counter())

    def answered(self, end: SmppEnd, context: float, response: Pdu) -> None:
        now_s = time.perf_counter()
        if response.status:
            status = b"%#x" % response.status
            self.result.refused[status] = self.result.refused.get(status, 0) + 1
        else:
            self.result.accepted += 1
            self.result.latencies_s.append(now_s - context)
        self.answered_count += 1
        if self.answered_count == self.messages:
            self.result.ended_s = now_s
            self.all_answered.set_result(None)
        self._send(end)

    def arrived(self, end: SmppEnd, request: Pdu) -> None:
        self.receipts_count += 1
        end.answer(request)

    def unanswered(self, end: SmppEnd, context: Any) -> None:
        if not self.all_answered.done():
            self.all_answered.set_exception(ConnectionError("the server did not answer"))

    def noticed(self, end: SmppEnd, event: Event) -> None: ...

    def closed(self, end: SmppEnd, reason: str) -> None: ...


async def smpp_closed_loop(
    host: str, port: int, numbers: Iterator[str], messages: int, *, sessions: int = 4, window: int = 50
) -> Result:
    """Send `messages` over `sessions`, each with `window` requests under way; returns when each is answered and every receipt
    of what was taken has come."""
    load = _Load(messages, window, numbers)
    settings = SessionSettings(enquire_link_s=None)
    bind = [BindTransceiver(system_id=LOGIN, password=PASSWORD) for _ in range(sessions)]
    ends = [await connect(host, port, each, settings, load) for each in bind]
    await load.all_answered
    async with asyncio.timeout(60):
        while load.receipts_count < load.result.accepted:
            await asyncio.sleep(0.01)
    await asyncio.gather(*(end.unbind() for end in ends))
    return load.result
