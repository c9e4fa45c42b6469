"""Long messages from phones: their parts wait for each other, so that a message is routed, listed and told as one.

A part is stored in the tick that brings it, and its vendor answered after that, so that none is lost when a gateway falls: who
takes the connection up reads what waits. What is not whole in time goes on as far as it came.
"""

from datetime import datetime, timedelta

import asyncpg
import msgspec

from relais.contracts.vendors import IncomingMessage
from relais.store.binary import Row
from relais.store.blocks import blocks

WHOLE_WITHIN = timedelta(minutes=5)
WAITING_MAX = 10_000  # messages that wait for parts; above it parts go on as they come
UDH_BIT, UCS2 = 0x40, 8

_SQL = blocks("deliveries")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(IncomingMessage).decode

Key = tuple[int, str, str, int, int]  # connection, source, destination, reference, parts in all


class Whole(msgspec.Struct, frozen=True):
    """A message with all its parts in order, or with those that came in time."""

    connection_id: int
    parts: tuple[IncomingMessage, ...]

    @property
    def first(self) -> IncomingMessage:
        return self.parts[0]

    @property
    def text(self) -> str:
        """Of several parts joined before it is read: a character may be cut in two."""
        if len(self.parts) > 1 and self.first.data_coding == UCS2:
            octets = b"".join(map(_payload, self.parts))
            return octets.decode("utf-16-be", "replace").replace("\0", "\ufffd")
        return "".join(part.text for part in self.parts)


class Waiting:
    """The parts of one message that have come, by their number."""

    __slots__ = ("parts", "since")

    def __init__(self, since: datetime) -> None:
        self.since = since
        self.parts: dict[int, IncomingMessage] = {}


class IncomingParts:
    """What waits in this gateway, as the database has it once the plans are committed."""

    def __init__(self) -> None:
        self._waiting: dict[Key, Waiting] = {}  # the oldest first

    def add(
        self, connection_id: int, message: IncomingMessage, now: datetime, stored: list[Row], forgotten: list[Key]
    ) -> list[Whole]:
        """Messages that are whole with it: none while it waits for others. Rows to be written go to `stored`, keys of those that
        are not to be kept any more to `forgotten`."""
        if message.part is None:
            return [Whole(connection_id, (message,))]
        reference, total, number = message.part
        key = (connection_id, message.source, message.destination, reference, total)
        waiting, ended = self._waiting.get(key), list[Whole]()
        if waiting is not None and (former := waiting.parts.get(number)) is not None:
            if former.body == message.body:
                return []  # the vendor says it twice
            ended.append(self._end(key, forgotten))  # the reference means another message now
            waiting = None
        if waiting is None:
            if len(self._waiting) >= WAITING_MAX:
                return [*ended, Whole(connection_id, (message,))]
            waiting = self._waiting[key] = Waiting(now)
        kept = msgspec.structs.replace(message, token=None)
        waiting.parts[number] = kept
        if len(waiting.parts) == total:
            return [*ended, self._end(key, forgotten)]
        stored.append((*key, number, waiting.since, _encode(kept)))
        return ended

    def due(self, now: datetime) -> bool:
        """Whether something has waited too long."""
        oldest = next(iter(self._waiting.values()), None)
        return oldest is not None and oldest.since <= now - WHOLE_WITHIN

    def overdue(self, now: datetime, forgotten: list[Key]) -> list[Whole]:
        """What has waited too long, as far as it came."""
        latest = now - WHOLE_WITHIN
        return [self._end(key, forgotten) for key, each in list(self._waiting.items()) if each.since <= latest]

    async def restore(self, session: asyncpg.Connection, connection_id: int) -> None:
        """What waits of a connection that this gateway has taken up."""
        self.forget(connection_id)
        for row in await session.fetch(_SQL["incoming_parts"], connection_id):
            key = (connection_id, row["source"], row["destination"], row["reference"], row["total"])
            waiting = self._waiting.setdefault(key, Waiting(row["received_at"]))
            waiting.parts[row["number"]] = _decode(row["message"])

    def forget(self, connection_id: int) -> None:
        """Another gateway drives that connection now."""
        for key in [key for key in self._waiting if key[0] == connection_id]:
            del self._waiting[key]

    def _end(self, key: Key, forgotten: list[Key]) -> Whole:
        forgotten.append(key)
        parts = self._waiting.pop(key).parts
        return Whole(key[0], tuple(parts[number] for number in sorted(parts)))


async def write(session: asyncpg.Connection, stored: list[Row], forgotten: list[Key]) -> None:
    """In the tick that plans it; written again, it changes nothing."""
    if stored:
        await session.executemany(_SQL["keep_incoming_part"], stored)
    if forgotten:
        await session.executemany(_SQL["forget_incoming_parts"], forgotten)


def _payload(part: IncomingMessage) -> bytes:
    body = part.body
    return body[body[0] + 1 :] if part.esm_class & UDH_BIT and body else body
