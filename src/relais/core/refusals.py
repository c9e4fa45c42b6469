"""Why a submission is refused: a value, never an exception, and part of the customer API (the stable `code`).

Every edge (HTTP, SMPP, page) maps each member in one table; a test proves each of those tables total.
A refusal changes nothing: no message, no EDR, no balance.
"""

from enum import StrEnum


class Refusal(StrEnum):
    """The value is the stable code that customers see."""

    KEY_WITHOUT_RIGHT = "key_without_right"
    COMPANY_DISABLED = "company_disabled"
    CHANNEL_UNKNOWN = "channel_unknown"
    SENDER_UNKNOWN = "sender_unknown"
    SENDER_BLOCKED = "sender_blocked"
    SENDER_NOT_CONNECTED = "sender_not_connected"  # its vendor connection is missing or disabled
    SENDER_NOT_ALLOWED = "sender_not_allowed"  # the country takes no sender of that kind
    SENDER_NOT_REGISTERED = "sender_not_registered"  # the country asks for a registration, and it is not approved
    NUMBER_INVALID = "number_invalid"
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_NOT_ENCODABLE = "text_not_encodable"  # NUL, lone surrogates
    VALIDITY_INVALID = "validity_invalid"
    SEND_AT_INVALID = "send_at_invalid"
    CALLBACK_URL_INVALID = "callback_url_invalid"
    CLIENT_REF_INVALID = "client_ref_invalid"
    AGREEMENT_EXPIRED = "agreement_expired"
    RATE_NOT_FOUND = "rate_not_found"
    DESTINATION_BLOCKED = "destination_blocked"
    RECIPIENT_OPTED_OUT = "recipient_opted_out"  # on the company's stop list, of all senders or of this one
    LINK_NOT_ALLOWED = "link_not_allowed"  # of a host that is not on the sender's list
    RECIPIENT_FLOODED = "recipient_flooded"  # it got as many messages in the last hour as a flood filter lets through
    CAP_REACHED = "cap_reached"  # of messages or money, in an hour or a day
    BALANCE_TOO_LOW = "balance_too_low"  # at any level: which one is not told (RSL-43)
    PROVIDER_UNAVAILABLE = (
        "provider_unavailable"  # a level above is disabled, not in force or not linked (RSL-44, RSL-48)
    )
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"  # same key, other body
    OVERLOADED = "overloaded"  # queues full or database away: try again; nothing was charged
