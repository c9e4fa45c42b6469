"""Kinds of values: how one looks in a cell (`html`) and what it says in a CSV file (`text`).

A kind gets the value at its column's path and the row it came from. None and "" are nothing: a grey dash, an empty cell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from django.urls import reverse
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone_name, localtime
from django.utils.translation import gettext

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
NOTHING = SafeString('<span class="t3">\N{EN DASH}</span>')
OPEN = "∞"
MICROS = 1_000_000


def value_at(row: Any, path: str) -> Any:
    """Follows `a__b__c` through attributes; None as soon as something on the way is None."""
    for name in path.split("__"):
        if row is None:
            return None
        row = getattr(row, name)
    return row


def not_set() -> SafeString:
    """What stands in a drawer for a value that there is none of."""
    return format_html('<span class="t3">{}</span>', gettext("not set"))


def indefinitely() -> SafeString:
    """What stands in a drawer for an end that there is none of (GEN-53)."""
    return format_html('{} <span class="t3">({})</span>', OPEN, gettext("indefinitely"))


def grouped(number: Decimal | int) -> str:
    """1234567.5 → "1 234 567.5" with no-break spaces."""
    return f"{number:,}".replace(",", NO_BREAK_SPACE)


def amount(micros: int, decimals: int) -> str:
    """Micros as a decimal amount, cut to `decimals` only where nothing is lost: a remainder below is shown."""
    exact = (Decimal(micros) / MICROS).normalize()
    shown = max(decimals, -int(exact.as_tuple().exponent))
    return grouped(exact.quantize(Decimal(1).scaleb(-shown)))


@dataclass(frozen=True, slots=True)
class Kind:
    """Plain text; the parent of all kinds."""

    numeric: ClassVar[bool] = False
    css: ClassVar[str] = "t2"

    def html(self, value: Any, row: Any) -> SafeString:
        return NOTHING if value is None or value == "" else escape(self.text(value, row))

    def text(self, value: Any, row: Any) -> str:
        return "" if value is None else str(value)

    def csv_heading(self, label: str) -> str:
        """The column's head in a CSV file."""
        return label

    def detail(self, value: Any, row: Any) -> SafeString:
        """In a drawer, where there is more room than in a cell."""
        return self.html(value, row)


class Name(Kind):
    """What the record is called: bold, and the link to it (the list makes it one)."""

    css = "first"


class Code(Kind):
    """An identifier that people read letter by letter."""

    css = "mono"


class Number(Kind):
    numeric = True
    css = "num"

    def html(self, value: Any, row: Any) -> SafeString:
        return NOTHING if value is None else escape(grouped(value))


class Id(Number):
    css = "num t3"

    def html(self, value: Any, row: Any) -> SafeString:
        return escape(value)


@dataclass(frozen=True, slots=True)
class Money(Kind):
    """Micros in the currency at the path `currency` of the row, or the currency itself ("EUR"). `none`: what null means."""

    currency: str
    none: str = ""
    decimals: int | None = None  # None: those of the currency

    numeric: ClassVar[bool] = True
    css: ClassVar[str] = "num"

    def html(self, value: Any, row: Any) -> SafeString:
        if value is None:
            return escape(self.none) if self.none else NOTHING
        code = self.code(row)
        return format_html('{}\N{NO-BREAK SPACE}<span class="cur">{}</span>', amount(value, self._decimals(code)), code)

    def text(self, value: Any, row: Any) -> str:
        return "" if value is None else amount(value, self._decimals(self.code(row))).replace(NO_BREAK_SPACE, "")

    def code(self, row: Any) -> str:
        return self.currency if self.currency.isupper() else value_at(row, self.currency) or ""

    def _decimals(self, code: str) -> int:
        return get_currency_precision(code) if self.decimals is None else self.decimals


class Day(Kind):
    """A date of its own, not an instant."""

    css = "tnum t2"

    def text(self, value: date | None, row: Any) -> str:
        return "" if value is None else value.strftime("%d.%m.%Y")


@dataclass(frozen=True, slots=True)
class Instant(Kind):
    """In the viewer's zone, which the request has activated; in the zone at the path `zone` of the row where one is named.
    `none`: what null means, ∞ for an open end. `seconds`: to the second. `zone_in_csv`: the heading of a CSV file names it."""

    none: str = ""
    zone: str = ""
    seconds: bool = False
    zone_in_csv: bool = False

    css: ClassVar[str] = "tnum t2"

    def csv_heading(self, label: str) -> str:
        return f"{label} ({get_current_timezone_name()})" if self.zone_in_csv else label

    def html(self, value: datetime | None, row: Any) -> SafeString:
        if value is None:
            return escape(self.none) if self.none else NOTHING
        name = value_at(row, self.zone) if self.zone else ""
        return (
            format_html('{}\N{NO-BREAK SPACE}<span class="cur">{}</span>', self.text(value, row), name)
            if name
            else escape(self.text(value, row))
        )

    def detail(self, value: datetime | None, row: Any) -> SafeString:
        return indefinitely() if value is None and self.none == OPEN else self.html(value, row)

    def text(self, value: datetime | None, row: Any) -> str:
        if value is None:
            return self.none
        zone = ZoneInfo(value_at(row, self.zone)) if self.zone else None
        return localtime(value, zone).strftime("%d.%m.%Y %H:%M:%S" if self.seconds else "%d.%m.%Y %H:%M")


class Flag(Kind):
    def html(self, value: Any, row: Any) -> SafeString:
        return escape(self.text(value, row)) if value else SafeString('<span class="t3">No</span>')

    def text(self, value: Any, row: Any) -> str:
        return gettext("Yes") if value else gettext("No")


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """The label of a closed set's value; in CSV files in English."""

    labels: Mapping[Any, str]

    def html(self, value: Any, row: Any) -> SafeString:
        return NOTHING if value is None or value == "" else escape(gettext(self.text(value, row)))

    def text(self, value: Any, row: Any) -> str:
        return "" if value is None else str(self.labels.get(value, value))


@dataclass(frozen=True, slots=True)
class Badge(Kind):
    """A status. `tones`: value → (label, tone); tones are ok, warn, bad, info, mute, hollow, and `live` beside one of them."""

    tones: Mapping[Any, tuple[str, str]]

    css: ClassVar[str] = ""

    def html(self, value: Any, row: Any) -> SafeString:
        if value is None or value == "":
            return NOTHING
        label, tone = self.tones.get(value, (str(value), "mute"))
        return format_html(
            '<span class="st {}">{}</span>', " ".join(f"st-{each}" for each in tone.split()), gettext(label)
        )

    def text(self, value: Any, row: Any) -> str:
        return "" if value is None else self.tones.get(value, (str(value), ""))[0]


@dataclass(frozen=True, slots=True)
class Reference(Kind):
    """A record of another entity, by its name; in a drawer it links there. `entity` is the URL name of that entity's view."""

    entity: str

    def link(self, value: Any) -> SafeString:
        if value is None:
            return not_set()
        return format_html('<a href="{}">{}</a>', reverse(f"{self.entity}-view", args=[value.pk]), str(value))


@dataclass(frozen=True, slots=True)
class Computed(Kind):
    """Whatever a function of the row makes of it: (html, text)."""

    of: Callable[[Any], tuple[SafeString | str, str]]

    def html(self, value: Any, row: Any) -> SafeString:
        return conditional_escape(self.of(row)[0])

    def text(self, value: Any, row: Any) -> str:
        return self.of(row)[1]
