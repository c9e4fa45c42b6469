"""Joins the parts of a message that a client cut itself, so that it is rated as the one message it is.

A part is known by its account, addresses, reference and count; parts come in any order, over any session of the account, and some
come twice. Each is answered with an id of its own once it is stored; the last one with what becomes of the message. What is not
whole after `WHOLE_WITHIN_S` goes on its way as it is.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
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
from relais.pipeline.waiting_parts import WaitingPart

WHOLE_WITHIN_S = 300.0

TellPart = Callable[[str | Refused | Exception], None]
"""Called once: the id of the part, or why it was not taken."""
_Key = tuple[int, str, str, int, int]

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Wish).decode
log = structlog.get_logger()


class _Joining:
    """A message of which parts are there."""

    __slots__ = ("connection_id", "message_id", "parts", "started_s", "storing")

    def __init__(self, message_id: UUID, connection_id: int) -> None:
        self.message_id = message_id
        self.connection_id = connection_id
        self.parts: dict[int, Wish] = {}
        self.storing: set[asyncio.Task[None]] = set()
        self.started_s = time.monotonic()

    def id_of(self, number: int) -> str:
        return f"{self.message_id}.{number}"


class Parts:
    """Of all accounts of a gateway."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._open: dict[_Key, _Joining] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, connection: ClientConnection, wish: Wish, tell: TellPart) -> None:
        """One part; `Unfit` when it cannot be read."""
        part = wish.part
        assert part is not None
        key = (connection.id, wish.source.address, wish.destination.address, part.reference, part.total)
        joining = self._open.get(key)
        if joining is not None and (known := joining.parts.get(part.number)) and known.body != wish.body:
            self._pass_on(key, joining)  # the client uses the reference anew
            joining = None
        if joining is None:
            alone = submission_of([wish], connection.id, (), whole=False)
            if (refusal := self._traffic.refusal_of(connection.key, alone)) is not None:
                tell(refusal)
                return
            joining = self._open[key] = _Joining(self._traffic.new_message_id(), connection.id)
        joining.parts[part.number] = wish
        if len(joining.parts) == part.total:
            del self._open[key]
            self._start(self._submit(key, joining, connection, part.number, tell))
        else:
            task = self._start(self._store(joining, part.number, tell))
            joining.storing.add(task)
            task.add_done_callback(joining.storing.discard)

    async def take_over(self) -> None:
        """Go on with the parts that another gateway left."""
        for row in await self._traffic.waiting_parts.take_over():
            wish = _unpack(row.fragment)
            assert wish.part is not None
            key = (
                row.connection_id,
                wish.source.address,
                wish.destination.address,
                wish.part.reference,
                row.parts_count,
            )
            joining = self._open.get(key)
            if joining is None or joining.message_id != row.message_id:
                joining = self._open[key] = _Joining(row.message_id, row.connection_id)
            joining.parts[row.part] = wish

    def expire(self) -> None:
        """Pass on what was not completed in time."""
        oldest_s = time.monotonic() - WHOLE_WITHIN_S
        for key, joining in [item for item in self._open.items() if item[1].started_s < oldest_s]:
            self._pass_on(key, joining)

    async def close(self) -> None:
        """Wait for what is being stored; the rest stays in the database."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: "asyncio._CoroutineLike[None]") -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _store(self, joining: _Joining, number: int, tell: TellPart) -> None:
        wish = joining.parts[number]
        assert wish.part is not None
        row = WaitingPart(
            joining.message_id, number, wish.part.total, joining.connection_id, datetime.now(UTC), _pack(wish)
        )
        try:
            await self._traffic.waiting_parts.keep(row)
        except Exception as error:
            joining.parts.pop(number, None)
            log.warning("part.not_stored", message=str(joining.message_id), error=str(error) or type(error).__name__)
            tell(refused(Refusal.OVERLOADED))
        else:
            tell(joining.id_of(number))

    async def _submit(
        self, key: _Key, joining: _Joining, connection: ClientConnection, number: int, tell: TellPart
    ) -> None:
        """The message is whole, once every part of it is stored."""
        await asyncio.gather(*joining.storing, return_exceptions=True)
        wish = joining.parts[number]
        if len(joining.parts) < (
            wish.part.total if wish.part else 0
        ):  # one could not be stored: its client sends it again
            self._open.setdefault(key, joining)
            await self._store(joining, number, tell)
            return
        told = await self._outcome(joining, connection)
        if isinstance(told, Refused | Exception):
            tell(told)
            if isinstance(told, Refused) and told.refusal is Refusal.OVERLOADED:
                del joining.parts[number]  # the last part may come again
                self._open.setdefault(key, joining)
                return
            self._reject(joining, told, but=number)
        else:
            tell(joining.id_of(number))
        await self._forget(joining)

    async def _outcome(self, joining: _Joining, connection: ClientConnection) -> UUID | Refused | Exception:
        """What the pipeline says of the parts there are."""
        numbers = sorted(joining.parts)
        told_ids = tuple((joining.id_of(n), joining.parts[n].registered_delivery) for n in numbers)
        try:
            submission = submission_of(
                [joining.parts[n] for n in numbers], connection.id, told_ids, message_id=joining.message_id
            )
        except Unfit:
            return refused(Refusal.TEXT_NOT_ENCODABLE)
        ended: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        at_once = self._traffic.submit_one(connection.key, submission, None, ended.set_result)
        told = at_once or await ended
        if isinstance(told, Answer):
            outcome = told.outcomes[0]
            return outcome if isinstance(outcome, Refused) else outcome.message_id
        return told

    def _pass_on(self, key: _Key, joining: _Joining) -> None:
        del self._open[key]
        self._start(self._pass_on_parts(joining))

    async def _pass_on_parts(self, joining: _Joining) -> None:
        await asyncio.gather(*joining.storing, return_exceptions=True)
        found = self._traffic.snapshot.client_connections.values()
        connection = next((each for each in found if each.id == joining.connection_id), None)
        if connection is not None and joining.parts:
            told = await self._outcome(joining, connection)
            if isinstance(told, Refused | Exception):
                self._reject(joining, told, but=0)
        log.info("message.not_whole", message=str(joining.message_id), parts=len(joining.parts))
        await self._forget(joining)

    def _reject(self, joining: _Joining, why: Refused | Exception, *, but: int) -> None:
        """The ids that were answered learn that nothing comes of them; the part `but` was told."""
        now, error = datetime.now(UTC), why.refusal.value if isinstance(why, Refused) else "internal"
        receipts: list[ForClient] = [
            ClientReceipt(
                joining.id_of(number), wish.source, wish.destination, int(State.REJECTED), error, now, now, ""
            )
            for number, wish in sorted(joining.parts.items())
            if number != but and wants(wish.registered_delivery, State.REJECTED)
        ]
        if receipts:
            self._traffic.tell_client(joining.connection_id, receipts)

    async def _forget(self, joining: _Joining) -> None:
        try:
            await self._traffic.waiting_parts.forget([joining.message_id])
        except Exception as error:  # they are known for stored by the message's id
            log.warning(
                "parts.not_forgotten", message=str(joining.message_id), error=str(error) or type(error).__name__
            )
