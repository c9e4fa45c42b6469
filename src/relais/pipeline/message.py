"""A message in flight, as the gateway keeps it in memory: what the row of `traffic_message` says, and how far it is."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from relais.core.charging.types import Charged
from relais.core.lifecycle import State
from relais.core.rating.message import Route
from relais.core.rating.types import Term
from relais.core.segments import Encoded
from relais.pipeline.channels import SMS, WHATSAPP
from relais.pipeline.origin import Origin
from relais.pipeline.portability import Lookup

RECEIPT_GRACE = timedelta(hours=1)  # after a message's validity, receipts are still awaited


class Batch:
    """Messages that share a row of the outbox; it is deleted when none of them is open any more."""

    __slots__ = ("connection_id", "id", "open_count", "unsent_count", "waiting_ends_at")

    def __init__(
        self, batch_id: int, connection_id: int, messages: Sequence["Message"], waiting_ends_at: datetime
    ) -> None:
        self.id = batch_id
        self.connection_id = connection_id
        self.open_count = len(messages)
        self.unsent_count = len(messages)
        self.waiting_ends_at = waiting_ends_at


class Message(msgspec.Struct, eq=False, weakref=True):
    """One accepted message; made by position in the hot path, which takes a fifth of the time.

    `terms` holds what each level was promised, client first, and then what bundles count;
    `settled[n]` what term n was charged in the end (zero when released, None while only reserved). `routes`, where packs
    have a say, is what the terms are chosen from when the message is written; `receipts[part]` the final state of that part;
    `expires_at_s`, in seconds since the epoch, when it is worthless to its client; `priced` what each level owes by the first
    report that named what the message was, on channels whose vendors say so, and `hop` the chain as it was accepted (a
    `rate.Hop`); `lookup` what came of looking its number up, where that was done."""

    id: UUID
    accepted_at: datetime
    company_id: int
    api_key_id: int
    sender_id: int
    connection_id: int
    network_id: int | None
    country: str
    source: str
    destination: str
    text: str
    encoded: Encoded
    terms: tuple[Term, ...]
    routes: tuple[Route, ...]
    validity_s: int
    send_at: datetime | None = None
    client_ref: str | None = None
    callback_url: str | None = None
    callback_final_only: bool | None = (
        None  # whether that is told of the final status alone; None = as the API key says
    )
    origin: Origin | None = None
    channel: int = SMS
    hop: Any = None
    lookup: Lookup | None = None
    priced: tuple[Term, ...] | None = None
    state: State = State.ACCEPTED
    batch: Batch | None = None
    receipts: dict[int, State] | None = None
    settled: list[Charged | None] = []  # this and the next two are made of the others
    expires_at_s: float = 0.0
    parts_unsent: int = 0

    def __post_init__(self) -> None:
        self.settled = [None] * len(self.terms)
        self.expires_at_s = (self.send_at or self.accepted_at).timestamp() + self.validity_s
        self.parts_unsent = len(self.encoded.parts)

    def promise(self, terms: tuple[Term, ...]) -> None:
        """What each level owes from now on; nothing of it is settled."""
        self.terms = terms
        self.settled = [None] * len(terms)

    @property
    def awaits_price(self) -> bool:
        """Whether nothing of it may be charged before the vendor has said what it was (SV-147)."""
        return self.channel == WHATSAPP and self.priced is None

    @property
    def expires_at(self) -> datetime:
        """When the message is worthless to its client."""
        return datetime.fromtimestamp(self.expires_at_s, UTC)


def waiting_ends_at(messages: Sequence[Message]) -> datetime:
    """When nobody waits for receipts of these messages any more."""
    return datetime.fromtimestamp(max([message.expires_at_s for message in messages]), UTC) + RECEIPT_GRACE
