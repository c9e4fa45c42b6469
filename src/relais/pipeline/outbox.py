"""Batches of messages that wait in the database: which new ones join them, and which come back into memory.

A gateway keeps so many messages of a connection in memory. What is above waits in the outbox, and what comes later waits behind
it, so that messages leave in the order in which they came. A vendor that is away holds up no other.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from relais.pipeline.accept import Admission
from relais.pipeline.lane import Lane
from relais.pipeline.receipts import Receipts
from relais.pipeline.recovery import open_messages
from relais.pipeline.resume import resume
from relais.pipeline.settle import Ended
from relais.store.blocks import blocks

MESSAGES_MAX = 40_000  # waiting in a lane; about 40 MB
CLAIM_BATCHES_MAX = 50  # between two ticks

_SQL, _TICK_SQL = blocks("messages"), blocks("tick")
log = structlog.get_logger()


class Outbox:
    """As one gateway sees it. `lanes`: those it has now, by connection; `canceling`: whether a message is being withdrawn;
    `ended` hears of messages for whose receipts nobody waits any more."""

    def __init__(
        self,
        gateway: UUID,
        lanes: Mapping[int, Lane],
        receipts: Receipts,
        canceling: Callable[[UUID], bool],
        ended: Callable[[Iterable[Ended]], None],
        messages_max: int,
    ) -> None:
        self._gateway = gateway
        self._lanes = lanes
        self._receipts = receipts
        self._canceling = canceling
        self._ended = ended
        self._messages_max = messages_max
        self._behind: set[int] = set()  # connections of which some messages wait here

    def takes_over(self, connection_id: int) -> bool:
        """Whether new messages of that connection are kept in memory and sent from there."""
        lane = self._lanes.get(connection_id)
        if lane is None or connection_id in self._behind:
            return False
        if lane.waiting_count >= self._messages_max:
            self._behind.add(connection_id)
            return False
        return True

    async def claim_due(self, session: asyncpg.Connection, admission: Admission, now: datetime) -> bool:
        """Take up batches whose time has come: scheduled ones, those of a gateway that is gone, those whose receipts never came,
        those for which there was no room. True when there are more."""
        roomy = [each for each, lane in self._lanes.items() if lane.waiting_count <= self._messages_max // 2]
        due = await session.fetch(_SQL["claim_outbox"], self._gateway, roomy, now, CLAIM_BATCHES_MAX)
        for row in sorted(due, key=lambda row: int(row["id"])):
            await self._take_up(session, admission, row, now)
        if len(due) == CLAIM_BATCHES_MAX:
            return True
        self._behind.difference_update(roomy)
        return False

    async def _take_up(self, session: asyncpg.Connection, admission: Admission, row: Any, now: datetime) -> None:
        recovered = await open_messages(session, admission, row["message_ids"])
        lane = self._lanes[row["connection_id"]]
        batch, ended = resume(row["id"], lane, self._receipts, recovered, self._canceling, now)
        if batch is None:
            await session.execute(_SQL["delete_outbox"], row["id"])
            return
        self._ended(ended)
        log.info("batch.taken_up", batch=row["id"], connection=row["connection_id"], messages=batch.open_count)
        if not batch.unsent_count and batch.waiting_ends_at > now + timedelta(seconds=1):
            await session.execute(_TICK_SQL["await_receipts"], [batch.id], [batch.waiting_ends_at])
