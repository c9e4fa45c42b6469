"""Cancels and replaces messages that wait: for their time, or for their turn at the vendor.

Both are done between two ticks, by the gateway that owns the message's connection: rows and memory say the same then, and nobody
else can send the message meanwhile. Another gateway asks it to cancel, through the database. A message of which any part was
handed over stays as it is.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from relais.core.lifecycle import State
from relais.core.segments import NotEncodable, TooManyParts, encode
from relais.pipeline.accept import Admission
from relais.pipeline.lane import Lane
from relais.pipeline.message import Batch, Message
from relais.pipeline.receipts import Receipts
from relais.pipeline.recovery import Recovered, open_messages
from relais.pipeline.settle import Plan
from relais.store.blocks import blocks

ELSEWHERE_WITHIN_S, ELSEWHERE_POLL_S = 3.0, 0.05

_SQL = blocks("messages")


class Replacement(NamedTuple):
    """What a waiting message is to be from now on; `validity_s` counts from now, None leaves it. A text that takes another
    number of segments would have another price: then nothing is changed. So it is with `send_at`, which cannot be moved."""

    text: str
    send_at: datetime | None
    validity_s: int | None


class _Asked(NamedTuple):
    company_id: int
    message_id: UUID
    replacement: Replacement | None  # None: cancel
    ended: asyncio.Future[bool]


class Withdrawals:
    """Of one gateway. `lanes`: those it drives; `ended`: told of each message that was canceled."""

    def __init__(
        self, lanes: Mapping[int, Lane], receipts: Receipts, ended: Callable[[Message, datetime], None]
    ) -> None:
        self._lanes = lanes
        self._receipts = receipts
        self._ended = ended
        self._asked: list[_Asked] = []
        self._answering: dict[UUID, asyncio.Task[None]] = {}
        self._canceling: dict[UUID, tuple[Message, asyncio.Future[bool]]] = {}

    def ask(self, company_id: int, message_id: UUID, replacement: Replacement | None) -> asyncio.Future[bool]:
        """Whether it was done, once that is stored. `due` is set until then."""
        ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.append(_Asked(company_id, message_id, replacement, ended))
        return ended

    @property
    def due(self) -> bool:
        return bool(self._asked)

    def canceling(self, message_id: UUID) -> bool:
        """Whether it was canceled, though its row does not say so yet."""
        return message_id in self._canceling

    def committed(self, plan: Plan) -> None:
        """Answer those who canceled what the plan ended."""
        if not self._canceling:
            return
        for (state, _, _), message_ids in plan.finished.items():
            for message_id in message_ids:
                _, ended = self._canceling.pop(message_id, (None, None))
                if ended is not None and not ended.done():
                    ended.set_result(state == State.CANCELED)

    async def ask_elsewhere(self, pool: asyncpg.Pool, company_id: int, message_id: UUID) -> bool:
        """Have the gateway that owns the message's connection cancel it; False when none answers in time."""
        await pool.execute(_SQL["ask_withdrawal"], message_id, company_id, datetime.now(UTC))
        try:
            async with asyncio.timeout(ELSEWHERE_WITHIN_S):
                while (done := await pool.fetchval(_SQL["withdrawal"], message_id)) is None:
                    await asyncio.sleep(ELSEWHERE_POLL_S)
            return bool(done)
        except TimeoutError:
            return False
        finally:
            await pool.execute(_SQL["end_withdrawal"], message_id)

    async def take_asked(self, pool: asyncpg.Pool) -> None:
        """Do what other gateways ask; each is answered once it is stored."""
        oldest = datetime.now(UTC) - timedelta(seconds=ELSEWHERE_WITHIN_S)
        for row in await pool.fetch(_SQL["withdrawals"], list(self._lanes), oldest):
            if row["message_id"] not in self._answering:
                task = asyncio.get_running_loop().create_task(self._answer(pool, row["company_id"], row["message_id"]))
                self._answering[row["message_id"]] = task

    async def _answer(self, pool: asyncpg.Pool, company_id: int, message_id: UUID) -> None:
        try:
            await pool.execute(_SQL["answer_withdrawal"], message_id, await self.ask(company_id, message_id, None))
        finally:
            del self._answering[message_id]

    async def handle(self, session: asyncpg.Connection, admission: Admission) -> None:
        """Between two ticks. What the database could not be asked about is asked again after the next."""
        while self._asked:
            asked = self._asked[0]
            found = await self._find(session, admission, asked)
            if found is None or asked.replacement is not None:
                done = found is not None and await self._replace(session, found, asked.replacement)
                if not asked.ended.done():
                    asked.ended.set_result(done)
            else:
                message = found
                self._canceling[message.id] = message, asked.ended
                self._ended(message, datetime.now(UTC))
            self._asked.pop(0)

    async def _find(self, session: asyncpg.Connection, admission: Admission, asked: _Asked) -> Message | None:
        """The message, taken out of its lane if it is to be canceled; None when it is too late, or not ours."""
        if asked.message_id in self._canceling:
            return None
        message = self._receipts.known(asked.message_id)
        if message is not None and message.batch is not None:
            lane = self._lanes.get(message.connection_id)
            if message.company_id != asked.company_id or message.state.final or lane is None:
                return None
            return message if lane.waits(message, remove=asked.replacement is None) else None
        recovered = await open_messages(session, admission, [asked.message_id])
        if not recovered or recovered[0].message.company_id != asked.company_id or recovered[0].vendor_ids:
            return None
        return await self._with_batch(session, recovered[0])

    async def _with_batch(self, session: asyncpg.Connection, recovered: Recovered) -> Message | None:
        """A message that waits in the outbox for its time, if the connection is ours."""
        message = recovered.message
        if message.connection_id not in self._lanes:
            return None
        row = await session.fetchrow(
            _SQL["batch_of_message"], message.connection_id, message.send_at or message.accepted_at, message.id
        )
        if row is None:
            return None
        batch = Batch(row["id"], message.connection_id, [message], message.expires_at)
        batch.open_count = batch.unsent_count = row["open_count"]
        known = self._receipts.remember(recovered)
        known.batch = batch
        return known

    async def _replace(self, session: asyncpg.Connection, message: Message, replacement: Replacement | None) -> bool:
        assert replacement is not None
        try:
            encoded = encode(replacement.text)
        except (NotEncodable, TooManyParts):
            return False
        cut = message.origin is not None and bool(message.origin.cuts)
        same = (encoded.data_coding, len(encoded.parts)) == (message.encoded.data_coding, len(message.encoded.parts))
        if cut or not same or replacement.send_at not in (None, message.send_at):
            return False
        validity_s = message.validity_s
        if replacement.validity_s is not None:
            begins = message.send_at or message.accepted_at
            validity_s = replacement.validity_s + max(0, int((datetime.now(UTC) - begins).total_seconds()))
        await session.execute(_SQL["replace_message"], message.id, replacement.text, validity_s)
        message.text, message.encoded, message.validity_s = replacement.text, encoded, validity_s
        message.expires_at_s = (message.send_at or message.accepted_at).timestamp() + validity_s
        return True
