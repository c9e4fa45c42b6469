"""What a list of messages is asked for in the query of its address: read strictly, so that a misspelt filter is never ignored."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from relais.api.problems import EdgeProblem, FieldError, Problem, problem
from relais.core.lifecycle import State
from relais.core.numbers import normalise
from relais.pipeline.submission import MessagesAsked, StopsAsked

PAGE_MAX, PAGE_DEFAULT = 100, 50
SPAN_MAX, SPAN_DEFAULT = timedelta(days=31), timedelta(days=1)
QUERY_OCTETS_MAX, VALUE_CHARACTERS_MAX = 4_096, 200
OPEN: Final = "open"
STATUSES: Final[Mapping[str, int]] = MappingProxyType({OPEN: 0} | {s.label: int(s) for s in State if s.final})


Reader = Callable[[str], Any]


def read_question(query: bytes, now: datetime, *, incoming: bool = False) -> MessagesAsked | Problem:
    """The messages that a query string asks for; without times those of the last day. Of incoming ones `from` is the phone."""
    given = _read(query, _INCOMING_READERS if incoming else _READERS)
    if isinstance(given, Problem):
        return given
    until = given.get("until") or now + timedelta(seconds=1)
    since = given.get("since") or until - SPAN_DEFAULT
    if not timedelta(0) < until - since <= SPAN_MAX:
        return _unfit([FieldError("since", f"must lie before `until`, at most {SPAN_MAX.days} days")])
    return MessagesAsked(
        since=since,
        until=until,
        before=given.get("cursor"),
        status=given.get("status"),
        source=given.get("from"),
        destination=given.get("to"),
        client_ref=given.get("client_ref"),
        count_max=given.get("limit", PAGE_DEFAULT),
    )


def read_stops_question(query: bytes) -> StopsAsked | Problem:
    """The entries of stop lists that a query string asks for."""
    given = _read(query, _STOP_READERS)
    if isinstance(given, Problem):
        return given
    return StopsAsked(
        before=given.get("cursor"), number=given.get("number"), count_max=given.get("limit", PAGE_DEFAULT)
    )


def _read(query: bytes, readers: Mapping[str, Reader]) -> dict[str, Any] | Problem:
    """What is given, by name."""
    errors: list[FieldError] = []
    given: dict[str, Any] = {}
    if len(query) > QUERY_OCTETS_MAX:
        return _unfit([FieldError("(query)", f"must have at most {QUERY_OCTETS_MAX} octets")])
    for name, text in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        reader = readers.get(name)
        if reader is None:
            errors.append(FieldError(name[:64], f"unknown parameter; known are {', '.join(readers)}"))
        elif name in given:
            errors.append(FieldError(name, "is given twice"))
        else:
            try:
                given[name] = reader(text)
            except ValueError as error:
                errors.append(FieldError(name, str(error)))
    return _unfit(errors) if errors else given


def _unfit(errors: list[FieldError]) -> Problem:
    return problem(EdgeProblem.INVALID_QUERY, f"`{errors[0].field}` {errors[0].reason}.", errors[:20])


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text.replace(" ", "+"))  # an unescaped plus sign of a zone
    except ValueError:
        instant = datetime(1, 1, 1)
    if instant.tzinfo is None or not 2000 <= instant.year <= 2200:
        raise ValueError("must be an ISO 8601 instant with a zone, such as 2031-01-01T09:00:00Z")
    return instant.astimezone(UTC)


def _status(text: str) -> int:
    if text not in STATUSES:
        raise ValueError(f"must be one of {', '.join(STATUSES)}")
    return STATUSES[text]


def _number(text: str) -> str:
    digits = normalise(text.strip())
    if digits is None:
        raise ValueError("must be a phone number in international form, such as 34612345678")
    return digits


def _text(text: str) -> str:
    if not text or len(text) > VALUE_CHARACTERS_MAX or not text.isprintable():
        raise ValueError(f"must have 1 to {VALUE_CHARACTERS_MAX} printable characters")
    return text


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= PAGE_MAX):
        raise ValueError(f"must be a whole number from 1 to {PAGE_MAX}")
    return int(text)


def _cursor(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError("must be the `next` of an earlier page") from None


def _serial(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text)):
        raise ValueError("must be the `next` of an earlier page")
    return int(text)


_READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "since": _instant,
        "until": _instant,
        "status": _status,
        "from": _text,
        "to": _number,
        "client_ref": _text,
        "limit": _limit,
        "cursor": _cursor,
    }
)
_INCOMING_READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {"since": _instant, "until": _instant, "from": _number, "to": _text, "limit": _limit, "cursor": _cursor}
)
_STOP_READERS: Final[Mapping[str, Reader]] = MappingProxyType({"number": _number, "limit": _limit, "cursor": _serial})
