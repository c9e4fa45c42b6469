"""WhatsApp rates as Meta lists them: a row a market with a price a category, or a row a volume tier (RI-7 to RI-12, RI-107).

Columns are known by their headings. A price is that of pricing type Regular below region and category.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from relais.core.price_sheets.cells import Cell, Sheet, folded, text_of
from relais.core.price_sheets.headings import heading_of
from relais.core.price_sheets.prices import decimal_mark
from relais.core.price_sheets.read import Fault, Reading, Record, without_duplicates
from relais.core.price_sheets.settings import PRICE, Column, Context, Format, Settings
from relais.core.price_sheets.values import Unreadable, Values
from relais.core.rating.types import Parameter, PriceType, ScaleType
from relais.core.rating.whatsapp import REGULAR

SECTIONS = (Parameter.WHATSAPP_REGION, Parameter.PRICING_CATEGORY, Parameter.PRICING_TYPE)
NO_RATE = frozenset({"", "-", "n/a", "na", "\N{EN DASH}", "\N{EM DASH}"})  # a market without this category
OPEN_ENDS = frozenset({"", "-", "\N{INFINITY}", "unlimited"})
_ROWS_LOOKED_AT = 30
_REGION = ("market", "region", "whatsapp region", "country")
_CATEGORIES = {
    category.replace("_", " "): category
    for category in (
        "authentication_international", "authentication", "marketing_lite", "marketing", "utility", "service",
        "referral_conversion",
    )
}  # fmt: skip
_FROM = ("from", "from messages", "from volume", "lower", "min")
_TO = ("to", "to messages", "to volume", "upper", "max")
_TIER = ("tier", "volume tier", "range")
_RATE = ("rate", "price")
_CATEGORY = ("category", "pricing category")
_DIGITS = re.compile(r"[\s,.'\u2019]")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns stand, counted from 0; `start_row` counted from 1. `prices`: of each category, in a basic list.
    `category` is that of the whole sheet where no column has it."""

    start_row: int
    region: int
    prices: Mapping[int, str]
    rate: int = -1
    category_column: int | None = None
    category: str = ""
    tier: int | None = None
    ends: tuple[int, int] | None = None


def layout_of(sheet: Sheet, kind: Format) -> Layout | None:
    """None for a sheet that is no such list."""
    for number, row in enumerate(sheet.rows[:_ROWS_LOOKED_AT], 1):
        headings = [heading_of(cell) for cell in row]
        region = _place(headings, _REGION)
        if region is None:
            continue
        if kind is Format.WHATSAPP_BASIC:
            prices = {at: _CATEGORIES[heading] for at, heading in enumerate(headings) if heading in _CATEGORIES}
            if prices:
                return Layout(number + 1, region, prices)
            continue
        rate, tier, first, last = (_place(headings, names) for names in (_RATE, _TIER, _FROM, _TO))
        column = _place(headings, _CATEGORY)
        category = "" if column is not None else _CATEGORIES.get(folded(sheet.name), "")
        ends = None if first is None or last is None else (first, last)
        if rate is not None and (ends or tier is not None) and (column is not None or category):
            return Layout(number + 1, region, {}, rate, column, category, tier, ends)
    return None


def read_whatsapp(sheet: Sheet, settings: Settings, context: Context, layout: Layout) -> Reading:
    """Records below region, category and Regular; of each sheet row that gives none the reason."""
    reading = Reading()
    rows = list(enumerate(sheet.rows[layout.start_row - 1 :], layout.start_row))
    priced = [*layout.prices] or [layout.rate]
    mark = decimal_mark(_cell(row, at) for _, row in rows for at in priced)
    values = Values(settings, context, mark)
    read = _basic if layout.prices else _tiers
    found = list(read(rows, layout, values, reading))
    columns = {layout.region, *priced, *([layout.category_column] if layout.category_column is not None else [])}
    reading.met = {at: values.of_column(at) for at in sorted(columns)}
    without_duplicates(reading, found, settings.duplicates)
    return reading


_Rows = Sequence[tuple[int, Sequence[Cell]]]


def _basic(rows: _Rows, layout: Layout, values: Values, reading: Reading) -> Iterator[Record]:
    for number, row in rows:
        priced = {at: cell for at in layout.prices if folded(text_of(cell := _cell(row, at))) not in NO_RATE}
        if not priced:
            continue
        reading.rows_count += 1
        try:
            region = _attribute(values, number, layout.region, Parameter.WHATSAPP_REGION, _cell(row, layout.region))
        except Unreadable as why:
            reading.faults.append(Fault(number, why.column, why.value, why.reason))
            continue
        for at, cell in priced.items():
            try:
                price_type, price_micros = values.price(number, Column(at, PRICE), cell)
            except Unreadable as why:
                reading.faults.append(Fault(number, why.column, why.value, why.reason))
                continue
            yield Record(number, (region or None, layout.prices[at], REGULAR), price_type, price_micros)


@dataclass(slots=True)
class _Tier:
    row: int
    first: int
    last: int | None
    price_micros: int


def _tiers(rows: _Rows, layout: Layout, values: Values, reading: Reading) -> Iterator[Record]:
    """Market and category stand in the first row of a group at least."""
    groups: dict[tuple[str, str], list[_Tier]] = {}
    spoiled: set[tuple[str, str]] = set()
    region_cell: Cell = None
    category_cell: Cell = layout.category
    for number, row in rows:
        if _cell(row, layout.rate) in (None, ""):
            continue
        reading.rows_count += 1
        region_cell = _cell(row, layout.region) or region_cell
        if layout.category_column is not None:
            category_cell = _cell(row, layout.category_column) or category_cell
        place: tuple[str, str] | None = None
        try:
            place = _place_of(number, layout, values, region_cell, category_cell)
            groups.setdefault(place, []).append(_tier(number, row, layout, values))
        except Unreadable as why:
            reading.faults.append(Fault(number, why.column, why.value, why.reason))
            if place is not None:
                spoiled.add(place)
    for place, tiers in groups.items():
        gap = "a row of these tiers cannot be read" if place in spoiled else _gap(tiers)
        if gap:
            reading.faults.append(Fault(tiers[0].row, None, " ".join(place), gap))
            continue
        yield _record(place, tiers)


def _place_of(number: int, layout: Layout, values: Values, region: Cell, category: Cell) -> tuple[str, str]:
    key = _attribute(values, number, layout.region, Parameter.WHATSAPP_REGION, region)
    if layout.category_column is None:
        return key, layout.category
    words = text_of(category).replace("-", " ").replace("_", " ")
    known = _CATEGORIES.get(folded(words), words) or None
    return key, _attribute(values, number, layout.category_column, Parameter.PRICING_CATEGORY, known)


def _attribute(values: Values, row: int, at: int, parameter: Parameter, cell: Cell) -> str:
    return values.attribute(row, Column(at, parameter), parameter, cell)


def _tier(number: int, row: Sequence[Cell], layout: Layout, values: Values) -> _Tier:
    if layout.ends is not None:
        ends = [text_of(_cell(row, at)) for at in layout.ends]
        at = layout.ends[0]
    else:
        at = layout.tier if layout.tier is not None else layout.rate
        ends = re.split("[:\N{EN DASH}-]", text_of(_cell(row, at)), maxsplit=1)
    first, last = (_DIGITS.sub("", end) for end in (*ends, "")[:2])
    is_open = folded(last) in OPEN_ENDS
    if not first.isdecimal() or not (is_open or last.isdecimal()):
        raise Unreadable(at, " : ".join(ends), "is not a range of volumes")
    _, price_micros = values.price(number, Column(layout.rate, PRICE), _cell(row, layout.rate))
    if price_micros is None:
        raise Unreadable(layout.rate, text_of(_cell(row, layout.rate)), "is not a price")
    return _Tier(number, int(first), None if is_open else int(last), price_micros)


def _gap(tiers: Sequence[_Tier]) -> str:
    """What keeps the tiers from being a scale: they begin with the first message, follow each other, and the last is open."""
    if tiers[0].first not in (0, 1):
        return f"the first tier begins at {tiers[0].first}, not at 1"
    if any(tier.last is not None and tier.last < max(tier.first, 1) for tier in tiers):
        return "a tier ends before it begins"
    for former, later in pairwise(tiers):
        if former.last is None or later.first != former.last + 1:
            end = "\N{INFINITY}" if former.last is None else str(former.last)
            return f"a gap or an overlap: a tier ends at {end}, the next begins at {later.first}"
    return "" if tiers[-1].last is None else f"the last tier ends at {tiers[-1].last}: leave its end empty"


def _record(place: tuple[str, str], tiers: Sequence[_Tier]) -> Record:
    path = (place[0] or None, place[1], REGULAR)
    if len(tiers) == 1:
        return Record(tiers[0].row, path, PriceType.FLAT, tiers[0].price_micros)
    steps: list[dict[str, object]] = []
    for tier in tiers:
        end: dict[str, object] = {} if tier.last is None else {"up_to": tier.last}
        steps.append({**end, "price_micros": tier.price_micros})
    scale: dict[str, Any] = {"type": ScaleType.TIER.value, "steps": steps}
    return Record(tiers[0].row, path, PriceType.SCALE, None, scale)


def _place(headings: Sequence[str], names: Sequence[str]) -> int | None:
    return next((headings.index(name) for name in names if name in headings), None)


def _cell(row: Sequence[Cell], at: int) -> Cell:
    return row[at] if at < len(row) else None
