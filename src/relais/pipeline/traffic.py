"""Traffic of one gateway process: joins accepting, writing, sending and settling, and is what the edges talk to.

Everything here runs on one event loop. What vendors say is collected as it comes and planned when a tick begins, so that
each tick sees messages at rest.
"""

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

import asyncpg
import structlog

from relais.contracts.registry import vendors
from relais.contracts.vendors import IncomingMessage, Vendor, VendorReceipt
from relais.core.lifecycle import State
from relais.core.refusals import Refusal
from relais.pipeline import incoming, rows, settle, views
from relais.pipeline.accept import Admission, Admitted, refused
from relais.pipeline.beats import Beats
from relais.pipeline.channels import CHANNELS
from relais.pipeline.configuration import ApiKey, Snapshot
from relais.pipeline.decide import Request
from relais.pipeline.deliveries import Deliveries
from relais.pipeline.following import Configuration
from relais.pipeline.ids import MessageIds
from relais.pipeline.incoming_parts import IncomingParts
from relais.pipeline.lane import Lane
from relais.pipeline.message import Batch, Message
from relais.pipeline.metrics import (
    CONNECTION_READY,
    CONNECTION_WAITING,
    MESSAGES_FINISHED,
    MESSAGES_REFUSED,
    PARTS_SENT,
    RECEIPTS,
    count_accepted,
)
from relais.pipeline.moves import Moves
from relais.pipeline.origin import ForClient
from relais.pipeline.outbox import MESSAGES_MAX, Outbox
from relais.pipeline.ownership import Ownership
from relais.pipeline.ported import Ported
from relais.pipeline.receipts import Receipts, Report
from relais.pipeline.sandbox import Sandbox, judged
from relais.pipeline.settle import Plan
from relais.pipeline.stop_lists import StopLists
from relais.pipeline.submission import (
    Answer,
    BalanceView,
    Idempotency,
    MessagesAsked,
    MessageView,
    PreviewView,
    Refused,
    Submission,
    Tell,
    Told,
)
from relais.pipeline.two_way import TwoWay
from relais.pipeline.waiting_parts import WaitingParts
from relais.pipeline.withdrawals import Replacement, Withdrawals
from relais.pipeline.word_answers import WordAnswers
from relais.pipeline.writer import TICK_FULL, Ports, Writer
from relais.store.binary import Row
from relais.store.blocks import blocks
from relais.store.sessions import CONNECTION_LOST, SESSION_ENDED, open_pool
from relais.transport.http import is_public

HOUSEKEEPING_S = 0.5
RECEIPTS_WITHIN_S = 5.0  # of most messages
BURST_MAX = 20_000  # messages of a burst wait for a connection before its sending is as urgent as what comes in

_SQL = blocks("messages")
_DATABASE_AWAY = (*CONNECTION_LOST, *SESSION_ENDED, TimeoutError)
log = structlog.get_logger()


class Traffic:
    """The pipeline behind the edges (`api.ports.Pipeline`) and behind the lanes (`lane.LaneEvents`).

    Without `sends` it only accepts, and leaves messages to the gateways that own the connections. `adapters`: vendors by
    kind, the registered ones by default. `messages_max` of a connection wait in memory, the others in the outbox.
    """

    def __init__(
        self,
        dsn: str,
        configuration: Configuration,
        *,
        tick_s: float,
        callbacks_allow_private: bool = False,
        sends: bool = True,
        adapters: Mapping[str, Vendor] | None = None,
        messages_max: int = MESSAGES_MAX,
    ) -> None:
        self.dsn = dsn
        self._instance = uuid4()
        self._configuration = configuration
        self._callbacks_allow_private = callbacks_allow_private
        self._sends = sends
        self._adapters = vendors() if adapters is None else adapters
        self._ids = MessageIds()
        self._ownership = Ownership(dsn)
        self._lanes: dict[int, Lane] = {}
        self._accepted_count = 0  # in this tick
        self._sent: list[settle.Sent] = []
        self._ended: list[settle.Ended] = []
        self._reports: list[Report] = []
        self._incoming: list[tuple[Lane, IncomingMessage]] = []
        self._incoming_parts = IncomingParts()
        self._fallbacks: list[Row] = []
        self._sent_batches: deque[tuple[float, Batch]] = deque()  # since when nothing is left to send
        self._awaiting: list[tuple[int, datetime]] = []
        self._receipts = Receipts(self._matched)
        self._withdrawals = Withdrawals(self._lanes, self._receipts, self._canceled)
        self._outbox = Outbox(
            self._instance, self._lanes, self._receipts, self._withdrawals.canceling,
            lambda ended: self._ended.extend(ended), messages_max,
        )  # fmt: skip
        self._moves = Moves(self._instance, self._lanes, self._sent_batches)
        self._sandbox = Sandbox(self._open_pool)
        self._stops = StopLists()
        self._ported = Ported((lambda address: True) if callbacks_allow_private else is_public, lambda: self._admission)
        self._answers = WordAnswers(lambda: self.snapshot, self.submit_one)
        self.two_way = TwoWay(self._open_pool, lambda: self.snapshot)
        ports = Ports(
            snapshot=lambda: self._admission.snapshot,
            plan=self._plan,
            owns=self._outbox.takes_over,
            send=self._send,
            committed=self._committed,
            recover=self._recover,
        )
        self._writer = Writer(dsn, self._instance, ports, tick_s=tick_s)
        self.deliveries = Deliveries(self._writer.number)
        self._pool: asyncpg.Pool | None = None
        self._housekeeping: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._admission: Admission

    async def open(self) -> None:
        """Start; raises what the database raises."""
        self._configuration.follow(self._configured)
        self._pool = await open_pool(self.dsn)
        async with self._pool.acquire() as session:
            await self._stops.load(session)
        self.waiting_parts = WaitingParts(self._pool, self._writer.number)
        await self._writer.open()
        await self._keep_house()
        self._housekeeping = asyncio.create_task(self._housekeep(), name="housekeeping")
        beats = Beats(
            self._instance, self._lanes.values, self._writer.shortages, *self.deliveries.counted, self._ported.told
        )
        self._beating = asyncio.create_task(beats.run(self._pool), name="beats")

    async def failed(self) -> None:
        """Returns, or raises its fault, when a part of the pipeline that must run has ended."""
        assert self._housekeeping is not None and self._writer.task is not None
        done, _ = await asyncio.wait({self._housekeeping, self._writer.task}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def close(self) -> None:
        """Stop sending, write what is due, and let go of everything."""
        for task in (self._housekeeping, self._beating):
            if task:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await asyncio.gather(*(lane.stop() for lane in self._lanes.values()))
        self._ported.close()
        await self._writer.close()
        await self._ownership.close()
        if self._pool:
            with contextlib.suppress(*_DATABASE_AWAY, asyncpg.PostgresError):  # without, they are free once we are gone
                async with self._pool.acquire(timeout=1) as session:
                    await self.deliveries.release(session)
            self._pool.terminate()

    # What the edges ask.

    @property
    def ready(self) -> bool:
        """Whether messages can be accepted now."""
        return self._writer.database_ready

    @property
    def snapshot(self) -> Snapshot:
        """The configuration in use."""
        return self._admission.snapshot

    def api_key(self, key_sha256: bytes) -> ApiKey | None:
        return self._admission.snapshot.api_keys.get(key_sha256)

    def submit_one(
        self, key: ApiKey, submission: Submission, idempotency: Idempotency | None, tell: Tell
    ) -> Refused | None:
        """One message: a refusal at once, or its outcome told after the commit. With an idempotency key what was answered
        earlier goes before a refusal."""
        outcome = self._admission.admit(key, submission, datetime.now(UTC))
        if key.sandbox:
            self._sandbox.submit_one(key, self.snapshot, judged(outcome), idempotency, tell)
            return None
        if self._admission.snapshot.portability.companies:
            hand_in = partial(self._hand_in, key, idempotency, tell)
            return self._ported.hand_in(key, submission, outcome, hand_in, tell)
        return self._hand_in(key, idempotency, tell, outcome)

    def _hand_in(self, key: ApiKey, idempotency: Idempotency | None, tell: Tell, outcome: Admitted) -> Refused | None:
        messages: list[Message] = []
        if isinstance(outcome, Message):
            messages.append(outcome)
        else:
            MESSAGES_REFUSED.labels(outcome.refusal.value).inc()
            if idempotency is None:
                return outcome
        if not self._writer.submit(Request(key.id, [outcome], messages, idempotency, tell)):
            return refused(Refusal.OVERLOADED)
        return None

    async def submit(
        self, key: ApiKey, submissions: list[Submission], idempotency: Idempotency | None
    ) -> Answer | Refused:
        """Messages that are written together; refused as a whole only when overloaded or for a reused key."""
        now = datetime.now(UTC)
        outcomes = [self._admission.admit(key, submission, now) for submission in submissions]
        if key.sandbox:
            return await self._sandbox.submit(key, self.snapshot, list(map(judged, outcomes)), idempotency)
        if self._admission.snapshot.portability.companies:
            outcomes = await self._ported.admit_all(key, submissions, outcomes)
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                MESSAGES_REFUSED.labels(outcome.refusal.value).inc()
        messages = [outcome for outcome in outcomes if isinstance(outcome, Message)]
        if not messages and idempotency is None:
            return Answer([outcome for outcome in outcomes if isinstance(outcome, Refused)])
        ended: asyncio.Future[Told] = asyncio.get_running_loop().create_future()

        def tell(told: Told) -> None:
            if not ended.done():  # nobody may wait any more
                ended.set_result(told)

        if not self._writer.submit(Request(key.id, outcomes, messages, idempotency, tell)):
            return refused(Refusal.OVERLOADED)
        told = await ended
        if isinstance(told, Exception):
            raise told
        return told

    async def message(self, key: ApiKey, message_id: UUID) -> MessageView | None:
        if key.sandbox:
            return await self._sandbox.message(key, message_id)
        return await views.message(self._open_pool(), self._admission.snapshot, key.company_id, message_id)

    async def messages(self, key: ApiKey, asked: MessagesAsked) -> list[MessageView]:
        if key.sandbox:
            return await self._sandbox.messages(key, asked)
        return await views.messages(self._open_pool(), self._admission.snapshot, key.company_id, asked)

    def preview(self, key: ApiKey, submission: Submission) -> PreviewView | Refused:
        """What the message would cost now, or why it would be refused but for the balance; nothing is written."""
        by_range = self._admission.admit(key, submission, datetime.now(UTC))
        outcome = self._ported.from_memory(key, submission, by_range)
        if isinstance(outcome, Refused):
            return outcome
        return rows.preview(outcome, self._admission.snapshot) or refused(Refusal.RATE_NOT_FOUND)

    async def balances(self, key: ApiKey) -> list[BalanceView]:
        return await views.balances(self._open_pool(), self._admission.snapshot, key.company_id, datetime.now(UTC))

    def refusal_of(self, key: ApiKey, submission: Submission) -> Refused | None:
        """Why it would be refused now, as far as can be said without the balance; nothing is written."""
        outcome = self._admission.admit(key, submission, datetime.now(UTC))
        return outcome if isinstance(outcome, Refused) else None

    def new_message_id(self) -> UUID:
        """An id that no message has, for one to come."""
        return self._ids.take(time.time())

    async def cancel(self, key: ApiKey, message_id: UUID) -> bool:
        """Whether the message of the key's company was withdrawn before anything of it was sent, and its reservation released."""
        if key.sandbox:
            return await self._sandbox.cancel(key, message_id)
        if await self._withdraw(key, message_id, None):
            return True
        connection_id = await self._open_pool().fetchval(_SQL["open_connection"], message_id, key.company_id)
        if connection_id is None:
            return False
        if connection_id in self._lanes:  # it may have become ours since
            return await self._withdraw(key, message_id, None)
        return await self._withdrawals.ask_elsewhere(self._open_pool(), key.company_id, message_id)

    async def replace(self, key: ApiKey, message_id: UUID, replacement: Replacement) -> bool:
        """Whether the waiting message is now as `replacement` says."""
        return await self._withdraw(key, message_id, replacement)

    async def _withdraw(self, key: ApiKey, message_id: UUID, replacement: Replacement | None) -> bool:
        ended = self._withdrawals.ask(key.company_id, message_id, replacement)
        self._writer.recover_soon()
        return await ended

    def tell_client(self, connection_id: int, receipts: list[ForClient]) -> None:
        """Have these told over SMPP, beside those of messages."""
        self.deliveries.tell(connection_id, receipts)
        self._writer.wake()

    def _open_pool(self) -> asyncpg.Pool:
        assert self._pool is not None
        return self._pool

    # What the lanes tell.

    def part_sent(self, message: Message, part: int, vendor_message_id: str, at: datetime) -> None:
        self._sent.append((message, part, vendor_message_id, at))
        self._receipts.part_sent(message, part, vendor_message_id)
        self._writer.wake()

    def message_failed(self, message: Message, error: str, at: datetime) -> None:
        self._ended.append((message, State.FAILED, error, at))
        self._writer.wake()

    def _canceled(self, message: Message, at: datetime) -> None:
        self._ended.append((message, State.CANCELED, None, at))
        self._writer.wake()

    def message_expired(self, message: Message, at: datetime) -> None:
        self._ended.append((message, State.EXPIRED, None, at))
        self._writer.wake()

    def sender_replaced(self, message: Message, error: str, at: datetime) -> None:
        self._fallbacks.append((message.id, at, message.source, error))
        self._writer.wake()

    def receipt_arrived(self, lane: Lane, receipt: VendorReceipt) -> None:
        self._receipts.arrived(lane, receipt)
        if self._receipts.unknown:
            self._writer.recover_soon()

    def incoming_arrived(self, lane: Lane, message: IncomingMessage) -> None:
        self._incoming.append((lane, message))
        self._writer.wake()

    def _matched(self, report: Report) -> None:
        self._reports.append(report)
        self._writer.wake()

    # What the writer asks.

    def _plan(self) -> Plan:
        snapshot = self._admission.snapshot
        plan = Plan(snapshot)
        sent, self._sent = self._sent, []
        ended, self._ended = self._ended, []
        reports, self._reports = self._reports, []
        now = datetime.now(UTC)
        settle.told(plan, sent, ended, reports, now, self._admission.reported_terms)
        if self._incoming or self._incoming_parts.due(now):
            plan.stored_incoming, self._incoming = self._incoming, []
            incoming.take(plan, self._numbers, self._incoming_parts, self.new_message_id, now)
        plan.fallbacks, self._fallbacks = self._fallbacks, []
        plan.awaiting, self._awaiting = self._awaiting, []
        plan.unparked_rows = self._receipts.take_finished_rows()
        self.deliveries.plan(plan)
        sent_at_s = time.monotonic()
        self._sent_batches.extend((sent_at_s, batch) for batch in plan.sent_batches)
        return plan

    def _committed(self, plan: Plan) -> None:
        by_lane: dict[Lane, list[VendorReceipt]] = {}
        for lane, receipt in plan.stored_receipts:
            by_lane.setdefault(lane, []).append(receipt)
        for lane, receipts in by_lane.items():
            lane.acknowledge(receipts)
        for lane, message in plan.stored_incoming:
            lane.acknowledge([message])
        self.deliveries.committed(plan)
        self._withdrawals.committed(plan)
        self._stops.apply(plan.stop_changes)
        self._answers.hand_in(plan.answers)
        if plan.sent:
            PARTS_SENT.labels("all").inc(len(plan.sent))
        if plan.stored_receipts:
            RECEIPTS.labels("matched").inc(len(plan.stored_receipts))
        for (state, _, _), message_ids in plan.finished.items():
            MESSAGES_FINISHED.labels(State(state).label).inc(len(message_ids))
        accepted_count, self._accepted_count = self._accepted_count, 0
        for lane in self._lanes.values():
            burst = self._writer.pressed and lane.waiting_count < BURST_MAX
            lane.allow(max(TICK_FULL, accepted_count // 2) if burst else math.inf)
            lane.pump()

    def _down(self, connection_id: int) -> bool:
        """As far as this gateway knows: of connections that others drive it knows nothing."""
        lane = self._lanes.get(connection_id)
        return lane is not None and lane.down

    def _send(self, batch: Batch, messages: list[Message]) -> None:
        count_accepted(CHANNELS[message.channel] for message in messages)
        lane = self._lanes[batch.connection_id]
        lane.counts.accepted += len(messages)
        self._accepted_count += len(messages)
        for message in messages:
            self._receipts.know(message)
            lane.enqueue(message)

    # What time and configuration bring.

    def _configured(self, snapshot: Snapshot) -> None:
        self._admission = Admission(
            snapshot, self._ids, callbacks_allow_private=self._callbacks_allow_private, down=self._down,
            stopped=self._stops.hold,
        )  # fmt: skip
        self._numbers = incoming.Numbers(snapshot)
        for connection_id, lane in list(self._lanes.items()):
            current = snapshot.connections.get(connection_id)
            if current is not None and current != lane.configuration and not lane.follow(current):
                asyncio.get_running_loop().create_task(self._replace_lane(lane))

    async def _replace_lane(self, former: Lane) -> None:
        """Change over to new settings; what waits moves along."""
        await former.stop()
        current = self._admission.snapshot.connections.get(former.connection_id)
        if current is not None and self._lanes.get(former.connection_id) is former:
            lane = self._lanes[former.connection_id] = Lane(current, self._adapters[current.kind], self)
            lane.adopt(former)
            lane.start()

    async def _housekeep(self) -> None:
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            try:
                await self._keep_house()
            except (*_DATABASE_AWAY, asyncpg.PostgresError) as error:
                log.warning("housekeeping.postponed", error=str(error) or type(error).__name__)

    async def _keep_house(self) -> None:
        certain = self._ownership.certain
        for lane in self._lanes.values():
            lane.held = not certain
        await self._ownership.renew()
        assert self._pool is not None
        connections = self._admission.snapshot.connections
        wanted = set(connections) if self._sends else set()
        for connection_id in sorted(await self._ownership.take(wanted)):
            lane = self._lanes[connection_id] = Lane(
                connections[connection_id], self._adapters[connections[connection_id].kind], self
            )
            async with self._pool.acquire() as session:
                await self._receipts.restore(session, lane)
                await self._incoming_parts.restore(session, connection_id)
            lane.start()
        for connection_id in self._ownership.owned - set(connections):
            await self._lanes.pop(connection_id).stop()
            self._incoming_parts.forget(connection_id)
            await self._ownership.give_up(connection_id)
        now = datetime.now(UTC)
        if self._incoming_parts.due(now):
            self._writer.wake()
        for lane in self._lanes.values():
            lane.held = False
            if not lane.ready:
                lane.expire_waiting(now)
            lane.pump()
            CONNECTION_READY.labels(lane.configuration.name).set(lane.ready)
            CONNECTION_WAITING.labels(lane.configuration.name).set(lane.waiting_count)
        async with self._pool.acquire() as session:
            await self._stops.refresh(session)
            await self._answers.keep_house(session, now)
            await self.deliveries.keep_house(session)
        if self._lanes:
            await self._withdrawals.take_asked(self._pool)
        self._receipts.give_up()
        self._await_slow_receipts()
        self._writer.recover_soon()

    async def _recover(self, session: asyncpg.Connection) -> None:
        """Between two ticks: messages of receipts that memory does not know, and batches whose time has come."""
        if self._receipts.unknown:
            await self._receipts.resolve_unknown(session, self._admission)
        if self._withdrawals.due:
            await self._withdrawals.handle(session, self._admission)
        if self._ownership.certain:
            more = await self._moves.handle(session, self.snapshot, datetime.now(UTC))
            if await self._outbox.claim_due(session, self._admission, datetime.now(UTC)) or more:
                self._writer.recover_soon()

    def _await_slow_receipts(self) -> None:
        """Most batches are final within seconds; of the others the outbox is told when waiting for receipts ends."""
        latest_s = time.monotonic() - RECEIPTS_WITHIN_S
        while self._sent_batches and self._sent_batches[0][0] <= latest_s:
            _, batch = self._sent_batches.popleft()
            if batch.open_count:
                self._awaiting.append((batch.id, batch.waiting_ends_at))
                self._writer.wake()
