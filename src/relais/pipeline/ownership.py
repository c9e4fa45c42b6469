"""Which vendor connections this gateway owns: one gateway at a time holds a connection's lock in the database.

The locks belong to one session. Should it end, nothing is sent until every lock is held again; a lock that another gateway
took meanwhile cannot be got back, and `Fenced` says that this process must not go on.
"""

import asyncpg
import structlog

from relais.store.blocks import blocks
from relais.store.sessions import open_session

_SQL = blocks("messages")
log = structlog.get_logger()


class Fenced(Exception):
    """Another gateway owns a connection whose messages this one still holds."""


class Ownership:
    """The session that holds the locks."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._session: asyncpg.Connection | None = None
        self.owned: set[int] = set()

    @property
    def certain(self) -> bool:
        """Whether the locks are still held, as far as this side can know."""
        return self._session is not None and not self._session.is_closed()

    async def renew(self) -> None:
        """Make sure of the locks; raises what a lost database raises, or `Fenced`."""
        if self._session is None or self._session.is_closed():
            self._session = await open_session(self._dsn)
            for connection_id in sorted(self.owned):
                if not await self._lock(connection_id):
                    raise Fenced(f"connection {connection_id} belongs to another gateway now")
        else:
            await self._session.fetchval("SELECT 1")

    async def take(self, connection_ids: set[int]) -> set[int]:
        """Try to own these too; returns those that were got."""
        got = {each for each in sorted(connection_ids - self.owned) if await self._lock(each)}
        self.owned |= got
        return got

    async def give_up(self, connection_id: int) -> None:
        """Let another gateway own it."""
        assert self._session is not None
        self.owned.discard(connection_id)
        await self._session.fetchval(_SQL["unlock_connection"], connection_id)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close(timeout=1)

    async def _lock(self, connection_id: int) -> bool:
        assert self._session is not None
        return bool(await self._session.fetchval(_SQL["lock_connection"], connection_id))
