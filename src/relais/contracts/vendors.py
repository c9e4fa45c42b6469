"""What a vendor adapter promises to the pipeline.

A vendor is a package `relais.vendors.<name>` with a module attribute `VENDOR: Vendor`. It turns `OutgoingPart`s into
requests of that vendor and the vendor's answers into calls of `VendorEvents`. It knows nothing of prices, databases or
limits: the pipeline paces it. Every part handed to `submit` is answered by exactly one of `submitted`, `refused` or
`unanswered`, in any order.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

import msgspec

from relais.core.lifecycle import State


class RefusalClass(Enum):
    """How the pipeline reacts to a vendor's refusal of a submission."""

    PERMANENT = "permanent"  # this message will never be taken: fail it
    TEMPORARY = "temporary"  # try this part again later, a bounded number of times
    SENDER = "sender"  # its sender is not taken: try another where there is one, else fail it
    THROTTLED = "throttled"  # slow the connection down and send again; not counted as a failure


class OutgoingPart(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One segment on its way to a vendor; compared by identity: the object handed in comes back with the answer.

    `body` is the user data without its header: septets, one an octet, for `data_coding` 0; UTF-16BE for 8.
    `header` is the UDH including its length octet, or empty. `part` counts from 0.
    `validity_s` is what is left of the message's validity, in seconds.
    """

    message_id: UUID
    part: int
    parts: int
    source: str
    destination: str  # E.164 digits without "+"
    data_coding: int
    header: bytes
    body: bytes
    validity_s: int


class Pricing(msgspec.Struct, frozen=True, gc=False):
    """What a vendor says a message was, where its price depends on that; "" where the vendor says nothing of the kind.

    WhatsApp: `category` and `type` as Meta names them (SV-149, SV-150). RCS: `billing_event` (SV-180), and when the session of
    a conversation was opened.
    """

    category: str = ""
    type: str = ""
    billing_event: str = ""
    session_opened_at: datetime | None = None


class VendorReceipt(msgspec.Struct, frozen=True, eq=False):
    """A delivery report as the vendor sent it, already read; `state` None = not final (ENROUTE, ACCEPTD, UNKNOWN).

    `status` and `error` are the vendor's own words (statuses map, VSMPP-27). `token` is handed back to
    `Connection.acknowledge` once the receipt is stored; the vendor is answered only then.
    """

    vendor_message_id: str
    state: State | None
    status: str
    error: str
    done_at: datetime | None
    token: Any
    pricing: Pricing | None = None


class IncomingMessage(msgspec.Struct, frozen=True, eq=False):
    """A message from a phone (MO), or a part of one, as the vendor sent it; addresses as they were meant, whichever way round the
    vendor writes them. `body` begins with the UDH when `esm_class` has bit 0x40; `text` is what of it can be read. `token` as
    of a receipt. `part`: of a part its message's reference, how many there are, and its number from 1.
    """

    source_ton: int
    source_npi: int
    source: str
    destination_ton: int
    destination_npi: int
    destination: str
    esm_class: int
    protocol_id: int
    data_coding: int
    body: bytes
    text: str
    token: Any
    part: tuple[int, int, int] | None = None


class VendorEvents(Protocol):
    """What the pipeline hands to a connection; called from the event loop, must not block."""

    def submitted(self, part: OutgoingPart, vendor_message_id: str) -> None:
        """The vendor took the part; an empty id means that its receipts cannot be matched."""

    def refused(self, part: OutgoingPart, error: str, kind: RefusalClass) -> None:
        """The vendor answered, and did not take the part."""

    def unanswered(self, part: OutgoingPart) -> None:
        """No answer before the time limit, or the connection fell: unknown whether the vendor took it."""

    def receipt(self, receipt: VendorReceipt) -> None:
        """A delivery report arrived."""

    def incoming(self, message: IncomingMessage) -> None:
        """A message from a phone arrived."""

    def changed(self, ready: bool, reason: str) -> None:
        """The connection can carry parts from now on (bound), or cannot, and why."""


class Connection(Protocol):
    """One live connection to a vendor."""

    @property
    def sessions(self) -> tuple[int, int]:
        """How many of its sessions are bound now, and how many it wants."""

    async def run(self) -> None:
        """Connect, keep alive and reconnect with back-off until cancelled; then close in good order."""

    def submit(self, part: OutgoingPart) -> None:
        """Hand one part to the vendor. Only called while ready."""

    def acknowledge(self, tokens: Sequence[Any]) -> None:
        """Answer receipts and incoming messages that are stored now."""

    def spellings(self, vendor_message_id: str) -> tuple[str, ...]:
        """The forms in which the vendor may have given the id of a receipt when it took the message, likeliest first."""


class Vendor(Protocol):
    """A kind of vendor: the registry's entry."""

    @property
    def kind(self) -> str:
        """Stable name, e.g. "smpp"."""

    @property
    def settings(self) -> type:
        """Frozen dataclass of everything an operator can set; it is also the form."""

    def connect(self, settings: Any, events: VendorEvents) -> Connection:
        """A connection that is not started yet."""
