"""Which message a delivery receipt is about.

Parts sent lately are found in memory, older ones in the database. A receipt can overtake its response: one that matches
nothing is stored, answered, and tried again with every part sent, for some minutes; then it is given up.
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from weakref import ref

import asyncpg
import msgspec
import structlog

from relais.contracts.vendors import Pricing, VendorReceipt
from relais.core.lifecycle import State
from relais.pipeline.accept import Admission
from relais.pipeline.lane import Lane
from relais.pipeline.message import Message
from relais.pipeline.metrics import RECEIPTS
from relais.pipeline.recovery import Recovered, open_messages
from relais.store.blocks import blocks

KNOWN_PARTS_MAX = 50_000  # kept in memory; receipts of older ones cost a query
KNOWN_MESSAGES_MIN = 10_000  # from as many on, those that are gone are forgotten whenever their number has doubled
GIVEN_UP_AFTER_S = 300.0

_SQL = blocks("messages")
_TICK_SQL = blocks("tick")
log = structlog.get_logger()

PartKey = tuple[int, str]  # connection id, vendor's message id
Report = tuple[Message, int, VendorReceipt, Lane]


class _Parked:
    """A stored receipt that waits for its part under each spelling of its id; `row` counts what is left of its row in the
    database."""

    __slots__ = ("keys", "lane", "parked_s", "receipt", "row")

    def __init__(self, lane: Lane, receipt: VendorReceipt, row: list[int]) -> None:
        self.lane = lane
        self.receipt = receipt
        self.row = row  # [row id, receipts left]
        self.parked_s = time.monotonic()
        spellings = dict.fromkeys(lane.spellings(receipt.vendor_message_id))
        self.keys = [(lane.connection_id, spelling) for spelling in spellings]


class Receipts:
    """Matches receipts with parts. `matched` is called for each one found."""

    def __init__(self, matched: Callable[[Report], None]) -> None:
        self._matched = matched
        self._parts: dict[PartKey, tuple[Message, int]] = {}
        self._unknown: list[tuple[Lane, VendorReceipt]] = []
        self._parked: dict[
            PartKey, list[_Parked]
        ] = {}  # an id may have several: a vendor reports steps, or repeats itself
        self._finished_rows: list[int] = []
        self._messages: dict[UUID, ref[Message]] = {}  # every one that is in memory, and some that were
        self._messages_full = KNOWN_MESSAGES_MIN

    def part_sent(self, message: Message, part: int, vendor_message_id: str) -> None:
        """Remember under which id the vendor took this part."""
        if not vendor_message_id:
            return
        key = (message.connection_id, vendor_message_id)
        self._parts[key] = (message, part)
        if len(self._parts) > KNOWN_PARTS_MAX:
            del self._parts[next(iter(self._parts))]
        if self._parked:
            for spelling in (vendor_message_id, vendor_message_id.casefold()):
                for parked in list(self._parked.get((message.connection_id, spelling), ())):
                    self._unpark(parked)
                    RECEIPTS.labels("matched_late").inc()
                    self._matched((message, part, parked.receipt, parked.lane))

    def know(self, message: Message) -> None:
        """A message that was accepted here: should it be met in the database, this object of it is the one."""
        self._messages[message.id] = ref(message)
        if len(self._messages) > self._messages_full:
            self._messages = {message_id: each for message_id, each in self._messages.items() if each() is not None}
            self._messages_full = max(KNOWN_MESSAGES_MIN, 2 * len(self._messages))

    def known(self, message_id: UUID) -> Message | None:
        """The object of a message that is in memory."""
        found = self._messages.get(message_id)
        return None if found is None else found()

    def remember(self, recovered: Recovered) -> Message:
        """Know the parts of a message that was brought back; an object of it that is in memory already is used on."""
        message = self.known(recovered.message.id)
        if message is None:
            message = recovered.message
            self.know(message)
        for part, vendor_message_id in recovered.vendor_ids.items():
            self.part_sent(message, part, vendor_message_id)
        return message

    def arrived(self, lane: Lane, receipt: VendorReceipt) -> None:
        """Match a receipt at once, or leave it to `resolve_unknown`."""
        key = (lane.connection_id, receipt.vendor_message_id)
        if not lane.exact_ids_first or key not in self._parts:
            others = ((lane.connection_id, spelling) for spelling in lane.spellings(receipt.vendor_message_id))
            key = next((other for other in others if other in self._parts), key)
        found = self._parts.get(key)
        if found is None:
            self._unknown.append((lane, receipt))
            return
        if receipt.state is not None:
            del self._parts[key]
        self._matched((*found, receipt, lane))

    @property
    def unknown(self) -> bool:
        return bool(self._unknown)

    async def resolve_unknown(self, session: asyncpg.Connection, admission: Admission) -> None:
        """Look the unknown ones up in the database; store and answer those that match nothing yet."""
        for lane, receipts in self.take_unknown().items():
            try:
                await self._resolve_lane(session, admission, lane, receipts)
            except BaseException:
                self._unknown.extend((lane, receipt) for receipt in receipts)
                raise

    def take_unknown(self) -> dict[Lane, list[VendorReceipt]]:
        """Those that memory does not know, by lane; whoever takes them sees to them."""
        unknown, self._unknown = self._unknown, []
        by_lane: dict[Lane, list[VendorReceipt]] = defaultdict(list)
        for lane, receipt in unknown:
            by_lane[lane].append(receipt)
        return by_lane

    def take_finished_rows(self) -> list[int]:
        """Rows of parked receipts of which nothing is left: to be deleted with the tick that writes what they matched."""
        finished, self._finished_rows = self._finished_rows, []
        return finished

    async def _resolve_lane(
        self, session: asyncpg.Connection, admission: Admission, lane: Lane, receipts: list[VendorReceipt]
    ) -> None:
        wanted = sorted({spelling for receipt in receipts for spelling in lane.spellings(receipt.vendor_message_id)})
        rows = await session.fetch(_SQL["messages_by_vendor_id"], lane.connection_id, wanted)
        parts = {row["vendor_id"]: (row["message_id"], row["part"]) for row in rows}
        recovered = await open_messages(session, admission, list({row["message_id"] for row in rows}))
        left = self.found(lane, receipts, parts, recovered)
        if left:
            await self._park(session, lane, left)

    def found(
        self,
        lane: Lane,
        receipts: Sequence[VendorReceipt],
        parts: Mapping[str, tuple[UUID, int]],
        recovered: Sequence[Recovered],
    ) -> list[VendorReceipt]:
        """Match receipts with `parts` of the database (vendor's id → message and part), of which `recovered` are open. Returns
        those that match none: they are to be stored, and then to be `parked`."""
        messages = {each.message.id: self.remember(each) for each in recovered}
        left: list[VendorReceipt] = []
        for receipt in receipts:
            spellings = lane.spellings(receipt.vendor_message_id)
            found = next((parts[spelling] for spelling in spellings if spelling in parts), None)
            if found is None:
                left.append(receipt)
            elif found[0] in messages:
                self._matched((messages[found[0]], found[1], receipt, lane))
            else:
                RECEIPTS.labels("repeated").inc()  # its message is final
                lane.acknowledge([receipt])
        return left

    async def _park(self, session: asyncpg.Connection, lane: Lane, receipts: list[VendorReceipt]) -> None:
        stored = json.dumps([_to_json(receipt) for receipt in receipts])
        row_id = await session.fetchval(
            _TICK_SQL["insert_unmatched_receipts"], lane.connection_id, datetime.now(UTC), stored
        )
        self.parked(lane, receipts, row_id)
        lane.acknowledge(receipts)
        RECEIPTS.labels("parked").inc(len(receipts))

    def parked(self, lane: Lane, receipts: Sequence[VendorReceipt], row_id: int) -> None:
        """These are stored in that row, and wait for their parts; unless a part was answered while they were being stored."""
        row = [row_id, len(receipts)]
        for receipt in receipts:
            parked = _Parked(lane, receipt, row)
            for key in parked.keys:
                self._parked.setdefault(key, []).append(parked)
            found = next((self._parts[key] for key in parked.keys if key in self._parts), None)
            if found is not None:
                self._unpark(parked)
                RECEIPTS.labels("matched_late").inc()
                self._matched((*found, receipt, lane))

    async def restore(self, session: asyncpg.Connection, lane: Lane) -> None:
        """Take up the receipts that an earlier gateway stored for this connection."""
        for row in await session.fetch(_SQL["unmatched_receipts"], [lane.connection_id]):
            receipts = [_from_json(item) for item in json.loads(row["receipts"])]
            self.parked(lane, receipts, row["id"])

    def give_up(self) -> None:
        """Forget parked receipts whose time is over."""
        oldest_s = time.monotonic() - GIVEN_UP_AFTER_S
        old = {id(each): each for waiting in self._parked.values() for each in waiting if each.parked_s < oldest_s}
        for parked in old.values():
            log.warning(
                "receipt.given_up", connection=parked.lane.connection_id, vendor_id=parked.receipt.vendor_message_id
            )
            RECEIPTS.labels("unknown").inc()
            self._unpark(parked)

    def _unpark(self, parked: _Parked) -> None:
        for key in parked.keys:
            waiting = self._parked[key]
            waiting.remove(parked)
            if not waiting:
                del self._parked[key]
        parked.row[1] -= 1
        if parked.row[1] == 0:
            self._finished_rows.append(parked.row[0])


def _to_json(receipt: VendorReceipt) -> dict[str, Any]:
    return {
        "id": receipt.vendor_message_id,
        "state": receipt.state and int(receipt.state),
        "status": receipt.status,
        "error": receipt.error,
        "done_at": receipt.done_at.isoformat() if receipt.done_at else None,
        "pricing": msgspec.to_builtins(receipt.pricing),
    }


def _from_json(item: dict[str, Any]) -> VendorReceipt:
    return VendorReceipt(
        item["id"],
        State(item["state"]) if item["state"] else None,
        item["status"],
        item["error"],
        datetime.fromisoformat(item["done_at"]) if item["done_at"] else None,
        None,
        msgspec.convert(item.get("pricing"), Pricing | None),
    )
