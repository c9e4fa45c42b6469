"""The configuration in use, kept current: changes are heard of, and read anew whole.

Whoever follows it is given each snapshot; one that cannot be read leaves the former in use.
"""

import asyncio
import contextlib
from collections.abc import Callable

import asyncpg
import structlog

from relais.pipeline.configuration import Snapshot, load_snapshot
from relais.secretbox import SecretBox
from relais.store.blocks import blocks
from relais.store.sessions import CONNECTION_LOST, open_session

POLL_S = 1.0  # how long a change can stay unseen when its notification is lost

_SQL = blocks("configuration")
log = structlog.get_logger()


class Configuration:
    """Holds the current snapshot and keeps it current until `close`. `connections_allow_private`: whether vendors may be at
    private and loopback addresses (VSMPP-45)."""

    def __init__(self, dsn: str, box: SecretBox, *, connections_allow_private: bool = False) -> None:
        self._dsn = dsn
        self._box = box
        self._allow_internal = connections_allow_private
        self._changed = asyncio.Event()
        self._followers: list[Callable[[Snapshot], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._unreadable_change = 0
        self.snapshot: Snapshot

    async def open(self) -> None:
        """Load the first snapshot; raises what the database raises."""
        session = await open_session(self._dsn)
        try:
            self.snapshot = await load_snapshot(session, self._box, None, allow_internal=self._allow_internal)
        finally:
            await session.close()
        self._task = asyncio.create_task(self._follow(), name="configuration")

    def follow(self, follower: Callable[[Snapshot], None]) -> None:
        """Call `follower` with every snapshot from now on, the current one first."""
        self._followers.append(follower)
        follower(self.snapshot)

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            try:
                session = await open_session(self._dsn)
                try:
                    await session.add_listener("relais_config", lambda *_: self._changed.set())
                    while True:
                        await self._refresh(session)
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(self._changed.wait(), POLL_S)
                        self._changed.clear()
                finally:
                    await session.close(timeout=1)
            except (*CONNECTION_LOST, asyncpg.PostgresError, TimeoutError) as error:
                log.warning("configuration.unreachable", error=str(error))
                await asyncio.sleep(POLL_S)

    async def _refresh(self, session: asyncpg.Connection) -> None:
        changes = await session.fetchrow(_SQL["changes"], self.snapshot.change)
        if changes["newest"] == self.snapshot.change:
            return
        try:
            self.snapshot = await load_snapshot(session, self._box, self.snapshot, allow_internal=self._allow_internal)
        except (ValueError, LookupError, TypeError) as error:
            # A record that cannot be read must not stop the traffic that the former snapshot carries.
            if changes["newest"] != self._unreadable_change:
                log.error("configuration.unreadable", change=changes["newest"], error=repr(error))
            self._unreadable_change = changes["newest"]
            return
        log.info("configuration.loaded", change=self.snapshot.change, tables=sorted(changes["tables"]))
        for follower in self._followers:
            follower(self.snapshot)
