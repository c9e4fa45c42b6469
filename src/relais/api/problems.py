"""Every error of the API as an RFC 9457 problem: one table from code to HTTP status, title and advice.

The status follows one rule: 4xx = change the request or the account; 503 = the request is sound and may be taken
later as it is. Pipeline refusals keep their code; `EdgeProblem` adds what can go wrong before a request reaches the
pipeline. The two sets of codes are disjoint and the table is total (tests prove both).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from relais.core.refusals import Refusal


class EdgeProblem(StrEnum):
    """What is refused before the pipeline sees it; the value is the stable code."""

    UNAUTHORIZED = "unauthorized"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    TOO_FAST = "too_fast"
    MALFORMED_JSON = "malformed_json"
    INVALID_REQUEST = "invalid_request"
    TOO_MANY_MESSAGES = "too_many_messages"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    NOT_FOUND = "not_found"
    NOT_CANCELABLE = "not_cancelable"
    INVALID_QUERY = "invalid_query"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_READY = "not_ready"
    INTERNAL = "internal"


Code = Refusal | EdgeProblem


class Presentation(NamedTuple):
    """How a code is shown: the HTTP status, a title that never varies, and what the client should do about it."""

    status: int
    title: str
    advice: str


PRESENTED: Mapping[Code, Presentation] = MappingProxyType(
    {
        Refusal.KEY_WITHOUT_RIGHT: Presentation(
            403, "The key lacks this right", "Use a key that has the right, or have it added to this one."
        ),
        Refusal.COMPANY_DISABLED: Presentation(
            403, "The company is disabled", "Ask your provider to enable the company; its messages and balances stay."
        ),
        Refusal.CHANNEL_UNKNOWN: Presentation(
            422, "Unknown channel", "Name a channel that this API carries, such as `sms`."
        ),
        Refusal.SENDER_UNKNOWN: Presentation(
            422,
            "Unknown sender",
            "Set `from` to a sender ID of your company on this channel, or have one made your default.",
        ),
        Refusal.SENDER_BLOCKED: Presentation(
            422, "The sender is not active", "Choose another sender ID, or have this one activated."
        ),
        Refusal.SENDER_NOT_CONNECTED: Presentation(
            503,
            "The sender has no route",
            "The sender's vendor connection is missing or switched off: ask your provider.",
        ),
        Refusal.SENDER_NOT_ALLOWED: Presentation(
            422, "The country takes no such sender", "Send from another sender ID, as the detail says; do not repeat."
        ),
        Refusal.SENDER_NOT_REGISTERED: Presentation(
            422,
            "The sender is not registered there",
            "The country asks for it before anything is sent: have the sender ID registered by your provider.",
        ),
        Refusal.NUMBER_INVALID: Presentation(
            422, "Not a possible number", "Write `to` in international form, country code first: `34600123456`."
        ),
        Refusal.TEXT_EMPTY: Presentation(422, "The text is empty", "Give `text` at least one character."),
        Refusal.TEXT_TOO_LONG: Presentation(
            422, "The text is too long", "Shorten `text`, or send it as several messages."
        ),
        Refusal.TEXT_NOT_ENCODABLE: Presentation(
            422, "The text cannot be encoded", "Remove NUL and other characters that no SMS alphabet can carry."
        ),
        Refusal.VALIDITY_INVALID: Presentation(
            422, "Validity out of range", "Choose a `validity_s` within the limits that the detail names."
        ),
        Refusal.SEND_AT_INVALID: Presentation(
            422, "Sending time out of range", "Choose a `send_at` within the limits that the detail names."
        ),
        Refusal.CALLBACK_URL_INVALID: Presentation(
            422, "The callback address is not usable", "Give an absolute https URL that is reachable from the internet."
        ),
        Refusal.CLIENT_REF_INVALID: Presentation(
            422, "The reference is not usable", "Shorten `client_ref` or use plain characters, as the detail says."
        ),
        Refusal.AGREEMENT_EXPIRED: Presentation(
            403, "No agreement in force", "Renew the agreement of this sender with your provider."
        ),
        Refusal.RATE_NOT_FOUND: Presentation(
            422, "No price for this destination", "Your services do not include this destination: ask your provider."
        ),
        Refusal.DESTINATION_BLOCKED: Presentation(
            422, "The destination is blocked", "Your services exclude this destination on purpose; do not repeat."
        ),
        Refusal.RECIPIENT_OPTED_OUT: Presentation(
            422,
            "The recipient does not want it",
            "The number is on your stop list: do not repeat, or take it off the list.",
        ),
        Refusal.LINK_NOT_ALLOWED: Presentation(
            422,
            "A link is not allowed",
            "Leave out the link that the detail names, or have its host allowed for this sender.",
        ),
        Refusal.RECIPIENT_FLOODED: Presentation(
            422, "Too many messages to this number", "The number got enough for an hour: wait, do not repeat at once."
        ),
        Refusal.CAP_REACHED: Presentation(
            403, "A cap is reached", "Wait for the next hour or day (UTC), or ask your provider to raise the cap."
        ),
        Refusal.BALANCE_TOO_LOW: Presentation(
            402, "The balance is too low", "Pay in, then send again. Nothing was charged."
        ),
        Refusal.PROVIDER_UNAVAILABLE: Presentation(
            503, "The provider cannot carry it", "Your provider cannot pass messages on at the moment: ask them."
        ),
        Refusal.IDEMPOTENCY_KEY_REUSED: Presentation(
            422, "Idempotency key used for another body", "Take a new `Idempotency-Key` for each different request."
        ),
        Refusal.OVERLOADED: Presentation(
            503, "Too busy", "Repeat after the seconds of `Retry-After`. Nothing was charged."
        ),
        EdgeProblem.UNAUTHORIZED: Presentation(
            401, "No valid API key", "Send `Authorization: Bearer <key>` with a key that is in force."
        ),
        EdgeProblem.ADDRESS_NOT_ALLOWED: Presentation(
            403, "Not from this address", "The key is taken from certain addresses only: send from one of them."
        ),
        EdgeProblem.TOO_FAST: Presentation(
            429,
            "Faster than agreed",
            "The key has a limit of messages a second: repeat after the seconds of `Retry-After`.",
        ),
        EdgeProblem.MALFORMED_JSON: Presentation(400, "Not JSON", "Send one JSON document (RFC 8259) in UTF-8."),
        EdgeProblem.INVALID_REQUEST: Presentation(
            422, "The request does not fit", "`errors` names each field that does not fit, and why."
        ),
        EdgeProblem.TOO_MANY_MESSAGES: Presentation(
            422, "Too many messages", "Split the batch: 1,000 messages a request at most. None was sent."
        ),
        EdgeProblem.BODY_TOO_LARGE: Presentation(
            413, "The body is too large", "Send at most 1 MiB (1,048,576 octets) a request. The connection is closed."
        ),
        EdgeProblem.UNSUPPORTED_MEDIA_TYPE: Presentation(
            415, "Not a JSON media type", "Send `Content-Type: application/json`, in UTF-8 and without compression."
        ),
        EdgeProblem.NOT_FOUND: Presentation(
            404, "Nothing here", "Check the address; for a message, check the id and that your company sent it."
        ),
        EdgeProblem.NOT_CANCELABLE: Presentation(
            409, "Too late to cancel", "The message was handed to the vendor already, or is final: follow it instead."
        ),
        EdgeProblem.INVALID_QUERY: Presentation(
            422, "The question does not fit", "`errors` names each parameter that does not fit, and why."
        ),
        EdgeProblem.METHOD_NOT_ALLOWED: Presentation(
            405, "Method not allowed", "Use a method that the `Allow` header lists."
        ),
        EdgeProblem.NOT_READY: Presentation(
            503, "Not ready", "The service is starting or stopping: repeat after the seconds of `Retry-After`."
        ),
        EdgeProblem.INTERNAL: Presentation(
            500, "Internal error", "Our fault, and logged. Repeat with the same `Idempotency-Key` to be safe."
        ),
    }
)

RETRY_AFTER_S = 1  # the writer's queue drains in well under a second, or the database is away for longer than that

_HEADERS: Mapping[Code, tuple[tuple[bytes, bytes], ...]] = MappingProxyType(
    {
        EdgeProblem.UNAUTHORIZED: ((b"www-authenticate", b'Bearer realm="Relais"'),),
        EdgeProblem.TOO_FAST: ((b"retry-after", b"%d" % RETRY_AFTER_S),),
        EdgeProblem.NOT_READY: ((b"retry-after", b"%d" % RETRY_AFTER_S),),
        Refusal.OVERLOADED: ((b"retry-after", b"%d" % RETRY_AFTER_S),),
    }
)


class FieldError(msgspec.Struct, frozen=True):
    """One field that does not fit."""

    field: Annotated[str, Meta(description="Where: a field such as `to` or `messages[3].to`, or a header's name.")]
    reason: Annotated[str, Meta(description="What is wrong with it, for people to read.")]


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a request was refused (RFC 9457). Nothing was sent or charged, except perhaps with `internal`."""

    type: Annotated[str, Meta(description="`/problems/<code>`: leads to the description of the code.")]
    title: Annotated[str, Meta(description="The same words for the same code.")]
    status: Annotated[int, Meta(description="The HTTP status, repeated.")]
    detail: Annotated[str, Meta(description="This case, and what to do.")]
    code: Annotated[
        str,
        Meta(
            description="Stable name to program against.", extra_json_schema={"enum": [str(code) for code in PRESENTED]}
        ),
    ]
    errors: Annotated[tuple[FieldError, ...], Meta(description="Each field that does not fit, up to 20.")] = ()
    instance: Annotated[str, Meta(description="Quote this to support; only with `internal`.")] | None = None
    request_id: Annotated[str, Meta(description="As in the header `X-Request-Id`.")] | None = None


def problem(
    code: Code, detail: str | None = None, errors: Sequence[FieldError] = (), instance: str | None = None
) -> Problem:
    """The problem of `code`; without a `detail` of its own it says the table's advice."""
    status, title, advice = PRESENTED[code]
    return Problem(f"/problems/{code}", title, status, detail or advice, code, tuple(errors), instance)


def headers_of(refused: Problem) -> tuple[tuple[bytes, bytes], ...]:
    """The response headers that the problem's code asks for, beside content type and length."""
    known: Mapping[Any, tuple[tuple[bytes, bytes], ...]] = _HEADERS
    return known.get(refused.code, ())
