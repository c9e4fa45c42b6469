"""Proposes what the columns of a sheet mean, by its headings and values, so that only exceptions are left to say (RI-57)."""

import re
from collections.abc import Mapping, Sequence

from relais.core.price_sheets.cells import Cell, Sheet, folded, is_everything_else, text_of
from relais.core.price_sheets.codes import MCC_DIGITS
from relais.core.price_sheets.matching import KEY
from relais.core.price_sheets.prices import AMBIGUOUS, read_micros
from relais.core.price_sheets.settings import (
    BILLING_RULE,
    MNC,
    PRICE,
    PRICE_TYPE,
    QUANTITY_RULE,
    Column,
    Context,
    Settings,
)
from relais.core.price_sheets.values import NAME, PRICE_TYPES
from relais.core.rating.types import Parameter

_ROWS_LOOKED_AT = 30  # for the heading
_VALUES_LOOKED_AT = 300  # for what a column's values are
_MATCHING_SHARE = 0.5

# Headings, folded and without marks and currencies, in the order in which they are preferred.
_NAMES: Mapping[str, tuple[str, ...]] = {
    PRICE: (
        "price", "new price", "rate", "new rate", "cost", "unit price", "price per message", "price per sms", "preis", "tarif",
        "precio", "tarifa", "цена", "тариф", "стоимость",
    ),
    PRICE_TYPE: ("price type", "status", "preisart"),
    BILLING_RULE: ("billing rule", "charging", "billing", "charged on"),
    QUANTITY_RULE: ("quantity rule", "unit", "units"),
    Parameter.MCCMNC: ("mccmnc", "mcc mnc", "mnc mcc", "mcc+mnc", "imsi", "imsi prefix", "network code", "plmn", "code"),
    Parameter.MCC: ("mcc", "mobile country code"),
    MNC: ("mnc", "mobile network code"),
    Parameter.COUNTRY: (
        "country", "country name", "iso", "iso2", "iso code", "iso3", "country code", "land", "pais", "страна", "destination",
    ),
    Parameter.NETWORK: ("network", "network name", "operator", "brand", "carrier", "netz", "netzbetreiber", "red", "operador",
                        "сеть", "оператор"),
    Parameter.DIRECTION: ("direction", "direction mt mo", "richtung", "direccion", "направление"),
    Parameter.SENDER_ID_TYPE: ("sender id type", "sender type"),
    Parameter.PHONE_NUMBER: ("phone number", "msisdn", "number"),
    Parameter.WHATSAPP_REGION: ("whatsapp region", "region", "market"),
    Parameter.PRICING_CATEGORY: ("pricing category", "category"),
    Parameter.BILLING_EVENT: ("billing event", "message type"),
}  # fmt: skip
_CURRENCY = re.compile(r"\b(?:in|per|each|eur|usd|gbp|rub|chf|pln|inr|aed|sar|brl|mxn|try|uah|kzt)\b|[$€£₽]")


def heading_of(cell: Cell) -> str:
    """A heading as the names above have it: "Price, EUR" and "price_eur" are "price"."""
    words = re.sub(r"[^\w+]+|_", " ", folded(text_of(cell)))
    return " ".join(_CURRENCY.sub(" ", words).split())


def proposed(sheet: Sheet, context: Context) -> Settings:
    """Settings for a sheet that nobody has seen yet. Nothing is declared without a heading that tells, and no attribute whose
    values mostly match nothing."""
    found = [_places(sheet, row) for row in range(min(_ROWS_LOOKED_AT, len(sheet.rows)))]
    if not found:
        return Settings()
    heading = max(range(len(found)), key=lambda row: (len(found[row]), -row))
    if not found[heading]:
        return Settings(start_row=_first_row(sheet))
    places = found[heading]
    if heading + 1 < len(found) and not _is_priced(sheet.rows[heading + 1], places):
        places = _places_of_two(sheet, heading)
    start_row = heading + 2
    while start_row <= len(sheet.rows) and not _is_priced(sheet.rows[start_row - 1], places):
        start_row += 1
        if start_row > heading + _ROWS_LOOKED_AT:
            start_row = heading + 2
            break
    rows = sheet.rows[start_row - 1 : start_row - 1 + _VALUES_LOOKED_AT]
    settings = Settings(start_row=start_row)
    for column in sorted(_columns(places, rows, context), key=lambda column: column.at):
        settings = settings.declared(column)
    return with_needed_mcc(settings, sheet, context)


def with_needed_mcc(settings: Settings, sheet: Sheet, context: Context) -> Settings:
    """With a section MCC above the codes where a country has a price for each of several MCCs; below one Others they would be
    duplicates."""
    country, code = settings.column(Parameter.COUNTRY), settings.column(Parameter.MCCMNC)
    if code is None or Parameter.MCC in settings.sections or Parameter.MCC not in context.offered:
        return settings
    seen: dict[str, str] = {}
    for cells in sheet.rows[settings.start_row - 1 :]:
        text = text_of(_at(cells, code.at))
        if len(text) == MCC_DIGITS and text.isdigit():
            where = folded(text_of(_at(cells, country.at))) if country is not None else ""
            if seen.setdefault(where, text) != text:
                sections = list(settings.sections)
                sections.insert(sections.index(Parameter.MCCMNC), Parameter.MCC)
                return settings.ordered(sections)
    return settings


def _places(sheet: Sheet, row: int) -> dict[str, list[int]]:
    """Columns by what the heading in that row may say of them, the preferred name first."""
    headings = [heading_of(cell) for cell in sheet.rows[row]]
    found = {}
    for meaning, names in _NAMES.items():
        columns = [at for name in names for at, heading in enumerate(headings) if heading == name]
        if columns:
            found[meaning] = columns
    return found


def _places_of_two(sheet: Sheet, row: int) -> dict[str, list[int]]:
    """Of a heading in two rows: what one does not say the other may."""
    upper, lower = _places(sheet, row), _places(sheet, row + 1)
    taken = {at for columns in upper.values() for at in columns}
    for meaning, columns in lower.items():
        free = [at for at in columns if at not in taken]
        if free:
            upper.setdefault(meaning, []).extend(free)
    return upper


def _columns(places: Mapping[str, Sequence[int]], rows: Sequence[Sequence[Cell]], context: Context) -> list[Column]:
    """One column a meaning, whose values bear it out."""
    found: dict[str, Column] = {}
    for meaning, columns in places.items():
        free = [at for at in columns if at not in {column.at for column in found.values()}]
        proposals = [each for at in free if (each := _column(meaning, at, rows, context)) is not None]
        if proposals:
            found[meaning] = max(proposals, key=lambda each: each[0])[1]
    if not context.takes_mnc or Parameter.MCC not in found:
        found.pop(MNC, None)
    if MNC in found:
        found.pop(Parameter.MCCMNC, None)
    if Parameter.MCCMNC in found or MNC in found:
        found.pop(Parameter.NETWORK, None)  # the code tells more than the name
    return list(found.values())


def _column(meaning: str, at: int, rows: Sequence[Sequence[Cell]], context: Context) -> tuple[int, Column] | None:
    """With how many of its values match; None where they mostly do not."""
    texts = [text for text in dict.fromkeys(text_of(_at(row, at)) for row in rows) if text]
    if meaning in (PRICE, BILLING_RULE, QUANTITY_RULE, MNC):
        return 0, Column(at, meaning)
    if meaning == PRICE_TYPE:
        known = any(PRICE_TYPES.by_attribute(NAME, text, best=False) for text in texts)
        return (0, Column(at, meaning)) if known else None
    parameter = Parameter(meaning)
    if parameter not in context.offered:
        return None
    dictionary = context.dictionaries.get(parameter)
    if dictionary is None or not dictionary.attributes:
        return 0, Column(at, meaning)
    values = [text for text in texts if not is_everything_else(text)]

    def matched_count(by: str) -> int:
        if by == KEY:
            return sum(dictionary.by_key(text) is not None for text in values)
        return sum(dictionary.by_attribute(by, text, best=False) is not None for text in values)

    by = max((KEY, *(each for each in dictionary.attributes if each != Parameter.MCCMNC)), key=matched_count)
    if matched_count(by) < _MATCHING_SHARE * len(values):
        return None
    return matched_count(by), Column(at, meaning, by)


def _is_priced(row: Sequence[Cell], places: Mapping[str, Sequence[int]]) -> bool:
    """Whether a column that may hold the price does."""
    for at in places.get(PRICE, ()):
        cell = _at(row, at)
        if cell in (None, ""):
            continue
        try:
            read_micros(cell)
        except ValueError as fault:
            if str(fault) != AMBIGUOUS:
                continue
        return True
    return False


def _first_row(sheet: Sheet) -> int:
    """The first that holds anything."""
    return next((number for number, row in enumerate(sheet.rows, 1) if row), 1)


def _at(row: Sequence[Cell], at: int) -> Cell:
    return row[at] if at < len(row) else None
