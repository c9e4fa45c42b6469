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
from relais.pipeline import settle
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
    """`lane` stands while this gateway owns the connection; a gateway that was killed does nothing any more."""

    def __init__(
        self,
        loop: VirtualTime,
        kept: Kept,
        centre: Centre,
        snapshot: Snapshot,
        key: ApiKey,
        clock: Clock,
        fault: Callable[[], str],
    ) -> None:
        self.instance = UUID(int=centre.chance.getrandbits(128))
        self.kept, self.centre, self.snapshot, self.key, self.clock = kept, centre, snapshot, key, clock
        self.admission = Admission(snapshot, MessageIds())
        self.lane: Lane | None = None
        self.killed = False
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
        self._unwritten: list[settle.Sent] = []  # in a tick that is not committed

    @property
    def link(self) -> Link:
        assert self.lane is not None and isinstance(self.lane._connection, Link)
        return self.lane._connection

    def submit(self, submissions: list[Submission]) -> None:
        outcomes = [self.admission.admit(self.key, each, self.clock()) for each in submissions]
        messages = [outcome for outcome in outcomes if isinstance(outcome, Message)]
        self._requests.append(Request(self.key.id, outcomes, messages, None, self._told))
        self._wake()

    def own(self, connection_id: int) -> None:
        """The connection is this gateway's from now on."""
        self.lane = Lane(self.snapshot.connections[connection_id], self.centre, self, self.clock)
        for row_id, receipts in self.kept.parked.items():
            self._receipts.parked(self.lane, receipts, row_id)
        self.lane.start()

    def kill(self) -> None:
        """As by kill -9: what it knew and did not write is gone. `doubtful` are the parts of which nobody will know whether the
        vendor has them: those handed over and not answered, and those whose answer was not written, also where it came after
        another part had failed and its message was to end."""
        self.killed = True
        if self._ticking is not None:
            self._ticking.cancel()
        unwritten = [(message.id, part) for message, part, _, _ in self._sent + self._unwritten]
        self.doubtful.update(unwritten)
        if self.lane is not None:
            self.doubtful.update((part.message_id, part.part) for part in self.link.open)
            late = self.link.answered - self.kept.sent.keys() - set(unwritten)
            self.doubtful.update(part for part in late if self.kept.messages[part[0]]["status"] < State.DELIVERED)
            for part, count in self.link.in_doubt.items():
                if self.lane.configuration.resends or self.kept.messages[part[0]]["status"] < State.DELIVERED:
                    self.doubtful[part] += (
                        count  # sent again on purpose, or because the end of the message was not written
                    )
            self.lane.ready = False
            if self.lane._task is not None:
                self.lane._task.cancel()
            self.link.cut()

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
                self._unwritten = []
                await self._moment()
                remember(plan, decision)
                self.lacking += len(decision.lacking)
                for batch_id, (row, messages) in zip(batch_ids, decision.queued, strict=True):
                    if row.owner is not None:
                        self._send(batch_of(batch_id, messages), messages)
                for request, answer in zip(requests, decision.answers, strict=True):
                    request.tell(answer)
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
        self._unwritten = sent
        settle.told(plan, sent, ended, reports, self.clock(), self.admission.reported_terms)
        plan.awaiting, self._awaiting = self._awaiting, []
        plan.unparked_rows = self._receipts.take_finished_rows()
        self._sent_batches.extend((self._loop.time(), batch) for batch in plan.sent_batches)
        return plan

    def _decide(self, plan: Plan, requests: list[Request]) -> Any:
        return decide(self.kept.state(), plan, requests, self.snapshot, self._owner_of, self.clock())

    def _owner_of(self, connection_id: int) -> UUID | None:
        return self.instance if self.lane is not None and self.lane.connection_id == connection_id else None

    def _send(self, batch: Batch, messages: list[Message]) -> None:
        assert self.lane is not None
        for message in messages:
            self._receipts.know(message)
            self.lane.enqueue(message)

    def _told(self, told: Told) -> None:
        assert isinstance(told, Answer)
        self.answered += [outcome.message_id for outcome in told.outcomes if isinstance(outcome, Accepted)]
        assert all(isinstance(outcome, Accepted | Refused) for outcome in told.outcomes)

    def keep_house(self) -> None:
        """Every half second."""
        if self.lane is not None and not self.killed:
            if not self.lane.ready:
                self.lane.expire_waiting(self.clock())
            while self._sent_batches and self._sent_batches[0][0] <= self._loop.time() - RECEIPTS_WITHIN_S:
                batch = self._sent_batches.popleft()[1]
                if batch.open_count:
                    self._awaiting.append((batch.id, batch.waiting_ends_at))
            if self._awaiting or self.kept.has_due(self.instance, self.clock()):
                self._wake()

    async def _recover(self) -> None:
        """Receipts that memory does not know, and batches whose time has come."""
        lane = self.lane
        if lane is None:
            return
        for each, receipts in self._receipts.take_unknown().items():
            parts = self.kept.parts_by_vendor_id({receipt.vendor_message_id for receipt in receipts})
            open_rows = self.kept.open_rows(dict.fromkeys(part[0] for part in parts.values()))
            await self._moment()
            left = self._receipts.found(each, receipts, parts, restored(open_rows, self.admission))
            if left:
                row_id = self.kept.park(left)
                await self._moment()
                self._receipts.parked(each, left, row_id)
                each.acknowledge(left)
        for batch_id, row in self.kept.claim(self.instance, lane.connection_id, self.clock()):
            open_rows = self.kept.open_rows(row.message_ids)
            await self._moment()
            self._take_up(batch_id, row, lane, restored(open_rows, self.admission), self.clock())
        lane.pump()

    def _take_up(self, batch_id: int, row: BatchRow, lane: Lane, recovered: list[Recovered], now: datetime) -> None:
        batch, ended = resume(batch_id, lane, self._receipts, recovered, lambda message_id: False, now)
        if batch is None:
            del self.kept.outbox[batch_id]
            return
        self._ended += ended
        if not batch.unsent_count and batch.waiting_ends_at > now + timedelta(seconds=1):
            row.owner, row.due_at = None, batch.waiting_ends_at
        self._wake()
