"""From octets to a `Submission`: reads bodies within their limit, decodes them, and says exactly what does not fit.

The good case is one pass of one decoder. Only a body that failed it is looked at again, field by field, to name
everything that is wrong with it. What values mean (numbers, lengths, times) is the pipeline's to judge, not ours.

Decided: of a key given twice the last counts (as in every common JSON reader); integers beyond 2^53, NUL outside `text`
and `send_at` without a zone are invalid; a lone surrogate is malformed JSON.
"""

import difflib
import json
import re
from collections.abc import Iterator
from datetime import UTC
from itertools import islice
from typing import Any

import msgspec
from starlette.types import Receive

from relais.api.problems import EdgeProblem, FieldError, Problem, problem
from relais.api.shapes import BATCH_MESSAGES_MAX, BatchRequest, MessageRequest, StopRequest
from relais.pipeline.submission import Submission

BODY_OCTETS_MAX = 1_048_576
INTEGER_MAX = 2**53 - 1  # RFC 7493 §2.2
ERRORS_NAMED_MAX = 20
NAME_ECHOED_CHARACTERS_MAX = 64

_MESSAGE = msgspec.json.Decoder(MessageRequest)
_STOPS = msgspec.json.Decoder(StopRequest)
_BATCH = msgspec.json.Decoder(BatchRequest)
_NOT_DECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_NUL_ESCAPE = b"\\u0000"  # the only way a JSON string can hold a NUL: the octet itself is malformed
_CONTENT_TYPE = re.compile(rb'application/json[ \t]*(;[ \t]*charset="?utf-?8"?[ \t]*)?', re.IGNORECASE)
_JSON_WORDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "object": "an object",
    "array": "an array",
    "datetime": "an instant",
}


async def read_body(headers: dict[bytes, bytes], receive: Receive) -> bytes | Problem | None:
    """The request's body; a problem when its type is not JSON or it is over the limit, read no further than that; None
    when the client left."""
    content_type = headers.get(b"content-type", b"")
    if content_type != b"application/json" and _CONTENT_TYPE.fullmatch(content_type.strip()) is None:
        return problem(EdgeProblem.UNSUPPORTED_MEDIA_TYPE)
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        return problem(EdgeProblem.UNSUPPORTED_MEDIA_TYPE)
    if int(headers.get(b"content-length", b"0")) > BODY_OCTETS_MAX:
        return problem(EdgeProblem.BODY_TOO_LARGE)
    event = await receive()
    body: bytes = event.get("body", b"")
    if event.get("more_body", False):
        chunks, octets = [body], len(body)
        while event.get("more_body", False) and octets <= BODY_OCTETS_MAX:
            event = await receive()
            chunks.append(event.get("body", b""))
            octets += len(chunks[-1])
        body = b"".join(chunks)
    if event["type"] == "http.disconnect":
        return None
    return body if len(body) <= BODY_OCTETS_MAX else problem(EdgeProblem.BODY_TOO_LARGE)


def decode_message(body: bytes) -> Submission | Problem:
    """The one message of `body`, or why there is none."""
    try:
        request = _MESSAGE.decode(body)
    except _NOT_DECODED as error:
        return _explained(body, error, batch=False)
    errors = list(_unfit(request, "")) if _NUL_ESCAPE in body or _is_rare(request) else []
    return _invalid(errors) if errors else submission_of(request)


def decode_batch(body: bytes) -> list[Submission] | Problem:
    """The messages of `body`, in order, or why the batch as a whole does not fit."""
    try:
        requests = _BATCH.decode(body).messages
    except _NOT_DECODED as error:
        return _explained(body, error, batch=True)
    everywhere = _NUL_ESCAPE in body  # which message it stands in is not worth finding
    unfit = (
        error
        for index, request in enumerate(requests)
        if everywhere or _is_rare(request)
        for error in _unfit(request, f"messages[{index}].")
    )
    errors = list(islice(unfit, ERRORS_NAMED_MAX))
    return _invalid(errors) if errors else list(map(submission_of, requests))


def decode_stops(body: bytes) -> StopRequest | Problem:
    """The numbers of `body`, or why it does not fit."""
    try:
        return _STOPS.decode(body)
    except _NOT_DECODED as error:
        return _explained(body, error, batch=False, shape=StopRequest)


def submission_of(request: MessageRequest) -> Submission:
    """The request in the pipeline's words."""
    return Submission(
        source=request.source,
        destination=request.destination,
        text=request.text,
        channel=request.channel,
        client_ref=request.client_ref,
        validity_s=request.validity_s,
        send_at=None if request.send_at is None else request.send_at.astimezone(UTC),
        callback_url=request.callback_url,
        callback_final_only=None if request.callback_events is None else request.callback_events == "final",
        template_category=request.template_category,
        rich=request.rich,
    )


def _is_rare(request: MessageRequest) -> bool:
    return request.send_at is not None or request.validity_s is not None


def _unfit(request: MessageRequest, path: str) -> Iterator[FieldError]:
    """What no JSON type rules out: NUL outside the text, integers that not every JSON reader holds exactly, and
    instants that fall off the calendar in UTC."""
    named = {
        "from": request.source,
        "to": request.destination,
        "channel": request.channel,
        "client_ref": request.client_ref,
        "callback_url": request.callback_url,
    }
    for name, value in named.items():
        if value is not None and "\0" in value:
            yield FieldError(path + name, "must not contain NUL")
    if request.validity_s is not None and abs(request.validity_s) > INTEGER_MAX:
        yield FieldError(path + "validity_s", f"must be an integer between -{INTEGER_MAX} and {INTEGER_MAX}")
    if request.send_at is not None:
        try:
            request.send_at.astimezone(UTC)
        except OverflowError:
            yield FieldError(path + "send_at", "is not a date of the calendar in UTC")


def _explained(body: bytes, error: Exception, *, batch: bool, shape: type[msgspec.Struct] = MessageRequest) -> Problem:
    """The problem of a body that the decoder refused with `error`: every misfit by name, up to `ERRORS_NAMED_MAX`."""
    try:
        document = msgspec.json.decode(body)
    except msgspec.ValidationError:  # JSON, but with a number that no reader holds: the decoder's own words are best
        return _as_the_decoder_says(error)
    except RecursionError:
        return problem(EdgeProblem.MALFORMED_JSON, "The JSON is nested too deeply.")
    except UnicodeDecodeError as undecodable:
        return problem(EdgeProblem.MALFORMED_JSON, f"A string is not UTF-8: {undecodable.reason}.")
    except msgspec.DecodeError as malformed:
        return problem(EdgeProblem.MALFORMED_JSON, _why_malformed(body, str(malformed)))
    if batch and isinstance(document, dict):
        messages = document.get("messages")
        if isinstance(messages, list) and len(messages) > BATCH_MESSAGES_MAX:
            detail = f"{len(messages):,} messages; a request carries {BATCH_MESSAGES_MAX:,} at most. None was sent."
            return problem(EdgeProblem.TOO_MANY_MESSAGES, detail)
    misfits = _batch_misfits(document) if batch else _misfits(document, shape, "")
    errors = list(islice(misfits, ERRORS_NAMED_MAX))
    return _invalid(errors) if errors else _as_the_decoder_says(error)


def _why_malformed(body: bytes, reason: str) -> str:
    if not body.strip():
        return "The body is empty; it must be a JSON object."
    if body.startswith(b"\xef\xbb\xbf"):
        return "The body starts with a byte order mark; JSON has none (RFC 8259 §8.1)."
    if ("truncated" in reason or "surrogate" in reason) and _is_json_to_others(body):
        return "A \\u escape is half of a surrogate pair."
    return f"{reason.removeprefix('JSON is malformed: ').capitalize()}."


def _is_json_to_others(body: bytes) -> bool:
    """Whether a reader that lets lone surrogates pass takes `body`."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _batch_misfits(document: Any) -> Iterator[FieldError]:
    """As `_misfits` of a batch, entry by entry."""
    if not isinstance(document, dict) or not isinstance(document.get("messages"), list):
        yield from _misfits(document, BatchRequest, "")
        return
    for name in document:
        if name != "messages":
            yield _unknown(name, ["messages"], "")
    if not document["messages"]:
        yield FieldError("messages", "must hold at least one message")
    for index, entry in enumerate(document["messages"]):
        yield from _misfits(entry, MessageRequest, f"messages[{index}]")


def _misfits(value: Any, shape: type[msgspec.Struct], path: str) -> Iterator[FieldError]:
    """Each way in which the decoded JSON `value` is not a `shape`; `path` is where it stands, "" for the whole body."""
    if not isinstance(value, dict):
        yield FieldError(path or "(body)", "must be an object")
        return
    prefix = f"{path}." if path else ""
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    for name in value:
        if name not in fields:
            yield _unknown(name, list(fields), prefix)
    for name, field in fields.items():
        if name not in value:
            if field.required:
                yield FieldError(prefix + name, "is required")
            continue
        try:
            msgspec.convert(value[name], field.type)
        except msgspec.ValidationError as error:
            yield FieldError(prefix + name, _in_json_words(str(error)))


def _unknown(name: str, known: list[str], prefix: str) -> FieldError:
    echoed = name if len(name) <= NAME_ECHOED_CHARACTERS_MAX else name[:NAME_ECHOED_CHARACTERS_MAX] + "…"
    near = difflib.get_close_matches(echoed, known, n=1)
    return FieldError(prefix + echoed, f"unknown field; did you mean `{near[0]}`?" if near else "unknown field")


def _in_json_words(reason: str) -> str:
    """The decoder's reason without Python's type names and without the path, which stands beside it."""
    reason = reason.partition(" - at `")[0]
    if "timezone component" in reason:
        return "needs a time zone: end it with Z or an offset such as +01:00"
    if "RFC3339" in reason:
        return "must be an ISO 8601 instant such as 2031-01-01T09:00:00Z"
    wanted = re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`", reason)
    if wanted is None:
        return reason[:1].lower() + reason[1:]
    alternatives = [_JSON_WORDS.get(word, word) for word in wanted[1].split(" | ") if word != "null"]
    return f"must be {' or '.join(alternatives)}, not {_JSON_WORDS.get(wanted[2], wanted[2])}"


def _as_the_decoder_says(error: Exception) -> Problem:
    """When looking again finds nothing (say, a misfit hidden by a second field of the same name): the first verdict."""
    if not isinstance(error, msgspec.ValidationError):
        return problem(EdgeProblem.MALFORMED_JSON)
    _, _, path = str(error).partition(" - at `$")
    found = FieldError(path.rstrip("`").lstrip(".") or "(body)", _in_json_words(str(error)))
    return _invalid([found])


def _invalid(errors: list[FieldError]) -> Problem:
    more = len(errors) - 1
    detail = f"`{errors[0].field}`: {errors[0].reason}" + (f", and {more} more." if more else ".")
    return problem(EdgeProblem.INVALID_REQUEST, detail, errors)
