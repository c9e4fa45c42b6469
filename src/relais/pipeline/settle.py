"""What a vendor's answer or report means for a message and its charges: the plan of a tick, before any money moves.

Billing moment (ruling 6, SV-257): under Submitted a level is captured when the vendor has accepted every part, under
Delivered at the delivery receipt. A status mapped to Unsent releases or reverses under either rule; Undelivered, expired
and rejected release under Delivered only. Final states are sticky. Planning changes messages in memory at once; the plan
is then written as often as it takes until it is committed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relais.contracts.vendors import IncomingMessage, Pricing, VendorReceipt
from relais.core.charging.types import Capture, Charged, Event, Exchange, Release, Reverse
from relais.core.lifecycle import State, may_follow
from relais.core.rating.types import Term
from relais.pipeline.configuration import Snapshot, VendorConnection, period_start
from relais.pipeline.ids import accepted_at
from relais.pipeline.lane import Lane
from relais.pipeline.message import Batch, Message
from relais.pipeline.origin import TEXT_CHARACTERS, ClientReceipt, ForClient, Origin, wants
from relais.pipeline.stop_lists import StopChange
from relais.pipeline.word_answers import WordAnswer
from relais.store.binary import Row
from relais.store.tick import EDR_CAPTURED, EDR_RELEASED, EDR_REVERSED, Callback, Ending

EDR_NONE = 0  # a settlement that no EDR tells of
ALL_PARTS = "all"  # of `receipt_parts`: every part of a long message decides
PLANNED = Charged(0, 0, 0)
"""Stands in `Message.settled` from the planning of a capture until its amount is known, which is within one tick."""


class Settlement(msgspec.Struct):
    """Money that moves for one message: `event` for `charge`, the levels it is about, and its EDRs' kind and instant."""

    message: Message
    levels: Sequence[int]
    event: Event
    entry: int
    at: datetime


class Plan:
    """Rows and settlements of one tick, apart from new messages. Filled by the functions below."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.settlements: list[Settlement] = []
        self.exchanged: dict[UUID, Message] = {}  # whose terms are others than those of their rows
        self.sent: list[Row] = []
        self.part_receipts: list[Row] = []
        self.finished: dict[Ending, list[UUID]] = {}
        self.sent_batches: list[Batch] = []  # nothing is left to send of them; their receipts are awaited
        self.awaiting: list[tuple[int, datetime]] = []  # batches, and when waiting for their receipts ends
        self.done_batch_ids: list[int] = []
        self.callbacks: list[Callback] = []
        self.client_receipts: dict[int, list[ForClient]] = {}  # by client SMPP connection
        self.receiving: Mapping[
            int, int
        ] = {}  # whom this gateway can tell now: the number of its writer, by connection
        self.delivery_ids: dict[int, int] = {}  # of those: the row of what is told, once it is written
        self.delivered_ids: list[int] = []  # rows of which everything was told
        self.fallbacks: list[
            Row
        ] = []  # messages whose sender was refused: id, instant, the sender taken instead, the error
        self.incoming: list[Row] = []  # messages from phones, in the order of `store.tick.INCOMING_COLUMNS`
        self.incoming_parts: list[
            Row
        ] = []  # of long ones that are not whole yet, and keys of what need not be kept any more
        self.joined_parts: list[tuple[int, str, str, int, int]] = []
        self.stop_changes: list[StopChange] = []  # what recipients asked for
        self.answers: list[WordAnswer] = []  # to that; handed in once the plan is committed
        self.stored_incoming: list[tuple[Lane, IncomingMessage]] = []  # to be answered once the plan is committed
        self.unparked_rows: list[int] = []  # of receipts that were stored until their part was known
        self.stored_receipts: list[tuple[Lane, VendorReceipt]] = []  # to be answered once the plan is committed

    @property
    def empty(self) -> bool:
        return not (
            self.settlements
            or self.sent
            or self.part_receipts
            or self.finished
            or self.awaiting
            or self.done_batch_ids
            or self.client_receipts
            or self.stored_incoming
            or self.joined_parts
            or self.unparked_rows
            or self.fallbacks
            or self.delivered_ids
        )


Sent = tuple[Message, int, str, datetime]  # part, the vendor's id of it, and when
Ended = tuple[Message, State, str | None, datetime]  # how, with which error, and when
Reported = tuple[Message, int, VendorReceipt, Lane]
ReportedTerms = Callable[[Message, Pricing | None, datetime], tuple[Term, ...] | None]
"""What each level owes by what the vendor says the message was (`accept.Admission.reported_terms`)."""


def told(
    plan: Plan,
    sent: Iterable[Sent],
    ended: Iterable[Ended],
    reports: Iterable[Reported],
    now: datetime,
    reported_terms: ReportedTerms,
) -> None:
    """All that vendors and clocks said since the last tick, in the order in which it makes sense: sent, ended, reported."""
    for message, part, vendor_message_id, at in sent:
        part_sent(plan, message, part, vendor_message_id, at)
    for message, state, error, at in ended:
        finish(plan, message, state, error, at)
    for message, part, receipt, lane in reports:
        plan.stored_receipts.append((lane, receipt))
        priced(plan, message, reported_terms(message, receipt.pricing, now), now)
        connection = plan.snapshot.connections.get(lane.connection_id, lane.configuration)  # a lane may lag behind it
        reported = mapped_state(connection, receipt.state, receipt.status, receipt.error)
        if reported is not None:
            error = None if reported is State.DELIVERED else f"{receipt.status} {receipt.error}".strip()
            report(plan, message, part, reported, error, now)


def part_sent(plan: Plan, message: Message, part: int, vendor_message_id: str, at: datetime) -> None:
    """The vendor accepted this part; with the last one the message is sent."""
    plan.sent.append((message.id, message.connection_id, at, part, vendor_message_id))
    message.parts_unsent -= 1
    if message.parts_unsent or message.state.final:
        return
    message.state = State.SENT
    if not message.awaits_price:
        _capture_submitted(plan, message, at)
    _tell(plan, message, State.SENT, at, None)
    batch = message.batch
    if batch is not None:
        batch.unsent_count -= 1
        if not batch.unsent_count and batch.open_count:
            plan.sent_batches.append(batch)
    if message.receipts:
        _end_by_parts(plan, message, at, None)


def priced(plan: Plan, message: Message, terms: tuple[Term, ...] | None, at: datetime) -> None:
    """The vendor has said what the message was, so that each level owes `terms`; None = it has not. The first report decides.
    Where it was waited for, the levels under Submitted are due now (SV-167)."""
    if terms is None or message.state.final or message.priced is not None:
        return
    waited = message.awaits_price
    message.priced = terms
    if waited and message.state is State.SENT:
        _capture_submitted(plan, message, at)


def _capture_submitted(plan: Plan, message: Message, at: datetime) -> None:
    levels = [n for n, term in enumerate(message.terms) if not term.delivered and message.settled[n] is None]
    if levels:
        _capture(plan, message, levels, at)


def report(plan: Plan, message: Message, part: int, state: State, error: str | None, at: datetime) -> None:
    """A final report of one part. Of a long message each part's first report is kept; which of them decide is the connection's
    matter (`receipt_parts`)."""
    if message.state.final and not may_follow(message.state, state):
        return
    if len(message.encoded.parts) == 1:
        if message.parts_unsent == 0:
            finish(plan, message, state, error, at)
        return
    if message.receipts is None:
        message.receipts = {}
    if part in message.receipts:
        return
    message.receipts[part] = state
    plan.part_receipts.append((message.id, at, part, int(state), error))
    _end_by_parts(plan, message, at, error)


def _end_by_parts(plan: Plan, message: Message, at: datetime, error: str | None) -> None:
    """Ends a long message that is sent as a whole, once the parts that decide are reported."""
    connection = plan.snapshot.connections.get(message.connection_id)
    state = decided(message, connection.receipt_parts if connection else ALL_PARTS)
    if state is not None and not message.parts_unsent:
        finish(plan, message, state, error, at)


def decided(message: Message, receipt_parts: str) -> State | None:
    """How a long message ends by what its parts reported so far; None while that is open. With "all" it is delivered when
    each part is; "first" and "last" name the one part that decides."""
    receipts, parts_count = message.receipts or {}, len(message.encoded.parts)
    if receipt_parts == ALL_PARTS:
        return worst(receipts.values()) if len(receipts) == parts_count else None
    return receipts.get(0 if receipt_parts == "first" else parts_count - 1)


def worst(states: Iterable[State]) -> State:
    """The state of a message whose parts ended in `states`: delivered only when all are."""
    return next((state for state in states if state is not State.DELIVERED), State.DELIVERED)


def without_receipts(message: Message, receipt_parts: str) -> tuple[State, str | None]:
    """How a message ends whose receipts never came: where all parts decide, as those say that reported."""
    if message.receipts and receipt_parts == ALL_PARTS:
        state = worst(message.receipts.values())
        return state, None if state is State.DELIVERED else "not all parts delivered"
    return State.EXPIRED, "no receipt"


def finish(plan: Plan, message: Message, state: State, error: str | None, at: datetime) -> None:
    """Put the message into its final state and settle every level that is not settled yet."""
    if message.state.final:
        return
    message.state = state
    unsettled = [n for n, charged in enumerate(message.settled) if charged is None]
    if state in (State.DELIVERED, State.READ):
        if unsettled:
            _capture(plan, message, unsettled, at)
    else:
        if unsettled:
            event = Release(tuple(message.terms[n] for n in unsettled), message.destination)
            plan.settlements.append(Settlement(message, unsettled, event, EDR_RELEASED, at))
            for n in unsettled:
                message.settled[n] = Charged(message.terms[n].agreement_id, 0, 0)
        if state is State.FAILED:
            _reverse(plan, message, [n for n in range(len(message.terms)) if n not in unsettled], at)
    plan.finished.setdefault((int(state), at, error), []).append(message.id)
    _tell(plan, message, state, at, error)
    batch = message.batch
    if batch is not None:
        batch.open_count -= 1
        if message.parts_unsent:
            batch.unsent_count -= 1
        if not batch.open_count:
            plan.done_batch_ids.append(batch.id)
        elif message.parts_unsent and not batch.unsent_count:
            plan.sent_batches.append(batch)


def _capture(plan: Plan, message: Message, levels: Sequence[int], at: datetime) -> None:
    if message.priced is not None:
        _exchange(plan, message, message.priced, levels, at)
    terms = message.terms if len(levels) == len(message.terms) else tuple([message.terms[n] for n in levels])
    starts = None
    if any([term.scale is not None for term in terms]):
        starts = tuple(
            period_start(plan.snapshot, term.agreement_id, at) if term.scale is not None else None for term in terms
        )
    event = Capture(terms, starts, message.destination)
    plan.settlements.append(Settlement(message, levels, event, EDR_CAPTURED, at))
    for n in levels:
        message.settled[n] = PLANNED


def _exchange(plan: Plan, message: Message, priced: tuple[Term, ...], levels: Sequence[int], at: datetime) -> None:
    """What is reserved at these levels makes room for what the report says, dearer or not (SV-280): in the tick that captures it,
    so that a tick which is written again finds by its EDRs that it was written."""
    changed = [n for n in levels if priced[n] != message.terms[n]]
    if not changed:
        return
    former = tuple(message.terms[n] for n in changed)
    plan.settlements.append(
        Settlement(
            message,
            changed,
            Exchange(former, tuple(priced[n] for n in changed), message.destination),
            EDR_NONE,
            at,
        )
    )
    message.terms = tuple(priced[n] if n in changed else term for n, term in enumerate(message.terms))
    plan.exchanged[message.id] = message


def _reverse(plan: Plan, message: Message, levels: Sequence[int], at: datetime) -> None:
    """Gives back what the levels were charged; a capture that this very plan holds is not made at all."""
    if any(message.settled[n] is PLANNED for n in levels):
        for settlement in plan.settlements:
            if settlement.message is message and settlement.entry == EDR_CAPTURED:
                settlement.event = Release(tuple(message.terms[n] for n in settlement.levels), message.destination)
                settlement.entry = EDR_RELEASED
        return
    kept = [n for n in levels if _can_be_paid_back(message.terms[n], message.settled[n])]
    if kept:
        charges = tuple(charged for n in kept if (charged := message.settled[n]) is not None)
        event = Reverse(charges, tuple(message.terms[n] for n in kept))
        plan.settlements.append(Settlement(message, kept, event, EDR_REVERSED, at))


def _can_be_paid_back(term: Term, charged: Charged | None) -> bool:
    """Whether money moved, or something of a pack; what a scale makes of it later counts as money."""
    if charged is None:
        return False
    corrected = term.scale is not None and term.scale.back_to_first and charged.period_start is not None
    return bool(charged.net_micros or charged.tax_micros or charged.taken or corrected)


def mapped_state(connection: VendorConnection, state: State | None, status: str, error: str) -> State | None:
    """The state that a report means here: the statuses map first (VSMPP-35, 36), else the vendor's own meaning."""
    if connection.statuses_map:
        status = status.upper()
        code = error.lstrip("0") or ("0" if error else "")
        method = connection.statuses_map.get((status, code)) or connection.statuses_map.get((status, ""))
        if method == "unsent":
            return State.FAILED
        if method == "undelivered":
            return State.UNDELIVERED
    return state


_encode_event: Callable[[object], bytes] = msgspec.json.Encoder().encode


def _tell(plan: Plan, message: Message, state: State, at: datetime, error: str | None) -> None:
    """Queue a status report when the client asked for them."""
    if message.origin is not None:
        _tell_over_smpp(plan, message, message.origin, state, at, error)
    if message.callback_url is None or not callback_wants(plan.snapshot, message, state):
        return
    plan.callbacks.append(callback_of(message, message.callback_url, message_event(message, state, at, error)))


def callback_wants(snapshot: Snapshot, message: Message, state: State) -> bool:
    """Whether the message's callback is told of this state: of the last one always, of others as the message says, else its API
    key as it is now."""
    if state.final:
        return True
    if message.callback_final_only is None:
        return message.api_key_id not in snapshot.final_only_keys
    return not message.callback_final_only


def callback_of(message: Message, url: str, event: str) -> Callback:
    """What the API key of the message is told at that address."""
    return Callback(message.company_id, message.api_key_id, None, message.id, url, event)


def message_event(message: Message, state: State, at: datetime, error: str | None) -> str:
    """As `status_event`, of this message."""
    return status_event(message.id, message.destination, message.client_ref, state, at, error)


def status_event(
    message_id: UUID, destination: str, client_ref: str | None, state: State, at: datetime, error: str | None
) -> str:
    """What a client's callback is told, as JSON."""
    event = {
        "type": f"message.{state.label}",
        "timestamp": at,
        "data": {
            "id": str(message_id),
            "status": state.label,
            "final": state.final,
            "to": destination,
            "client_ref": client_ref,
            "accepted_at": accepted_at(message_id),
            "error": error,
        },
    }
    return _encode_event(event).decode()


def _tell_over_smpp(
    plan: Plan, message: Message, origin: Origin, state: State, at: datetime, error: str | None
) -> None:
    """A receipt for each id that the client was answered with, if it asked for this one."""
    for told_id, registered_delivery in origin.told:
        if wants(registered_delivery, state):
            receipt = ClientReceipt(
                told_id or str(message.id), origin.source, origin.destination, int(state), error,
                message.accepted_at, at, message.text[:TEXT_CHARACTERS],
            )  # fmt: skip
            plan.client_receipts.setdefault(origin.connection_id, []).append(receipt)
