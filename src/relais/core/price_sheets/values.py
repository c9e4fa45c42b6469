"""What the values of a column mean: each is looked up once, by the settings of its column or as a person has said (RI-56 to
RI-67, RI-80 to RI-88)."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from relais.core.price_sheets.cells import Cell, folded, is_everything_else, text_of
from relais.core.price_sheets.matching import KEY, Dictionary, Entry
from relais.core.price_sheets.prices import read_micros
from relais.core.price_sheets.settings import BILLING_RULE, PRICE, PRICE_TYPE, QUANTITY_RULE, Column, Context, Settings
from relais.core.rating.catalogue import VALUE_FORMS
from relais.core.rating.types import BillingRule, Parameter, PriceType, QuantityRule

NAME = "name"  # the dictionary attribute of words that are shown otherwise than they are spelt
OTHERS_KEY = ""  # what a value for everything else means
_NAMED = {NAME: "Name"}

PRICE_TYPES = Dictionary(
    "Price type",
    [
        Entry(PriceType.FLAT.value, {NAME: "Flat rate"}),
        Entry(PriceType.FREE.value, {NAME: "Free"}),
        Entry(PriceType.NOT_INCLUDED.value, {NAME: "Not included"}),
        Entry(PriceType.BLOCKED.value, {NAME: "Blocked"}),
    ],
    _NAMED,
)
BILLING_RULES = Dictionary(
    "Billing rule",
    [Entry(BillingRule.SUBMITTED.value, {NAME: "Submitted"}), Entry(BillingRule.DELIVERED.value, {NAME: "Delivered"})],
    _NAMED,
)
QUANTITY_RULES = Dictionary(
    "Quantity rule",
    [Entry(QuantityRule.MESSAGES.value, {NAME: "Messages"}), Entry(QuantityRule.SEGMENTS.value, {NAME: "Segments"})],
    _NAMED,
)
WORDS = {PRICE_TYPE: PRICE_TYPES, BILLING_RULE: BILLING_RULES, QUANTITY_RULE: QUANTITY_RULES}


@dataclass(slots=True)
class Met:
    """A value of a column and what it was taken for: a key, `OTHERS_KEY`, micros of a price; or None and the reason."""

    value: str
    within: str
    key: str | None
    reason: str = ""
    by_hand: bool = False
    first_row: int = 0
    rows_count: int = 0


class Unreadable(Exception):
    """A cell gives no value. `column` None: the row as a whole."""

    def __init__(self, column: int | None, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


class Values:
    """The values met so far. `mark` is the decimal mark of the prices; `completed_count` counts codes that had lost zeros."""

    def __init__(self, settings: Settings, context: Context, mark: str) -> None:
        self._context = context
        self._mark = mark
        self._by_hand = {(each.meaning, each.value, each.within): each.to for each in settings.replacements}
        self._met: dict[int, dict[tuple[Cell, str], Met]] = defaultdict(dict)
        self.completed_count = 0

    def of_column(self, at: int) -> list[Met]:
        """In the order of the sheet."""
        return list(self._met.get(at, {}).values())

    def attribute(self, row: int, column: Column, parameter: Parameter, cell: Cell, within: str = "") -> str:
        """The key of a value of an attribute; `within` is the country of a network."""
        if cell is None:
            raise Unreadable(column.at, "", "is empty")
        return self._meet(row, column, cell, within, lambda text: self._key(column, parameter, text, within))

    def code(self, row: int, column: Column, cell: Cell) -> str:
        """An MCCMNC of the dictionary, or an MCC alone for all its networks."""
        if cell is None:
            raise Unreadable(column.at, "", "is empty")
        return self._meet(row, column, cell, "", self._code)

    def code_apart(self, row: int, column: Column, mcc: str, mnc: str) -> str:
        """The same of two columns; no MNC, or a word for all, is the MCC alone."""
        return self._meet(row, column, mnc, mcc, lambda text: self._code_of(mcc, text))

    def word(self, row: int, column: Column, cell: Cell) -> str | None:
        """A word of a property of rates, by likeness for rules (RI-81); None where the cell is empty (RI-84, RI-85)."""
        if cell is None:
            return None
        words, best = WORDS[column.meaning], column.meaning != PRICE_TYPE

        def key(text: str) -> str:
            found = words.by_key(text) or words.by_attribute(NAME, text, best=best)
            if found is None:
                raise ValueError(f"is no {words.label.lower()}")
            return found

        return self._meet(row, column, cell, "", key)

    def price(self, row: int, column: Column, cell: Cell) -> tuple[PriceType, int | None]:
        """A flat price, or what was said by hand stands there instead of one (RI-86)."""

        def key(text: str) -> str:
            if cell is None:
                raise ValueError("is empty")
            return str(read_micros(cell, self._mark))

        found = self._meet(row, column, cell, "", key)
        return (PriceType.FLAT, int(found)) if found[0].isdecimal() else (PriceType(found), None)

    def _key(self, column: Column, parameter: Parameter, text: str, within: str) -> str:
        if is_everything_else(text):
            return OTHERS_KEY
        dictionary = self._context.dictionaries.get(parameter)
        if dictionary is None:
            plain = text.replace(" ", "").lstrip("+") if parameter is Parameter.PHONE_NUMBER else text
            if VALUE_FORMS[parameter].fullmatch(plain) is None:
                raise ValueError(f"has not the form of a {parameter.replace('_', ' ')}")
            return plain
        if column.by == KEY:
            key = dictionary.by_key(text)
        else:
            key = dictionary.by_attribute(column.by, text, best=column.best, within=within)
        if key is None:
            raise ValueError(f"no match in {dictionary.label}")
        return key

    def _code(self, text: str) -> str:
        if is_everything_else(text):
            return OTHERS_KEY
        code = self._context.codes.read(text)
        self.completed_count += code.completed
        return code.mccmnc or code.mcc

    def _code_of(self, mcc: str, mnc: str) -> str:
        code = self._context.codes.read_apart(mcc, "" if is_everything_else(mnc) else mnc)
        self.completed_count += code.completed
        return code.mccmnc or code.mcc

    def _meet(self, row: int, column: Column, cell: Cell, within: str, key_of: Callable[[str], str]) -> str:
        """The key of a value, worked out where it is met first; `Unreadable` wherever it is met, when it has none."""
        known = self._met[column.at]
        met = known.get((cell, within))
        if met is None:
            met = known[cell, within] = self._looked_up(column, text_of(cell), within, key_of)
            met.first_row = row
        met.rows_count += 1
        if met.key is None:
            raise Unreadable(column.at, met.value, met.reason)
        return met.key

    def _looked_up(self, column: Column, text: str, within: str, key_of: Callable[[str], str]) -> Met:
        said = self._by_hand.get((column.meaning, folded(text), within))
        if said is None and within:
            said = self._by_hand.get((column.meaning, folded(text), ""))
        try:
            if said is not None:
                return Met(text, within, _said(column.meaning, said), by_hand=True)
            return Met(text, within, key_of(text))
        except ValueError as fault:
            return Met(text, within, None, str(fault))


def _said(meaning: str, said: str) -> str:
    """What a person put in the place of a value, as a key. ValueError for a price that is none."""
    if meaning in WORDS or meaning == PRICE:
        words = WORDS.get(meaning, PRICE_TYPES)
        word = words.by_key(said) or words.by_attribute(NAME, said, best=False)
        if meaning != PRICE or (word is not None and word != PriceType.FLAT):
            if word is None:
                raise ValueError(f"is no {words.label.lower()}")
            return word
        return str(read_micros(said, "."))
    return OTHERS_KEY if is_everything_else(said) else said
