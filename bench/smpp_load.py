"""A load client over SMPP: sessions that keep their window full or a rate, and answer every receipt."""

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
TOLD_WITHIN_S = 60.0


class _Load:
    """The handler of all sessions; sends until `messages` are answered, then waits for `receipts_count` of them. Without a
    `window` somebody else says when to `send`. `receipts_s`: from the moment a message was due to its receipt."""

    def __init__(self, messages: int, window: int | None, numbers: Iterator[str]) -> None:
        self.result = Result()
        self.receipts_s: list[float] = []
        self.left = messages
        self.messages = messages
        self.window = window
        self.answered_count = self.receipts_count = 0
        self.all_answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._numbers = numbers
        self._due_s: dict[bytes, float] = {}  # of messages that await their receipt

    def bound(self, end: SmppEnd, event: Bound) -> None:
        for _ in range(self.window or 0):
            self.send(end, time.perf_counter())

    def send(self, end: SmppEnd, due_s: float) -> None:
        if self.left:
            self.left -= 1
            text = b"Your code is %06d" % (self.left % 1_000_000)
            request = SubmitSm(
                source_ton=5, source="Monsters", destination_ton=1, destination_npi=1, destination=next(self._numbers),
                registered_delivery=1, short_message=text,
            )  # fmt: skip
            end.send(request, due_s)

    def answered(self, end: SmppEnd, context: float, response: Pdu) -> None:
        now_s = time.perf_counter()
        if response.status:
            status = b"%#x" % response.status
            self.result.refused[status] = self.result.refused.get(status, 0) + 1
        else:
            self.result.accepted += 1
            self.result.latencies_s.append(now_s - context)
            if self.window is None:
                self._due_s[response.message_id.encode()] = context
        self.answered_count += 1
        if self.answered_count == self.messages:
            self.result.ended_s = now_s
            self.all_answered.set_result(None)
        if self.window is not None:
            self.send(end, now_s)

    def arrived(self, end: SmppEnd, request: Pdu) -> None:
        self.receipts_count += 1
        end.answer(request)
        if self.window is None:
            told_id = request.short_message[3:].split(b" ", 1)[0]  # "id:… sub:…"
            self.receipts_s.append(time.perf_counter() - self._due_s.pop(told_id))

    def unanswered(self, end: SmppEnd, context: Any) -> None:
        if not self.all_answered.done():
            self.all_answered.set_exception(ConnectionError("the server did not answer"))

    def noticed(self, end: SmppEnd, event: Event) -> None: ...

    def closed(self, end: SmppEnd, reason: str) -> None: ...


async def smpp_closed_loop(
    host: str,
    port: int,
    numbers: Iterator[str],
    messages: int,
    *,
    sessions: int = 4,
    window: int = 50,
    told_within_s: float = TOLD_WITHIN_S,
) -> Result:
    """Send `messages` over `sessions`, each with `window` requests under way; returns when each is answered and every receipt
    of what was taken has come. TimeoutError when receipts are still missing `told_within_s` after the last answer."""
    load = _Load(messages, window, numbers)
    ends = await _ends(host, port, sessions, load)
    await _until_told(load, ends, told_within_s)
    return load.result


async def smpp_open_loop(
    host: str, port: int, numbers: Iterator[str], messages: int, rate_per_s: float, *, sessions: int = 4
) -> tuple[Result, Result]:
    """Send `messages` at a fixed rate, over `sessions` in turns. Latencies count from when each was due: of the answers, and of
    the receipts."""
    load = _Load(messages, None, numbers)
    ends = await _ends(host, port, sessions, load)
    began_s, issued = time.perf_counter(), 0
    while issued < messages:
        now_s = time.perf_counter()
        while issued < messages and (due_s := began_s + issued / rate_per_s) <= now_s:
            load.send(ends[issued % sessions], due_s)
            issued += 1
        await asyncio.sleep(0.001)
    await _until_told(load, ends, TOLD_WITHIN_S)
    told = Result()
    told.accepted, told.latencies_s = load.receipts_count, load.receipts_s
    return load.result, told


async def _ends(host: str, port: int, count: int, load: _Load) -> list[SmppEnd]:
    settings = SessionSettings(enquire_link_s=None)
    bind = [BindTransceiver(system_id=LOGIN, password=PASSWORD) for _ in range(count)]
    ends = [await connect(host, port, each, settings, load) for each in bind]
    async with asyncio.timeout(20):
        while not all(end.session.bound for end in ends):
            await asyncio.sleep(0.01)
    return ends


async def _until_told(load: _Load, ends: list[SmppEnd], within_s: float) -> None:
    await load.all_answered
    try:
        async with asyncio.timeout(within_s):
            while load.receipts_count < load.result.accepted:
                await asyncio.sleep(0.01)
    except TimeoutError:
        missing = load.result.accepted - load.receipts_count
        raise TimeoutError(f"{missing} receipts had not come after {within_s:.0f} s") from None
    await asyncio.gather(*(end.unbind() for end in ends))
