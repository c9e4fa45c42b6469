"""What numbers got in the last sixty minutes, as flood filters count it: a row a filter and number, which the tick locks.

So limits are exact, however many gateways there are and whenever they start. A filter counts from the moment it is there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

import asyncpg
import msgspec

from relais.pipeline.message import Message
from relais.pipeline.rails import Flood, Noted
from relais.store.blocks import blocks

WINDOW_MS = 3_600_000
OF_ONE_MAX = 400  # messages to one number that are remembered, the latest

Key = tuple[int, str]  # filter, number
_SQL = blocks("guard_rails")


class Got(msgspec.Struct):
    """What numbers got: the texts (their hashes) of the last sixty minutes, with what this tick lets through; and how many of the
    oldest entries of each row are of no use any more."""

    now_ms: int
    texts: dict[Key, list[int]]
    stale: dict[Key, int]

    def passed(self, floods: Iterable[Flood], message: Message) -> Iterator[Noted]:
        """The limits that the message would pass."""
        text = _hash(message.text)
        for flood in floods:
            texts = self.texts[flood.id, message.destination]
            if flood.identical_max is not None and texts.count(text) >= flood.identical_max:
                yield Noted(flood, "identical", str(flood.identical_max), message)
            elif flood.different_max is not None and text not in texts and len(set(texts)) >= flood.different_max:
                yield Noted(flood, "different", str(flood.different_max), message)

    def count(self, floods: Iterable[Flood], message: Message) -> None:
        """The message is let through."""
        for flood in floods:
            self.texts[flood.id, message.destination].append(_hash(message.text))


async def lock(session: asyncpg.Connection, keys: Sequence[Key], now: datetime) -> Got:
    """What these numbers got, locked until the end of the transaction. `keys` in their order, as every writer has them."""
    now_ms = _ms(now)
    got = Got(now_ms, {}, {})
    columns = [list(column) for column in zip(*keys, strict=True)]
    while len(got.texts) < len(keys):  # a row can be forgotten between the two statements
        await session.execute(_SQL["ensure_floods"], *columns)
        for row in await session.fetch(_SQL["lock_floods"], *columns):
            key, at_ms = (row["filter_id"], row["number"]), row["at_ms"]
            stale = next((n for n, each in enumerate(at_ms) if each > now_ms - WINDOW_MS), len(at_ms))
            got.stale[key] = max(stale, len(at_ms) - OF_ONE_MAX)
            got.texts[key] = row["texts"][got.stale[key] :]
    return got


async def write(
    session: asyncpg.Connection, got: Got, floods: Mapping[int, Sequence[Flood]], accepted: Iterable[Message]
) -> None:
    """Remember what was accepted. `floods`: those that count a message, by its `id`."""
    added: defaultdict[Key, list[int]] = defaultdict(list)
    for message in accepted:
        for flood in floods.get(id(message), ()):
            added[flood.id, message.destination].append(_hash(message.text))
    if added:
        rows = [(*key, got.stale[key], got.now_ms, text) for key, texts in added.items() for text in texts]
        await session.execute(_SQL["count_floods"], *(list(column) for column in zip(*rows, strict=True)))


def _hash(text: str) -> int:
    """Sixty-four bits, the same in every process."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
