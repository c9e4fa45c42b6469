"""Receipts on their way to SMPP clients: in the database until the client has answered them, in memory while it is bound.

A tick's receipts for one client are one row. The gateway that wrote it tells them if the client receives there; otherwise
whichever gateway it comes to takes the row up. A row goes when all of it is answered, so that nothing is lost whoever falls, and
some of it may be told twice.
"""

from collections.abc import Callable, Mapping, Set
from typing import Any, Protocol

import asyncpg

from relais.pipeline.origin import ForClient, unpack_receipts
from relais.pipeline.settle import Plan
from relais.store.blocks import blocks

CLAIM_ROWS_MAX = 100
IN_MEMORY_MAX = 20_000  # receipts in the hands of one gateway; above it they stay in the database

_SQL = blocks("deliveries")


class Delivery:
    """One row: `open_count` of its receipts are not answered yet."""

    __slots__ = ("connection_id", "id", "open_count", "receipts")

    def __init__(self, row_id: int, connection_id: int, receipts: list[ForClient]) -> None:
        self.id = row_id
        self.connection_id = connection_id
        self.receipts = receipts
        self.open_count = len(receipts)


class Outlet(Protocol):
    """The end to which clients are bound; called on the event loop, must not block."""

    def receives(self, connection_id: int) -> bool:
        """Whether that client connection takes receipts here now."""

    def receiving(self) -> Set[int]:
        """All that do."""

    def deliver(self, delivery: Delivery) -> None:
        """Tell all of it, and call `answered` for each receipt, or `undeliverable` for the whole."""

    def told(self) -> Mapping[str, Any]:
        """What is to be shown of each client connection, by its id."""

    def elsewhere(self, sessions: Mapping[int, int]) -> None:
        """How many sessions of each client connection other gateways have, about once a second."""


class Deliveries:
    """Between the writer's ticks and the outlet."""

    def __init__(self, writer_number: int) -> None:
        self._number = writer_number
        self._outlet: Outlet | None = None
        self._open_count = 0
        self._delivered_ids: list[int] = []
        self._more: list[tuple[int, list[ForClient]]] = []
        self._released_ids: list[int] = []
        self._here: set[int] = set()  # rows in memory
        self._claim_lost = False  # rows may be ours without our knowing

    def attach(self, outlet: Outlet) -> None:
        """From now on receipts are told through it."""
        self._outlet = outlet

    @property
    def counted(self) -> tuple[Callable[[], Mapping[str, Any]], Callable[[Mapping[int, int]], None]]:
        """`Outlet.told` and `Outlet.elsewhere`, whether one is attached or not."""
        return (lambda: self._outlet.told() if self._outlet else {}), self._elsewhere

    def _elsewhere(self, sessions: Mapping[int, int]) -> None:
        if self._outlet is not None:
            self._outlet.elsewhere(sessions)

    def plan(self, plan: Plan) -> None:
        """What the next tick is to know: whom we can tell, and which rows are done with."""
        more, self._more = self._more, []
        for connection_id, receipts in more:
            plan.client_receipts.setdefault(connection_id, []).extend(receipts)
        if self._outlet is not None and plan.client_receipts and self._open_count < IN_MEMORY_MAX:
            here = filter(self._outlet.receives, plan.client_receipts)
            plan.receiving = dict.fromkeys(here, self._number)
        plan.delivered_ids, self._delivered_ids = self._delivered_ids, []

    def tell(self, connection_id: int, receipts: list[ForClient]) -> None:
        """Receipts of no message, for the next tick."""
        self._more.append((connection_id, receipts))

    def committed(self, plan: Plan) -> None:
        """Tell what was written as ours."""
        for connection_id, row_id in plan.delivery_ids.items():
            if connection_id in plan.receiving:
                self._hand_over(Delivery(row_id, connection_id, plan.client_receipts[connection_id]))

    def answered(self, delivery: Delivery) -> None:
        """One receipt of it needs no more telling."""
        self._open_count -= 1
        delivery.open_count -= 1
        if not delivery.open_count:
            self._here.discard(delivery.id)
            self._delivered_ids.append(delivery.id)

    def undeliverable(self, delivery: Delivery) -> None:
        """Its client receives here no more: whoever it comes to next tells all of it."""
        self._open_count -= delivery.open_count
        delivery.open_count = 0
        self._here.discard(delivery.id)
        self._released_ids.append(delivery.id)

    async def keep_house(self, session: asyncpg.Connection) -> None:
        """Let go of what cannot be told here, and take up what can."""
        await self.release(session)
        receiving = list(self._outlet.receiving()) if self._outlet else []
        if not receiving or self._open_count >= IN_MEMORY_MAX:
            return
        here = [*self._here, *self._delivered_ids] if self._claim_lost else None
        self._claim_lost = True  # until the answer is there
        rows = await session.fetch(_SQL["claim"], self._number, receiving, CLAIM_ROWS_MAX, here)
        self._claim_lost = False
        for row in sorted(rows, key=lambda row: int(row["id"])):
            self._hand_over(Delivery(row["id"], row["connection_id"], unpack_receipts(row["receipts"])))

    async def release(self, session: asyncpg.Connection) -> None:
        """What could not be told is free for other gateways."""
        released = list(self._released_ids)
        if released:
            await session.execute(_SQL["release"], self._number, released)
            del self._released_ids[: len(released)]

    def _hand_over(self, delivery: Delivery) -> None:
        assert self._outlet is not None
        self._open_count += delivery.open_count
        self._here.add(delivery.id)
        self._outlet.deliver(delivery)
