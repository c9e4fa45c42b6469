"""A client's message centre for trials: binds to an SMPP server, hands in messages at a rate, waits for receipts, and counts.

Messages that are throttled go out again. What counts is a submit_sm: a long text is as many of them as it has parts.
"""

import asyncio
import ssl
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from relais.core.segments import concatenation_headers, encode
from relais.transport.smpp import SmppEnd, connect
from relais.wire.smpp import statuses
from relais.wire.smpp.events import BindRefused, Bound, Event
from relais.wire.smpp.pdus import BindTransceiver, DataSm, DeliverSm, Pdu, SubmitSm, SubmitSmResp
from relais.wire.smpp.receipts import MessageState, is_receipt, read_receipt
from relais.wire.smpp.states import SessionSettings

AGAIN_S: Final = 0.5  # after ESME_RTHROTTLED
OPEN_STATES: Final = frozenset(
    {None, MessageState.SCHEDULED, MessageState.ENROUTE, MessageState.ACCEPTED, MessageState.UNKNOWN}
)
_UDH_BIT: Final = 0x40
_SHORT_CODE_DIGITS_MAX: Final = 6


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """`to`: numbers, taken in turn; each "#" is a digit of the count. `rps` None: as fast as the window lets."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    tls: ssl.SSLContext | None = None
    source: str = ""
    to: tuple[str, ...] = ()
    text: str = "Trial #"
    count: int = 10
    rps: float | None = 10.0
    window: int = 10
    receipts_within_s: float = 30.0


class NotBound(Exception):
    """The server refused the bind, or closed instead; the text says why."""


class Trial:
    """One run, and what came of it; also the handler of its session. Times are seconds."""

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings
        self.bind_s = self.took_s = 0.0
        self.submitted = self.accepted = self.throttled = self.unanswered_count = self.incoming = 0
        self.refused: Counter[str] = Counter()  # by status
        self.response_s: list[float] = []
        self.receipts: Counter[str] = Counter()  # final ones, by their word
        self.receipt_s: list[float] = []
        self.strange = 0  # final receipts of messages that are not ours, or repeated
        self.left = ""
        self._loop = asyncio.get_running_loop()
        self._more = asyncio.Event()
        self._status: int | None = None
        self._again: deque[SubmitSm] = deque()
        self._throttled_now = 0
        self._sent_s: dict[int, float] = {}  # by the request's identity
        self._awaited: dict[str, float] = {}  # by the server's id: when it was handed in
        self._early: dict[str, str] = {}  # receipts that came before their response

    @property
    def lost(self) -> int:
        """Accepted, and no final receipt came."""
        return len(self._awaited)

    @property
    def sound(self) -> bool:
        """Everything was accepted and reported."""
        return not (self.refused or self.unanswered_count or self.lost) and self.accepted == self.submitted

    async def run(self) -> None:
        """`NotBound`, or OSError where there is no server."""
        settings, started_s = self.settings, self._loop.time()
        bind = BindTransceiver(
            system_id=settings.system_id, password=settings.password, system_type=settings.system_type,
            interface_version=0x34,
        )  # fmt: skip
        end = await connect(settings.host, settings.port, bind, SessionSettings(), self, tls=settings.tls)
        await self._until(lambda: self._status is not None or bool(self.left))
        if self._status != 0:
            raise NotBound(statuses.status_name(self._status) if self._status else self.left)
        self.bind_s = self._loop.time() - started_s
        started_s = self._loop.time()
        await self._hand_in(end)
        self.took_s = self._loop.time() - started_s
        try:
            async with asyncio.timeout(settings.receipts_within_s):
                await self._until(lambda: not self._awaited or bool(self.left))
        except TimeoutError:
            pass  # what did not come counts as lost
        await end.unbind()

    # What the session tells.

    def bound(self, end: SmppEnd, event: Bound) -> None:
        self._status = 0
        self._more.set()

    def arrived(self, end: SmppEnd, request: Pdu) -> None:
        if isinstance(request, DeliverSm | DataSm):
            end.answer(request)
            if is_receipt(request):
                self._reported(request)
            else:
                self.incoming += 1
        self._more.set()

    def answered(self, end: SmppEnd, context: SubmitSm, response: Pdu) -> None:
        sent_s = self._sent_s.pop(id(context))
        if response.status == statuses.ESME_RTHROTTLED:
            self.throttled += 1
            self._throttled_now += 1
            self._loop.call_later(AGAIN_S, self._hand_in_again, context)
        elif response.status or not isinstance(response, SubmitSmResp):
            self.refused[statuses.status_name(response.status)] += 1
        else:
            self.accepted += 1
            self.response_s.append(self._loop.time() - sent_s)
            self._awaited[response.message_id] = sent_s
            word = self._early.pop(response.message_id, None)
            if word is not None:
                self._ended(response.message_id, word)
        self._more.set()

    def unanswered(self, end: SmppEnd, context: SubmitSm) -> None:
        self._sent_s.pop(id(context), None)
        self.unanswered_count += 1
        self._more.set()

    def noticed(self, end: SmppEnd, event: Event) -> None:
        if isinstance(event, BindRefused):
            self._status = event.status
            self._more.set()

    def closed(self, end: SmppEnd, reason: str) -> None:
        self.left = reason
        self._more.set()

    # Inside.

    def _reported(self, request: DeliverSm | DataSm) -> None:
        read = read_receipt(request)
        if read.state in OPEN_STATES:
            return
        word = read.status or str(read.state)
        if read.message_id in self._awaited:
            self._ended(read.message_id, word)
        elif self._sent_s and read.message_id not in self._early:
            self._early[read.message_id] = word
        else:
            self.strange += 1

    def _ended(self, message_id: str, word: str) -> None:
        self.receipt_s.append(self._loop.time() - self._awaited.pop(message_id))
        self.receipts[word] += 1

    def _hand_in_again(self, request: SubmitSm) -> None:
        self._throttled_now -= 1
        self._again.append(request)
        self._more.set()

    async def _hand_in(self, end: SmppEnd) -> None:
        """All messages, within rate and window; returns when each is answered."""
        settings, started_s = self.settings, self._loop.time()
        requests = list(_requests(settings))
        position = 0
        timer: asyncio.TimerHandle | None = None
        while not self.left:
            while len(self._sent_s) < settings.window and (self._again or position < len(requests)):
                if self._again:
                    self._send(end, self._again.popleft())
                    continue
                due_s = started_s + position / settings.rps if settings.rps else started_s
                if due_s > self._loop.time():
                    if timer is not None:
                        timer.cancel()
                    timer = self._loop.call_at(due_s, self._more.set)
                    break
                self._send(end, requests[position])
                position += 1
                self.submitted += 1
            if position == len(requests) and not (self._sent_s or self._again or self._throttled_now):
                return
            self._more.clear()
            await self._more.wait()

    def _send(self, end: SmppEnd, request: SubmitSm) -> None:
        self._sent_s[id(request)] = self._loop.time()
        end.send(request, request)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._more.clear()
            await self._more.wait()


def _requests(settings: ClientSettings) -> Iterator[SubmitSm]:
    """`count` messages; the text's "#" is the number of the message."""
    sender = settings.source.removeprefix("+")
    ton, npi = (1, 1) if sender.isdigit() else (5, 0)
    if sender.isdigit() and len(sender) <= _SHORT_CODE_DIGITS_MAX:
        ton, npi = 0, 1
    for number in range(settings.count):
        encoded = encode(settings.text.replace("#", str(number + 1)))
        headers = [b""]
        if len(encoded.parts) > 1:
            headers = concatenation_headers(len(encoded.parts), number & 0xFF)
        for header, body in zip(headers, encoded.parts, strict=True):
            yield SubmitSm(
                source_ton=ton, source_npi=npi, source=sender, destination_ton=1, destination_npi=1,
                destination=_number(settings.to[number % len(settings.to)], number),
                esm_class=_UDH_BIT if header else 0, registered_delivery=1, data_coding=encoded.data_coding,
                short_message=header + body,
            )  # fmt: skip


def _number(pattern: str, number: int) -> str:
    """The pattern's "#" filled with the digits of `number`, from the right."""
    marks = pattern.count("#")
    digits = iter(str(number % 10**marks).zfill(marks)) if marks else iter("")
    return "".join(next(digits) if sign == "#" else sign for sign in pattern.removeprefix("+"))


def table(trial: Trial) -> str:
    """What came of it, for people."""
    a_second = f"{trial.accepted / trial.took_s:.1f} a second" if trial.took_s else ""
    lines = [
        ("bound", f"in {trial.bind_s * 1000:.0f} ms as {trial.settings.system_id}"),
        ("submitted", f"{trial.submitted} in {trial.took_s:.2f} s"),
        ("accepted", f"{trial.accepted}, {a_second}" if a_second else str(trial.accepted)),
        ("answered after", _spread(trial.response_s)),
        ("refused", _counted(trial.refused)),
        ("throttled", f"{trial.throttled}, handed in again" if trial.throttled else "0"),
        ("unanswered", str(trial.unanswered_count)),
        ("receipts", _counted(trial.receipts)),
        ("reported after", _spread(trial.receipt_s)),
        (
            "lost",
            f"{trial.lost} without a final receipt within {trial.settings.receipts_within_s:g} s"
            if trial.lost
            else "0",
        ),
        ("unexpected", f"{trial.strange} receipts, {trial.incoming} messages from phones"),
    ]
    if trial.left and trial.left != "unbound":
        lines.append(("session", trial.left))
    return "\n".join(f"{name:<15} {told}" for name, told in lines)


def _counted(counts: Counter[str]) -> str:
    total = sum(counts.values())
    return f"{total}: " + ", ".join(f"{word} {count}" for word, count in counts.most_common()) if total else "0"


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "-"
    ordered = sorted(seconds)
    points = {"p50": 50, "p95": 95, "p99": 99, "most": 100}
    shown = (
        f"{name} {ordered[min(len(ordered) - 1, len(ordered) * of // 100)] * 1000:.1f}" for name, of in points.items()
    )
    return "  ".join(shown) + "  ms"
