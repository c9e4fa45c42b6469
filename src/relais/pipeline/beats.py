"""What a gateway tells of itself: once a second one row, whatever the traffic, apart from the writer's transactions.

Counting costs a message a few additions to whole numbers. Beats are for looking at: one that cannot be written is left out.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import msgspec
import structlog

from relais.pipeline.metrics import MESSAGES_REFUSED, TICK_SECONDS
from relais.store.blocks import blocks

if TYPE_CHECKING:
    from relais.pipeline.lane import Lane

BEAT_S = 1.0
GONE_AFTER = timedelta(seconds=4)  # a gateway that told nothing for so long has no sessions
KEPT = timedelta(minutes=15)
SHORTAGES_KEPT = timedelta(days=30)
FORGET_EVERY_BEATS = 60
EVENTS_KEPT = 8

_Outside = tuple[int, datetime | None]  # messages, and since when the first of them is due
NOTHING: _Outside = (0, None)

_SQL = blocks("beats")
log = structlog.get_logger()


class LaneCounts:
    """What became of a connection's messages and parts since the gateway took it up, and what happened to it lately."""

    __slots__ = ("accepted", "delivered", "errors", "events", "failed", "last_error", "receipts", "sent")

    def __init__(self) -> None:
        self.accepted = self.sent = self.receipts = self.delivered = self.errors = self.failed = 0
        self.events: deque[tuple[int, str, str]] = deque(maxlen=EVENTS_KEPT)
        self.last_error: tuple[int, str, str] | None = None

    def error(self, text: str) -> None:
        """A part was not taken, or not answered."""
        self.errors += 1
        self.last_error = (int(time.time() * 1000), "bad", text)

    def note(self, tone: str, text: str) -> None:
        """An event to show; `tone` ok, warn or bad."""
        self.events.append((int(time.time() * 1000), tone, text))


class Beats:
    """Writes a beat a second until cancelled. `lanes`: those that the gateway drives now. `shortages`: by agreement how many
    messages its balance did not cover; taken out of it once they are written. `clients`: what there is to tell of the SMPP
    connections of clients, by id. `elsewhere` hears, by such a connection, how many sessions that
    hand messages in other gateways have of it. `lookups`: what there is to tell of MNP connections."""

    def __init__(
        self,
        gateway: UUID,
        lanes: Callable[[], Iterable["Lane"]],
        shortages: Counter[int],
        clients: Callable[[], Mapping[str, Any]] = dict,
        elsewhere: Callable[[Mapping[int, int]], None] = lambda sessions: None,
        lookups: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self._gateway = gateway
        self._lanes = lanes
        self._shortages = shortages
        self._clients = clients
        self._lookups = lookups
        self._elsewhere = elsewhere
        self._count = 0

    async def run(self, pool: asyncpg.Pool) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await self.write(pool, datetime.now(UTC))
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.debug("beat.left_out", error=str(error) or type(error).__name__)

    async def write(self, pool: asyncpg.Pool, now: datetime) -> None:
        lanes = list(self._lanes())
        waiting = await self._waiting(pool, [lane.connection_id for lane in lanes])
        beat = msgspec.json.encode(
            {
                "connections": {
                    str(lane.connection_id): _of_lane(lane, waiting.get(lane.connection_id, NOTHING), now)
                    for lane in lanes
                },
                "clients": self._clients(),
                "mnp": self._lookups(),
                "refused": _refused(),
                **_ticks(),
            }
        ).decode()
        events = {str(lane.connection_id): list(lane.counts.events) for lane in lanes}
        async with pool.acquire() as session:
            await session.execute(_SQL["insert_beat"], now, self._gateway, beat, msgspec.json.encode(events).decode())
            others = await session.fetch(_SQL["sessions_elsewhere"], self._gateway, now - GONE_AFTER)
            self._elsewhere({row["connection_id"]: row["sessions"] for row in others})
            told = Counter(self._shortages)
            if told:
                await session.execute(_SQL["count_shortages"], now, list(told), list(told.values()))
                self._shortages.subtract(told)
                for agreement_id in [key for key, count in self._shortages.items() if not count]:
                    del self._shortages[agreement_id]
            if self._count % FORGET_EVERY_BEATS == 0:
                await session.execute(_SQL["forget_beats"], now - KEPT)
                await session.execute(_SQL["forget_shortages"], now - SHORTAGES_KEPT)
        self._count += 1

    async def _waiting(self, pool: asyncpg.Pool, connection_ids: list[int]) -> dict[int, _Outside]:
        """Of each connection what waits in the outbox only: taken up when there is room for it, or about to be."""
        if not connection_ids:
            return {}
        rows = await pool.fetch(_SQL["waiting_in_outbox"], self._gateway, connection_ids)
        return {row["connection_id"]: (row["messages"], row["oldest_at"]) for row in rows}


def _of_lane(lane: "Lane", outside: _Outside, now: datetime) -> dict[str, Any]:
    """`outside`: what waits in the outbox only."""
    counts, (bound_count, wanted_count) = lane.counts, lane.sessions
    oldest_at = lane.oldest_at or outside[1]
    return {
        "accepted": counts.accepted,
        "sent": counts.sent,
        "receipts": counts.receipts,
        "delivered": counts.delivered,
        "errors": counts.errors,
        "failed": counts.failed,
        "last_error": counts.last_error,
        "sessions": bound_count,
        "sessions_max": wanted_count,
        "queued": lane.waiting_count + outside[0],
        "oldest_s": None if oldest_at is None else max(0, (now - oldest_at) // timedelta(seconds=1)),
        "window": lane.window_used,
        "window_max": lane.window_max,
        "rate": int(lane.rate_rps),
        "limit": int(lane.limit_rps),
        "ready": lane.ready,
        "disabled": lane.configuration.disabled,
        "reason": lane.reason,
    }


def _refused() -> dict[str, int]:
    """By code, since this process started."""
    (metric,) = MESSAGES_REFUSED.collect()
    return {sample.labels["code"]: int(sample.value) for sample in metric.samples if sample.name.endswith("_total")}


def _ticks() -> dict[str, int]:
    """Ticks written since this process started, and the time they took."""
    (metric,) = TICK_SECONDS.collect()
    found = {sample.name.rpartition("_")[2]: sample.value for sample in metric.samples}
    return {"ticks": int(found["count"]), "tick_us": int(found["sum"] * 1_000_000)}
