"""Prices as people write them: decimal point or comma, grouped digits, a currency around them (RI-87, RI-88, RI-111)."""

import re
from collections.abc import Iterable

from relais.core.money import DECIMALS_MAX, parse_micros
from relais.core.price_sheets.cells import Cell, text_of
from relais.core.rating.scale import PRICE_MICROS_MAX, read_price

_NUMBER = re.compile(r"([^0-9.,]*)([0-9.,](?:[0-9.,' \u2019]*[0-9])?)([^0-9]*)")
_BLANKED_GROUPS = re.compile(r"[0-9]{1,3}(?:[ '\u2019][0-9]{3})+(?:[.,][0-9]+)?")
_CURRENCY = re.compile(r"[^\W\d_]{0,4}[$€£¥₹₽₺₴₸₪฿₫₩]?[^\W\d_]{0,4}\.?")
_WHOLE = re.compile(r"[0-9]+")
_FORMS = {  # by the decimal mark: digits with decimals, and digits in groups
    decimal: (
        re.compile(rf"(?:[0-9]*|[0-9]{{1,3}}(?:\{group}[0-9]{{3}})+)\{decimal}[0-9]+"),
        re.compile(rf"[1-9][0-9]{{0,2}}(?:\{group}[0-9]{{3}})+"),
    )
    for decimal, group in ((".", ","), (",", "."))
}
_GROUP_MARK = {".": ",", ",": "."}
UNREADABLE = "is not a price"
AMBIGUOUS = "has a mark that may part decimals or thousands"
TOO_FINE = f"has more than {DECIMALS_MAX} decimals"


def decimal_mark(cells: Iterable[Cell]) -> str:
    """The mark before decimals in the texts of a column that can be read in one way only; "" when they tell none, or both."""
    texts = {cell for cell in cells if isinstance(cell, str)}
    marks = {mark for text in texts for mark in _only(_readings(text))}
    return marks.pop() if len(marks) == 1 else ""


def read_micros(cell: Cell, mark: str = "") -> int:
    """Micros of a price, never negative. `mark` is what `decimal_mark` says of the column. ValueError with the reason for what
    is no price, could be two prices, or has more than six decimals."""
    if isinstance(cell, float):
        return _exact(text_of(abs(cell)))
    readings = _readings(cell or "")
    if not readings:
        raise ValueError(UNREADABLE)
    if len(readings) == 1:
        return _exact(next(iter(readings.values())))
    if mark not in readings:
        raise ValueError(AMBIGUOUS)
    return _exact(readings[mark])


def _only(readings: dict[str, str]) -> set[str]:
    return set(readings) - {""} if len(readings) == 1 else set()


def _readings(text: str) -> dict[str, str]:
    """What the text may mean, as a plain decimal, by the mark that decimals would have ("" where there is no mark at all)."""
    match = _NUMBER.fullmatch(" ".join(text.replace("\N{MINUS SIGN}", "-").split()))
    if match is None or not (_may_surround(match[1]) and _may_surround(match[3])):
        return {}
    digits = match[2]
    if _BLANKED_GROUPS.fullmatch(digits):
        digits = re.sub("[ '\u2019]", "", digits)
    if _WHOLE.fullmatch(digits):
        return {"": digits}
    found = {}
    for mark, (with_decimals, in_groups) in _FORMS.items():
        if with_decimals.fullmatch(digits):
            found[mark] = digits.replace(_GROUP_MARK[mark], "").replace(mark, ".")
        elif in_groups.fullmatch(digits):
            found[mark] = digits.replace(_GROUP_MARK[mark], "")
    return found


def _may_surround(text: str) -> bool:
    """A sign, a currency, the star of a footnote."""
    return _CURRENCY.fullmatch(text.strip(" +-*()")) is not None


def _exact(plain: str) -> int:
    whole, _, decimals = plain.partition(".")
    if len(decimals) > DECIMALS_MAX:
        raise ValueError(TOO_FINE)
    if len(whole.lstrip("0")) > len(str(PRICE_MICROS_MAX)):
        raise ValueError("is too large for a price")
    return read_price(parse_micros(f"{whole or '0'}.{decimals}".rstrip(".")))
