"""The OpenAPI 3.1 document, built from the structs that serve the requests, so that the two cannot disagree.

`python -m relais.api.openapi` prints it; the tests keep a copy of that output, so that reviews see it change.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from relais.api import openapi_carrier, shapes
from relais.api.ports import DEFAULTS, ApiSettings
from relais.api.problems import PRESENTED, Code, EdgeProblem, Problem, headers_of, problem
from relais.api.questions import STATUSES
from relais.api.shapes import STATUS_MEANINGS
from relais.core.refusals import Refusal

API_VERSION = "1.0.0"
_SCHEMAS = "#/components/schemas/"

_ADMISSION: tuple[Code, ...] = (
    EdgeProblem.UNAUTHORIZED,
    EdgeProblem.ADDRESS_NOT_ALLOWED,
    Refusal.KEY_WITHOUT_RIGHT,
    Refusal.COMPANY_DISABLED,
    EdgeProblem.NOT_READY,
    EdgeProblem.INTERNAL,
)
_BODY: tuple[Code, ...] = (
    EdgeProblem.MALFORMED_JSON,
    EdgeProblem.BODY_TOO_LARGE,
    EdgeProblem.UNSUPPORTED_MEDIA_TYPE,
    EdgeProblem.INVALID_REQUEST,
)
_ONLY_WHEN_STORED = (Refusal.BALANCE_TOO_LOW, Refusal.IDEMPOTENCY_KEY_REUSED, Refusal.OVERLOADED)
_WHOLE_BATCH: tuple[Code, ...] = (Refusal.IDEMPOTENCY_KEY_REUSED, Refusal.OVERLOADED)

INTRODUCTION = """\
Send messages, follow them, and see what they cost.

Every request carries `Authorization: Bearer <key>`. A key has some or all of the rights `send`, `status`, `balance`.

An accepted message is stored and its price reserved before you are answered: its id is never lost, and it reaches \
exactly one final status. A refused message changes nothing and costs nothing.

Not sure whether a request arrived? Send it again with the same `Idempotency-Key` header (1 to 255 printable ASCII \
characters, a new one for each new request). The same key and the same body get the same answer and one charge; the \
answer then carries `Idempotent-Replayed: true`. The same key with another body is refused.

Try things out with a sandbox key: messages are judged, priced and answered like any other, and neither charged nor \
sent. The last four digits of `to` choose what becomes of them: `0001` undelivered, `0002` expired, `0003` rejected, \
`0004` no receipt, `0005` failed; `0101` to `0107` are refused as `balance_too_low`, `destination_blocked`, \
`rate_not_found`, `provider_unavailable`, `sender_not_connected`, `agreement_expired`, `overloaded`; any other is \
delivered, three seconds after it was sent.

Money is text with six decimals beside its ISO 4217 currency. Instants are ISO 8601 with a zone; answers use UTC. \
Fields that this page does not name are refused, so that a misspelt one is never ignored; of a field given twice the \
last counts.

Every answer carries `X-Request-Id`: yours, if you sent one of 1 to 128 letters, digits and `._:=+/-`, else one of ours. \
Quote it when you ask about a request.

Errors are problems (RFC 9457, `application/problem+json`). Program against `code`; the rest is for people."""

_EXAMPLE_ID = "0195f0d2-7a44-7c31-9a5e-3f6f0a2b9c10"
_EXAMPLE_REQUEST = {"from": "Monsters", "to": "34600123456", "text": "Your parcel arrives today."}
_EXAMPLE_ACCEPTED = {
    "status": "accepted",
    "id": _EXAMPLE_ID,
    "channel": "sms",
    "from": "Monsters",
    "to": "34600123456",
    "country": "ES",
    "network": "21401",
    "encoding": "gsm7",
    "segments": 1,
    "price": {"amount": "0.040000", "currency": "EUR"},
}
_EXAMPLE_PREVIEW = {name: value for name, value in _EXAMPLE_ACCEPTED.items() if name not in ("status", "id")}
_EXAMPLE_REFUSED = {
    "status": "refused",
    "code": "destination_blocked",
    "title": PRESENTED[Refusal.DESTINATION_BLOCKED].title,
    "detail": PRESENTED[Refusal.DESTINATION_BLOCKED].advice,
}
_EXAMPLE_MESSAGE = _EXAMPLE_ACCEPTED | {
    "status": "delivered",
    "final": True,
    "client_ref": "order-1881",
    "times": {
        "accepted": "2031-01-01T08:00:00.120000Z",
        "sent": "2031-01-01T08:00:00.190000Z",
        "delivered": "2031-01-01T08:00:03Z",
    },
    "error": None,
}
_EXAMPLE_BALANCE = {
    "agreement": "TM-1",
    "currency": "EUR",
    "balance": "100.000000",
    "reserved": "0.040000",
    "credit_limit": "0.000000",
    "available": "99.960000",
}


def document(settings: ApiSettings = DEFAULTS) -> dict[str, Any]:
    """The whole document, ready for JSON."""
    _, schemas = msgspec.json.schema_components(
        [
            shapes.MessageRequest,
            shapes.BatchRequest,
            shapes.BatchResults,
            shapes.Messages,
            shapes.IncomingMessages,
            shapes.StopRequest,
            shapes.StopResult,
            shapes.StopEntries,
            shapes.Preview,
            shapes.Balances,
            Problem,
        ],
        ref_template=_SCHEMAS + "{name}",
    )
    statuses = "\n".join(f"- `{state.label}`: {meaning}" for state, meaning in STATUS_MEANINGS.items())
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Relais customer API", "version": API_VERSION, "description": INTRODUCTION},
        "servers": [{"url": settings.public_url or "/"}],
        "security": [{"key": []}],
        "tags": [
            {"name": "Messages", "description": f"Statuses of a message:\n{statuses}"},
            {"name": "Incoming", "description": "Messages from phones, and who is not to be written to."},
            {"name": "Balance", "description": "What is left to spend."},
        ],
        "paths": {
            "/api/v1/messages": {"get": _list_messages(), "post": _send_message()},
            "/api/v1/messages/batch": {"post": _send_batch()},
            "/api/v1/messages/preview": {"post": _preview_message()},
            "/api/v1/messages/{id}": {"get": _get_message()},
            "/api/v1/messages/{id}/cancel": {"post": _cancel_message()},
            "/api/v1/incoming": {"get": _list_incoming()},
            "/api/v1/stop-list": {
                "get": _list_stops(),
                "post": _change_stops(
                    "add_stops", "Stop writing to recipients", "Messages to them are refused at once."
                ),
            },
            "/api/v1/stop-list/remove": {
                "post": _change_stops(
                    "remove_stops", "Write to recipients again", "What they put there themselves, too."
                ),
            },
            "/api/v1/balance": {"get": _get_balance()},
            "/api": openapi_carrier.operations(),
        },
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key of your company, shown once."}
            },
            "parameters": {"IdempotencyKey": _idempotency_key()},
            "headers": {"RequestId": {"description": "Yours, or one of ours.", "schema": {"type": "string"}}},
            "schemas": schemas,
            "examples": {code: _example(code) for code in PRESENTED},
        },
    }
    for methods in described["paths"].values():
        for operation in methods.values():
            for response in operation["responses"].values():
                response.setdefault("headers", {})["X-Request-Id"] = {"$ref": "#/components/headers/RequestId"}
    return described


def _send_message() -> dict[str, Any]:
    return {
        "operationId": "send_message",
        "summary": "Send one message",
        "description": "Answers once the message is stored. Needs the right `send`.",
        "tags": ["Messages"],
        "parameters": [{"$ref": "#/components/parameters/IdempotencyKey"}],
        "requestBody": _request("MessageRequest", _EXAMPLE_REQUEST),
        "responses": {
            "202": _response(
                "Stored; sent now, or at its `send_at`.",
                {
                    "oneOf": [{"$ref": _SCHEMAS + "MessageAccepted"}, {"$ref": _SCHEMAS + "MessageScheduled"}],
                    "discriminator": {
                        "propertyName": "status",
                        "mapping": {
                            "accepted": _SCHEMAS + "MessageAccepted",
                            "scheduled": _SCHEMAS + "MessageScheduled",
                        },
                    },
                },
                _EXAMPLE_ACCEPTED,
                replayed=True,
            )
            | {"links": {"follow": {"operationId": "get_message", "parameters": {"id": "$response.body#/id"}}}},
            **_problems((*_ADMISSION, EdgeProblem.TOO_FAST, *_BODY, *Refusal)),
        },
    }


def _send_batch() -> dict[str, Any]:
    return {
        "operationId": "send_batch",
        "summary": "Send up to 1,000 messages",
        "description": "Each message is accepted or refused for itself; results stand in the order of the request. "
        "A request that does not fit, say with an unknown field in one entry, is refused as a whole. "
        "Needs the right `send`.",
        "tags": ["Messages"],
        "parameters": [{"$ref": "#/components/parameters/IdempotencyKey"}],
        "requestBody": _request(
            "BatchRequest", {"messages": [_EXAMPLE_REQUEST, _EXAMPLE_REQUEST | {"to": "79120000001"}]}
        ),
        "responses": {
            "200": _response(
                "One result for each message.",
                {"$ref": _SCHEMAS + "BatchResults"},
                {"results": [_EXAMPLE_ACCEPTED, _EXAMPLE_REFUSED]},
                replayed=True,
            ),
            **_problems((*_ADMISSION, EdgeProblem.TOO_FAST, *_BODY, EdgeProblem.TOO_MANY_MESSAGES, *_WHOLE_BATCH)),
        },
    }


def _preview_message() -> dict[str, Any]:
    return {
        "operationId": "preview_message",
        "summary": "See what a message would cost",
        "description": "Takes what `send_message` takes and sends nothing: number, text, sender and rates are judged, "
        "the balance is not. Needs the right `send`.",
        "tags": ["Messages"],
        "requestBody": _request("MessageRequest", _EXAMPLE_REQUEST),
        "responses": {
            "200": _response("What it would be.", {"$ref": _SCHEMAS + "Preview"}, _EXAMPLE_PREVIEW),
            **_problems(_ADMISSION + _BODY + tuple(each for each in Refusal if each not in _ONLY_WHEN_STORED)),
        },
    }


def _parameter(name: str, description: str, example: str, **schema: Any) -> dict[str, Any]:
    told = {"type": "string"} | schema
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": told,
        "example": example,
    }


def _page(example: str, **cursor: Any) -> list[dict[str, Any]]:
    return [
        _parameter("limit", "Entries a page, 1 to 100.", "50", pattern="^([1-9][0-9]?|100)$"),
        _parameter("cursor", "The `next` of the page before.", example, **cursor),
    ]


def _list_incoming() -> dict[str, Any]:
    instant = {"format": "date-time"}
    example = {"id": _EXAMPLE_ID, "from": "34600123456", "to": "2525", "text": "STOP", "asked": "stop",
               "received_at": "2031-01-01T08:00:00.120000Z"}  # fmt: skip
    return {
        "operationId": "list_incoming",
        "summary": "List messages from phones",
        "description": "Newest first, page by page; without times those of the last day. Needs the right `status`.",
        "tags": ["Incoming"],
        "parameters": [
            _parameter(
                "since", "Received at or after; default a day before `until`.", "2031-01-01T00:00:00Z", **instant
            ),
            _parameter(
                "until",
                "Received before; at most 31 days after `since`. Default now.",
                "2031-01-02T00:00:00Z",
                **instant,
            ),
            _parameter("from", "The phone's number.", "34600123456", minLength=1),
            _parameter("to", "The sender ID that it is for.", "2525", minLength=1, maxLength=200),
            *_page(_EXAMPLE_ID, format="uuid"),
        ],
        "responses": {
            "200": _response(
                "A page.", {"$ref": _SCHEMAS + "IncomingMessages"}, {"messages": [example], "next": _EXAMPLE_ID}
            ),
            **_problems((*_ADMISSION, EdgeProblem.INVALID_QUERY)),
        },
    }


def _list_stops() -> dict[str, Any]:
    example = {"number": "34600123456", "from": None, "origin": "api", "since": "2031-01-01T08:00:00Z"}
    return {
        "operationId": "list_stops",
        "summary": "List who is not to be written to",
        "description": "Newest first, page by page. Needs the right `status`.",
        "tags": ["Incoming"],
        "parameters": [
            _parameter("number", "Entries of this number.", "34600123456", minLength=1),
            *_page("1881", pattern="^[0-9]{1,18}$"),
        ],
        "responses": {
            "200": _response("A page.", {"$ref": _SCHEMAS + "StopEntries"}, {"entries": [example], "next": "1881"}),
            **_problems((*_ADMISSION, EdgeProblem.INVALID_QUERY)),
        },
    }


def _change_stops(operation: str, summary: str, description: str) -> dict[str, Any]:
    refusals = (Refusal.SENDER_UNKNOWN, Refusal.NUMBER_INVALID)
    return {
        "operationId": operation,
        "summary": summary,
        "description": f"{description} All numbers or, where one does not fit, none. Needs the right `send`.",
        "tags": ["Incoming"],
        "requestBody": _request("StopRequest", {"numbers": ["34600123456"]}),
        "responses": {
            "200": _response("Done.", {"$ref": _SCHEMAS + "StopResult"}, {"changed": 1}),
            **_problems((*_ADMISSION, *_BODY, *refusals)),
        },
    }


def _list_messages() -> dict[str, Any]:
    instant = {"format": "date-time"}
    return {
        "operationId": "list_messages",
        "summary": "List your messages",
        "description": "Newest first, page by page; without times those of the last day. Needs the right `status`.",
        "tags": ["Messages"],
        "parameters": [
            _parameter(
                "since", "Accepted at or after; default a day before `until`.", "2031-01-01T00:00:00Z", **instant
            ),
            _parameter(
                "until",
                "Accepted before; at most 31 days after `since`. Default now.",
                "2031-01-02T00:00:00Z",
                **instant,
            ),
            _parameter("status", "A final status, or `open` for all that are not.", "delivered", enum=list(STATUSES)),
            _parameter("from", "The sender ID.", "Monsters", minLength=1, maxLength=200),
            _parameter("to", "The recipient's number.", "34600123456", minLength=1),
            _parameter("client_ref", "Your own reference.", "order-1881", minLength=1, maxLength=200),
            _parameter("limit", "Messages a page, 1 to 100.", "50", pattern="^([1-9][0-9]?|100)$"),
            _parameter("cursor", "The `next` of the page before.", _EXAMPLE_ID, format="uuid"),
        ],
        "responses": {
            "200": _response(
                "A page.", {"$ref": _SCHEMAS + "Messages"}, {"messages": [_EXAMPLE_MESSAGE], "next": _EXAMPLE_ID}
            ),
            **_problems((*_ADMISSION, EdgeProblem.INVALID_QUERY)),
        },
    }


def _identifier() -> dict[str, Any]:
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "As given when the message was accepted.",
        "schema": {"type": "string", "format": "uuid"},
        "example": _EXAMPLE_ID,
    }


def _cancel_message() -> dict[str, Any]:
    canceled = _EXAMPLE_MESSAGE | {"status": "canceled", "price": {"amount": "0.000000", "currency": "EUR"}}
    canceled["times"] = {"accepted": "2031-01-01T08:00:00.120000Z", "canceled": "2031-01-01T08:01:00Z"}
    return {
        "operationId": "cancel_message",
        "summary": "Cancel a message that waits",
        "description": "While nothing of it was handed to the vendor, above all before its `send_at`; what was reserved "
        "is released. Cancelling twice is no error. Needs the right `send`.",
        "tags": ["Messages"],
        "parameters": [_identifier()],
        "responses": {
            "200": _response("It is canceled.", {"$ref": _SCHEMAS + "Message"}, canceled),
            **_problems((*_ADMISSION, EdgeProblem.NOT_FOUND, EdgeProblem.NOT_CANCELABLE)),
        },
    }


def _get_message() -> dict[str, Any]:
    return {
        "operationId": "get_message",
        "summary": "Follow a message",
        "description": "Needs the right `status`.",
        "tags": ["Messages"],
        "parameters": [_identifier()],
        "responses": {
            "200": _response("The message as it stands.", {"$ref": _SCHEMAS + "Message"}, _EXAMPLE_MESSAGE),
            **_problems((*_ADMISSION, EdgeProblem.NOT_FOUND)),
        },
    }


def _get_balance() -> dict[str, Any]:
    return {
        "operationId": "get_balance",
        "summary": "See your balances",
        "description": "One row for each agreement. Needs the right `balance`.",
        "tags": ["Balance"],
        "responses": {
            "200": _response(
                "The money of each agreement.", {"$ref": _SCHEMAS + "Balances"}, {"balances": [_EXAMPLE_BALANCE]}
            ),
            **_problems(_ADMISSION),
        },
    }


def _idempotency_key() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Makes repeating the request safe.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x20-\\x7e]+$"},
        "example": "order-1881-try",
    }


def _request(schema: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": {"$ref": _SCHEMAS + schema}, "example": example}
    return {"required": True, "content": {"application/json": content}}


def _response(
    description: str, schema: dict[str, Any], example: dict[str, Any], *, replayed: bool = False
) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": schema, "example": example}},
    }
    if replayed:
        header = {"description": "Present when an earlier request made this answer.", "schema": {"const": "true"}}
        response["headers"] = {"Idempotent-Replayed": header}
    return response


def _problems(codes: Iterable[Code]) -> dict[str, Any]:
    """The error responses of an operation: one for each HTTP status, with an example for each of its codes."""
    by_status: dict[str, list[Code]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(str(PRESENTED[code].status), []).append(code)
    return {status: _problem_response(by_status[status]) for status in sorted(by_status)}


def _problem_response(codes: list[Code]) -> dict[str, Any]:
    examples = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    content = {"schema": {"$ref": _SCHEMAS + "Problem"}, "examples": examples}
    response: dict[str, Any] = {
        "description": "; ".join(f"`{code}`: {PRESENTED[code].title.lower()}" for code in codes) + ".",
        "content": {"application/problem+json": content},
    }
    headers = {name.decode().title() for code in codes for name, _ in headers_of(problem(code))}
    if headers:
        response["headers"] = {name: {"schema": {"type": "string"}} for name in sorted(headers)}
    return response


def _example(code: Code) -> dict[str, Any]:
    return {"summary": PRESENTED[code].title, "value": msgspec.to_builtins(problem(code))}


def main() -> None:
    """Prints the document as the tests keep it."""
    print(msgspec.json.format(msgspec.json.encode(document()), indent=2).decode())


if __name__ == "__main__":
    main()
