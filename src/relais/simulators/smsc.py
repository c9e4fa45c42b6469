"""A message centre: accepts binds, takes messages, sends receipts, and misbehaves where `smsc_behaviours` says so.

One receipt for each part taken, sent over any bind of the same account that receives, kept while there is none, and sent
again until it is answered, as real centres do. State lives in memory only.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from relais.simulators.smsc_behaviours import (
    RECEIPT_WORDS,
    Behaviour,
    IdStyle,
    MessageIds,
    Mix,
    ReceiptForm,
    asked_of,
    receipt_pdu,
)
from relais.simulators.smsc_script import UNBIND, Script, Stage
from relais.transport.smpp import SmppEnd, SmppServer
from relais.wire.smpp import statuses
from relais.wire.smpp.codec import encode_submit_sm_resp
from relais.wire.smpp.events import Bound, Event
from relais.wire.smpp.pdus import Bind, DeliverSm, Pdu, SubmitSm
from relais.wire.smpp.states import SessionSettings

ACCEPTED_KEPT_MAX: Final = 10_000
FINGERPRINTS_KEPT_MAX: Final = 200_000  # of messages, to count repetitions
RECEIPTS_WAITING_MAX: Final = 500_000
RECEIPT_WINDOW: Final = 1_000  # receipts without an answer on one bind
RECEIPT_AGAIN_S: Final = 1.0  # after an answer that asks for it (0x64 and the like)
GARBAGE: Final = b"HTTP/1.1 400 Bad Request\r\n\r\n"
SESSION: Final = SessionSettings(inactivity_s=300.0)

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class SmscSettings:
    """An empty system_id lets everybody in. Port 0 takes any free one."""

    host: str = "127.0.0.1"
    port: int = 2776
    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""  # binds that name another are refused; empty = any
    response_delay_s: float = 0.0
    receipt_delay_s: float = 0.05
    rps_max: int | None = None  # above it: 0x58
    refused_percent: int = 0  # spread evenly
    refused_status: int = statuses.ESME_RSYSERR
    close_after_count: int | None = None  # messages on one connection, then it falls
    ids: IdStyle = IdStyle.DECIMAL
    receipt_form: ReceiptForm = ReceiptForm.TEXT_AND_TLVS
    session: SessionSettings = SESSION


class AcceptedMessage(msgspec.Struct, frozen=True, gc=False):
    """One submit_sm that was taken, and the id it was given in the response."""

    message_id: str
    system_id: str
    request: SubmitSm


class _Due:
    """Calls that are due after one delay, in their order, with one timer for all."""

    __slots__ = ("_calls", "_loop", "_timer", "delay_s")

    def __init__(self, delay_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self.delay_s = delay_s
        self._calls: deque[tuple[float, Callable[..., None], tuple[Any, ...]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, call: Callable[..., None], *arguments: Any) -> None:
        if self.delay_s <= 0 and not self._calls:
            call(*arguments)
            return
        due_s = self._loop.time() + self.delay_s
        self._calls.append((due_s, call, arguments))
        if self._timer is None:
            self._timer = self._loop.call_at(due_s, self._run)

    def cancel(self) -> None:
        self._calls.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        calls, now_s = self._calls, self._loop.time()
        self._timer = None
        while calls and calls[0][0] <= now_s:
            _, call, arguments = calls.popleft()
            call(*arguments)
        if calls and self._timer is None:
            self._timer = self._loop.call_at(calls[0][0], self._run)


class _Account:
    """Binds of one system_id that take receipts, and receipts that wait for one of them."""

    __slots__ = ("ends", "waiting")

    def __init__(self) -> None:
        self.ends: list[SmppEnd] = []
        self.waiting: deque[DeliverSm] = deque()


class Smsc:
    """One simulated centre. `counters` and `accepted` are for whoever watches; see `collect` for their names."""

    def __init__(self, settings: SmscSettings, script: Script | None = None) -> None:
        self._script = script or Script()
        self.settings = settings = replace(settings, **self._script.settings)
        self.down = False  # while it takes no binds
        self._mix = Mix(self._script.mix)
        self._destinations = sorted(self._script.destinations.items(), key=lambda each: -len(each[0]))
        self._ends: set[SmppEnd] = set()
        self._unbinding: set[asyncio.Task[None]] = set()
        self._playing: asyncio.Task[None] | None = None
        self.counters: Counter[str] = Counter()
        self.accepted: deque[AcceptedMessage] = deque(maxlen=ACCEPTED_KEPT_MAX)
        self._server = SmppServer(self, self._authenticate, settings.session, system_id="SMSC-SIM")
        self._accounts: dict[str, _Account] = {}
        self._ids = MessageIds(settings.ids)
        self._responses = _Due(settings.response_delay_s)
        self._receipts = _Due(settings.receipt_delay_s)
        self._receipts_again = _Due(RECEIPT_AGAIN_S)
        self._seen: set[int] = set()
        self._seen_in_order: deque[int] = deque()
        self._throttled: set[int] = set()
        self._taken_by_end: Counter[SmppEnd] = Counter()
        self._second, self._in_second = 0, 0
        self._refused_share = 0
        self._minute, self._date = -1, ""

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    @property
    def binds_count(self) -> int:
        """Binds that take receipts now."""
        return sum(len(account.ends) for account in self._accounts.values())

    async def start(self) -> None:
        """Listen. OSError when the port is taken."""
        await self._server.start(self.settings.host, self.settings.port)
        if self._script.stages:
            self._playing = asyncio.create_task(self._play(), name="script")
        log.info("smsc.started", host=self.settings.host, port=self.port)

    async def stop(self) -> None:
        """Unbind from everybody; what is due is forgotten."""
        if self._playing is not None:
            self._playing.cancel()
        for due in (self._responses, self._receipts, self._receipts_again):
            due.cancel()
        await self._server.stop()
        log.info("smsc.stopped", **self.counters)

    def collect(self) -> Iterator[Metric]:
        """Counters and gauges, for a registry of Prometheus."""
        for name in ("submitted", "accepted", "refused", "repeated", "receipts_sent", "receipts_answered"):
            yield CounterMetricFamily(f"smsc_{name}", name.replace("_", " "), value=self.counters[name])
        waiting_count = sum(len(account.waiting) for account in self._accounts.values())
        yield GaugeMetricFamily("smsc_binds", "binds that take receipts", value=self.binds_count)
        yield GaugeMetricFamily("smsc_receipts_waiting", "receipts nobody is bound for", value=waiting_count)

    def registry(self) -> CollectorRegistry:
        """With the metrics of this centre alone."""
        registry = CollectorRegistry()
        registry.register(self)
        return registry

    # What the transport tells.

    def bound(self, end: SmppEnd, event: Bound) -> None:
        self._ends.add(end)
        account = self._accounts.setdefault(end.peer_system_id, _Account())
        if end.session.may_deliver:
            account.ends.append(end)
            self._deliver(account)
        log.info("client.bound", system_id=end.peer_system_id, peer_host=end.peer_host)

    def arrived(self, end: SmppEnd, request: Pdu) -> None:
        if not isinstance(request, SubmitSm):
            end.answer(request, statuses.ESME_RINVCMDID)
            return
        self.counters["submitted"] += 1
        behaviour = self._behaviour(request)
        status = self._refusal(request, behaviour)
        if status:
            self.counters["refused"] += 1
            self._responses.add(end.answer, request, status)
        elif behaviour is Behaviour.GARBAGE:
            end.write_raw(GARBAGE)
        elif behaviour is Behaviour.CLOSE:
            end.drop()
        elif behaviour is not Behaviour.SILENT:
            self._take(end, request, behaviour)

    def answered(self, end: SmppEnd, context: DeliverSm, response: Pdu) -> None:
        account = self._accounts[end.peer_system_id]
        if response.status in (statuses.ESME_ROK, statuses.ESME_RX_P_APPN, statuses.ESME_RX_R_APPN):
            self.counters["receipts_answered"] += 1
        else:
            self._receipts_again.add(self._queue, account, context)
        self._deliver(account)

    def unanswered(self, end: SmppEnd, context: DeliverSm) -> None:
        account = self._accounts[end.peer_system_id]
        self._queue(account, context)

    def noticed(self, end: SmppEnd, event: Event) -> None:
        log.info("client.noticed", kind=type(event).__name__, system_id=end.peer_system_id)

    def closed(self, end: SmppEnd, reason: str) -> None:
        self._ends.discard(end)
        account = self._accounts.get(end.peer_system_id)
        if account is not None and end in account.ends:
            account.ends.remove(end)
        self._taken_by_end.pop(end, None)
        log.info("client.left", system_id=end.peer_system_id, reason=reason)

    # Inside.

    def _authenticate(self, end: SmppEnd, bind: Bind) -> int:
        if self.down:
            return statuses.ESME_RSYSERR
        if self.settings.system_type and bind.system_type != self.settings.system_type:
            return statuses.ESME_RINVSYSTYP
        expected = self.settings.system_id
        if expected and bind.system_id != expected:
            return statuses.ESME_RINVSYSID
        if expected and bind.password != self.settings.password:
            return statuses.ESME_RINVPASWD
        return statuses.ESME_ROK

    def _behaviour(self, request: SubmitSm) -> Behaviour:
        asked = asked_of(request)
        if asked is not None:
            return asked
        for beginning, behaviour in self._destinations:
            if request.destination.startswith(beginning):
                return behaviour
        return self._mix.take()

    async def _play(self) -> None:
        """The stages of the script, each in its time."""
        loop, started_s = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        for number, stage in enumerate(self._script.stages, 1):
            await asyncio.sleep(started_s + stage.after_s - loop.time())
            self._enter(stage)
            log.info("stage.entered", number=number, after_s=stage.after_s)

    def _enter(self, stage: Stage) -> None:
        self.settings = replace(self.settings, **stage.changes)
        self._responses.delay_s, self._receipts.delay_s = self.settings.response_delay_s, self.settings.receipt_delay_s
        if stage.mix is not None:
            self._mix = Mix(stage.mix)
        if stage.down is not None:
            self.down = stage.down
        if stage.disconnect or stage.down:
            for end in list(self._ends):
                if stage.disconnect == UNBIND:
                    task = asyncio.ensure_future(end.unbind())
                    self._unbinding.add(task)
                    task.add_done_callback(self._unbinding.discard)
                else:
                    end.drop()

    def _refusal(self, request: SubmitSm, behaviour: Behaviour) -> int:
        """The status to refuse with, or 0."""
        settings = self.settings
        if settings.rps_max is not None:
            second = int(time.monotonic())
            if second != self._second:
                self._second, self._in_second = second, 0
            self._in_second += 1
            if self._in_second > settings.rps_max:
                return statuses.ESME_RTHROTTLED
        if settings.refused_percent:
            self._refused_share += settings.refused_percent
            if self._refused_share >= 100:
                self._refused_share -= 100
                return settings.refused_status
        if behaviour is Behaviour.REFUSED:
            return statuses.ESME_RINVDSTADR
        if behaviour is Behaviour.NUMBERS_ONLY and not request.source.isdigit():
            return statuses.ESME_RINVSRCADR
        if behaviour is Behaviour.BUSY:
            return statuses.ESME_RSYSERR
        if behaviour is Behaviour.THROTTLED_ONCE:
            fingerprint = hash((request.source, request.destination, request.short_message))
            if fingerprint not in self._throttled:
                self._throttled.add(fingerprint)
                return statuses.ESME_RTHROTTLED
        return statuses.ESME_ROK

    def _take(self, end: SmppEnd, request: SubmitSm, behaviour: Behaviour) -> None:
        """Accept, answer and see to the receipts."""
        id_in_response, id_in_receipt = self._ids.take()
        self.counters["accepted"] += 1
        self.accepted.append(AcceptedMessage(id_in_response, end.peer_system_id, request))
        self._count_repetition(request)
        if behaviour is Behaviour.RECEIPT_FIRST:
            self._report(end.peer_system_id, request, id_in_receipt, behaviour)
            self._responses.add(end.answer_submit_sm, request, id_in_response)
            return
        self._responses.add(end.answer_submit_sm, request, id_in_response)
        if behaviour is Behaviour.ANSWERED_TWICE:
            second = encode_submit_sm_resp(request.sequence, 0, id_in_response)
            self._responses.add(end.write_raw, second)
        if request.registered_delivery & 3:
            self._receipts.add(self._report, end.peer_system_id, request, id_in_receipt, behaviour)
        limit = self.settings.close_after_count
        if limit is not None:
            self._taken_by_end[end] += 1
            if self._taken_by_end[end] >= limit:
                self._responses.add(end.drop)

    def _count_repetition(self, request: SubmitSm) -> None:
        fingerprint = hash((request.source, request.destination, request.short_message))
        if fingerprint in self._seen:
            self.counters["repeated"] += 1
            return
        self._seen.add(fingerprint)
        self._seen_in_order.append(fingerprint)
        if len(self._seen_in_order) > FINGERPRINTS_KEPT_MAX:
            self._seen.discard(self._seen_in_order.popleft())

    def _report(self, system_id: str, request: SubmitSm, message_id: str, behaviour: Behaviour) -> None:
        """The receipts of one message are due."""
        account = self._accounts[system_id]
        date, form = self._now_date(), self.settings.receipt_form
        if behaviour is Behaviour.UNKNOWN_RECEIPT:
            account.waiting.append(receipt_pdu(request, "77" + message_id, "DELIVRD", date, date, form))
        for word in RECEIPT_WORDS.get(behaviour, ("DELIVRD",)):
            account.waiting.append(receipt_pdu(request, message_id, word, date, date, form))
        while len(account.waiting) > RECEIPTS_WAITING_MAX:
            account.waiting.popleft()
            self.counters["receipts_lost"] += 1
        self._deliver(account)

    def _queue(self, account: _Account, receipt: DeliverSm) -> None:
        account.waiting.append(receipt)
        self._deliver(account)

    def _deliver(self, account: _Account) -> None:
        """Send what waits over binds with room in their window."""
        for end in account.ends:
            session = end.session
            while account.waiting and session.bound and session.pending_count < RECEIPT_WINDOW:
                receipt = account.waiting.popleft()
                end.send(receipt, receipt)
                self.counters["receipts_sent"] += 1

    def _now_date(self) -> str:
        """YYMMDDhhmm in UTC, formatted once a minute."""
        now_s = time.time()
        minute = int(now_s // 60)
        if minute != self._minute:
            self._minute, self._date = minute, time.strftime("%y%m%d%H%M", time.gmtime(now_s))
        return self._date


async def run_smsc(settings: SmscSettings, ready: asyncio.Event | None) -> None:
    """Run a centre until cancelled; `ready` is set once it listens. OSError when the port is taken."""
    smsc = Smsc(settings)
    await smsc.start()
    if ready is not None:
        ready.set()
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await smsc.stop()
