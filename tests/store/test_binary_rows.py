"""What is packed for COPY is what the database then holds, to the last bit, and what is absent is null."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from relais.store.binary import packed_terms
from relais.store.tick import SENT_WITH_CLOSE_MAX, LastChanges, TickTransaction

ID = UUID("0195f0d2-7a44-7c31-9a5e-3f6f00000001")
OTHER_ID = UUID("0195f0d2-7a44-7c31-9a5e-3f6f00000002")
BEFORE_2000 = datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC)
AT = datetime(2031, 5, 6, 7, 8, 9, 123_456, UTC)
LARGEST = 2**63 - 1


def written(dsn: str, copy: str, rows: list[tuple[Any, ...]], query: str) -> list[tuple[Any, ...]]:
    async def work() -> list[tuple[Any, ...]]:
        session = await asyncpg.connect(dsn)
        try:
            await getattr(TickTransaction(session), copy)(rows)
            return [tuple(row) for row in await session.fetch(query)]
        finally:
            await session.close()

    return asyncio.run(work())


def test_messages(db: str) -> None:
    full = packed_terms(
        0b101, [1, LARGEST, 3], [4, 5, 6], [1, 2, 2_147_483_647], [0, 7, LARGEST], [0, 2100, 2100], [0, 0, 9], [0, 0, 3]
    )
    bare = packed_terms(0, [1], [2], [3], [-4], None)
    rows = [
        (
            ID,
            1,
            2,
            3,
            4,
            259_200,
            1,
            1,
            8,
            10,
            77,
            AT,
            "ES",
            "Señor",
            "34600123456",
            "ñ € 😀",
            "ref é",
            "https://a.b/",
            True,
            5,
            b"\x00\xff",
            full,
        ),
        (OTHER_ID, LARGEST, 2, 3, 4, 60, 1, 1, 0, 1, None, None, "FR", "1", "33", "x" * 1600, *[None] * 5, bare),
    ]
    columns = (
        "id, company_id, api_key_id, sender_id, connection_id, validity_s, status, channel, encoding, segments_count,"
        " network_id, send_at, country, source, destination, body, client_ref, callback_url,"
        " callback_final_only, client_connection_id, client_options,"
        " delivered_rules, agreement_ids, node_ids, units, reserved_micros, tax_bp, pack_ids, pack_amounts, final_at, error"
    )
    assert written(db, "copy_messages", rows, f"SELECT {columns} FROM traffic_message ORDER BY id") == [
        (
            *rows[0][:-1],
            5,
            [1, LARGEST, 3],
            [4, 5, 6],
            [1, 2, 2_147_483_647],
            [0, 7, LARGEST],
            [0, 2100, 2100],
            [0, 0, 9],
            [0, 0, 3],
            None,
            None,
        ),
        (*rows[1][:-1], 0, [1], [2], [3], [-4], None, None, None, None, None),
    ]


def test_parts_sent_however_many(db: str) -> None:
    few = [(ID, 4, AT, 0, "id-1"), (ID, 4, BEFORE_2000, 254, "")]
    many = [(OTHER_ID, LARGEST, AT, part, f"é {part}") for part in range(SENT_WITH_CLOSE_MAX + 1)]

    async def close(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        session = await asyncpg.connect(db)
        try:
            await TickTransaction(session).close(LastChanges(sent=rows), AT)
            query = (
                "SELECT message_id, connection_id, sent_at, part, vendor_id FROM traffic_sent ORDER BY message_id, part"
            )
            return [tuple(row) for row in await session.fetch(query)]
        finally:
            await session.close()

    assert asyncio.run(close(few)) == few
    assert asyncio.run(close(many)) == few + many


def test_edrs(db: str) -> None:
    rows = [
        (ID, 1, 2, 40_000, 8_400, AT, 1, 0, 1, None, None, None, None, None),
        (ID, 9, LARGEST, -LARGEST, -1, BEFORE_2000, -3, 1, 3, "[[0, 1, 40000]]", None, None, "31/ES", AT),
        (ID, 9, 7, 0, 0, AT, 2, 2, 1, None, LARGEST, -2, None, None),
        (OTHER_ID, 1, 2, 0, 0, AT, 0, 0, 2, None, None, None, None, None),
    ]
    query = (
        "SELECT message_id, agreement_id, node_id, net_micros, tax_micros, at, units, level, entry, pieces::text,"
        " pack_id, pack_amount, counter_group, period_start FROM traffic_edr ORDER BY message_id, level"
    )
    assert written(db, "copy_edrs", rows, query) == rows
