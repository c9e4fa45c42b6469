"""What numbers got in the last hour, as flood filters count it: in memory, of a bounded size.

A gateway that starts, or learns of a new filter, reads the last hour of what is stored; while other gateways run it reads what
they stored every few seconds. So limits hold together, but for what another gateway took in since.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from relais.pipeline.following import Configuration
from relais.pipeline.ids import accepted_at, floor
from relais.pipeline.message import Message
from relais.pipeline.rails import Flood, Noted, Rails
from relais.store.blocks import blocks
from relais.store.sessions import CONNECTION_LOST, SESSION_ENDED

WINDOW_S = 3600.0
DESTINATIONS_MAX = 100_000  # pairs of a filter and a number; those that got nothing for longest go
OF_ONE_MAX = 400  # messages to one number that are remembered
READ_MAX = 200_000  # rows read at once
REFRESH_S = 0.5
OTHERS_EVERY_S, OTHERS_OVERLAP_S, BEATEN_WITHIN_S = 2.0, 5.0, 15.0

_Key = tuple[int, str]  # filter, number
_Got = tuple[float, int, int]  # accepted at, hash of the text, message id
_SQL = blocks("guard_rails")
log = structlog.get_logger()


class Floods:
    """`tick()` to ask, `count` once it is stored; `run` beside the traffic."""

    def __init__(self) -> None:
        self._got: OrderedDict[_Key, list[_Got]] = OrderedDict()
        self._read: frozenset[tuple[int, int]] = frozenset()  # (company, filter) whose last hour was read
        self._others_read_s = 0.0

    def got(self, key: _Key, now_s: float) -> list[_Got]:
        """What the number got in the hour before, the oldest first."""
        found = self._got.get(key, [])
        while found and found[0][0] <= now_s - WINDOW_S:
            del found[0]
        return found

    def tick(self) -> "Tick":
        return Tick(self)

    def count(self, rails: Rails, message: Message) -> None:
        if message.company_id not in rails.floods:
            return
        self._count(rails.floods_of(message.company_id, message.sender_id, message.destination), message.destination,
                    (message.accepted_at.timestamp(), hash(message.text), message.id.int))  # fmt: skip

    def _count(self, floods: Iterable[Flood], destination: str, got: _Got) -> None:
        for flood in floods:
            key = flood.id, destination
            listed = self._got.setdefault(key, [])
            self._got.move_to_end(key)
            if any(each[2] == got[2] for each in listed):
                continue
            listed.append(got)
            if len(listed) > 1 and listed[-2][0] > got[0]:
                listed.sort()
            del listed[:-OF_ONE_MAX]
            if len(self._got) > DESTINATIONS_MAX:
                self._got.popitem(last=False)

    async def run(self, pool: asyncpg.Pool, configuration: Configuration, gateway: UUID) -> None:
        """Keep up with filters and other gateways, until cancelled. Apart from everything else: an hour may be long to read."""
        while True:
            try:
                rails = configuration.snapshot.rails
                if rails is not None or self._read:
                    async with pool.acquire() as session:
                        await self.refresh(session, rails, gateway, datetime.now(UTC))
            except (*CONNECTION_LOST, *SESSION_ENDED, asyncpg.PostgresError, TimeoutError) as error:
                log.warning("floods.postponed", error=str(error) or type(error).__name__)
            await asyncio.sleep(REFRESH_S)

    async def refresh(self, session: asyncpg.Connection, rails: Rails | None, gateway: UUID, now: datetime) -> None:
        """Read the last hour of filters that are new here, and what other gateways stored lately."""
        wanted = (
            frozenset((company, f.id) for company, floods in rails.floods.items() for f in floods)
            if rails
            else frozenset()
        )
        new = wanted - self._read
        if rails is not None and new:
            await self._read_since(session, rails, {company for company, _ in new}, now - timedelta(seconds=WINDOW_S))
        elif rails is not None and wanted and now.timestamp() - self._others_read_s >= OTHERS_EVERY_S:
            self._others_read_s = now.timestamp()
            since = now - timedelta(seconds=BEATEN_WITHIN_S)
            if await session.fetchval(_SQL["other_gateways"], gateway, since):
                overlapping = now - timedelta(seconds=OTHERS_EVERY_S + OTHERS_OVERLAP_S)
                await self._read_since(session, rails, {company for company, _ in wanted}, overlapping)
        if not wanted:
            self._got.clear()
        self._read = wanted

    async def _read_since(
        self, session: asyncpg.Connection, rails: Rails, companies: set[int], since: datetime
    ) -> None:
        rows: list[Any] = await session.fetch(_SQL["sent_lately"], list(companies), floor(since), READ_MAX)
        for row in reversed(rows):
            floods = rails.floods_of(row["company_id"], row["sender_id"], row["destination"])
            at_s = accepted_at(row["id"]).timestamp()
            self._count(floods, row["destination"], (at_s, hash(row["body"]), row["id"].int))


class Tick:
    """What numbers got, with what this tick lets through."""

    def __init__(self, floods: Floods) -> None:
        self._floods = floods
        self._taken: defaultdict[_Key, list[int]] = defaultdict(list)  # hashes of texts

    def passed(self, rails: Rails, message: Message) -> Iterator[Noted]:
        """The limits that the message would pass."""
        if not rails.floods:
            return
        now_s, text = message.accepted_at.timestamp(), hash(message.text)
        for flood in rails.floods_of(message.company_id, message.sender_id, message.destination):
            key = flood.id, message.destination
            texts = [each[1] for each in self._floods.got(key, now_s)] + self._taken.get(key, [])
            if flood.identical_max is not None and texts.count(text) >= flood.identical_max:
                yield Noted(flood, "identical", str(flood.identical_max), message)
            elif flood.different_max is not None and text not in texts and len(set(texts)) >= flood.different_max:
                yield Noted(flood, "different", str(flood.different_max), message)

    def count(self, rails: Rails, message: Message) -> None:
        if rails.floods:
            for flood in rails.floods_of(message.company_id, message.sender_id, message.destination):
                self._taken[flood.id, message.destination].append(hash(message.text))
