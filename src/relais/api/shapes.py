"""The JSON of the customer API, once: these structs decode requests, encode answers and become the OpenAPI document.

They are apart from the pipeline's values on purpose: renaming something inside must never change what customers see.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from relais.core.lifecycle import State

BATCH_MESSAGES_MAX: Final = 1_000
STOP_NUMBERS_MAX: Final = 1_000

STATUS_MEANINGS: Final[dict[State, str]] = {
    State.ACCEPTED: "Stored, and its price reserved.",
    State.SCHEDULED: "Waits for its `send_at`; its price is reserved.",
    State.QUEUED: "Waits for its turn at the vendor.",
    State.SENT: "A vendor took it; the receipt is awaited.",
    State.DELIVERED: "The recipient's device has it.",
    State.READ: "The recipient opened it, where the channel tells.",
    State.UNDELIVERED: "The vendor could not deliver it.",
    State.EXPIRED: "Its validity ended before it was delivered.",
    State.REJECTED: "The vendor or the network rejected it after taking it.",
    State.FAILED: "No vendor took it; its price was released.",
    State.CANCELED: "Withdrawn before it was sent; its price was released.",
}


def _wire_name(name: str) -> str | None:
    return {"source": "from", "destination": "to", "segments_count": "segments", "message_id": "id"}.get(name)


def _about(description: str, *examples: Any, **schema: Any) -> Meta:
    """Documentation of a field. `schema` is told to customers and judged by the pipeline, not by the decoder, so that
    each value out of range keeps its own refusal code."""
    return Meta(description=description, examples=list(examples) or None, extra_json_schema=schema or None)


Instant = Annotated[datetime, Meta(tz=True)]
Channel = Annotated[str, _about("How it travels: `sms`, `whatsapp` or `rcs`.", "sms")]
Sender = Annotated[str, _about("A sender ID of your company on this channel.", "Monsters", minLength=1)]
Number = Annotated[str, _about("The number as E.164 digits.", "34600123456")]
Country = Annotated[str, _about("ISO 3166-1 alpha-2 code of the number's country.", "ES")]
Network = Annotated[str, _about("MCC-MNC of the network that holds the number's range; null = not known.", "21401")]
Encoding = Annotated[str, _about("Alphabet of the text on its way.", enum=["gsm7", "ucs2", "binary"])]
Segments = Annotated[int, _about("SMS parts that it takes.", 1)]
Reference = Annotated[str, _about("Your own reference, given back when you follow the message.", "order-1881")]
Amount = Annotated[str, _about("Decimal with six decimals, in currency units.", "0.040000", pattern=r"^-?\d+\.\d{6}$")]
Currency = Annotated[str, _about("ISO 4217.", "EUR")]


class MessageRequest(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=_wire_name, gc=False
):
    """One message to send."""

    source: Annotated[
        str, _about("A sender ID of your company on this channel; absent = your default one.", "Monsters")
    ] = ""
    destination: Annotated[
        str, _about("Number in international form; a leading + is allowed.", "34600123456", minLength=1)
    ]
    text: Annotated[
        str, _about("What the recipient reads. The encoding and the number of segments follow from it.", minLength=1)
    ]
    channel: Channel = "sms"
    template_category: (
        Annotated[
            Literal["authentication", "marketing", "utility"],
            _about("On `whatsapp`: that of the approved template; null = no template."),
        ]
        | None
    ) = None
    rich: Annotated[bool, _about("On `rcs`: whether it has media, buttons or cards.")] = False
    client_ref: Reference | None = None
    validity_s: Annotated[int, _about("Seconds in which delivering it is worthwhile.", 3600, minimum=1)] | None = None
    send_at: Annotated[Instant, _about("When; the zone is required.", "2031-01-01T09:00:00+01:00")] | None = None
    callback_url: (
        Annotated[str, _about("Where to tell changes of status.", "https://example.com/sms", format="uri")] | None
    ) = None
    callback_events: (
        Annotated[
            Literal["every", "final"],
            _about("Which changes of status are told: all, or the final one only; null = as the API key says."),
        ]
        | None
    ) = None


class BatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several messages, each accepted or refused for itself."""

    messages: Annotated[list[MessageRequest], Meta(min_length=1, max_length=BATCH_MESSAGES_MAX)]


class Price(msgspec.Struct, frozen=True):
    """What the message costs you, tax included."""

    amount: Amount
    currency: Currency


class MessageAccepted(msgspec.Struct, frozen=True, kw_only=True, rename=_wire_name, tag_field="status", tag="accepted"):
    """The message is stored and its price reserved; it will reach exactly one final status."""

    message_id: UUID
    channel: Channel
    source: Sender
    destination: Number
    country: Country
    network: Network | None
    encoding: Encoding
    segments_count: Segments
    price: Price


class MessageScheduled(
    MessageAccepted, frozen=True, kw_only=True, rename=_wire_name, tag_field="status", tag="scheduled"
):
    """As accepted, and kept until its `send_at`."""


class MessageRefused(msgspec.Struct, frozen=True, tag_field="status", tag="refused"):
    """This message was refused; nothing was charged for it."""

    code: Annotated[str, _about("Stable name, as in a problem.", "destination_blocked")]
    title: str
    detail: str


class BatchResults(msgspec.Struct, frozen=True):
    """One result for each message of the batch, in its order."""

    results: list[MessageAccepted | MessageScheduled | MessageRefused]


class Message(msgspec.Struct, frozen=True, kw_only=True, rename=_wire_name):
    """One message as it stands."""

    message_id: UUID
    status: Annotated[str, _about("See the statuses.", "delivered", enum=[state.label for state in State])]
    final: Annotated[bool, _about("Whether delivery is decided; only `delivered` may still become `read`.")]
    channel: Channel
    source: Sender
    destination: Number
    country: Country
    network: Network | None
    encoding: Encoding
    segments_count: Segments
    price: Annotated[Price, _about("Reserved while the message is open; then what was charged, 0 when released.")]
    client_ref: Reference | None
    times: Annotated[dict[str, Instant], _about("When each status was reached, in UTC and in order.")]
    error: Annotated[str, _about("The vendor's word for what went wrong.")] | None


class Messages(msgspec.Struct, frozen=True):
    """A page of your messages, newest first."""

    messages: list[Message]
    next: Annotated[str, _about("Give this as `cursor` for the page that follows; null = this is the last.")] | None


class Incoming(msgspec.Struct, frozen=True, kw_only=True, rename=_wire_name):
    """A message from a phone."""

    message_id: UUID
    source: Annotated[str, _about("The phone it came from.", "34600123456")]
    destination: Annotated[str, _about("Your sender ID that it is for.", "2525")]
    text: str
    asked: Annotated[str, _about("What a word in it asks for.", "stop", enum=["stop", "start", "help"])] | None
    received_at: Instant


class IncomingMessages(msgspec.Struct, frozen=True):
    """A page of messages from phones, newest first."""

    messages: list[Incoming]
    next: Annotated[str, _about("Give this as `cursor` for the page that follows; null = this is the last.")] | None


class StopRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename=_wire_name):
    """Recipients that you do not write to any more, or do again."""

    numbers: Annotated[
        list[str], Meta(min_length=1, max_length=STOP_NUMBERS_MAX, description="Numbers in international form.")
    ]
    source: Annotated[str, _about("Of this sender ID alone; absent = of all of them.", "Monsters")] | None = None


class StopResult(msgspec.Struct, frozen=True):
    """How many numbers it made a difference to."""

    changed: Annotated[int, _about("Those that were, or were not, on the list before are left as they are.", 1)]


class StopEntry(msgspec.Struct, frozen=True, rename=_wire_name):
    """A recipient that you do not write to."""

    number: Number
    source: Annotated[str, _about("The sender ID; null = all of them.", "Monsters")] | None
    origin: Annotated[str, _about("Who put it there: you, the recipient, this API.", enum=["hand", "word", "api"])]
    since: Instant


class StopEntries(msgspec.Struct, frozen=True):
    """A page of your stop lists, newest first."""

    entries: list[StopEntry]
    next: Annotated[str, _about("Give this as `cursor` for the page that follows; null = this is the last.")] | None


class Preview(msgspec.Struct, frozen=True, kw_only=True, rename=_wire_name):
    """What a message would be and cost if it were sent now."""

    channel: Channel
    source: Sender
    destination: Number
    country: Country
    network: Network | None
    encoding: Encoding
    segments_count: Segments
    price: Annotated[Price, _about("At most this: packs may pay for it, or for a part.")]


class Balance(msgspec.Struct, frozen=True):
    """The money of one agreement."""

    agreement: Annotated[str, _about("Agreement code.", "TM-1")]
    currency: Currency
    balance: Annotated[Amount, _about("Payments less charges.", "100.000000")]
    reserved: Annotated[Amount, _about("Held for messages that are not settled.", "0.040000")]
    credit_limit: Annotated[Amount, _about("How far the balance may fall below zero; null = unlimited.")] | None
    available: Annotated[Amount, _about("What can still be spent; null = unlimited.", "99.960000")] | None


class Balances(msgspec.Struct, frozen=True):
    """One row for each of your agreements."""

    balances: list[Balance]
