"""One lane a vendor connection: messages wait here and leave within the connection's rate and window.

Pacing only: what becomes of a part is told to `LaneEvents`. Single-threaded, on the event loop; time is the loop's clock.
A throttled vendor halves the lane's rate, which recovers by a tenth a second; the part goes out again and is not counted
as failed. Unanswered and temporarily refused parts are tried again, `ATTEMPTS_MAX` times in all. Where a vendor refuses the
sender, the message goes out once more under the connection's fallback sender (SP-30).
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import structlog

from relais.contracts.vendors import Connection, IncomingMessage, OutgoingPart, RefusalClass, Vendor, VendorReceipt
from relais.core.clock import Clock
from relais.core.lifecycle import State
from relais.core.segments import concatenation_headers
from relais.pipeline.beats import LaneCounts
from relais.pipeline.configuration import VendorConnection
from relais.pipeline.ids import accepted_at, concatenation_reference
from relais.pipeline.message import Message
from relais.pipeline.origin import data_coding_of

ATTEMPTS_MAX = 3
RETRY_DELAYS_S = (5.0, 30.0)  # after the first and the second failure
RPS_DEFAULT = 1000  # of a connection without limits of its own (VSMPP-40)
WINDOW_DEFAULT = 100
BURST_S = 0.02  # the bucket holds what may leave in this time, so that a limit of n a second is kept within any second
RATE_FLOOR_RPS = 1.0
THROTTLE_PAUSE_S = 0.5
YIELD_S = 0.05  # how long an allowance holds when nobody gives another
DOWN_AFTER_S = 3.0  # without a session: then messages of senders that have a second connection take that
BOUND_WITH = ("kind", "settings", "disabled", "disconnected", "reconnect_at")  # what a change of takes new sessions
OUR_OWN_DOING = ("stopped", "unbound")
UNANSWERED = "no answer from the vendor"

log = structlog.get_logger()


class LaneEvents(Protocol):
    """Where the lane reports to; called on the event loop, must not block."""

    def part_sent(self, message: Message, part: int, vendor_message_id: str, at: datetime) -> None:
        """The vendor accepted this part."""

    def message_failed(self, message: Message, error: str, at: datetime) -> None:
        """A part of it will never be accepted: the message as a whole is not sent."""

    def message_expired(self, message: Message, at: datetime) -> None:
        """Its validity ended while it waited."""

    def sender_replaced(self, message: Message, error: str, at: datetime) -> None:
        """The vendor refused its sender; the message goes out as from `message.source` now, at the price it was accepted at."""

    def receipt_arrived(self, lane: "Lane", receipt: VendorReceipt) -> None:
        """A delivery report; the lane's `acknowledge` answers it once it is stored."""

    def incoming_arrived(self, lane: "Lane", message: IncomingMessage) -> None:
        """A message from a phone; to be answered like a receipt."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class _Waiting:
    """A message on its way: the parts still to be handed over, and how often each failed."""

    __slots__ = ("attempts", "ended", "message", "next_part", "replaced", "skip")

    def __init__(self, message: Message, skip: frozenset[int], replaced: bool) -> None:
        self.message = message
        self.next_part = 0
        self.skip = skip
        self.attempts = 0
        self.replaced = replaced  # its sender, by the fallback
        self.ended = False


class Lane:
    """Queue, pace and retries of one vendor connection. It is also the `VendorEvents` of its adapter."""

    def __init__(
        self, configuration: VendorConnection, vendor: Vendor, events: LaneEvents, clock: Clock = utc_now
    ) -> None:
        self.connection_id = configuration.id
        self.configuration = configuration
        self.ready = False
        self.reason = "connecting" if configuration.binds else "disabled" if configuration.disabled else "disconnected"
        self.held = False  # while it is not certain that this gateway still owns the connection
        self.counts = LaneCounts()
        self._events = events
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Waiting] = deque()
        self._again: deque[tuple[_Waiting, int]] = deque()  # single parts to hand over once more, first of all
        self._pending: dict[OutgoingPart, _Waiting] = {}
        self._delayed_count = 0
        self._unready_since_s = self._loop.time()
        self._limit_rps = float(configuration.rps_limit or RPS_DEFAULT)
        self._window = configuration.window_limit or WINDOW_DEFAULT
        self._rate_rps = self._limit_rps
        self._tokens = 1.0
        self._allowance = math.inf  # parts that may be handed over until another one is given
        self._refilled_at_s = self._loop.time()
        self._paused_until_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._pump_due = False
        self._connection: Connection | None = None
        if configuration.binds:
            self._connection = vendor.connect(configuration.settings, self)
        self.exact_ids_first = self.spellings("10")[0] == "10"  # with nearly all vendors: then forms need not be made
        self._task: asyncio.Task[None] | None = None
        self._heir: Lane | None = None

    @property
    def waiting_count(self) -> int:
        """Messages not yet handed over completely."""
        return len(self._queue) + len(self._again) + self._delayed_count

    @property
    def sessions(self) -> tuple[int, int]:
        """How many are bound, and how many are wanted."""
        return self._connection.sessions if self._connection else (0, 0)

    @property
    def window_used(self) -> int:
        """Parts handed over and not answered."""
        return len(self._pending)

    @property
    def window_max(self) -> int:
        return self._window

    @property
    def limit_rps(self) -> float:
        return self._limit_rps

    @property
    def rate_rps(self) -> float:
        """What leaves a second at most; below the limit while a vendor that throttled is being tried."""
        return self._rate_rps

    @property
    def down(self) -> bool:
        """Whether it has been without a session for longer than a reconnection takes."""
        return not self.ready and self.down_s >= DOWN_AFTER_S

    @property
    def down_s(self) -> float:
        """For how long it has been without a session; 0 while there is one."""
        return 0.0 if self.ready else self._loop.time() - self._unready_since_s

    @property
    def oldest_at(self) -> datetime | None:
        """When the message that is next in the queue was accepted."""
        return accepted_at(self._queue[0].message.id) if self._queue else None

    def follow(self, configuration: VendorConnection) -> bool:
        """Go on under another configuration with the sessions there are; False where the vendor has to be bound anew."""
        if any(getattr(configuration, name) != getattr(self.configuration, name) for name in BOUND_WITH):
            return False
        former_rps, self._limit_rps = self._limit_rps, float(configuration.rps_limit or RPS_DEFAULT)
        self._rate_rps = self._limit_rps if self._rate_rps >= former_rps else min(self._rate_rps, self._limit_rps)
        self._window = configuration.window_limit or WINDOW_DEFAULT
        self.configuration = configuration
        return True

    def start(self) -> None:
        """Begin connecting, unless the connection is disabled or disconnected: its messages then wait until they expire."""
        if self._connection is None:
            return
        self._task = self._loop.create_task(self._connection.run(), name=f"connection {self.configuration.name}")

    async def stop(self) -> None:
        """Close the connection; what waits here stays in the outbox."""
        self.ready = False
        if self._timer:
            self._timer.cancel()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def adopt(self, former: "Lane") -> None:
        """Take over what waits in the stopped lane of the same connection, in order; parts it had handed over without
        an answer go out again."""
        self._again.extend((waiting, part.part) for part, waiting in former._pending.items())
        self._again.extend(former._again)
        self._queue.extend(former._queue)
        former._pending.clear()
        former._again.clear()
        former._queue.clear()
        former._heir = self
        self.counts = former.counts

    def enqueue(self, message: Message, skip: frozenset[int] = frozenset(), *, replaced: bool = False) -> None:
        """Queue a message; `skip` names parts that the vendor already has; `replaced`: it goes out under a fallback sender."""
        self._queue.append(_Waiting(message, skip, replaced))

    def waits(self, message: Message, *, remove: bool) -> bool:
        """Whether nothing of the message was handed over yet; with `remove` nothing will be."""
        for waiting in self._queue:
            if waiting.message is message:
                if waiting.next_part or waiting.skip or waiting.attempts or waiting.replaced or waiting.ended:
                    return False
                if remove:
                    waiting.ended = True
                    self._queue.remove(waiting)
                return True
        return False

    def take_out(self, count_max: int, wanted: Callable[[Message], bool]) -> list[Message]:
        """Messages of which nothing was handed over yet, the first ones first; they are not this lane's any more."""
        taken: list[Message] = []
        kept: list[_Waiting] = []
        while self._queue and len(taken) < count_max:
            waiting = self._queue.popleft()
            untouched = not (waiting.next_part or waiting.skip or waiting.attempts or waiting.replaced or waiting.ended)
            if untouched and wanted(waiting.message):
                taken.append(waiting.message)
            else:
                kept.append(waiting)
        self._queue.extendleft(reversed(kept))
        return taken

    def acknowledge(self, receipts: Sequence[VendorReceipt | IncomingMessage]) -> None:
        """These receipts or incoming messages are stored: answer the vendor."""
        if self._connection is None:
            return
        self._connection.acknowledge([receipt.token for receipt in receipts if receipt.token is not None])

    def spellings(self, vendor_message_id: str) -> tuple[str, ...]:
        """Forms in which the vendor may have given this id before."""
        return self._connection.spellings(vendor_message_id) if self._connection else (vendor_message_id,)

    def allow(self, parts_count: float) -> None:
        """Hand over no more than so many until this is said anew, or for a moment: the gateway has other work."""
        self._allowance = parts_count

    def pump(self) -> None:
        """Hand over as many parts as connection, window and rate allow now; come back by itself for the rest."""
        if not self.ready or self.held or not (self._queue or self._again):
            return
        now_s = self._loop.time()
        if now_s < self._paused_until_s:
            self._wake_in(self._paused_until_s - now_s)
            return
        assert self._connection is not None
        self._refill(now_s)
        wall_s = self._clock().timestamp()
        while self._tokens >= 1.0 and self._allowance >= 1.0 and len(self._pending) < self._window and self.ready:
            if self._again:
                waiting, part = self._again.popleft()
            elif self._queue:
                waiting = self._queue[0]
                part = waiting.next_part
                waiting.next_part += 1
                if waiting.next_part >= len(waiting.message.encoded.parts):
                    self._queue.popleft()
                if part in waiting.skip:
                    continue
            else:
                return
            if waiting.ended:
                continue
            validity_s = int(waiting.message.expires_at_s - wall_s)
            if validity_s <= 0:
                self._end(waiting)
                self._events.message_expired(waiting.message, self._clock())
                continue
            self._tokens -= 1.0
            self._allowance -= 1.0
            outgoing = outgoing_part(waiting.message, part, validity_s)
            self._pending[outgoing] = waiting
            self._connection.submit(outgoing)
        if self._tokens < 1.0 and (self._queue or self._again):
            self._wake_in((1.0 - self._tokens) / self._rate_rps)
        elif self._allowance < 1.0 and (self._queue or self._again):
            self._wake_in(YIELD_S)

    def expire_waiting(self, now: datetime) -> None:
        """End what has waited past its validity; needed while nothing leaves."""
        for waiting in [*self._queue, *(again for again, _ in self._again)]:
            if not waiting.ended and waiting.message.expires_at <= now:
                waiting.ended = True
                self._events.message_expired(waiting.message, now)

    # What the adapter tells.

    def submitted(self, part: OutgoingPart, vendor_message_id: str) -> None:
        waiting = self._pending.pop(part, None)
        if waiting is None or waiting.ended:
            return
        self.counts.sent += 1
        self._events.part_sent(waiting.message, part.part, vendor_message_id, self._clock())
        self._pump_soon()

    def refused(self, part: OutgoingPart, error: str, kind: RefusalClass) -> None:
        waiting = self._pending.pop(part, None)
        if waiting is None or waiting.ended:
            return
        self.counts.error(error)
        if kind is RefusalClass.THROTTLED:
            self._slow_down()
            self._again.append((waiting, part.part))
        elif kind is RefusalClass.TEMPORARY:
            self._try_again(waiting, part.part, error)
        elif kind is RefusalClass.SENDER:
            self._try_fallback(waiting, part, error)
        else:
            self._fail(waiting, error)
        self._pump_soon()

    def unanswered(self, part: OutgoingPart) -> None:
        waiting = self._pending.pop(part, None)
        if waiting is None or waiting.ended:
            return
        self.counts.error(UNANSWERED)
        if self.configuration.resends:
            self._try_again(waiting, part.part, UNANSWERED)
        else:
            self._fail(waiting, UNANSWERED)

    def receipt(self, receipt: VendorReceipt) -> None:
        if receipt.state is not None:
            self.counts.receipts += 1
            self.counts.delivered += receipt.state is State.DELIVERED
        self._events.receipt_arrived(self, receipt)

    def incoming(self, message: IncomingMessage) -> None:
        self._events.incoming_arrived(self, message)

    def changed(self, ready: bool, reason: str) -> None:
        if self.ready and not ready:
            self._unready_since_s = self._loop.time()
        self.ready, self.reason = ready, reason
        self.counts.note("ok" if ready else "bad", reason)
        if not ready and reason not in OUR_OWN_DOING:
            self.counts.last_error = self.counts.events[-1]
        log.info("connection.changed", connection=self.connection_id, ready=ready, reason=reason)
        if ready:
            self._loop.call_soon(self.pump)

    # Pace and retries.

    def _refill(self, now_s: float) -> None:
        elapsed_s = now_s - self._refilled_at_s
        self._refilled_at_s = now_s
        if self._rate_rps < self._limit_rps:
            self._rate_rps = min(self._limit_rps, self._rate_rps * (1.0 + 0.1 * min(elapsed_s, 10.0)))
        self._tokens = min(max(1.0, self._rate_rps * BURST_S), self._tokens + elapsed_s * self._rate_rps)

    def _slow_down(self) -> None:
        now_s = self._loop.time()
        if now_s < self._paused_until_s:
            return  # several refusals of one burst are one sign
        self._rate_rps = max(RATE_FLOOR_RPS, self._rate_rps / 2)
        self._paused_until_s = now_s + THROTTLE_PAUSE_S
        self.counts.note("warn", f"throttled; rate lowered to {int(self._rate_rps)}/s")
        log.warning("connection.throttled", connection=self.connection_id, rate_rps=round(self._rate_rps, 1))

    def _try_again(self, waiting: _Waiting, part: int, error: str) -> None:
        waiting.attempts += 1
        if waiting.attempts >= ATTEMPTS_MAX:
            self._fail(waiting, error)
            return
        self._delayed_count += 1
        self._loop.call_later(RETRY_DELAYS_S[waiting.attempts - 1], self._return, waiting, part)

    def _try_fallback(self, waiting: _Waiting, part: OutgoingPart, error: str) -> None:
        """Once a message; parts that were on their way under the former sender follow."""
        message, fallback = waiting.message, self.configuration.fallback_sender
        if part.source == message.source:
            if waiting.replaced or not fallback or fallback == message.source:
                self._fail(waiting, error)
                return
            waiting.replaced, message.source = True, fallback
            self._events.sender_replaced(message, error, self._clock())
        self._again.append((waiting, part.part))

    def _return(self, waiting: _Waiting, part: int) -> None:
        self._delayed_count -= 1
        lane = self._heir or self
        lane._again.append((waiting, part))
        lane.pump()

    def _fail(self, waiting: _Waiting, error: str) -> None:
        self.counts.failed += 1
        self._end(waiting)
        self._events.message_failed(waiting.message, error, self._clock())

    def _end(self, waiting: _Waiting) -> None:
        waiting.ended = True
        if self._queue and self._queue[0] is waiting:
            self._queue.popleft()

    def _pump_soon(self) -> None:
        """Once for all answers of this turn of the loop."""
        if not self._pump_due and (self._queue or self._again):
            self._pump_due = True
            self._loop.call_soon(self._pump_now)

    def _pump_now(self) -> None:
        self._pump_due = False
        self.pump()

    def _wake_in(self, delay_s: float) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(max(delay_s, 0.001), self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._allowance = math.inf
        self.pump()


def outgoing_part(message: Message, part: int, validity_s: int) -> OutgoingPart:
    """One segment as the adapters take it."""
    encoded = message.encoded
    parts_count = len(encoded.parts)
    header, origin = b"", message.origin
    if origin is not None and origin.cuts and origin.cuts[part].header:
        header = origin.cuts[part].header
    elif parts_count > 1:
        header = concatenation_headers(parts_count, concatenation_reference(message.id))[part]
    return OutgoingPart(
        message.id, part, parts_count, message.source, message.destination,
        data_coding_of(encoded.data_coding, origin), header, encoded.parts[part], validity_s,
    )  # fmt: skip
