"""The one writer of a process: everything that is due goes into one transaction a tick (ARCHITECTURE §7.1).

Clients and vendors are answered only after the commit. A tick that fails because the database went away is repeated until
it is written; whether a commit whose answer was lost took place is asked of the server, so that nothing is written twice.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import msgspec
import structlog

from relais.core.charging.charge import touched
from relais.core.charging.types import Account
from relais.core.refusals import Refusal
from relais.pipeline import books, guard_rails, rows
from relais.pipeline.accept import refused
from relais.pipeline.configuration import Snapshot, in_force
from relais.pipeline.decide import Decision, Request, batch_of, changed, decide, events_of, remember
from relais.pipeline.guard_rails import Held
from relais.pipeline.message import Batch, Message
from relais.pipeline.metrics import TICK_MESSAGES, TICK_SECONDS
from relais.pipeline.rails import Rails
from relais.pipeline.settle import Plan
from relais.pipeline.submission import Accepted, Answer, Refused
from relais.store.sessions import CONNECTION_LOST, SESSION_ENDED, open_session
from relais.store.tick import TickTransaction, hold_writer, tick_took_place

TICK_WORTH = 8  # messages that are worth a transaction at once: while it is written, the next ones are read
TICK_FULL = 256  # with so many a tick that waited for company waits no longer
GATHER_MAX_S = 0.01  # how long a tick may grow after its first time, while every turn of the loop brings more
QUEUE_MAX = 20_000  # messages waiting for a tick; more are refused as `overloaded`
WAIT_MAX_S = 5.0  # how long a submission waits for a database that is away before it is refused
RECONNECT_S = 0.1

_DATABASE_AWAY = (*CONNECTION_LOST, *SESSION_ENDED, TimeoutError)
log = structlog.get_logger()


class _Written(msgspec.Struct):
    """What one application of a tick brought about; holds only once it is committed."""

    decision: Decision
    answers: list[Answer | Refused]
    batch_ids: list[int]  # of the queued batches, in their order
    held: tuple[Rails, Held] | None = None  # what guard rails made of it


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
        self._chained = False  # the last commit began a transaction: more was due
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

    @property
    def pressed(self) -> bool:
        """Whether more than one tick's worth of messages waits."""
        return self._waiting_count >= TICK_FULL

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
                await asyncio.sleep(0)  # the answers leave now, not after all that follows
            elif self._chained:
                await self._rollback()
            self._ports.committed(plan)
            if self._recovery_due and not self._closing and not self._chained:
                await self._recover()
            if self._closing and not self._due.is_set():
                return

    async def _gather(self) -> None:
        """Wait a little: what arrives meanwhile shares the transaction."""
        if self._closing or self._waiting_count >= TICK_WORTH:
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
        self._settle_memory(plan, written)
        for request, answer in zip(requests, written.answers, strict=True):
            request.tell(answer)

    async def _write_alone(self, request: Request) -> None:
        plan = Plan(self._ports.snapshot())
        try:
            written = await self._write_until_committed([request], plan)
        except asyncpg.PostgresError as error:
            log.error("request.failed", api_key=request.api_key_id, messages=len(request.messages), error=str(error))
            request.tell(error)
            return
        self._settle_memory(plan, written)
        request.tell(written.answers[0])

    def _settle_memory(self, plan: Plan, written: _Written) -> None:
        decision = written.decision
        self.shortages.update(decision.lacking)
        remember(plan, decision)
        if written.held is not None:
            guard_rails.committed(written.held[1])
        for batch_id, (batch, messages) in zip(written.batch_ids, decision.queued, strict=True):
            if batch.owner is not None:  # to be sent by this gateway now
                self._ports.send(batch_of(batch_id, messages), messages)

    async def _write_until_committed(self, requests: list[Request], plan: Plan) -> _Written:
        while True:
            written: _Written | None = None
            try:
                if self._session is None or self._session.is_closed():
                    await self._reconnect()
                assert self._session is not None
                transaction = TickTransaction(self._session)
                if not self._chained:
                    await transaction.begin()
                written = await self._apply(transaction, requests, plan)
                self._chained = self._due.is_set() and not self._recovery_due
                await transaction.commit(and_begin=self._chained)
                self.database_ready = True
                return written
            except _DATABASE_AWAY as error:
                log.warning("database.lost", error=str(error) or type(error).__name__)
                self.database_ready = False
                await self._drop_session()
                if written is not None and await self._took_place(plan, written):
                    return written
            except asyncpg.PostgresError:
                await self._rollback()
                raise

    async def _apply(self, transaction: TickTransaction, requests: list[Request], plan: Plan) -> _Written:
        """Lock, charge, write; all in the open transaction."""
        now = datetime.now(UTC)
        rows_due = touched(events_of(plan, requests))
        balances = await transaction.lock_balances(rows_due.agreement_ids)
        replayed = await self._replayed(transaction, requests)
        fresh = [request for request, answer in zip(requests, replayed, strict=True) if answer is None]
        snapshot, held = self._ports.snapshot(), None
        if snapshot.rails is not None and fresh:
            held = snapshot.rails, await guard_rails.hold(transaction.session, snapshot.rails, fresh, now)
            fresh = held[1].requests
        before = await books.lock(transaction, self._accounts(balances, now), rows_due)
        decision = decide(before, plan, fresh, snapshot, self._owner_of, now)
        if decision.accepted:
            await transaction.copy_messages([rows.message_row(message) for message in decision.accepted])
            if snapshot.portability.companies:
                await rows.write_lookups(transaction, decision.accepted)
        if held is not None:
            await guard_rails.write(transaction.session, *held, decision.accepted, now)
        await self._insert_idempotent_answers(transaction, fresh, decision.answers, now)
        await rows.write_plan(transaction, plan, decision.edrs, now)
        moved, batches = changed(balances, decision.state), [batch for batch, _ in decision.queued]
        batch_ids = await rows.close(transaction, plan, moved, decision.ledger, batches, now)
        await books.store(transaction, before, decision.state)
        fresh_answers = iter(decision.answers)
        ordered = [answer if answer is not None else next(fresh_answers) for answer in replayed]
        return _Written(decision, ordered, batch_ids, held)

    def _owner_of(self, connection_id: int) -> UUID | None:
        return self._instance if self._ports.owns(connection_id) else None

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

    async def _insert_idempotent_answers(
        self, transaction: TickTransaction, fresh: list[Request], answers: list[Answer], now: datetime
    ) -> None:
        """Answers that accepted something are kept; a refused request may be tried again with its key."""
        kept = [
            (request.api_key_id, key.key, now, key.body_digest, rows.encode_outcomes(answer.outcomes))
            for request, answer in zip(fresh, answers, strict=True)
            if (key := request.idempotency) and any(isinstance(outcome, Accepted) for outcome in answer.outcomes)
        ]
        if kept:
            await transaction.copy_idempotent_answers(kept)

    async def _took_place(self, plan: Plan, written: _Written) -> bool:
        """Ask the server, once it is back, whether the commit whose answer was lost took place."""
        while True:
            await self._reconnect()
            assert self._session is not None
            accepted, edrs = written.decision.accepted, written.decision.edrs
            first_message = rows.message_row(accepted[0]) if accepted else None
            try:
                committed = await tick_took_place(
                    self._session, first_message, plan.sent[0] if plan.sent else None, edrs[0] if edrs else None,
                    plan.incoming[0] if plan.incoming else None,
                )  # fmt: skip
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
        self._chained = False
        if self._session is not None:
            self._session.terminate()
            self._session = None

    async def _rollback(self) -> None:
        self._chained = False
        try:
            assert self._session is not None
            await TickTransaction(self._session).rollback()
        except (*_DATABASE_AWAY, asyncpg.PostgresError):
            await self._drop_session()
