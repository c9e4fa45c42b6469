"""Joins the parts of a message that a client cut itself, so that it is rated as the one message it is.

A part is known by its account, addresses, reference and count; parts come in any order, over any session of the account, at any
gateway, and some come twice. Each is answered with an id of its own once it is stored; the last one with what becomes of the
message. What is not whole after five minutes goes on its way as it is. Whose turn it is to make a message, the database says
(docs/decisions/0027).
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from relais.core.lifecycle import State
from relais.core.refusals import Refusal
from relais.gateway.smpp.reading import Unfit, Wish, submission_of
from relais.pipeline.accept import refused
from relais.pipeline.configuration import ClientConnection
from relais.pipeline.origin import ClientReceipt, ForClient, wants
from relais.pipeline.submission import Answer, Refused, Told
from relais.pipeline.traffic import Traffic
from relais.pipeline.waiting_parts import Joined, LeftParts, WaitingPart

CLOSE_WITHIN_S: Final = 5.0  # for a database that is away; what is not known then is in it, for others to go on with

TellPart = Callable[[str | Refused | Exception], None]
"""Called once: the id of the part, or why it was not taken."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Wish).decode
log = structlog.get_logger()


class _Making:
    """A message that is this gateway's to make, of the parts there are."""

    __slots__ = ("connection_id", "message_id", "parts")

    def __init__(self, message_id: UUID, connection_id: int, fragments: Sequence[bytes]) -> None:
        self.message_id = message_id
        self.connection_id = connection_id
        self.parts: dict[int, Wish] = {wish.part.number: wish for each in fragments if (wish := _unpack(each)).part}

    def id_of(self, number: int) -> str:
        return _id_of(self.message_id, number)


class Parts:
    """Of all accounts of a gateway."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._done: list[UUID] = []  # their parts can go

    def take(self, connection: ClientConnection, wish: Wish, tell: TellPart) -> None:
        """One part; `Unfit` when it cannot be read."""
        alone = submission_of([wish], connection.id, (), whole=False)
        if (refusal := self._traffic.refusal_of(connection.key, alone)) is not None:
            tell(refusal)
        else:
            self._start(self._take(connection, wish, tell))

    def look(self) -> None:
        """Now and then: let go of what is done with, and see to what waited too long or was left by a gateway that is gone."""
        if self._looking is None or self._looking.done():
            self._looking = self._start(self._look())

    async def close(self) -> None:
        """Wait for what is being stored; the rest stays in the database."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_WITHIN_S)
            for task in late:
                task.cancel()
        try:
            await self._forget()
        except Exception as error:  # their messages are stored, which whoever finds them sees
            log.warning("parts.not_forgotten", count=len(self._done), error=str(error) or type(error).__name__)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _look(self) -> None:
        try:
            await self._forget()
            for left in await self._traffic.waiting_parts.left():
                if left.stored:
                    self._done.append(left.message_id)
                else:
                    await self._claim(left)
        except Exception as error:  # the database is away: the pipeline says so
            log.debug("parts.look_postponed", error=str(error) or type(error).__name__)

    async def _take(self, connection: ClientConnection, wish: Wish, tell: TellPart) -> None:
        assert wish.part is not None
        number = wish.part.number
        try:
            joined = await self._join(connection, wish)
        except Exception as error:
            log.warning("part.not_stored", connection=connection.id, error=str(error) or type(error).__name__)
            tell(refused(Refusal.OVERLOADED))
            return
        if joined.fragments is None:
            tell(_id_of(joined.message_id, number))
        else:
            await self._make(_Making(joined.message_id, connection.id, joined.fragments), connection, number, tell)

    async def _join(self, connection: ClientConnection, wish: Wish) -> Joined:
        assert wish.part is not None
        key = _pack((wish.source.address, wish.destination.address, wish.part.reference, wish.part.total))
        part = WaitingPart(
            self._traffic.new_message_id(), connection.id, key, wish.part.total, wish.part.number, _pack(wish)
        )
        while True:
            joined = await self._traffic.waiting_parts.join(part)
            if joined.known is None or _unpack(joined.known).body == wish.body:
                return joined
            # The client uses the reference anew.
            await self._claim(LeftParts(joined.message_id, connection.id, None, stored=False))

    async def _claim(self, left: LeftParts) -> None:
        """Pass on what there is of a message, unless another gateway does."""
        fragments = await self._traffic.waiting_parts.claim(left.message_id, left.owner)
        if fragments is not None:
            self._start(self._pass_on(_Making(left.message_id, left.connection_id, fragments)))

    async def _make(self, making: _Making, connection: ClientConnection, number: int, tell: TellPart) -> None:
        """The message is whole; `number` is the part that is still to be answered."""
        told = await self._outcome(making, connection)
        if told is None:
            tell(making.id_of(number))
        else:
            if _may_come_again(told) and await self._release(making, number):
                tell(told)
                return
            tell(told)
            self._reject(making, told, but=number)
        self._done.append(making.message_id)

    async def _pass_on(self, making: _Making) -> None:
        found = self._traffic.snapshot.client_connections.values()
        connection = next((each for each in found if each.id == making.connection_id), None)
        if connection is not None and making.parts:
            told = await self._outcome(making, connection)
            if told is not None:
                if _may_come_again(told) and await self._release(making, None):
                    return
                self._reject(making, told, but=0)
        log.info("message.not_whole", message=str(making.message_id), parts=len(making.parts))
        self._done.append(making.message_id)

    async def _outcome(self, making: _Making, connection: ClientConnection) -> Refused | Exception | None:
        """Why the pipeline did not take the parts there are as a message; None when it did."""
        numbers = sorted(making.parts)
        told_ids = tuple((making.id_of(n), making.parts[n].registered_delivery) for n in numbers)
        try:
            submission = submission_of(
                [making.parts[n] for n in numbers], connection.id, told_ids, message_id=making.message_id
            )
        except Unfit:
            return refused(Refusal.TEXT_NOT_ENCODABLE)
        ended: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        told = self._traffic.submit_one(connection.key, submission, None, ended.set_result) or await ended
        if isinstance(told, Answer):
            outcome = told.outcomes[0]
            return outcome if isinstance(outcome, Refused) else None
        if isinstance(told, Exception) and await self._is_stored(making):
            return None  # by a gateway that was slow, and not gone
        return told

    async def _is_stored(self, making: _Making) -> bool:
        try:
            return await self._traffic.waiting_parts.is_stored(making.message_id)
        except Exception:
            return False

    async def _release(self, making: _Making, number: int | None) -> bool:
        """The message waits as before; without the part `number`, which its client sends again."""
        try:
            return await self._traffic.waiting_parts.release(making.message_id, number)
        except Exception as error:
            log.warning("parts.not_released", message=str(making.message_id), error=str(error) or type(error).__name__)
            return False

    def _reject(self, making: _Making, why: Refused | Exception, *, but: int) -> None:
        """The ids that were answered learn that nothing comes of them; the part `but` was told."""
        now, error = datetime.now(UTC), why.refusal.value if isinstance(why, Refused) else "internal"
        receipts: list[ForClient] = [
            ClientReceipt(making.id_of(number), wish.source, wish.destination, int(State.REJECTED), error, now, now, "")
            for number, wish in sorted(making.parts.items())
            if number != but and wants(wish.registered_delivery, State.REJECTED)
        ]
        if receipts:
            self._traffic.tell_client(making.connection_id, receipts)

    async def _forget(self) -> None:
        if self._done:
            done = list(self._done)
            await self._traffic.waiting_parts.forget(done)
            del self._done[: len(done)]


def _id_of(message_id: UUID, number: int) -> str:
    return f"{message_id}.{number}"


def _may_come_again(told: Refused | Exception) -> bool:
    return isinstance(told, Refused) and told.refusal is Refusal.OVERLOADED
