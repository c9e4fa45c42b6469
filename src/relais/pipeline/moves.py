"""Messages that wait for a connection which stays down go to the second one of their sender ID, if that is bound.

Only those of which nothing was handed over. It is done between two ticks, by the gateway that owns the connection: one statement
takes them out of their batches and makes a batch of the other connection, which its owner, whoever that is, takes up as any
that is due. While it is not certain whether the statement took place they wait here, and nobody sends them.
"""

import time
from collections import deque
from collections.abc import Mapping, Set
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg
import structlog

from relais.pipeline.beats import GONE_AFTER
from relais.pipeline.configuration import Snapshot
from relais.pipeline.lane import Lane
from relais.pipeline.message import Batch, Message
from relais.store.blocks import blocks

MOVED_MAX = 1_000  # at a time, so that ticks need not wait long

_SQL, _BEATS = blocks("messages"), blocks("beats")
log = structlog.get_logger()


class Move(NamedTuple):
    from_id: int
    to_id: int
    messages: list[Message]

    @property
    def batch_ids(self) -> list[int]:
        """Those in which its messages are."""
        return list({message.batch.id for message in self.messages if message.batch is not None})


def due(lane: Lane) -> bool:
    """Whether what waits there is to leave by another connection."""
    after_s = lane.configuration.move_after_s
    return after_s is not None and not lane.ready and lane.waiting_count > 0 and lane.down_s >= after_s


def taken_out(lane: Lane, snapshot: Snapshot, bound: Set[int]) -> list[Move]:
    """What of the lane can leave by another connection, out of those `bound`. It is in no lane then."""
    others: dict[int, int] = {}
    for sender in snapshot.senders.values():
        pair = sender.connection_id, sender.second_connection_id
        if lane.connection_id in pair:
            to_id = pair[1] if pair[0] == lane.connection_id else pair[0]
            connection = snapshot.connections.get(to_id) if to_id is not None and to_id in bound else None
            if connection is not None and connection.binds:
                others[sender.id] = connection.id
    moves: dict[int, Move] = {}
    if others:
        for message in lane.take_out(MOVED_MAX, lambda message: message.sender_id in others):
            to_id = others[message.sender_id]
            moves.setdefault(to_id, Move(lane.connection_id, to_id, [])).messages.append(message)
    return list(moves.values())


def moved(move: Move) -> tuple[list[Batch], list[Batch]]:
    """It is written, and memory follows: the batches that are over by it, and those of which nothing is left to send."""
    over: list[Batch] = []
    sent: list[Batch] = []
    for message in move.messages:
        batch, message.batch, message.connection_id = message.batch, None, move.to_id
        if batch is None:
            continue
        batch.open_count -= 1
        batch.unsent_count -= 1
        if not batch.open_count:
            over.append(batch)
        elif not batch.unsent_count:
            sent.append(batch)
    return over, [batch for batch in sent if batch.open_count]


class Moves:
    """Of one gateway. `lanes`: those it drives; `sent_batches`: where batches go of which nothing is left to send, and since
    when."""

    def __init__(self, gateway: UUID, lanes: Mapping[int, Lane], sent_batches: deque[tuple[float, Batch]]) -> None:
        self._gateway = gateway
        self._lanes = lanes
        self._sent_batches = sent_batches
        self._uncertain: list[Move] = []

    async def handle(self, session: asyncpg.Connection, snapshot: Snapshot, now: datetime) -> bool:
        """Between two ticks; True when more are waiting to be moved. What the database raises leaves everything where it can be
        found."""
        while self._uncertain:
            await self._resolve(session, self._uncertain[0])
            self._uncertain.pop(0)
        lanes = [lane for lane in self._lanes.values() if due(lane)]
        if not lanes:
            return False
        more, bound = False, await self._bound(session, now)
        for lane in lanes:
            if lane.ready:
                continue  # since the database was asked
            for move in taken_out(lane, snapshot, bound):
                self._uncertain.append(move)
                ids = [message.id for message in move.messages]
                await session.execute(_SQL["move_messages"], move.batch_ids, ids, move.to_id, now)
                self._uncertain.remove(move)
                await self._follow(session, move)
                more = more or len(ids) == MOVED_MAX
        return more

    async def _bound(self, session: asyncpg.Connection, now: datetime) -> set[int]:
        """Connections that have a session, here or, as they told within the last seconds, at other gateways."""
        elsewhere = await session.fetch(_BEATS["bound_elsewhere"], self._gateway, now - GONE_AFTER)
        bound = {row["connection_id"] for row in elsewhere} - set(self._lanes)
        return bound | {lane.connection_id for lane in self._lanes.values() if lane.ready}

    async def _follow(self, session: asyncpg.Connection, move: Move) -> None:
        over, sent = moved(move)
        self._sent_batches.extend((time.monotonic(), batch) for batch in sent)
        for batch in over:
            await session.execute(_SQL["delete_outbox"], batch.id)
        log.info("messages.moved", connection=move.from_id, to=move.to_id, count=len(move.messages))

    async def _resolve(self, session: asyncpg.Connection, move: Move) -> None:
        """A statement whose answer was lost is done wholly or not at all, which its rows say."""
        if await session.fetchval(_SQL["has_left"], move.messages[0].id, move.batch_ids):
            await self._follow(session, move)
        elif lane := self._lanes.get(move.from_id):
            for message in move.messages:
                lane.enqueue(message)
