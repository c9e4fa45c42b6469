"""Says of each message what its last line asks for, "#emulate" and words, or else what the settings say, in that order:

- `taken` answers the submission, `refused` refuses it, `pause` lets some time pass;
- `sent`, `delivered`, `read`, `undelivered`, `failed` are reports. Behind a colon stands what the message was: for WhatsApp
  category and type (`sent:utility/regular`), for RCS the billing event, of a conversation with the instant at which its session
  was opened (`delivered:conversation@2026-01-31T09:00:00Z`).

So reports come late, twice, in any order, and before the answer, as a test needs them. What an ended connection has not said
yet it never says.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from relais.contracts.vendors import OutgoingPart, Pricing, RefusalClass, VendorEvents, VendorReceipt
from relais.core.lifecycle import State

MARK = "#emulate "
UCS2 = 8
TAKEN, REFUSED, PAUSE = "taken", "refused", "pause"
REPORTS = {
    "sent": None,
    "delivered": State.DELIVERED,
    "read": State.READ,
    "undelivered": State.UNDELIVERED,
    "failed": State.FAILED,
}
ANSWERS = frozenset({TAKEN, REFUSED})


@dataclass(frozen=True, kw_only=True)
class EmulatorSettings:
    """`says`: words, of every message whose text asks for none. ValueError for words that mean nothing."""

    says: str = "taken sent delivered"
    pause_s: float = 0.2

    def __post_init__(self) -> None:
        words_of(self.says)
        if self.pause_s <= 0:
            raise ValueError("pause_s must be more than 0")


def words_of(says: str) -> tuple[str, ...]:
    """ValueError for a word that means nothing, and unless the submission is answered just once."""
    words = tuple(says.split())
    for word in words:
        status, _, was = word.partition(":")
        if word not in ANSWERS and word != PAUSE and status not in REPORTS:
            raise ValueError(f"says {word!r}, which means nothing")
        pricing_of(was)
    if sum(word in ANSWERS for word in words) != 1:
        raise ValueError("says taken, or refused, just once")
    return words


def pricing_of(was: str) -> Pricing | None:
    if not was:
        return None
    category, slash, kind = was.partition("/")
    if slash:
        return Pricing(category=category, type=kind)
    event, _, opened_at = was.partition("@")
    return Pricing(billing_event=event, session_opened_at=datetime.fromisoformat(opened_at) if opened_at else None)


class EmulatedConnection:
    """Ready as long as it runs."""

    def __init__(self, settings: EmulatorSettings, events: VendorEvents) -> None:
        self._settings = settings
        self._events = events

    @property
    def sessions(self) -> tuple[int, int]:
        return 1, 1

    async def run(self) -> None:
        self._events.changed(True, "emulated")
        await asyncio.Event().wait()

    def submit(self, part: OutgoingPart) -> None:
        text = part.body.decode("utf-16-be") if part.data_coding == UCS2 else ""
        last = text.rpartition("\n")[2]
        try:
            words = words_of(last.removeprefix(MARK) if last.startswith(MARK) else self._settings.says)
        except ValueError:
            words = (REFUSED,)
        asyncio.get_running_loop().call_soon(self._say, part, uuid4().hex, deque(words))

    def acknowledge(self, tokens: Sequence[Any]) -> None:
        """Nobody waits for it."""

    def spellings(self, vendor_message_id: str) -> tuple[str, ...]:
        return (vendor_message_id,)

    def _say(self, part: OutgoingPart, vendor_message_id: str, words: deque[str]) -> None:
        while words:
            status, _, was = words.popleft().partition(":")
            if status == PAUSE:
                asyncio.get_running_loop().call_later(self._settings.pause_s, self._say, part, vendor_message_id, words)
                return
            if status == TAKEN:
                self._events.submitted(part, vendor_message_id)
            elif status == REFUSED:
                self._events.refused(part, "refused", RefusalClass.PERMANENT)
            else:
                receipt = VendorReceipt(
                    vendor_message_id, REPORTS[status], status.upper(), "", None, None, pricing_of(was)
                )
                self._events.receipt(receipt)
