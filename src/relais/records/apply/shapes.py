"""What an entry of a section may hold: its fields, and how each is read. Nothing here knows the database.

A reader turns a plain value into the value a column takes, or raises ValueError with the reason. Faults are collected,
with their paths, so that one run tells all of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from relais.core.money import MICROS, parse_micros

Reader = Callable[[Any], Any]
MONEY_MICROS_MAX = 10**18  # what a bigint holds, with room for sums


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an entry. `blank`: null may be given and means "none". `entries`: a list of entries of that shape."""

    read: Reader
    required: bool = False
    blank: bool = False
    entries: "Shape | None" = None


Shape = Mapping[str, Field]


@dataclass(slots=True)
class Faults:
    """What is wrong with the file, in the order met."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: str, reason: str) -> None:
        if (path, reason) not in self.found:
            self.found.append((path, reason))


@dataclass(slots=True)
class Entry:
    """The given fields of an entry, read; `sound` = nothing was wrong with them."""

    path: str
    values: dict[str, Any]
    sound: bool = True

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self.values


def read_entries(raw: object, shape: Shape, path: str, faults: Faults) -> list[Entry]:
    """Every entry of a list, sound or not."""
    if not isinstance(raw, list):
        faults.add(path, "a list is expected")
        return []
    return [read_entry(item, shape, f"{path}[{number}]", faults) for number, item in enumerate(raw)]


def read_entry(raw: object, shape: Shape, path: str, faults: Faults) -> Entry:
    """One entry; each unknown, missing or unreadable field is a fault of its own."""
    entry = Entry(path, {})
    if not isinstance(raw, dict):
        faults.add(path, f"an entry with fields is expected, not {_kind(raw)}")
        entry.sound = False
        return entry
    for name, reason in _faults_of_fields(raw, shape, entry, faults):
        faults.add(f"{path}.{name}", reason)
        entry.sound = False
    return entry


def _faults_of_fields(raw: dict[str, Any], shape: Shape, entry: Entry, faults: Faults) -> Iterator[tuple[str, str]]:
    for name, value in raw.items():
        if (known := shape.get(name)) is None:
            yield name, f"unknown field; known are {', '.join(shape)}"
        elif value is None:
            if known.required:
                yield name, "is required"
            elif not known.blank:
                yield name, "cannot be blank: leave the field out"
            else:
                entry.values[name] = None
        elif known.entries is not None:
            entries = read_entries(value, known.entries, f"{entry.path}.{name}", faults)
            entry.values[name] = entries
            entry.sound = entry.sound and isinstance(value, list) and all(inner.sound for inner in entries)
        else:
            try:
                entry.values[name] = known.read(value)
            except ValueError as error:
                yield name, str(error)
    for name, known in shape.items():
        if known.required and name not in raw:
            yield name, "is required"


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a text is expected, not {_kind(value)}: write it in quotes")
    if "\0" in value:
        raise ValueError("a text without NUL is expected")
    return value.strip()


def full_text(value: Any) -> str:
    if not (stripped := text(value)):
        raise ValueError("cannot be empty")
    return stripped


def secret(value: Any) -> str:
    """Blanks at its ends are part of a password (PWD-15); the reason never shows it."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("a text is expected: write it in quotes")
    return value


def capitals(value: Any) -> str:
    return full_text(value).upper()


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"true or false is expected, not {_kind(value)}")
    return value


def money(value: Any) -> int:
    """Micros of an amount written as a text, for a number would pass through a float."""
    if not isinstance(value, str):
        raise ValueError(f'an amount is written as a text, such as "0.04", not as {_kind(value)}')
    micros = parse_micros(value)
    if not 0 <= micros <= MONEY_MICROS_MAX:
        raise ValueError(f"an amount from 0 to {MONEY_MICROS_MAX // MICROS} is expected")
    return micros


def percent_bp(value: Any) -> int:
    """Hundredths of a percent, of a percentage of at most two decimals written as a text."""
    micros = money(value)
    bp, rest = divmod(micros * 100, MICROS)
    if rest or bp > 10_000:
        raise ValueError("a percentage from 0 to 100 with at most two decimals is expected")
    return bp


def whole(least: int, most: int) -> Reader:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"a whole number is expected, not {_kind(value)}")
        if not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most} is expected")
        return value

    return read


def day(value: Any) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("a date such as 2025-01-31 is expected") from None
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError(f"a date such as 2025-01-31 is expected, not {_kind(value)}")
    return value


def instant(value: Any) -> datetime:
    """In UTC. A time without its zone is refused: it would mean another instant on every machine."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("an instant such as 2025-01-31T00:00:00+01:00 is expected") from None
    if not isinstance(value, datetime):
        raise ValueError(f"an instant such as 2025-01-31T00:00:00+01:00 is expected, not {_kind(value)}")
    if value.tzinfo is None:
        raise ValueError("an instant needs its zone: add Z or an offset such as +01:00")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("an instant of the years 1 to 9999 is expected") from None


def one_of(*words: str) -> Reader:
    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)} is expected")
        return str(value)

    return read


def some_of(*words: str) -> Reader:
    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or any(word not in words for word in value):
            raise ValueError(f"a list of some of {', '.join(words)} is expected")
        return tuple(value)

    return read


def names(value: Any) -> tuple[str, ...]:
    """A list of texts, none of them empty; the list may be."""
    if not isinstance(value, list):
        raise ValueError(f"a list of names is expected, not {_kind(value)}")
    return tuple(full_text(each) for each in value)


def guid(value: Any) -> UUID:
    try:
        return UUID(text(value))
    except ValueError:
        raise ValueError("a UUID is expected") from None


def mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"a mapping is expected, not {_kind(value)}")
    return value


def anything(value: Any) -> Any:
    """For what has a reader of its own further on."""
    return value


def _kind(value: object) -> str:
    kinds = {
        dict: "a mapping",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return kinds.get(type(value), "a date")
