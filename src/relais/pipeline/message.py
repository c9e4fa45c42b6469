"""A message in flight, as the gateway keeps it in memory: what the row of `traffic_message` says, and how far it is."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

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


class Message:
    """One accepted message. `terms` holds what each level was promised, client first, and then what bundles count;
    `settled[n]` what term n was charged in the end (zero when released, None while only reserved). `routes`, where packs
    have a say, is what the terms are chosen from when the message is written; `receipts[part]` the final state of that part;
    `expires_at_s`, in seconds since the epoch, when it is worthless to its client; `priced` what each level owes by the first
    report that named what the message was, on channels whose vendors say so, and `hop` the chain as it was accepted (a
    `rate.Hop`); `lookup` what came of looking its number up, where that was done."""

    __slots__ = (
        "__weakref__",
        "accepted_at",
        "api_key_id",
        "batch",
        "callback_url",
        "channel",
        "client_ref",
        "company_id",
        "connection_id",
        "country",
        "destination",
        "encoded",
        "expires_at_s",
        "hop",
        "id",
        "lookup",
        "network_id",
        "origin",
        "parts_unsent",
        "priced",
        "receipts",
        "routes",
        "send_at",
        "sender_id",
        "settled",
        "source",
        "state",
        "terms",
        "text",
        "validity_s",
    )

    def __init__(
        self,
        *,
        message_id: UUID,
        accepted_at: datetime,
        company_id: int,
        api_key_id: int,
        sender_id: int,
        connection_id: int,
        network_id: int | None,
        country: str,
        source: str,
        destination: str,
        text: str,
        encoded: Encoded,
        terms: tuple[Term, ...],
        routes: tuple[Route, ...] = (),
        validity_s: int,
        send_at: datetime | None = None,
        client_ref: str | None = None,
        callback_url: str | None = None,
        origin: Origin | None = None,
        channel: int = SMS,
        hop: Any = None,
    ) -> None:
        self.id = message_id
        self.accepted_at = accepted_at
        self.company_id = company_id
        self.api_key_id = api_key_id
        self.sender_id = sender_id
        self.connection_id = connection_id
        self.network_id = network_id
        self.country = country
        self.source = source
        self.destination = destination
        self.text = text
        self.encoded = encoded
        self.routes = routes
        self.promise(terms)
        self.validity_s = validity_s
        self.expires_at_s = (send_at or accepted_at).timestamp() + validity_s
        self.send_at = send_at
        self.client_ref = client_ref
        self.callback_url = callback_url
        self.origin = origin
        self.channel = channel
        self.hop = hop
        self.lookup: Lookup | None = None
        self.priced: tuple[Term, ...] | None = None
        self.state = State.ACCEPTED
        self.batch: Batch | None = None
        self.parts_unsent = len(encoded.parts)
        self.receipts: dict[int, State] | None = None

    def promise(self, terms: tuple[Term, ...]) -> None:
        """What each level owes from now on; nothing of it is settled."""
        self.terms = terms
        self.settled: list[Charged | None] = [None] * len(terms)

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
    return max(message.expires_at for message in messages) + RECEIPT_GRACE
