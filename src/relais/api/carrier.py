"""`/api`: the interface of queries and short answers that carriers' systems speak (`command=submit`, `command=query`), over the
same admission as the API proper. `docs/reference/carrier-http.md` says what is taken.

What is refused is one line of text: 400 for what the request says, 401 for who asks, 420 for whatever else. The password is an
API key, the username its name or its company's; like everything in a query it stands in no log of ours.
"""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from starlette.types import Receive, Scope

from relais.api.keys import Gate, peer_of
from relais.api.ports import Pipeline
from relais.api.problems import EdgeProblem, Problem
from relais.api.replies import Header, Reply, encode
from relais.core.lifecycle import State
from relais.core.refusals import Refusal
from relais.core.segments import NotEncodable, TooManyParts
from relais.core.segments import encode as cut_up
from relais.pipeline.configuration import RIGHT_SEND, RIGHT_STATUS, ApiKey
from relais.pipeline.submission import Accepted, MessageView, Refused, Submission

BODY_OCTETS_MAX: Final = 65_536
RECIPIENTS_MAX: Final = 100
MODES: Final = ("split", "cut", "payload", "split_sar", "single_id_split", "split_or_payload")
WORDS: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.ACCEPTED: "ACCEPTD",
        State.SCHEDULED: "ACCEPTD",
        State.QUEUED: "ACCEPTD",
        State.SENT: "ENROUTE",
        State.DELIVERED: "DELIVRD",
        State.READ: "DELIVRD",
        State.UNDELIVERED: "UNDELIV",
        State.EXPIRED: "EXPIRED",
        State.REJECTED: "REJECTD",
        State.FAILED: "REJECTD",
        State.CANCELED: "DELETED",
    }
)
_OF_THE_REQUEST: Final = frozenset(
    {
        Refusal.NUMBER_INVALID,
        Refusal.TEXT_EMPTY,
        Refusal.TEXT_TOO_LONG,
        Refusal.TEXT_NOT_ENCODABLE,
        Refusal.CHANNEL_UNKNOWN,
    }
)
_TEXT: Final = b"text/plain; charset=utf-8"
_PRIVATE: Final[tuple[Header, ...]] = ((b"cache-control", b"no-store"),)
BAD_REQUEST, NOT_YOU, REFUSED = 400, 401, 420


class Unfit(Exception):
    """What the request says cannot be; the text is the answer."""


class Carrier:
    """One address for everything."""

    __slots__ = ("_gate", "_pipeline")

    def __init__(self, pipeline: Pipeline, gate: Gate) -> None:
        self._pipeline = pipeline
        self._gate = gate

    async def ask(self, scope: Scope, receive: Receive) -> Reply | None:
        """Any command, as a query, a form or JSON."""
        try:
            given = await _given(scope, receive)
            if given is None:
                return None
            command = given.get("command", "submit")
            if command not in ("submit", "query"):
                raise Unfit("command must be submit or query")
            right = RIGHT_SEND if command == "submit" else RIGHT_STATUS
            key = self._gate.admit(
                {b"authorization": b"Bearer " + given.get("password", "").encode()}, right, peer_of(scope)
            )
            if isinstance(key, Problem):
                if key.code == EdgeProblem.UNAUTHORIZED:
                    return _said(NOT_YOU, "The password is no API key in force.")
                return _said(REFUSED, key.detail)
            if given.get("username", "").strip().casefold() not in key.names:
                return _said(NOT_YOU, "The username must be the name of the API key, or of its company.")
            return await (self._submit(key, given) if command == "submit" else self._query(key, given))
        except Unfit as unfit:
            return _said(BAD_REQUEST, str(unfit))

    async def _submit(self, key: ApiKey, given: Mapping[str, str]) -> Reply:
        mode = given.get("longMessageMode", "split")
        if mode not in MODES:
            raise Unfit(f"longMessageMode must be one of {', '.join(MODES)}")
        numbers = [number.strip() for number in given.get("dnis", "").split(",") if number.strip()]
        if not 1 <= len(numbers) <= RECIPIENTS_MAX:
            raise Unfit(f"dnis must have 1 to {RECIPIENTS_MAX} numbers, separated by commas")
        text = _one_part(given.get("message", "")) if mode == "cut" else given.get("message", "")
        if (too_fast := self._gate.pace(key, len(numbers), time.monotonic())) is not None:
            return _said(REFUSED, too_fast.detail)
        submissions = [Submission(source=given.get("ani", ""), destination=number, text=text) for number in numbers]
        answer = await self._pipeline.submit(key, submissions, None)
        if isinstance(answer, Refused):
            return _said(REFUSED, answer.detail)
        if len(numbers) == 1:
            (outcome,) = answer.outcomes
            if isinstance(outcome, Refused):
                return _said(BAD_REQUEST if outcome.refusal in _OF_THE_REQUEST else REFUSED, outcome.detail)
            return _told({"message_id": str(outcome.message_id)})
        return _told([_entry(number, outcome) for number, outcome in zip(numbers, answer.outcomes, strict=True)])

    async def _query(self, key: ApiKey, given: Mapping[str, str]) -> Reply:
        try:
            message_id = UUID(given.get("messageId", ""))
        except ValueError:
            raise Unfit("messageId must be the message_id of an answer") from None
        view = await self._pipeline.message(key, message_id)
        return _told({"status": "UNKNOWN"} if view is None else _status(view))


async def _given(scope: Scope, receive: Receive) -> dict[str, str] | None:
    """Parameters by name; None when the client left. Of one given twice the last counts."""
    if scope["method"] == "GET":
        return _pairs(scope.get("query_string", b""))
    body = b""
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        body += event.get("body", b"")
        if len(body) > BODY_OCTETS_MAX:
            raise Unfit(f"the body must have at most {BODY_OCTETS_MAX} octets")
        if not event.get("more_body", False):
            break
    content_type = dict(scope["headers"]).get(b"content-type", b"").partition(b";")[0].strip().lower()
    if content_type != b"application/json":
        return _pairs(scope.get("query_string", b"")) | _pairs(body)
    try:
        document = msgspec.json.decode(body, type=dict[str, str | int])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unfit("the body must be a JSON object of texts") from None
    return {name: str(value) for name, value in document.items()}


def _pairs(octets: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(octets.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100))
    except ValueError:
        raise Unfit("parameters must be URL-encoded UTF-8") from None


def _one_part(text: str) -> str:
    """As much of it as one SMS holds."""
    text = text[:160]
    try:
        while len(cut_up(text).parts) > 1:
            text = text[:-1]
    except (NotEncodable, TooManyParts):
        pass  # is refused later, with a reason
    return text


def _entry(number: str, outcome: Accepted | Refused) -> dict[str, Any]:
    if isinstance(outcome, Accepted):
        return {"dnis": number, "message_id": str(outcome.message_id)}
    return {"dnis": number, "message_id": None, "error": outcome.detail}


def _status(view: MessageView) -> dict[str, Any]:
    state = State[view.status.upper()]
    code = (view.error or "").rpartition(" ")[2]
    told = {
        "status": WORDS[state],
        "mccmnc": view.network or "",
        "error_code": code if code.isascii() and code.isdigit() else "000",
    }
    if state.final:
        at = view.times[view.status]
        told |= {"delivery_time": f"{at:%Y%m%d%H%M%S}", "system_delivery_time": f"{at:%y%m%d%H%M%S}"}
    return told


def _told(answer: Any) -> Reply:
    return Reply(200, encode(answer), headers=_PRIVATE)


def _said(status: int, text: str) -> Reply:
    return Reply(status, text.encode(), _TEXT, _PRIVATE)
