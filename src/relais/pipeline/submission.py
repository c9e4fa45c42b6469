"""What the edges (HTTP, SMPP, broadcasts) hand to the pipeline, and what it answers. Values only."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from relais.core.refusals import Refusal
from relais.pipeline.origin import Origin


class Submission(msgspec.Struct, frozen=True, gc=False):
    """One message as a client hands it in; nothing is checked yet.

    `source` is the sender ID as the client spells it, `destination` the number as typed. `validity_s` is counted from
    acceptance (or from `send_at`). `send_at` and `callback_url` may be absent. `origin`: over SMPP, what the client said
    beside. `message_id`: one that was given out before the message was whole. `template_category`: of a WhatsApp template,
    None = no template. `rich`: an RCS message with media, buttons or cards. `despite_stop`: it answers a recipient who asked to
    stop. `callback_final_only`: whether the callback is told of the final status alone, None = as the API key says.
    """

    source: str
    destination: str
    text: str
    channel: str = "sms"
    client_ref: str | None = None
    validity_s: int | None = None
    send_at: datetime | None = None
    callback_url: str | None = None
    origin: Origin | None = None
    message_id: UUID | None = None
    template_category: str | None = None
    rich: bool = False
    despite_stop: bool = False
    callback_final_only: bool | None = None


class Accepted(msgspec.Struct, frozen=True, tag="accepted"):
    """Stored and charged at every level; given out only after the commit. `price_micros` is the client's price,
    gross of tax, as reserved; `network` is an MCC-MNC, or None where the range names none."""

    message_id: UUID
    channel: str
    source: str
    destination: str
    country: str
    network: str | None
    encoding: str
    segments_count: int
    price_micros: int
    currency: str
    scheduled: bool = False


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """Nothing happened: no message, no charge. `detail` is a sentence that says what to do."""

    refusal: Refusal
    detail: str


Outcome = Accepted | Refused


class Idempotency(msgspec.Struct, frozen=True):
    """The client's `Idempotency-Key` (1 to 255 printable ASCII characters) and the SHA-256 of the request's body."""

    key: str
    body_digest: bytes


class Answer(msgspec.Struct, frozen=True):
    """The outcomes of one request, in order; `replayed` when an earlier request with the same key and body made them."""

    outcomes: list[Outcome]
    replayed: bool = False


Told = Answer | Refused | Exception
"""How a request ends: its answer, the refusal of all of it, or what broke."""
Tell = Callable[[Told], None]
"""Called once, on the event loop, when a request has ended and what it brought is stored. Must not block or raise."""


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """One message as its client may see it. `times` maps each status reached to its instant, in order."""

    message_id: UUID
    channel: str
    source: str
    destination: str
    country: str
    network: str | None
    encoding: str
    segments_count: int
    price_micros: int  # reserved while open; captured (or 0 when released) once settled
    currency: str
    client_ref: str | None
    status: str
    final: bool
    times: dict[str, datetime]
    error: str | None


class MessagesAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages are asked for: accepted from `since` (inclusive) to `until` (exclusive) and, page by page, before the id
    `before`. `status` is a final `core.lifecycle.State`, or 0 for all that are not; None = any, as everywhere here."""

    since: datetime
    until: datetime
    before: UUID | None = None
    status: int | None = None
    source: str | None = None
    destination: str | None = None
    client_ref: str | None = None
    count_max: int = 100


class PreviewView(msgspec.Struct, frozen=True, kw_only=True):
    """What a message would be and cost if it were sent now. `price_micros`: at most that, where packs have a say."""

    channel: str
    source: str
    destination: str
    country: str
    network: str | None
    encoding: str
    segments_count: int
    price_micros: int
    currency: str


class IncomingView(msgspec.Struct, frozen=True, kw_only=True):
    """A message from a phone as the client may see it. `destination`: the sender ID it is for. `asked`: stop, start or help."""

    message_id: UUID
    source: str
    destination: str
    text: str
    asked: str | None
    received_at: datetime


class StopView(msgspec.Struct, frozen=True, kw_only=True):
    """A recipient that the company does not write to; `sender` None = from any of its sender IDs. `origin`: hand, word or api."""

    id: int
    number: str
    sender: str | None
    origin: str
    since: datetime


class StopsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries of stop lists are asked for: older than `before`, of that number; None = any."""

    before: int | None = None
    number: str | None = None
    count_max: int = 100


class StopsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers, as typed, to put on the stop list of a sender ID (None = of all), or to take off it."""

    numbers: list[str]
    source: str | None
    stopped: bool


class BalanceView(msgspec.Struct, frozen=True, kw_only=True):
    """One agreement's money; `credit_limit_micros` and `available_micros` are None when credit is unlimited."""

    agreement: str
    currency: str
    balance_micros: int
    reserved_micros: int
    credit_limit_micros: int | None
    available_micros: int | None
