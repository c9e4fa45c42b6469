"""Parts of messages that are not whole yet: answered, so kept in the database until the message they make is stored or refused.

They wait for each other there, and belong to no gateway: whichever brings the last one is given them all and makes the message;
when one falls, nothing has to be taken over but what it was making. That carries the number of its writer, whose lock ends with
it. The id of the message to be is given with its first part, so that it is found to be stored or not, and charged once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

import asyncpg

from relais.store.blocks import blocks
from relais.store.sessions import CONNECTION_LOST, SESSION_ENDED

WHOLE_WITHIN_S: Final = 300.0
LEFT_MAX: Final = 500  # messages at a time
AGAIN_S: Final = 0.1  # after a session was lost in the middle of a statement

_SQL = blocks("deliveries")
_DATABASE_AWAY = (*CONNECTION_LOST, *SESSION_ENDED, TimeoutError)
_T = TypeVar("_T")


class WaitingPart(NamedTuple):
    """`key`: what it has in common with the others of its message; `fragment`: the edge's own form of it; `number` from 1."""

    message_id: UUID  # of the message to be, should this be its first part
    connection_id: int  # connections_clientsmppconnection
    key: bytes
    parts_count: int
    number: int
    fragment: bytes


class Joined(NamedTuple):
    """`fragments`: of all parts, for this gateway to make the message of; None while some are missing. `known`: what stands under
    the part's number already, and nothing was changed then."""

    message_id: UUID
    fragments: Sequence[bytes] | None = None
    known: bytes | None = None


class LeftParts(NamedTuple):
    """A message that waited too long, or whose gateway is gone."""

    message_id: UUID
    connection_id: int
    owner: int | None
    stored: bool


class WaitingParts:
    """As one gateway, known by the number of its writer, has to do with them. A statement whose answer is lost is asked for until
    what it did is known; otherwise what the database raises is raised."""

    def __init__(self, pool: asyncpg.Pool, writer_number: int) -> None:
        self._pool = pool
        self._number = writer_number

    async def join(self, part: WaitingPart) -> Joined:
        """Returns when the part may be answered."""
        place = part.connection_id, part.key

        async def ask(session: asyncpg.Connection, again: bool) -> Joined:
            if again and (row := await session.fetchrow(_SQL["made_whole"], *place, part.fragment, self._number)):
                return Joined(row["message_id"], row["fragments"])
            while True:
                row = await session.fetchrow(
                    _SQL["join_part"], part.message_id, *place, part.parts_count, part.number, part.fragment, self._number
                )  # fmt: skip
                if row is not None:
                    return Joined(row["message_id"], row["fragments"])
                row = await session.fetchrow(_SQL["joined_part"], *place, part.number)
                if row is not None and row["fragment"] is not None:
                    return Joined(row["message_id"], known=row["fragment"])

        return await self._until_known(ask)

    async def claim(self, message_id: UUID, owner: int | None) -> Sequence[bytes] | None:
        """The parts of that message, for this gateway to make it of; None when another one does. `owner`: as `left` said."""

        async def ask(session: asyncpg.Connection, again: bool) -> Sequence[bytes] | None:
            found: Sequence[bytes] | None = await session.fetchval(
                _SQL["claim_parts"], message_id, self._number, owner, again
            )
            return found

        return await self._until_known(ask)

    async def left(self) -> list[LeftParts]:
        """Messages that somebody has to see to."""
        rows = await self._pool.fetch(_SQL["left_parts"], self._number, WHOLE_WITHIN_S, LEFT_MAX)
        return [LeftParts(*row) for row in rows]

    async def release(self, message_id: UUID, number: int | None) -> bool:
        """Have a claimed message wait as before, without the part that its client sends again; False where the client has begun
        another of its key, so that it cannot."""
        try:
            await self._pool.execute(_SQL["release_parts"], message_id, number)
        except asyncpg.UniqueViolationError:
            return False
        return True

    async def forget(self, message_ids: Sequence[UUID]) -> None:
        """They are stored, or refused."""
        await self._pool.execute(_SQL["forget_parts"], message_ids)

    async def is_stored(self, message_id: UUID) -> bool:
        return bool(await self._pool.fetchval(_SQL["is_stored"], message_id))

    async def _until_known(self, ask: Callable[[asyncpg.Connection, bool], Awaitable[_T]]) -> _T:
        """`ask` hears whether it was asked before, and may have been done."""
        again = False
        while True:
            begun = False
            try:
                async with self._pool.acquire() as session:
                    begun = True
                    return await ask(session, again)
            except _DATABASE_AWAY:
                if not again and not begun:
                    raise  # nothing was asked
                again = True
            await asyncio.sleep(AGAIN_S)
