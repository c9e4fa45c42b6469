"""What clients ask about their recipients: messages from phones, and who is not to be written to. No part of a tick."""

from collections.abc import Callable

import asyncpg

from relais.core.numbers import normalise
from relais.core.refusals import Refusal
from relais.pipeline import views
from relais.pipeline.accept import refused
from relais.pipeline.configuration import ApiKey, Snapshot
from relais.pipeline.submission import IncomingView, MessagesAsked, Refused, StopsAsked, StopsWanted, StopView
from relais.store.blocks import blocks

_SQL = blocks("stop_lists")
_NEWEST = 2**63 - 1


class TwoWay:
    """A key reaches its own company only; a sandbox key changes nothing and sees no phones. `pool` and `snapshot`: of the
    pipeline, once it is open."""

    def __init__(self, pool: Callable[[], asyncpg.Pool], snapshot: Callable[[], Snapshot]) -> None:
        self._pool = pool
        self._snapshot = snapshot

    async def incoming(self, key: ApiKey, asked: MessagesAsked) -> list[IncomingView]:
        """Messages from phones (`source`) to the company's sender IDs (`destination`), newest first."""
        return [] if key.sandbox else await views.incoming(self._pool(), key.company_id, asked)

    async def stops(self, key: ApiKey, asked: StopsAsked) -> list[StopView]:
        """Entries of the company's stop lists, newest first."""
        rows = await self._pool().fetch(
            _SQL["list"], key.company_id, asked.before or _NEWEST, asked.number, asked.count_max
        )
        return [
            StopView(
                id=row["id"],
                number=row["number"],
                sender=row["sender"],
                origin=row["origin"],
                since=row["created_at"],
            )
            for row in rows
        ]

    async def change_stops(self, key: ApiKey, wanted: StopsWanted) -> int | Refused:
        """How many numbers were put on a stop list, or taken off it; those that were, or were not, on it are left as they are.
        Refused as a whole, as sender_unknown or number_invalid."""
        snapshot, sender = self._snapshot(), None
        if wanted.source is not None:
            sender = snapshot.senders.get((key.company_id, "sms", wanted.source.casefold()))
            if sender is None:
                return refused(Refusal.SENDER_UNKNOWN)
        numbers: set[str] = set()
        for number in wanted.numbers:
            digits = normalise(number)
            if digits is None or snapshot.number_plan.resolve(digits) is None:
                told = f"{number[:40]!r} is no phone number in international form, such as 34612345678."
                return Refused(refusal=Refusal.NUMBER_INVALID, detail=told)
            numbers.add(digits)
        if key.sandbox:
            return 0
        listed = sorted(numbers)
        columns = ([key.company_id] * len(listed), [sender and sender.id] * len(listed), listed)
        if wanted.stopped:
            return len(await self._pool().fetch(_SQL["put"], *columns, "api"))
        return len(await self._pool().fetch(_SQL["take_away"], *columns))
