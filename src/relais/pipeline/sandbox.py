"""Messages of sandbox keys: judged and priced like any other, answered like any other, never charged and never sent.

What becomes of one is chosen by the last four digits of its number, and comes about by the clock: sent after a second, final
after three. Nothing of it touches balances, queues or vendors; it is kept for a few days so that its client can ask after it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from relais.core.lifecycle import State
from relais.core.refusals import Refusal
from relais.pipeline import rows
from relais.pipeline.accept import refused
from relais.pipeline.configuration import ApiKey, Snapshot
from relais.pipeline.ids import floor
from relais.pipeline.message import Message
from relais.pipeline.settle import callback_of, callback_wants, message_event, status_event
from relais.pipeline.submission import Answer, Idempotency, MessagesAsked, MessageView, Outcome, Refused, Tell, Told
from relais.store.blocks import blocks
from relais.store.sessions import CONNECTION_LOST, SESSION_ENDED
from relais.store.tick import Callback

SENT_AFTER, FINAL_AFTER = timedelta(seconds=1), timedelta(seconds=3)

OUTCOMES: Final[Mapping[str, tuple[State, str | None]]] = MappingProxyType(
    {
        "0001": (State.UNDELIVERED, "UNDELIV 001"),
        "0002": (State.EXPIRED, "EXPIRED 002"),
        "0003": (State.REJECTED, "REJECTD 003"),
        "0004": (State.SENT, None),  # no receipt ever
        "0005": (State.FAILED, "ESME_RINVDSTADR 0x0B"),
    }
)
"""By the last four digits; any other number is delivered."""

REFUSALS: Final[Mapping[str, Refusal]] = MappingProxyType(
    {
        "0101": Refusal.BALANCE_TOO_LOW,
        "0102": Refusal.DESTINATION_BLOCKED,
        "0103": Refusal.RATE_NOT_FOUND,
        "0104": Refusal.PROVIDER_UNAVAILABLE,
        "0105": Refusal.SENDER_NOT_CONNECTED,
        "0106": Refusal.AGREEMENT_EXPIRED,
        "0107": Refusal.OVERLOADED,
    }
)
"""Refusals that a client cannot bring about by what it sends."""

_SQL, _TICK = blocks("sandbox"), blocks("tick")
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(MessageView).decode


def judged(outcome: Message | Refused) -> Message | Refused:
    """What the number makes of a submission that was admitted."""
    if isinstance(outcome, Message) and (refusal := REFUSALS.get(outcome.destination[-4:])) is not None:
        return refused(refusal)
    return outcome


class Sandbox:
    """Stores such messages and tells what became of them. `pool`: of the pipeline, once it is open."""

    def __init__(self, pool: Callable[[], asyncpg.Pool]) -> None:
        self._pool = pool
        self._tasks: set[asyncio.Task[None]] = set()

    def submit_one(
        self, key: ApiKey, snapshot: Snapshot, outcome: Message | Refused, idempotency: Idempotency | None, tell: Tell
    ) -> None:
        """One message; `tell` is called with its answer, or with what broke."""
        task = asyncio.get_running_loop().create_task(self._submit_one(key, snapshot, outcome, idempotency, tell))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _submit_one(
        self, key: ApiKey, snapshot: Snapshot, outcome: Message | Refused, idempotency: Idempotency | None, tell: Tell
    ) -> None:
        told: Told
        try:
            told = await self.submit(key, snapshot, [outcome], idempotency)
        except (*CONNECTION_LOST, *SESSION_ENDED, TimeoutError):
            told = refused(Refusal.OVERLOADED)
        except Exception as error:
            told = error
        tell(told)

    async def submit(
        self, key: ApiKey, snapshot: Snapshot, outcomes: Sequence[Message | Refused], idempotency: Idempotency | None
    ) -> Answer | Refused:
        """The answer, once it is stored. With an idempotency key what was answered earlier goes before it."""
        answered: list[Outcome] = [
            outcome if isinstance(outcome, Refused) else self._accepted(outcome, snapshot) for outcome in outcomes
        ]
        messages = [outcome for outcome in outcomes if isinstance(outcome, Message)]
        async with self._pool().acquire() as session, session.transaction():
            if idempotency is not None:
                earlier = await session.fetchrow(
                    _SQL["keep_answer"], key.id, idempotency.key, idempotency.body_digest,
                    rows.encode_outcomes(answered) if messages else None, datetime.now(UTC),
                )  # fmt: skip
                if earlier is not None and earlier["body_digest"] != idempotency.body_digest:
                    return refused(Refusal.IDEMPOTENCY_KEY_REUSED)
                if earlier is not None and not earlier["made_now"]:
                    return Answer(rows.decode_outcomes(earlier["answer"]), replayed=True)
            for message in messages:
                view = _first_view(message, snapshot)
                await session.execute(_SQL["insert"], message.id, key.id, _pack(view), message.callback_url)
                for due_at, event in _events(message, view, snapshot):
                    told = callback_of(message, message.callback_url or "", event)
                    await session.execute(_TICK["insert_callbacks"], due_at, *([each] for each in told))
        return Answer(answered)

    async def message(self, key: ApiKey, message_id: UUID) -> MessageView | None:
        """One message of this very key as it stands now."""
        row = await self._pool().fetchrow(_SQL["message"], key.id, message_id)
        return None if row is None else view_at(_unpack(row["view"]), datetime.now(UTC))

    async def messages(self, key: ApiKey, asked: MessagesAsked) -> list[MessageView]:
        """Those of this key that are asked for, newest first."""
        now = datetime.now(UTC)
        found = await self._pool().fetch(
            _SQL["messages"], key.id, floor(asked.since), asked.before or floor(asked.until)
        )
        views = [view_at(_unpack(row["view"]), now) for row in found]
        return [view for view in views if _is_asked_for(view, asked)][: asked.count_max]

    async def cancel(self, key: ApiKey, message_id: UUID) -> bool:
        """Whether it waited for its time still."""
        async with self._pool().acquire() as session, session.transaction():
            row = await session.fetchrow(_SQL["lock"], key.id, message_id)
            now = datetime.now(UTC)
            if row is None or view_at(_unpack(row["view"]), now).status != State.SCHEDULED.label:
                return False
            view = _unpack(row["view"])
            times = {name: at for name, at in view.times.items() if at <= now} | {State.CANCELED.label: now}
            canceled = msgspec.structs.replace(
                view, status=State.CANCELED.label, final=True, times=times, price_micros=0
            )
            await session.execute(_SQL["change"], message_id, _pack(canceled))
            await session.execute(_SQL["recall_callbacks"], message_id)
            if row["callback_url"] is not None:
                event = status_event(message_id, view.destination, view.client_ref, State.CANCELED, now, None)
                told = Callback(key.company_id, key.id, None, message_id, row["callback_url"], event)
                await session.execute(_TICK["insert_callbacks"], now, *([each] for each in told))
        return True

    @staticmethod
    def _accepted(message: Message, snapshot: Snapshot) -> Outcome:
        """As the writer answers; where packs have a say, at the price of a preview."""
        if message.terms:
            return rows.accepted(message, snapshot)
        choices = [option.term for route in message.routes for option in route[0].options]
        if not choices:
            return refused(Refusal.RATE_NOT_FOUND)
        message.promise((max(choices, key=lambda term: term.reserved_micros),))
        return rows.accepted(message, snapshot)


def view_at(view: MessageView, now: datetime) -> MessageView:
    """What is to be seen of it at `now`; the stored view tells its whole life."""
    times = {name: at for name, at in view.times.items() if at <= now}
    state = State[next(reversed(times), State.ACCEPTED.label).upper()]
    if state is State.ACCEPTED:
        state = State.QUEUED
    released = state.final and state not in (State.DELIVERED, State.READ)
    return msgspec.structs.replace(
        view,
        status=state.label,
        final=state.final,
        times=times,
        error=view.error if state.final else None,
        price_micros=0 if state in (State.FAILED, State.CANCELED) and released else view.price_micros,
    )


def _first_view(message: Message, snapshot: Snapshot) -> MessageView:
    """The message with every instant that will come."""
    accepted = rows.accepted(message, snapshot)
    state, error = OUTCOMES.get(message.destination[-4:], (State.DELIVERED, None))
    begins = message.send_at or message.accepted_at
    times = {State.ACCEPTED.label: message.accepted_at}
    if message.send_at is not None:
        times[State.SCHEDULED.label] = message.accepted_at
    if state is not State.FAILED:
        times[State.SENT.label] = begins + SENT_AFTER
    if state.final:
        times[state.label] = begins + FINAL_AFTER
    return MessageView(
        message_id=message.id,
        channel=accepted.channel,
        source=message.source,
        destination=message.destination,
        country=message.country,
        network=accepted.network,
        encoding=accepted.encoding,
        segments_count=accepted.segments_count,
        price_micros=accepted.price_micros,
        currency=accepted.currency,
        client_ref=message.client_ref,
        status=state.label,
        final=state.final,
        times=times,
        error=error,
    )


def _events(message: Message, view: MessageView, snapshot: Snapshot) -> list[tuple[datetime, str]]:
    """When each status report is due."""
    if message.callback_url is None:
        return []
    told = [(State[name.upper()], at) for name, at in view.times.items()]
    return [
        (at, message_event(message, state, at, view.error if state.final else None))
        for state, at in told
        if (state is State.SENT or state.final) and callback_wants(snapshot, message, state)
    ]


def _is_asked_for(view: MessageView, asked: MessagesAsked) -> bool:
    status = State[view.status.upper()]
    if asked.status is not None and (status.final if asked.status == 0 else int(status) != asked.status):
        return False
    if asked.source is not None and asked.source.casefold() != view.source.casefold():
        return False
    return asked.destination in (None, view.destination) and asked.client_ref in (None, view.client_ref)
