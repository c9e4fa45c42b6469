"""One gateway's decisions without its database: lanes, receipts, ticks and recovery are the product's own, and what would be
written goes to `Kept`. What stands here is what `Traffic` and `Writer` do between two awaits.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.simulation.kept import Batch as BatchRow
from tests.simulation.kept import Kept
from tests.simulation.vendor import Centre, Link
from tests.simulation.virtual_time import VirtualTime

from relais.contracts.vendors import IncomingMessage, VendorReceipt
from relais.core.clock import Clock
from relais.core.lifecycle import State
from relais.pipeline import moves, settle
from relais.pipeline.accept import Admission
from relais.pipeline.configuration import ApiKey, Snapshot
from relais.pipeline.decide import Request, batch_of, decide, remember
from relais.pipeline.ids import MessageIds
from relais.pipeline.lane import Lane
from relais.pipeline.message import Batch, Message
from relais.pipeline.receipts import Receipts
from relais.pipeline.recovery import Recovered, restored
from relais.pipeline.resume import resume
from relais.pipeline.settle import Plan
from relais.pipeline.submission import Accepted, Answer, Refused, Submission, Told
from relais.pipeline.traffic import RECEIPTS_WITHIN_S


class Gateway:
    """`lanes` are of the connections that this gateway owns; a gateway that was killed does nothing any more. `elsewhere`: the
    connections that others told to be bound."""

    def __init__(
        self,
        loop: VirtualTime,
        kept: Kept,
        centre: Centre,
        snapshot: Snapshot,
        key: ApiKey,
        clock: Clock,
        fault: Callable[[], str],
        elsewhere: Callable[["Gateway"], set[int]],
    ) -> None:
        self.instance = UUID(int=centre.chance.getrandbits(128))
        self.kept, self.centre, self.snapshot, self.key, self.clock = kept, centre, snapshot, key, clock
        self.admission = Admission(snapshot, MessageIds(), down=self._down)
        self.lanes: dict[int, Lane] = {}
        self.killed = False
        self.moved_count = 0
        self._elsewhere = elsewhere
        self.doubtful: Counter[tuple[UUID, int]] = Counter()
        self.answered: list[UUID] = []
        self.lacking = 0
        self._fault = fault  # what befalls the next commit
        self._loop = loop
        self._receipts = Receipts(self._matched)
        self._requests: list[Request] = []
        self._sent: list[settle.Sent] = []
        self._ended: list[settle.Ended] = []
        self._reports: list[settle.Reported] = []
        self._awaiting: list[tuple[int, datetime]] = []
        self._sent_batches: deque[tuple[float, Batch]] = deque()
        self._due = False
        self._ticking: asyncio.Task[None] | None = None

    @property
    def bound(self) -> set[int]:
        """What it tells of itself."""
        return {each for each, lane in self.lanes.items() if lane.ready}

    def submit(self, submissions: list[Submission]) -> None:
        outcomes = [self.admission.admit(self.key, each, self.clock()) for each in submissions]
        messages = [outcome for outcome in outcomes if isinstance(outcome, Message)]
        self._requests.append(Request(self.key.id, outcomes, messages, None, self._told))
        self._wake()

    def own(self, connection_id: int) -> None:
        """The connection is this gateway's from now on."""
        lane = self.lanes[connection_id] = Lane(self.snapshot.connections[connection_id], self.centre, self, self.clock)
        for row_id, (of_id, receipts) in self.kept.parked.items():
            if of_id == connection_id:
                self._receipts.parked(lane, receipts, row_id)
        lane.start()

    def kill(self) -> None:
        """As by kill -9: what it knew and did not write is gone. `doubtful` are the parts of which nobody will know whether the
        vendor has them: those handed over and not answered, and those whose answer was not written; be it because another part
        had ended the message, and that was not written either."""
        self.killed = True
        if self._ticking is not None:
            self._ticking.cancel()
        for lane in self.lanes.values():
            link = _link(lane)
            self.doubtful.update(link.taken - self.kept.sent.keys())
            self.doubtful.update((part.message_id, part.part) for part in link.open)
            for part, count in link.in_doubt.items():
                # Sent again on purpose, or because the end of the message was not written.
                if lane.configuration.resends or self.kept.messages[part[0]]["status"] < State.DELIVERED:
                    self.doubtful[part] += count
            lane.ready = False
            if lane._task is not None:
                lane._task.cancel()
            link.cut()

    def raise_what_broke(self) -> None:
        if self._ticking is not None and self._ticking.done() and not self._ticking.cancelled():
            self._ticking.result()

    # What the lane tells (`lane.LaneEvents`).

    def part_sent(self, message: Message, part: int, vendor_message_id: str, at: datetime) -> None:
        self._sent.append((message, part, vendor_message_id, at))
        self._receipts.part_sent(message, part, vendor_message_id)
        self._wake()

    def message_failed(self, message: Message, error: str, at: datetime) -> None:
        self._ended.append((message, State.FAILED, error, at))
        self._wake()

    def message_expired(self, message: Message, at: datetime) -> None:
        self._ended.append((message, State.EXPIRED, None, at))
        self._wake()

    def sender_replaced(self, message: Message, error: str, at: datetime) -> None:
        raise AssertionError("the vendors here take every sender")

    def receipt_arrived(self, lane: Lane, receipt: VendorReceipt) -> None:
        self._receipts.arrived(lane, receipt)
        self._wake()

    def incoming_arrived(self, lane: Lane, message: IncomingMessage) -> None:
        raise AssertionError("nobody writes to us")

    def _matched(self, report: settle.Reported) -> None:
        self._reports.append(report)
        self._wake()

    # Ticks.

    def _wake(self) -> None:
        self._due = True
        if self._ticking is None and not self.killed:
            self._ticking = self._loop.create_task(self._tick())

    async def _tick(self) -> None:
        """Until nothing is due: decide, write, answer, and bring back what is due. Each takes its time, in which all else goes
        on, and may be the last that is done."""
        while self._due:
            await self._moment()
            self._due = False
            plan, requests = self._plan(), self._requests
            self._requests = []
            if requests or not plan.empty:
                await self._moment()
                while (fault := self._fault()) == "rolled back":
                    self._decide(plan, requests)  # in vain: to be decided anew
                if fault == "killed":
                    self.kill()
                    return
                decision = self._decide(plan, requests)
                batch_ids = self.kept.commit(plan, decision)
                await self._moment()
                remember(plan, decision)
                self.lacking += len(decision.lacking)
                for batch_id, (row, messages) in zip(batch_ids, decision.queued, strict=True):
                    if row.owner is not None:
                        self._send(batch_of(batch_id, messages), messages)
                for request, answer in zip(requests, decision.answers, strict=True):
                    request.tell(answer)
                await self._moment()
            for lane, receipt in plan.stored_receipts:
                lane.acknowledge([receipt])
            await self._recover()
        self._ticking = None

    def _moment(self) -> "asyncio.Future[None]":
        return self._loop.pause(self.centre.chance.random() * 0.02)

    def _plan(self) -> Plan:
        plan = Plan(self.snapshot)
        sent, self._sent = self._sent, []
        ended, self._ended = self._ended, []
        reports, self._reports = self._reports, []
        settle.told(plan, sent, ended, reports, self.clock(), self.admission.reported_terms)
        plan.awaiting, self._awaiting = self._awaiting, []
        plan.unparked_rows = self._receipts.take_finished_rows()
        self._sent_batches.extend((self._loop.time(), batch) for batch in plan.sent_batches)
        return plan

    def _decide(self, plan: Plan, requests: list[Request]) -> Any:
        return decide(self.kept.state(), plan, requests, self.snapshot, self._owner_of, self.clock())

    def _owner_of(self, connection_id: int) -> UUID | None:
        return self.instance if connection_id in self.lanes else None

    def _down(self, connection_id: int) -> bool:
        return connection_id in self.lanes and self.lanes[connection_id].down

    def _send(self, batch: Batch, messages: list[Message]) -> None:
        for message in messages:
            self._receipts.know(message)
            self.lanes[batch.connection_id].enqueue(message)

    def _told(self, told: Told) -> None:
        assert isinstance(told, Answer)
        self.answered += [outcome.message_id for outcome in told.outcomes if isinstance(outcome, Accepted)]
        assert all(isinstance(outcome, Accepted | Refused) for outcome in told.outcomes)

    def keep_house(self) -> None:
        """Every half second."""
        if not self.lanes or self.killed:
            return
        for lane in self.lanes.values():
            if not lane.ready:
                lane.expire_waiting(self.clock())
        while self._sent_batches and self._sent_batches[0][0] <= self._loop.time() - RECEIPTS_WITHIN_S:
            batch = self._sent_batches.popleft()[1]
            if batch.open_count:
                self._awaiting.append((batch.id, batch.waiting_ends_at))
        if self._awaiting or any(map(moves.due, self.lanes.values())) or self.kept.has_due(self.instance, self.clock()):
            self._wake()

    async def _recover(self) -> None:
        """Receipts that memory does not know, what is to leave by another connection, and batches whose time has come."""
        for each, receipts in self._receipts.take_unknown().items():
            parts = self.kept.parts_by_vendor_id(
                each.connection_id, {receipt.vendor_message_id for receipt in receipts}
            )
            open_rows = self.kept.open_rows(dict.fromkeys(part[0] for part in parts.values()))
            await self._moment()
            left = self._receipts.found(each, receipts, parts, restored(open_rows, self.admission))
            if left:
                row_id = self.kept.park(each.connection_id, left)
                await self._moment()
                self._receipts.parked(each, left, row_id)
                each.acknowledge(left)
        await self._move()
        for batch_id, row in self.kept.claim(self.instance, self.lanes, self.clock()):
            open_rows = self.kept.open_rows(row.message_ids)
            await self._moment()
            lane = self.lanes[row.connection_id]
            self._take_up(batch_id, row, lane, restored(open_rows, self.admission), self.clock())
        for lane in self.lanes.values():
            lane.pump()

    async def _move(self) -> None:
        """The answer of the statement may be lost, whether it was carried out or not; or be the last thing that is waited for."""
        bound = self.bound | (self._elsewhere(self) - set(self.lanes))
        await self._moment()
        for lane in [lane for lane in self.lanes.values() if moves.due(lane)]:
            for move in moves.taken_out(lane, self.snapshot, bound):
                await self._moment()
                ids = [message.id for message in move.messages]
                if self._fault() != "rolled back":
                    self.kept.move(move.batch_ids, ids, move.to_id, self.clock())
                    self.moved_count += len(ids)
                await self._moment()
                if self._fault() == "killed":
                    self.kill()
                    await self._moment()  # which does not come
                if not self.kept.is_in(ids[0], move.batch_ids):
                    over, sent = moves.moved(move)
                    self._sent_batches.extend((self._loop.time(), batch) for batch in sent)
                    for batch in over:
                        await self._moment()
                        del self.kept.outbox[batch.id]
                else:
                    for message in move.messages:
                        lane.enqueue(message)

    def _take_up(self, batch_id: int, row: BatchRow, lane: Lane, recovered: list[Recovered], now: datetime) -> None:
        batch, ended = resume(batch_id, lane, self._receipts, recovered, lambda message_id: False, now)
        if batch is None:
            del self.kept.outbox[batch_id]
            return
        self._ended += ended
        if not batch.unsent_count and batch.waiting_ends_at > now + timedelta(seconds=1):
            row.owner, row.due_at = None, batch.waiting_ends_at
        self._wake()


def _link(lane: Lane) -> Link:
    assert isinstance(lane._connection, Link)
    return lane._connection
