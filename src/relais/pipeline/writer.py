"""The one writer of a process: everything that is due goes into one transaction a tick (ARCHITECTURE §7.1).

Clients and vendors are answered only after the commit. A tick that fails because the database went away is repeated until
it is written; whether a commit whose answer was lost took place is asked of the server, so that nothing is written twice.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
import structlog

from relais.core.charging.charge import charge, touched
from relais.core.charging.types import (
    Account,
    Captured,
    Choose,
    Chosen,
    Event,
    Lacking,
    Reserve,
    Reserved,
    State,
    Unrated,
)
from relais.core.refusals import Refusal
from relais.pipeline import books, rows
from relais.pipeline.accept import refused
from relais.pipeline.configuration import Snapshot, in_force
from relais.pipeline.message import Batch, Message
from relais.pipeline.metrics import TICK_MESSAGES, TICK_SECONDS
from relais.pipeline.settle import Plan
from relais.pipeline.submission import Accepted, Answer, Idempotency, Outcome, Refused, Tell
from relais.store.binary import Row
from relais.store.sessions import CONNECTION_LOST, SESSION_ENDED, open_session
from relais.store.tick import EDR_CAPTURED, NewBatch, TickTransaction, hold_writer, tick_took_place

TICK_FULL = 256  # messages that are worth a transaction at once
GATHER_MAX_S = 0.01  # how long a tick may grow after its first time, while every turn of the loop brings more
QUEUE_MAX = 20_000  # messages waiting for a tick; more are refused as `overloaded`
WAIT_MAX_S = 5.0  # how long a submission waits for a database that is away before it is refused
RECEIPT_GRACE = timedelta(hours=1)  # after a message's validity, receipts are still awaited
RECONNECT_S = 0.1

_DATABASE_AWAY = (*CONNECTION_LOST, *SESSION_ENDED, TimeoutError)
log = structlog.get_logger()


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


class _Written(msgspec.Struct):
    """What one application of a tick brought about; holds only once it is committed."""

    answers: list[Answer | Refused]
    accepted: list[Message]
    batches: list[tuple[int, list[Message], bool]]  # batch id, messages, to be sent by this gateway now
    charges: list[tuple[Message, Sequence[int], Captured]]
    lacking: list[int]  # agreement ids, one for each message that its balance did not cover
    first_sent: Row | None
    first_edr: Row | None


class Ports(msgspec.Struct, frozen=True):
    """What the writer asks of its surroundings: the snapshot; the plan of what vendors said since the last tick; which
    connections this gateway owns; where accepted messages go; what to do once a plan is committed. `recover` brings
    messages back from the database: between two ticks, so that rows and memory say the same while it looks.
    """

    snapshot: Callable[[], Snapshot]
    plan: Callable[[], Plan]
    owns: Callable[[int], bool]
    send: Callable[[Batch, list[Message]], None]
    committed: Callable[[Plan], None]
    recover: Callable[[asyncpg.Connection], Awaitable[None]]


class Writer:
    """Collects requests and vendor events and writes them, tick by tick, until `close`."""

    def __init__(self, dsn: str, instance: UUID, ports: Ports, *, tick_s: float) -> None:
        self._dsn = dsn
        self._instance = instance
        self.number = instance.int >> 65  # 63 bits
        self._ports = ports
        self._tick_s = tick_s
        self._requests: list[Request] = []
        self._waiting_count = 0
        self._due = asyncio.Event()
        self._recovery_due = False
        self._closing = False
        self._session: asyncpg.Connection | None = None
        self.task: asyncio.Task[None] | None = None  # ends early only by a fault of our own
        self.database_ready = False
        self.shortages: Counter[int] = (
            Counter()
        )  # agreement id → messages its balance did not cover, until they are told

    async def open(self) -> None:
        """Connect and start ticking; raises what the database raises."""
        self._session = await open_session(self._dsn, writer=True)
        await hold_writer(self._session, self.number)
        self.database_ready = True
        self.task = asyncio.create_task(self._run(), name="writer")

    async def close(self) -> None:
        """Write what is due, then stop."""
        self._closing = True
        self._due.set()
        if self.task:
            await asyncio.gather(self.task, return_exceptions=True)
        if self._session:
            await self._session.close(timeout=1)

    def submit(self, request: Request) -> bool:
        """Queue a request for the next tick; False when too many wait already."""
        if self._waiting_count + len(request.messages) > QUEUE_MAX:
            return False
        self._waiting_count += len(request.messages)
        self._requests.append(request)
        self._due.set()
        return True

    def wake(self) -> None:
        """Something else is due: a vendor's answer, a report."""
        self._due.set()

    def recover_soon(self) -> None:
        """Have `Ports.recover` run after the next tick."""
        self._recovery_due = True
        self._due.set()

    async def _run(self) -> None:
        while True:
            await self._due.wait()
            await self._gather()
            self._due.clear()
            began_s = time.monotonic()
            requests = self._take()
            plan = self._ports.plan()
            if requests or not plan.empty:
                await self._write(requests, plan)
                TICK_SECONDS.observe(time.monotonic() - began_s)
                TICK_MESSAGES.observe(sum(len(request.messages) for request in requests))
            self._ports.committed(plan)
            if self._recovery_due and not self._closing:
                await self._recover()
            if self._closing and not self._due.is_set():
                return

    async def _gather(self) -> None:
        """Wait a little: what arrives meanwhile shares the transaction."""
        if self._closing or self._waiting_count >= TICK_FULL:
            return
        await asyncio.sleep(self._tick_s)
        until_s = time.monotonic() + GATHER_MAX_S
        before_count = 0
        while before_count < self._waiting_count < TICK_FULL and time.monotonic() < until_s:
            before_count = self._waiting_count
            await asyncio.sleep(0)

    async def _recover(self) -> None:
        self._recovery_due = False
        try:
            if self._session is None or self._session.is_closed():
                await self._reconnect()
            assert self._session is not None
            await self._ports.recover(self._session)
        except _DATABASE_AWAY as error:
            log.warning("recovery.postponed", error=str(error) or type(error).__name__)
            await self._drop_session()

    def _take(self) -> list[Request]:
        """What waits; of several requests with one idempotency key the first, the others are answered a tick later."""
        requests, self._requests = self._requests, []
        if any(request.idempotency for request in requests):
            keys: set[tuple[int, str]] = set()
            for request in requests:
                key = (request.api_key_id, request.idempotency.key) if request.idempotency else None
                if key in keys:
                    self._requests.append(request)
                    self._due.set()
                elif key is not None:
                    keys.add(key)
            requests = (
                [request for request in requests if request not in self._requests] if self._requests else requests
            )
        self._waiting_count = sum(len(request.messages) for request in self._requests)
        return requests

    async def _write(self, requests: list[Request], plan: Plan) -> None:
        """Write one tick, however long it takes, and answer. A request that the database cannot take for a reason of its
        own is answered with its error alone; the rest is written without it."""
        try:
            written = await self._write_until_committed(requests, plan)
        except asyncpg.PostgresError as error:
            if not requests:
                raise
            log.error("tick.failed", requests=len(requests), error=str(error))
            await self._write([], plan)
            for request in requests:
                await self._write_alone(request)
            return
        self._settle_memory(written)
        for request, answer in zip(requests, written.answers, strict=True):
            request.tell(answer)

    async def _write_alone(self, request: Request) -> None:
        try:
            written = await self._write_until_committed([request], Plan(self._ports.snapshot()))
        except asyncpg.PostgresError as error:
            log.error("request.failed", api_key=request.api_key_id, messages=len(request.messages), error=str(error))
            request.tell(error)
            return
        self._settle_memory(written)
        request.tell(written.answers[0])

    def _settle_memory(self, written: _Written) -> None:
        self.shortages.update(written.lacking)
        for message, levels, captured in written.charges:
            for level, charged in zip(levels, captured.charges, strict=True):
                message.settled[level] = charged
        for batch_id, messages, ours in written.batches:
            if ours:
                batch = Batch(batch_id, messages[0].connection_id, messages, waiting_ends_at(messages))
                for message in messages:
                    message.batch = batch
                self._ports.send(batch, messages)

    async def _write_until_committed(self, requests: list[Request], plan: Plan) -> _Written:
        while True:
            written: _Written | None = None
            try:
                if self._session is None or self._session.is_closed():
                    await self._reconnect()
                assert self._session is not None
                transaction = TickTransaction(self._session)
                await transaction.begin()
                written = await self._apply(transaction, requests, plan)
                await transaction.commit()
                self.database_ready = True
                return written
            except _DATABASE_AWAY as error:
                log.warning("database.lost", error=str(error) or type(error).__name__)
                self.database_ready = False
                await self._drop_session()
                if written is not None and await self._took_place(written):
                    return written
            except asyncpg.PostgresError:
                await self._rollback()
                raise

    async def _apply(self, transaction: TickTransaction, requests: list[Request], plan: Plan) -> _Written:
        """Lock, charge, write; all in the open transaction."""
        now = datetime.now(UTC)
        events: list[Event] = [settlement.event for settlement in plan.settlements]
        events += [_reservation(message) for request in requests for message in request.messages]
        rows_due = touched(events)
        balances = await transaction.lock_balances(rows_due.agreement_ids)
        replayed = await self._replayed(transaction, requests)
        fresh = [request for request, answer in zip(requests, replayed, strict=True) if answer is None]
        if len(fresh) < len(requests):
            events = events[: len(plan.settlements)]
            events += [_reservation(message) for request in fresh for message in request.messages]
        before = await books.lock(transaction, self._accounts(balances, now), rows_due)
        state, outcomes = charge(before, events)
        settled, reserved = outcomes[: len(plan.settlements)], iter(outcomes[len(plan.settlements) :])

        answers: dict[int, Answer] = {}
        accepted: list[Message] = []
        lacking: list[int] = []
        snapshot = self._ports.snapshot()
        for request in fresh:
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
            answers[id(request)] = Answer(results)
        if accepted:
            await transaction.copy_messages([rows.message_row(message) for message in accepted])
        await self._insert_idempotent_answers(transaction, fresh, answers, now)
        ledger, first_edr = await rows.write_plan(transaction, plan, settled, now)
        changed = _changed(balances, state)
        queued = self._queued(accepted, now)
        batch_ids: list[int] = []
        if plan.finished or plan.done_batch_ids or changed or ledger or queued:
            batch_ids = await transaction.close(
                plan.finished, plan.done_batch_ids, changed, ledger, [batch for batch, _ in queued], now
            )
        batches = [
            (batch_id, messages, batch.owner is not None)
            for batch_id, (batch, messages) in zip(batch_ids, queued, strict=True)
        ]
        await books.store(transaction, before, state)
        charges = [
            (settlement.message, settlement.levels, outcome)
            for settlement, outcome in zip(plan.settlements, settled, strict=True)
            if settlement.entry == EDR_CAPTURED and isinstance(outcome, Captured)
        ]
        ordered = [
            answer if answer is not None else answers[id(request)]
            for request, answer in zip(requests, replayed, strict=True)
        ]
        first_sent = plan.sent[0] if plan.sent else None
        return _Written(ordered, accepted, batches, charges, lacking, first_sent, first_edr)

    def _accounts(self, balances: dict[int, tuple[int, int]], now: datetime) -> dict[int, Account]:
        """Credit limits come from the version in force; without one nothing more can be reserved on credit."""
        agreements = self._ports.snapshot().agreements
        accounts = {}
        for agreement_id, (balance_micros, reserved_micros) in balances.items():
            versions = in_force(agreements[agreement_id].versions, now)
            limit_micros = versions[0].credit_limit_micros if versions else 0
            accounts[agreement_id] = Account(balance_micros, reserved_micros, limit_micros)
        return accounts

    async def _replayed(self, transaction: TickTransaction, requests: list[Request]) -> list[Answer | Refused | None]:
        """For each request what an earlier one with its idempotency key was answered; None where there is none, or no key."""
        keys = [(r.api_key_id, r.idempotency.key) for r in requests if r.idempotency is not None]
        if not keys:
            return [None] * len(requests)
        kept = await transaction.idempotent_answers(keys)
        found: list[Answer | Refused | None] = []
        for request in requests:
            earlier = kept.get((request.api_key_id, request.idempotency.key)) if request.idempotency else None
            if earlier is None:
                found.append(None)
            elif request.idempotency and earlier[0] == request.idempotency.body_digest:
                found.append(Answer(rows.decode_outcomes(earlier[1]), replayed=True))
            else:
                found.append(refused(Refusal.IDEMPOTENCY_KEY_REUSED))
        return found

    def _queued(self, accepted: list[Message], now: datetime) -> list[tuple[NewBatch, list[Message]]]:
        """Batches of the outbox and their messages: one a connection, sending time and validity."""
        groups: dict[tuple[int, datetime | None, int], list[Message]] = {}
        for message in accepted:
            groups.setdefault((message.connection_id, message.send_at, message.validity_s), []).append(message)
        batches = []
        for (connection_id, send_at, _), messages in groups.items():
            owner = self._instance if send_at is None and self._ports.owns(connection_id) else None
            batch = NewBatch(connection_id, owner, send_at or now, [message.id for message in messages])
            batches.append((batch, messages))
        return batches

    async def _insert_idempotent_answers(
        self, transaction: TickTransaction, fresh: list[Request], answers: dict[int, Answer], now: datetime
    ) -> None:
        """Answers that accepted something are kept; a refused request may be tried again with its key."""
        kept = [
            (request.api_key_id, key.key, now, key.body_digest, rows.encode_outcomes(answers[id(request)].outcomes))
            for request in fresh
            if (key := request.idempotency) and any(isinstance(o, Accepted) for o in answers[id(request)].outcomes)
        ]
        if kept:
            await transaction.copy_idempotent_answers(kept)

    async def _took_place(self, written: _Written) -> bool:
        """Ask the server, once it is back, whether the commit whose answer was lost took place."""
        while True:
            await self._reconnect()
            assert self._session is not None
            first_message = rows.message_row(written.accepted[0]) if written.accepted else None
            try:
                committed = await tick_took_place(self._session, first_message, written.first_sent, written.first_edr)
            except _DATABASE_AWAY:
                await self._drop_session()
                continue
            log.info("tick.recovered", committed=committed)
            return committed

    async def _reconnect(self) -> None:
        while self._session is None or self._session.is_closed():
            self._refuse_stale()
            try:
                self._session = await open_session(self._dsn, writer=True, timeout_s=5.0)
                await hold_writer(self._session, self.number)
                log.info("database.found")
            except (*_DATABASE_AWAY, asyncpg.PostgresError):
                await self._drop_session()
                await asyncio.sleep(RECONNECT_S)

    def _refuse_stale(self) -> None:
        """Refuse what has waited too long and is in no transaction yet."""
        oldest_s = time.monotonic() - WAIT_MAX_S
        stale = [request for request in self._requests if request.arrived_s < oldest_s]
        if stale:
            self._requests = [request for request in self._requests if request.arrived_s >= oldest_s]
            self._waiting_count = sum(len(request.messages) for request in self._requests)
            for request in stale:
                request.tell(refused(Refusal.OVERLOADED))

    async def _drop_session(self) -> None:
        if self._session is not None:
            self._session.terminate()
            self._session = None

    async def _rollback(self) -> None:
        try:
            assert self._session is not None
            await TickTransaction(self._session).rollback()
        except (*_DATABASE_AWAY, asyncpg.PostgresError):
            await self._drop_session()


def waiting_ends_at(messages: Sequence[Message]) -> datetime:
    """When nobody waits for receipts of these messages any more."""
    return max(message.expires_at for message in messages) + RECEIPT_GRACE


def _reservation(message: Message) -> Event:
    return Choose(message.routes, message.destination) if message.routes else Reserve(message.terms)


def _changed(before: dict[int, tuple[int, int]], state: State) -> dict[int, tuple[int, int]]:
    """Balance and reserved amount of the agreements that moved."""
    return {
        agreement_id: money
        for agreement_id, account in state.accounts.items()
        if (money := (account.balance_micros, account.reserved_micros)) != before[agreement_id]
    }
