"""What a tick decides, apart from every database: who is accepted and charged, and what is left to be written.

Pure: a state that somebody locked goes in, with requests and a plan; nothing is asked or written here. The same tick may be
decided as often as its transaction has to be repeated.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relais.core.charging.charge import charge
from relais.core.charging.types import Captured, Choose, Chosen, Event, Lacking, Reserve, Reserved, State, Unrated
from relais.core.charging.types import Outcome as ChargeOutcome
from relais.core.refusals import Refusal
from relais.pipeline import rows
from relais.pipeline.accept import refused
from relais.pipeline.configuration import Snapshot
from relais.pipeline.message import Batch, Message, waiting_ends_at
from relais.pipeline.settle import Plan
from relais.pipeline.submission import Answer, Idempotency, Outcome, Refused, Tell
from relais.store.binary import Row
from relais.store.tick import EDR_CAPTURED, NewBatch

Queued = tuple[NewBatch, list[Message]]


class Request:
    """Messages handed in together, all written in one tick. `outcomes` has one entry each, in order: a refusal already,
    or the message, which stands in `messages` too. `tell` is called after the commit.
    """

    __slots__ = ("api_key_id", "arrived_s", "idempotency", "messages", "outcomes", "tell")

    def __init__(
        self,
        api_key_id: int,
        outcomes: Sequence[Refused | Message],
        messages: Sequence[Message],
        idempotency: Idempotency | None,
        tell: Tell,
    ) -> None:
        self.api_key_id = api_key_id
        self.outcomes = outcomes
        self.messages = messages
        self.idempotency = idempotency
        self.tell = tell
        self.arrived_s = time.monotonic()


class Decision(msgspec.Struct):
    """`state` is what charging left. `answers`: one a request. `settled`: what came of each settlement of the plan, with its
    `edrs`. `ledger`: (agreement id, kind) → signed micros. `queued`: new batches of the outbox with their messages.
    `lacking`: agreement ids, one for each message that its balance did not cover. All of it holds once it is committed.
    """

    state: State
    answers: list[Answer]
    accepted: list[Message]
    lacking: list[int]
    settled: list[ChargeOutcome]
    edrs: list[Row]
    ledger: dict[tuple[int, int], int]
    queued: list[Queued]


def events_of(plan: Plan, requests: Iterable[Request]) -> list[Event]:
    """What is to be charged, in the order of `decide`: settlements first, so that what they free can be reserved."""
    events: list[Event] = [settlement.event for settlement in plan.settlements]
    events += [_reservation(message) for request in requests for message in request.messages]
    return events


def decide(
    before: State,
    plan: Plan,
    requests: Sequence[Request],
    snapshot: Snapshot,
    owner_of: Callable[[int], UUID | None],
    now: datetime,
) -> Decision:
    """`owner_of`: which gateway sends over a connection at once; None leaves it to whoever takes the batch up."""
    state, outcomes = charge(before, events_of(plan, requests))
    settled, reserved = outcomes[: len(plan.settlements)], iter(outcomes[len(plan.settlements) :])
    answers: list[Answer] = []
    accepted: list[Message] = []
    lacking: list[int] = []
    for request in requests:
        results: list[Outcome] = []
        for outcome in request.outcomes:
            if isinstance(outcome, Refused):
                results.append(outcome)
                continue
            answer = next(reserved)
            if isinstance(answer, Unrated):
                results.append(refused(answer.refusal))
            elif isinstance(answer, Reserved | Chosen):
                if isinstance(answer, Chosen):
                    outcome.promise(answer.terms)
                accepted.append(outcome)
                results.append(rows.accepted(outcome, snapshot))
            else:
                assert isinstance(answer, Lacking)
                lacking.append(answer.agreement_id)
                results.append(refused(Refusal.BALANCE_TOO_LOW))
        answers.append(Answer(results))
    edrs, ledger = rows.entries(plan, settled)
    return Decision(state, answers, accepted, lacking, settled, edrs, ledger, _queued(accepted, owner_of, now))


def remember(plan: Plan, decision: Decision) -> None:
    """Once it is committed: what each level was charged in the end stands with its message."""
    for settlement, outcome in zip(plan.settlements, decision.settled, strict=True):
        if settlement.entry == EDR_CAPTURED and isinstance(outcome, Captured):
            for level, charged in zip(settlement.levels, outcome.charges, strict=True):
                settlement.message.settled[level] = charged


def batch_of(batch_id: int, messages: list[Message]) -> Batch:
    """The batch that a gateway keeps of a row it wrote."""
    batch = Batch(batch_id, messages[0].connection_id, messages, waiting_ends_at(messages))
    for message in messages:
        message.batch = batch
    return batch


def changed(before: Mapping[int, tuple[int, int]], state: State) -> dict[int, tuple[int, int]]:
    """Balance and reserved amount of the agreements that moved."""
    return {
        agreement_id: money
        for agreement_id, account in state.accounts.items()
        if (money := (account.balance_micros, account.reserved_micros)) != before[agreement_id]
    }


def _queued(accepted: list[Message], owner_of: Callable[[int], UUID | None], now: datetime) -> list[Queued]:
    """Batches of the outbox and their messages: one a connection, sending time and validity."""
    groups: dict[tuple[int, datetime | None, int], list[Message]] = {}
    for message in accepted:
        groups.setdefault((message.connection_id, message.send_at, message.validity_s), []).append(message)
    queued = []
    for (connection_id, send_at, _), messages in groups.items():
        owner = owner_of(connection_id) if send_at is None else None
        queued.append((NewBatch(connection_id, owner, send_at or now, [message.id for message in messages]), messages))
    return queued


def _reservation(message: Message) -> Event:
    return Choose(message.routes, message.destination) if message.routes else Reserve(message.terms)
