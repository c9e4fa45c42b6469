"""A cell of a sheet as it is read, and its text in the form in which texts are compared (RI-72, RI-79)."""

import unicodedata
from decimal import Decimal
from functools import lru_cache

import msgspec

Cell = str | float | None  # a number stays one, a date is its ISO text, a formula its stored result
DIGITS_KEPT = 15  # a spreadsheet's numbers are exact so far

# Values that stand for all networks without a price of their own (RI-54).
EVERYTHING_ELSE = frozenset(
    {
        "*", "all", "all networks", "all operators", "any", "default", "other", "other networks", "others", "oth",
        "remaining", "rest", "rest of world", "alle netze", "sonstige netze", "todas las redes", "все сети",
    }
)  # fmt: skip


class Sheet(msgspec.Struct, frozen=True):
    """Rows from the first of the file on; each as long as its last cell."""

    name: str
    rows: list[list[Cell]]


class Book(msgspec.Struct, frozen=True):
    """A file that could be read. `encoding` and `separator` are those of a CSV file, else ""."""

    sheets: list[Sheet]
    encoding: str = ""
    separator: str = ""


def text_of(cell: Cell) -> str:
    """What the cell displays: a number without exponent or needless zeros (RI-72), "" for an empty cell."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.strip()
    if cell.is_integer() and abs(cell) < 10**DIGITS_KEPT:
        return str(int(cell))
    return format(Decimal(format(cell, f".{DIGITS_KEPT}g")), "f")


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """Without case, diacritics, blanks around and repeated blanks: texts that are equal so are the same value."""
    plain = unicodedata.normalize("NFKD", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return " ".join("".join(each for each in plain if not unicodedata.combining(each)).casefold().split())


def is_everything_else(text: str) -> bool:
    return folded(text) in EVERYTHING_ELSE


def letters_of(column: int) -> str:
    """What a spreadsheet calls the column counted from 0: A, B, … Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
