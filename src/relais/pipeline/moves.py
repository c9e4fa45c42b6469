"""Messages that wait for a connection which stays down go to the second one of their sender ID.

Only those of which nothing was handed over. It is done between two ticks, by the gateway that owns the connection: one statement
takes them out of their batches and makes a batch of the other connection, which its owner, whoever that is, takes up as any
that is due. While it is not certain whether the statement took place they wait here, and nobody sends them.
"""

import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import asyncpg
import structlog

from relais.pipeline.configuration import Snapshot
from relais.pipeline.lane import Lane
from relais.pipeline.message import Batch, Message
from relais.store.blocks import blocks

MOVED_MAX = 1_000  # at a time, so that ticks need not wait long

_SQL = blocks("messages")
log = structlog.get_logger()


class _Move(NamedTuple):
    from_id: int
    to_id: int
    messages: list[Message]


class Moves:
    """Of one gateway. `lanes`: those it drives; `sent_batches`: where batches go of which nothing is left to send, and since
    when."""

    def __init__(self, lanes: Mapping[int, Lane], sent_batches: deque[tuple[float, Batch]]) -> None:
        self._lanes = lanes
        self._sent_batches = sent_batches
        self._uncertain: list[_Move] = []

    async def handle(self, session: asyncpg.Connection, snapshot: Snapshot, now: datetime) -> bool:
        """Between two ticks; True when more are waiting to be moved. What the database raises leaves everything where it can be
        found."""
        while self._uncertain:
            await self._resolve(session, self._uncertain[0])
            self._uncertain.pop(0)
        more = False
        for lane in list(self._lanes.values()):
            after_s = lane.configuration.move_after_s
            if after_s is None or lane.ready or not lane.waiting_count or lane.down_s < after_s:
                continue
            for move in self._taken_out(lane, snapshot):
                self._uncertain.append(move)
                ids = [message.id for message in move.messages]
                batch_ids = list({message.batch.id for message in move.messages if message.batch is not None})
                await session.execute(_SQL["move_messages"], batch_ids, ids, move.to_id, now)
                self._uncertain.remove(move)
                await self._moved(session, move)
                more = more or len(ids) == MOVED_MAX
        return more

    def _taken_out(self, lane: Lane, snapshot: Snapshot) -> list[_Move]:
        others = {
            sender.id: self._other(snapshot, sender.connection_id, sender.second_connection_id, lane.connection_id)
            for sender in snapshot.senders.values()
            if lane.connection_id in (sender.connection_id, sender.second_connection_id)
        }
        usable = {sender_id: to_id for sender_id, to_id in others.items() if to_id is not None}
        moves: dict[int, _Move] = {}
        if usable:
            for message in lane.take_out(MOVED_MAX, lambda message: message.sender_id in usable):
                to_id = usable[message.sender_id]
                moves.setdefault(to_id, _Move(lane.connection_id, to_id, [])).messages.append(message)
        return list(moves.values())

    def _other(self, snapshot: Snapshot, first_id: int | None, second_id: int | None, from_id: int) -> int | None:
        """The connection that a sender has besides, if it may carry messages as far as is known here."""
        to_id = second_id if first_id == from_id else first_id
        connection = snapshot.connections.get(to_id) if to_id is not None else None
        if connection is None or not connection.binds:
            return None
        lane = self._lanes.get(connection.id)
        return connection.id if lane is None or not lane.down else None

    async def _moved(self, session: asyncpg.Connection, move: _Move) -> None:
        """It is written: memory follows."""
        for message in move.messages:
            batch, message.batch, message.connection_id = message.batch, None, move.to_id
            if batch is None:
                continue
            batch.open_count -= 1
            batch.unsent_count -= 1
            if not batch.open_count:
                await session.execute(_SQL["delete_outbox"], batch.id)
            elif not batch.unsent_count:
                self._sent_batches.append((time.monotonic(), batch))
        log.info("messages.moved", connection=move.from_id, to=move.to_id, count=len(move.messages))

    async def _resolve(self, session: asyncpg.Connection, move: _Move) -> None:
        """A statement whose answer was lost is done wholly or not at all, which its rows say."""
        ids = [message.id for message in move.messages]
        if await session.fetchval(_SQL["moved_to"], ids[0], move.to_id):
            await self._moved(session, move)
        elif lane := self._lanes.get(move.from_id):
            for message in move.messages:
                lane.enqueue(message)
