"""The writer's transaction as typed functions over `tick.sql` and COPY. Called in the order in which they stand here."""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate, chain
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from relais.store import binary
from relais.store.binary import EDR_COLUMNS, MESSAGE_COLUMNS, SENT_COLUMNS, Row
from relais.store.blocks import blocks

_SQL = blocks("tick")

PART_RECEIPT_COLUMNS = ("message_id", "at", "part", "status", "error")
INCOMING_COLUMNS = (
    "id", "received_at", "connection_id", "company_id", "sender_id", "client_connection_id", "source", "destination", "body",
    "asked"
)  # fmt: skip
LOOKUP_COLUMNS = ("message_id", "connection_id", "result", "mccmnc", "took_ms", "range_network_id")
ANSWER_COLUMNS = ("id", "at", "company_id", "source", "recipient", "body")
IDEMPOTENCY_COLUMNS = ("api_key_id", "key", "created_at", "body_digest", "answer")

EDR_CAPTURED, EDR_RELEASED, EDR_REVERSED, EDR_CORRECTED, EDR_CORRECTED_BACK = 1, 2, 3, 4, 5
LEDGER_MESSAGES, LEDGER_MESSAGES_REVERSED, LEDGER_SCALE_CORRECTED = 3, 4, 9

SENT_WITH_CLOSE_MAX = 48  # parts sent in a tick; more are cheaper by a COPY of their own

CounterKey = tuple[int, int, str, datetime]  # agreement, node, counter group, period start
CounterRow = tuple[int, int, int, int]  # units, and of Back-to-First: reserved, void, micros held


Ending = tuple[int, datetime, str | None]
"""How messages ended: a final `core.lifecycle.State`, when, and with which error."""


class NewBatch(NamedTuple):
    """Messages for one connection, to be sent at one time; `owner` None = by whoever takes them up."""

    connection_id: int
    owner: UUID | None
    due_at: datetime
    message_ids: Sequence[UUID]


class Callback(NamedTuple):
    """An event for a client's webhook, a JSON text: for the API key's address, or for that of a sender ID."""

    company_id: int
    api_key_id: int | None
    sender_id: int | None
    message_id: UUID
    url: str
    event: str


class NewDelivery(NamedTuple):
    """Receipts for a client SMPP connection; `writer_number` of the writer whose gateway tells them, None = whoever can."""

    connection_id: int
    writer_number: int | None
    receipts: bytes


class LastChanges(msgspec.Struct):
    """What closes a tick. `balances`: agreement id → (balance_micros, reserved_micros), locked before by its transaction.
    `ledger_micros`: (agreement id, kind) → signed amount; a positive one raises the balance."""

    finished: dict[Ending, list[UUID]] = {}
    done_batch_ids: Sequence[int] = ()
    balances: dict[int, tuple[int, int]] = {}
    ledger_micros: dict[tuple[int, int], int] = {}
    batches: Sequence[NewBatch] = ()
    deliveries: Sequence[NewDelivery] = ()
    delivered_ids: Sequence[int] = ()
    sent: Sequence[Row] = ()  # (message id, connection id, instant, part, vendor's id of it)

    @property
    def empty(self) -> bool:
        return not (
            self.finished or self.done_batch_ids or self.balances or self.ledger_micros or self.batches
            or self.deliveries or self.delivered_ids or self.sent
        )  # fmt: skip


class TickTransaction:
    """One transaction on the writer's session. Any database error leaves it to `rollback`."""

    def __init__(self, session: asyncpg.Connection) -> None:
        self.session = session

    async def begin(self) -> None:
        await self.session.execute("BEGIN")

    async def lock_balances(self, agreement_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
        """agreement id → (balance_micros, reserved_micros), locked until the end of the transaction, in id order."""
        rows = await self.session.fetch(_SQL["lock_balances"], agreement_ids)
        return {row[0]: (row[1], row[2]) for row in rows}

    async def lock_counters(self, keys: Sequence[CounterKey]) -> dict[CounterKey, CounterRow]:
        """What every key counted so far; locked like the balances."""
        columns = [list(column) for column in zip(*keys, strict=True)]
        await self.session.execute(_SQL["ensure_counters"], *columns)
        rows = await self.session.fetch(_SQL["lock_counters"], *columns)
        return {(row[0], row[1], row[2], row[3]): (row[4], row[5], row[6], row[7]) for row in rows}

    async def lock_packs(self, pack_ids: Sequence[int]) -> dict[int, tuple[int, int, int, int]]:
        """Enabled pack id → (size, used, reserved, held micros); locked like the balances, after them and the counters."""
        await self.session.execute(_SQL["ensure_packs"], pack_ids)
        rows = await self.session.fetch(_SQL["lock_packs"], pack_ids)
        return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}

    async def members(self, pairs: Sequence[tuple[int, str]]) -> list[tuple[int, str, bool, int]]:
        """Of these (bundle pack id, recipient) those who are counted already, or for how many messages a place is reserved; the
        packs are locked."""
        rows = await self.session.fetch(_SQL["members"], [pair[0] for pair in pairs], [pair[1] for pair in pairs])
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    async def session_members(self, pairs: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of (name of a session, recipient) who were charged for it already; the balances are locked."""
        rows = await self.session.fetch(_SQL["session_members"], *map(list, zip(*pairs, strict=True)))
        return {(row[0], row[1]) for row in rows}

    async def insert_session_members(self, pairs: Sequence[tuple[str, str]]) -> None:
        await self.session.execute(_SQL["insert_session_members"], *map(list, zip(*sorted(pairs), strict=True)))

    async def update_terms(self, rows: Sequence[Row]) -> None:
        """(message id, rules, nodes, units and reservations of its levels) of messages that turned out to be something else."""
        await self.session.executemany(_SQL["update_terms"], rows)

    async def idempotent_answers(self, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], tuple[bytes, bytes]]:
        """(API key id, key) → (body digest, answer) of earlier requests."""
        rows = await self.session.fetch(_SQL["idempotent_answers"], [key[0] for key in keys], [key[1] for key in keys])
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}

    async def copy_messages(self, rows: Sequence[Row]) -> None:
        await self._copy_octets("traffic_message", MESSAGE_COLUMNS, binary.message_rows(rows))

    async def copy_lookups(self, rows: Sequence[Row]) -> None:
        await self._copy("traffic_lookup", LOOKUP_COLUMNS, rows)

    async def copy_part_receipts(self, rows: Sequence[Row]) -> None:
        await self._copy("traffic_part_receipt", PART_RECEIPT_COLUMNS, rows)

    async def copy_edrs(self, rows: Sequence[Row]) -> None:
        await self._copy_octets("traffic_edr", EDR_COLUMNS, binary.edr_rows(rows))

    async def await_receipts(self, batches: Sequence[tuple[int, datetime]]) -> None:
        """(batch id, when waiting ends): all parts of these batches are sent."""
        await self.session.execute(_SQL["await_receipts"], *(list(column) for column in zip(*batches, strict=True)))

    async def update_counters(self, rows: dict[CounterKey, CounterRow]) -> None:
        """What is counted now, of counters locked before by this transaction."""
        columns = [list(column) for column in zip(*((*key, *row) for key, row in sorted(rows.items())), strict=True)]
        await self.session.execute(_SQL["update_counters"], *columns)

    async def update_packs(self, rows: dict[int, tuple[int, int, int]], members: Sequence[tuple[int, str]]) -> None:
        """Enabled pack id → (used, reserved, held micros), locked before by this transaction; and whom bundle packs count
        anew."""
        if rows:
            columns = zip(*((pack_id, *row) for pack_id, row in sorted(rows.items())), strict=True)
            await self.session.execute(_SQL["update_packs"], *(list(column) for column in columns))
        if members:
            columns = zip(*sorted(members), strict=True)
            await self.session.execute(_SQL["insert_members"], *(list(column) for column in columns))

    async def update_places(self, rows: Sequence[tuple[int | str, str, int]]) -> None:
        """(bundle pack id, recipient, messages under way that hold the place, 0 = none any more); the packs are locked."""
        await self.session.execute(_SQL["update_places"], *map(list, zip(*sorted(rows), strict=True)))

    async def copy_idempotent_answers(self, rows: Sequence[Row]) -> None:
        """Raises asyncpg.UniqueViolationError when another gateway answered the same key meanwhile."""
        await self._copy("traffic_idempotency", IDEMPOTENCY_COLUMNS, rows)

    async def insert_callbacks(self, due_at: datetime, callbacks: Sequence[Callback]) -> None:
        await self.session.execute(
            _SQL["insert_callbacks"], due_at, *(list(column) for column in zip(*callbacks, strict=True))
        )

    async def copy_incoming(self, rows: Sequence[Row]) -> None:
        await self._copy("traffic_incoming", INCOMING_COLUMNS, rows)

    async def insert_fallbacks(self, rows: Sequence[Row]) -> None:
        """(message id, instant, sender taken instead, error); of a message the first counts."""
        await self.session.executemany(_SQL["insert_fallback"], rows)

    async def copy_answers(self, rows: Sequence[Row]) -> None:
        await self._copy("traffic_answer", ANSWER_COLUMNS, rows)

    async def insert_unmatched_receipts(self, connection_id: int, received_at: datetime, receipts: str) -> int:
        """`receipts`: JSON text. Id of the new row."""
        row_id: int = await self.session.fetchval(
            _SQL["insert_unmatched_receipts"], connection_id, received_at, receipts
        )
        return row_id

    async def delete_unmatched_receipts(self, row_ids: Sequence[int]) -> None:
        await self.session.execute(_SQL["delete_unmatched_receipts"], list(row_ids))

    async def close(self, last: LastChanges, at: datetime) -> tuple[list[int], dict[int, int]]:
        """The last changes of a tick. Returns the ids of the new batches, in their order, and by connection those of the new
        deliveries."""
        batches, sent = last.batches, last.sent if len(last.sent) <= SENT_WITH_CLOSE_MAX else ()
        if last.sent and not sent:
            await self._copy_octets("traffic_sent", SENT_COLUMNS, binary.sent_rows(last.sent))
        endings, ids = list(last.finished), list(last.finished.values())
        last_ids = list(accumulate(map(len, ids)))
        ends = list(accumulate(len(batch.message_ids) for batch in batches))
        rows = await self.session.fetch(
            _SQL["close_tick"],
            list(chain.from_iterable(ids)),
            [state for state, _, _ in endings],
            [ended_at for _, ended_at, _ in endings],
            [error for _, _, error in endings],
            [end - len(each) + 1 for end, each in zip(last_ids, ids, strict=True)],
            last_ids,
            last.done_batch_ids,
            list(last.balances),
            [each[0] for each in last.balances.values()],
            [each[1] for each in last.balances.values()],
            [key[0] for key in last.ledger_micros],
            [key[1] for key in last.ledger_micros],
            list(last.ledger_micros.values()),
            at,
            [batch.connection_id for batch in batches],
            [batch.owner for batch in batches],
            [batch.due_at for batch in batches],
            [end - len(batch.message_ids) + 1 for end, batch in zip(ends, batches, strict=True)],
            ends,
            [message_id for batch in batches for message_id in batch.message_ids],
            [each.connection_id for each in last.deliveries],
            [each.writer_number for each in last.deliveries],
            [each.receipts for each in last.deliveries],
            last.delivered_ids,
            *([each[column] for each in sent] for column in range(len(SENT_COLUMNS))),
        )
        batch_ids = {row[1]: row[0] for row in rows if row[2] is None}
        return [batch_ids[batch.message_ids[0]] for batch in batches], {
            row[2]: row[0] for row in rows if row[1] is None
        }

    async def commit(self, *, and_begin: bool = False) -> None:
        """`and_begin`: the next transaction with it."""
        await self.session.execute("COMMIT AND CHAIN" if and_begin else "COMMIT")

    async def rollback(self) -> None:
        await self.session.execute("ROLLBACK")

    async def _copy(self, table: str, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        await self.session.copy_records_to_table(table, records=rows, columns=columns)

    async def _copy_octets(self, table: str, columns: tuple[str, ...], octets: bytearray) -> None:
        await self.session.copy_to_table(table, source=octets, columns=columns, format="binary")


async def hold_writer(session: asyncpg.Connection, number: int) -> None:
    """Make `session` the only one of this writer: waits until the server has ended a former one."""
    await session.execute(_SQL["hold_writer"], number)


async def tick_took_place(
    session: asyncpg.Connection, message: Row | None, sent: Row | None, edr: Row | None, incoming: Row | None = None
) -> bool:
    """Whether a tick that held these rows (one of each kind, None = it held none) was committed. The session must hold
    the writer. A tick that held none of them changes nothing when it is written again."""
    arguments = (
        [message[0]] if message else [],
        [sent[0]] if sent else [],
        [sent[3]] if sent else [],
        [edr[0]] if edr else [],
        [edr[7]] if edr else [],
        [edr[8]] if edr else [],
        [incoming[0]] if incoming else [],
    )
    return bool(await session.fetchval(_SQL["tick_took_place"], *arguments))
