"""Stop lists in memory: whom a company does not write to, from any sender ID or from one. Followed by a log of changes.

A change is read once its transaction is over, however long that took: what is read next begins at the oldest transaction that was
running when the last reading was made.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import asyncpg

from relais.store.blocks import blocks

ALL_SENDERS = 0
_SQL = blocks("stop_lists")


class StopChange(NamedTuple):
    """That a recipient asked a sender to stop, or to write again."""

    company_id: int
    sender_id: int
    number: str
    stopped: bool


class StopLists:
    """`load` once, then `refresh` from time to time."""

    def __init__(self) -> None:
        self._numbers: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        self._beginning = "0"

    async def load(self, session: asyncpg.Connection) -> None:
        """Everything there is."""
        async with session.transaction(isolation="repeatable_read", readonly=True):
            self._beginning = await session.fetchval(_SQL["beginning"])
            for row in await session.fetch(_SQL["entries"]):
                self._set(row["company_id"], row["sender_id"], row["number"], True)

    async def refresh(self, session: asyncpg.Connection) -> None:
        """What changed since."""
        rows = await session.fetch(_SQL["changes"], self._beginning)
        for row in rows:
            if row["company_id"] is not None:
                self._set(row["company_id"], row["sender_id"], row["number"], row["stopped"])
        self._beginning = rows[0]["beginning"]

    def apply(self, changes: Iterable[StopChange]) -> None:
        """What this gateway has just written."""
        for change in changes:
            self._set(*change)

    def hold(self, company_id: int, sender_id: int, digits: str) -> bool:
        """Whether the company does not write to that number from that sender ID."""
        if not self._numbers:
            return False
        number, held = int(digits), self._numbers
        return number in held.get((company_id, sender_id), ()) or number in held.get((company_id, ALL_SENDERS), ())

    def _set(self, company_id: int, sender_id: int, number: str, stopped: bool) -> None:
        if stopped:
            self._numbers[company_id, sender_id].add(int(number))
        else:
            self._numbers[company_id, sender_id].discard(int(number))


async def write(session: asyncpg.Connection, changes: Iterable[StopChange]) -> None:
    """What recipients asked for, within the tick; of several of one recipient the last counts. To be written to again takes away
    what the recipient put there, not what is said of all senders."""
    last = {(change.company_id, change.sender_id, change.number): change.stopped for change in changes}
    for wanted, block in ((True, "put"), (False, "take_away")):
        keys = [key for key, stopped in last.items() if stopped is wanted]
        if keys:
            columns = [list(column) for column in zip(*keys, strict=True)]
            await session.execute(_SQL[block], *columns, *(["word"] if wanted else []))
