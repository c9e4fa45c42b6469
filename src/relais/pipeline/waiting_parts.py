"""Parts of messages that are not whole yet: answered, so kept in the database until the message they make is stored or refused.

The id of the message to be is given with its first part. Should the gateway fall, another one finds by that id whether the
message was stored, so that it is charged once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from relais.store.blocks import blocks

_SQL = blocks("deliveries")


class WaitingPart(NamedTuple):
    """`fragment` is the edge's own form of the part; `part` counts from 1."""

    message_id: UUID
    part: int
    parts_count: int
    connection_id: int  # connections_clientsmppconnection
    received_at: datetime
    fragment: bytes


class WaitingParts:
    """Of one gateway, known by the number of its writer."""

    def __init__(self, pool: asyncpg.Pool, writer_number: int) -> None:
        self._pool = pool
        self._number = writer_number

    async def keep(self, part: WaitingPart) -> None:
        """Returns when the part may be answered; raises what the database raises."""
        await self._pool.execute(
            _SQL["keep_part"], part.message_id, part.part, part.parts_count, part.connection_id, self._number,
            part.received_at, part.fragment,
        )  # fmt: skip

    async def forget(self, message_ids: Sequence[UUID]) -> None:
        """Their messages are stored, or refused."""
        await self._pool.execute(_SQL["forget_parts"], message_ids)

    async def take_over(self) -> list[WaitingPart]:
        """Those of gateways that are no more, whose messages were not stored."""
        rows = await self._pool.fetch(_SQL["take_over_parts"], self._number)
        if stored := [row["message_id"] for row in rows if row["stored"]]:
            await self.forget(stored)
        return [WaitingPart(*row[:6]) for row in map(tuple, rows) if not row[6]]
