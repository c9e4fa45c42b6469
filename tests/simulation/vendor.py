"""A message centre that does, by chance, all that vendors do: late, lost, refused, twice, before its answer, or never.

Of the contract in `relais.contracts.vendors`. It outlives gateways and connections, and repeats a receipt on its next connection
until it is answered.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from relais.contracts.vendors import OutgoingPart, RefusalClass, VendorEvents, VendorReceipt
from relais.core.lifecycle import State
from relais.pipeline.lane import Lane

UNANSWERED_AFTER_S = 10.0
KINDS = ("taken", "lost on the way", "answer lost", "throttled", "busy", "refused")
ENDS = (
    (State.DELIVERED, "DELIVRD", "000"), (State.DELIVERED, "DELIVRD", "000"), (State.UNDELIVERED, "UNDELIV", "003"),
    (State.EXPIRED, "EXPIRED", "000"), (State.REJECTED, "REJECTD", "001"), (State.UNDELIVERED, "UNDELIV", "099"),
    (None, "ENROUTE", "000"),
)  # fmt: skip
UNSENT = ("UNDELIV", "99")  # by the connection's map of statuses: not sent at all, so paid back


class Centre:
    """`taken`: how often it took each part. `calm` ends all mischief."""

    kind = "simulated"
    settings: type = object

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.calm = False
        self.taken: Counter[tuple[UUID, int]] = Counter()
        self.links: list[Link] = []
        self.gone: set[int] = set()  # connections that are not coming back
        self._taken_by: dict[str, int] = {}  # by vendor id: the connection
        self._waiting: dict[str, VendorReceipt] = {}  # by token: not answered yet
        self.reported_s: dict[str, float] = {}  # by vendor id: when a final report was answered first
        self._serial = 0

    def connect(self, settings: Any, events: VendorEvents) -> "Link":
        link = Link(self, events)
        self.links.append(link)
        return link

    def take(self, part: OutgoingPart, connection_id: int) -> str:
        """An id of its own for the part, and receipts in their time, over the connection it came by."""
        self.taken[part.message_id, part.part] += 1
        self._serial += 1
        vendor_id = f"v{self._serial}"
        self._taken_by[vendor_id] = connection_id
        for number in range(self.chance.choice((1, 1, 1, 1, 2)) if self.chance.random() < 0.95 else 0):
            state, status, error = ENDS[0] if self.calm else self.chance.choice(ENDS)
            token = f"{vendor_id}/{number}"
            receipt = VendorReceipt(vendor_id, state, status, error, None, token)
            late_s = self.chance.choice((0.0, 0.01, 0.5, 20.0, 4_000.0))
            asyncio.get_running_loop().call_later(late_s * self.chance.random(), self._report, receipt)
        return vendor_id

    def _report(self, receipt: VendorReceipt) -> None:
        self._waiting[receipt.token] = receipt
        self.tell_again()

    def tell_again(self) -> None:
        """All that nobody answered yet, over the connections that stand."""
        for link in list(self.links):
            for receipt in list(self._waiting.values()) if link.up else ():
                if receipt.token not in link.told and self._taken_by[receipt.vendor_message_id] == link.connection_id:
                    link.told.add(receipt.token)
                    link.events.receipt(receipt)

    def answered(self, tokens: Sequence[str]) -> None:
        for token in tokens:
            receipt = self._waiting.pop(token, None)
            if receipt is not None and receipt.state is not None:
                self.reported_s.setdefault(receipt.vendor_message_id, asyncio.get_running_loop().time())


class Link:
    """One connection to it, of one gateway."""

    def __init__(self, centre: Centre, events: VendorEvents) -> None:
        self.centre = centre
        self.events = events
        assert isinstance(events, Lane)
        self.connection_id = events.connection_id
        self.up = False
        self.silent_until_s = 0.0
        self.dead = False  # with its gateway
        self.open: dict[OutgoingPart, None] = {}
        self.in_doubt: Counter[tuple[UUID, int]] = Counter()  # not answered in the end, though perhaps taken
        self.told: set[str] = set()
        self.taken: set[tuple[UUID, int]] = set()  # answered so

    async def run(self) -> None:
        self.rise()
        await asyncio.Event().wait()

    def rise(self) -> None:
        away = self.connection_id in self.centre.gone or self.silent_until_s > asyncio.get_running_loop().time()
        if not self.dead and not self.up and not away:
            self.up = True
            self.told.clear()
            self.events.changed(True, "bound")
            self.centre.tell_again()

    def fall(self, silent_s: float) -> None:
        """The connection is gone, and does not come back for so long; whatever was open is not answered any more."""
        self.silent_until_s = asyncio.get_running_loop().time() + silent_s
        if self.up:
            self.up = False
            self.events.changed(False, "gone")
            for part in list(self.open):
                self._unanswered(part)

    def cut(self) -> None:
        """The gateway is gone: nobody is left to be told anything."""
        self.up, self.dead = False, True
        self.centre.links.remove(self)

    def submit(self, part: OutgoingPart) -> None:
        assert self.up, "only while it is ready"
        self.open[part] = None
        chance, loop = self.centre.chance, asyncio.get_running_loop()
        kind = "taken" if self.centre.calm else chance.choices(
            KINDS, cum_weights=(80, 83, 87, 92, 96, 100)
        )[0]  # fmt: skip
        there_s = chance.random() * 0.05
        if kind == "lost on the way":
            loop.call_later(UNANSWERED_AFTER_S, self._unanswered, part)
        else:
            loop.call_later(there_s, self._reached, part, kind)

    def _reached(self, part: OutgoingPart, kind: str) -> None:
        loop, back_s = asyncio.get_running_loop(), self.centre.chance.random() * 0.05
        if kind in ("taken", "answer lost"):
            vendor_id = self.centre.take(part, self.connection_id)
            if kind == "taken":
                loop.call_later(back_s, self._answered, part, vendor_id)
            else:
                loop.call_later(UNANSWERED_AFTER_S, self._unanswered, part)
            return
        refusal = {
            "throttled": RefusalClass.THROTTLED,
            "busy": RefusalClass.TEMPORARY,
            "refused": RefusalClass.PERMANENT,
        }
        loop.call_later(back_s, self._refused, part, kind, refusal[kind])

    def _answered(self, part: OutgoingPart, vendor_id: str) -> None:
        if self._closed(part):
            self.taken.add((part.message_id, part.part))
            self.events.submitted(part, vendor_id)

    def _refused(self, part: OutgoingPart, error: str, kind: RefusalClass) -> None:
        if self._closed(part):
            self.events.refused(part, error, kind)

    def _unanswered(self, part: OutgoingPart) -> None:
        if self._closed(part):
            self.in_doubt[part.message_id, part.part] += 1
            self.events.unanswered(part)

    def _closed(self, part: OutgoingPart) -> bool:
        """Whether the answer reaches somebody who waits for it."""
        return not self.dead and self.open.pop(part, 0) is None

    def acknowledge(self, tokens: Sequence[Any]) -> None:
        if self.up:
            self.centre.answered(tokens)

    def spellings(self, vendor_message_id: str) -> tuple[str, ...]:
        return (vendor_message_id,)
