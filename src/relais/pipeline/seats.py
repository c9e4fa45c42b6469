"""How many sessions an SMPP client has, over all gateways: a session has one of the seats of its account while it lasts.

A seat is an advisory lock of the gateway that has the session, so that those of a gateway that falls are free at once. While the
database is away each gateway counts its own; sessions it let in then get their seats when it is back, or are told to go.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import asyncpg
import structlog

from relais.store.blocks import blocks
from relais.store.sessions import CONNECTION_LOST, open_session

ASK_WITHIN_S: Final = 5.0

_SQL = blocks("deliveries")
_NO_ANSWER = (*CONNECTION_LOST, asyncpg.PostgresError, TimeoutError)
log = structlog.get_logger()


class Seat:
    """Of one session; `number` is None while it is not certain that it has one."""

    __slots__ = ("connection_id", "number")

    def __init__(self, connection_id: int) -> None:
        self.connection_id = connection_id
        self.number: int | None = None


class Seats:
    """As one gateway has them. `limit`: how many a client connection may have; `without` hears of a seat for which there is no
    room any more."""

    def __init__(self, dsn: str, limit: Callable[[int], int], without: Callable[[Seat], None]) -> None:
        self._dsn = dsn
        self._limit = limit
        self._without = without
        self._taken: set[Seat] = set()
        self._session: asyncpg.Connection | None = None
        self._one_at_a_time = asyncio.Lock()

    async def take(self, connection_id: int) -> Seat | None:
        """A seat of that client connection; None when it has as many sessions as it may."""
        async with self._one_at_a_time:
            seat = Seat(connection_id)
            try:
                await self._find(seat)
            except _NO_ANSWER as error:
                log.warning("seat.not_certain", connection=connection_id, error=str(error) or type(error).__name__)
                self._drop()
                if len(self._of(connection_id)) >= self._limit(connection_id):
                    return None
            else:
                if seat.number is None:
                    return None
            self._taken.add(seat)
            return seat

    async def give_up(self, seat: Seat) -> None:
        """Its session has ended."""
        async with self._one_at_a_time:
            self._taken.discard(seat)
            if seat.number is None or self._session is None or self._session.is_closed():
                return
            try:
                await self._session.fetchval(_SQL["free_seat"], seat.connection_id, seat.number, timeout=ASK_WITHIN_S)
            except _NO_ANSWER:
                self._drop()

    async def renew(self) -> None:
        """Now and then: make sure of the seats."""
        if not self._taken:
            return
        async with self._one_at_a_time:
            try:
                await (await self._open()).fetchval("SELECT 1", timeout=ASK_WITHIN_S)
                for seat in [each for each in self._taken if each.number is None]:
                    await self._find(seat)
                    if seat.number is None:
                        self._taken.discard(seat)
                        self._without(seat)
            except _NO_ANSWER as error:
                log.debug("seats.not_certain", error=str(error) or type(error).__name__)
                self._drop()

    async def close(self) -> None:
        if self._session is not None:
            with contextlib.suppress(*_NO_ANSWER):
                await self._session.close(timeout=1)

    async def _find(self, seat: Seat) -> None:
        session = await self._open()
        own = {each.number for each in self._of(seat.connection_id)}  # a lock of one's own can be had again
        free = [number for number in range(1, self._limit(seat.connection_id) + 1) if number not in own]
        seat.number = await session.fetchval(_SQL["take_seat"], seat.connection_id, free, timeout=ASK_WITHIN_S)

    async def _open(self) -> asyncpg.Connection:
        """The session that has the locks; with another one than before none is certain."""
        if self._session is None or self._session.is_closed():
            for seat in self._taken:
                seat.number = None
            self._session = await open_session(self._dsn, timeout_s=ASK_WITHIN_S)
        return self._session

    def _drop(self) -> None:
        """What it had, nobody can say: its locks end with it."""
        if self._session is not None:
            self._session.terminate()

    def _of(self, connection_id: int) -> list[Seat]:
        return [each for each in self._taken if each.connection_id == connection_id]
