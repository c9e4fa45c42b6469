"""What a database keeps of the pipeline's values: whole ticks or nothing of them, and nothing twice under one key.

A model of PostgreSQL's promises, not of our SQL: that stands before a real server in tests/store, tests/pipeline and tests/story.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from relais.contracts.vendors import VendorReceipt
from relais.core.charging.types import Account, CounterKey, Hold, State
from relais.core.lifecycle import State as Status
from relais.pipeline import rows
from relais.pipeline.decide import Decision
from relais.pipeline.message import Message
from relais.pipeline.origin import ForClient
from relais.pipeline.recovery import Rows
from relais.pipeline.settle import Plan
from relais.store.binary import EDR_COLUMNS, MESSAGE_COLUMNS

Part = tuple[UUID, int]


@dataclass
class Batch:
    """A row of the outbox."""

    connection_id: int
    owner: UUID | None
    due_at: datetime
    message_ids: list[UUID]


@dataclass
class Kept:
    """Tables by their keys. `opening`: the balances of the beginning; `limits`: credit limits; both by agreement."""

    opening: Mapping[int, int]
    limits: Mapping[int, int | None]
    rate_nodes: Mapping[int, Mapping[str, Any]]
    reserved: Counter[int] = field(default_factory=Counter)
    ledger: Counter[int] = field(default_factory=Counter)
    balances: dict[int, int] = field(default_factory=dict)
    counters: dict[CounterKey, int] = field(default_factory=dict)
    holds: dict[CounterKey, Hold] = field(default_factory=dict)
    messages: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    sent: dict[Part, str] = field(default_factory=dict)
    sent_by: dict[Part, int] = field(default_factory=dict)  # by which connection
    part_receipts: dict[Part, int] = field(default_factory=dict)
    edrs: dict[tuple[UUID, int, int], dict[str, Any]] = field(default_factory=dict)
    outbox: dict[int, Batch] = field(default_factory=dict)
    parked: dict[int, tuple[int, list[VendorReceipt]]] = field(default_factory=dict)  # with their connections
    told: list[ForClient] = field(default_factory=list)
    last_row_id: int = 0
    commits_count: int = 0

    def __post_init__(self) -> None:
        self.balances = dict(self.opening)

    def state(self) -> State:
        """What a tick locks."""
        accounts = {
            agreement_id: Account(balance_micros, self.reserved[agreement_id], self.limits[agreement_id])
            for agreement_id, balance_micros in self.balances.items()
        }
        return State(accounts, dict(self.counters), dict(self.holds))

    def commit(self, plan: Plan, decision: Decision) -> list[int]:
        """Write one tick; ids of the new batches."""
        self.commits_count += 1
        for message in decision.accepted:
            _insert(self.messages, message.id, _columns(message))
        for message_id, connection_id, _, part, vendor_id in plan.sent:
            _insert(self.sent, (message_id, part), vendor_id)
            self.sent_by[message_id, part] = connection_id
        for message_id, _, part, status, _ in plan.part_receipts:
            _insert(self.part_receipts, (message_id, part), status)
        for edr in decision.edrs:
            columns = dict(zip(EDR_COLUMNS, edr, strict=True))
            _insert(self.edrs, (columns["message_id"], columns["level"], columns["entry"]), columns)
        for (status, at, _), message_ids in plan.finished.items():
            for row in map(self.messages.__getitem__, message_ids):
                if row["status"] < Status.DELIVERED:
                    row |= {"status": status, "final_at": at}
        for batch_id in plan.done_batch_ids:
            self.outbox.pop(batch_id, None)
        for batch_id, due_at in plan.awaiting:
            if batch_id in self.outbox:
                self.outbox[batch_id].owner, self.outbox[batch_id].due_at = None, due_at
        for agreement_id, account in decision.state.accounts.items():
            self.balances[agreement_id] = account.balance_micros
            self.reserved[agreement_id] = account.reserved_micros
        self.counters, self.holds = dict(decision.state.counters), dict(decision.state.holds)
        for (agreement_id, _), micros in decision.ledger.items():
            self.ledger[agreement_id] += micros
        for row_id in plan.unparked_rows:
            del self.parked[row_id]
        for receipts in plan.client_receipts.values():
            self.told += receipts
        return [
            self.insert_batch(Batch(batch.connection_id, batch.owner, batch.due_at, list(batch.message_ids)))
            for batch, _ in decision.queued
        ]

    def insert_batch(self, batch: Batch) -> int:
        self.last_row_id += 1
        self.outbox[self.last_row_id] = batch
        return self.last_row_id

    def move(self, batch_ids: Iterable[int], message_ids: list[UUID], connection_id: int, now: datetime) -> None:
        """They make a batch of the other connection."""
        for message_id in message_ids:
            self.messages[message_id]["connection_id"] = connection_id
        for batch_id in batch_ids:
            batch = self.outbox[batch_id]
            batch.message_ids = [each for each in batch.message_ids if each not in message_ids]
        self.insert_batch(Batch(connection_id, None, now, message_ids))

    def is_in(self, message_id: UUID, batch_ids: Iterable[int]) -> bool:
        return any(message_id in self.outbox[batch_id].message_ids for batch_id in batch_ids if batch_id in self.outbox)

    def park(self, connection_id: int, receipts: list[VendorReceipt]) -> int:
        self.last_row_id += 1
        self.parked[self.last_row_id] = connection_id, receipts
        return self.last_row_id

    def has_due(self, owner: UUID, now: datetime) -> bool:
        return any(batch.due_at <= now and batch.owner != owner for batch in self.outbox.values())

    def claim(self, owner: UUID, connection_ids: Container[int], now: datetime) -> list[tuple[int, Batch]]:
        """Batches of these connections that are due and not this gateway's already."""
        due = [
            (batch_id, batch)
            for batch_id, batch in self.outbox.items()
            if batch.connection_id in connection_ids and batch.due_at <= now and batch.owner != owner
        ]
        for _, batch in due:
            batch.owner = owner
        return due

    def open_rows(self, message_ids: Iterable[UUID]) -> Rows:
        """What `recovery.restored` wants to know of those that are not final."""
        found = [row for each in message_ids if (row := self.messages[each])["status"] < Status.DELIVERED]
        ids = {row["id"] for row in found}
        levels: dict[tuple[UUID, int], dict[str, Any]] = defaultdict(
            lambda: {"net_micros": 0, "tax_micros": 0, "pack_amount": 0, "period_start": None}
        )
        for (message_id, level, entry), edr in self.edrs.items():
            if message_id in ids and entry < 4:
                settled = levels[message_id, level]
                settled["net_micros"] += edr["net_micros"]
                settled["tax_micros"] += edr["tax_micros"]
                settled["period_start"] = settled["period_start"] or edr["period_start"]
        return Rows(
            found,
            [self.rate_nodes[node_id] for node_id in {node_id for row in found for node_id in row["node_ids"]}],
            [
                {"message_id": message_id, "part": part, "vendor_id": vendor_id}
                for (message_id, part), vendor_id in self.sent.items()
                if message_id in ids
            ],
            [
                {"message_id": message_id, "part": part, "status": status}
                for (message_id, part), status in self.part_receipts.items()
                if message_id in ids
            ],
            [{"message_id": key[0], "level": key[1], **settled} for key, settled in levels.items()],
        )

    def parts_by_vendor_id(self, connection_id: int, vendor_ids: set[str]) -> dict[str, Part]:
        return {
            vendor_id: part
            for part, vendor_id in self.sent.items()
            if vendor_id in vendor_ids and self.sent_by[part] == connection_id
        }


def _insert(table: dict[Any, Any], key: Any, row: Any) -> None:
    assert key not in table, f"written twice: {key}"
    table[key] = row


def _columns(message: Message) -> dict[str, Any]:
    """The row of `traffic_message` as it is read back."""
    terms = message.terms
    row = dict(zip(MESSAGE_COLUMNS, rows.message_row(message), strict=False))
    return row | {
        "delivered_rules": sum(1 << level for level, term in enumerate(terms) if term.delivered),
        "agreement_ids": [term.agreement_id for term in terms],
        "node_ids": [term.node_id for term in terms],
        "units": [term.units for term in terms],
        "reserved_micros": [term.reserved_micros for term in terms],
        "tax_bp": [term.tax_bp for term in terms],
        "pack_ids": None,
        "pack_amounts": None,
        "fallback": None,
    }
