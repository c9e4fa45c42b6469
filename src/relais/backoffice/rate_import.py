"""The import of rates as its pages show it: the sheet with what each column was taken for, the settings, the values without a
match."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext, gettext_lazy, ngettext

from relais.backoffice.rate_values import words
from relais.core.price_sheets.cells import Cell, Sheet, folded, letters_of, text_of
from relais.core.price_sheets.matching import KEY, Dictionary
from relais.core.price_sheets.read import Reading
from relais.core.price_sheets.settings import (
    BILLING_RULE,
    MNC,
    PRICE,
    PRICE_TYPE,
    QUANTITY_RULE,
    Column,
    Context,
    Format,
    Settings,
)
from relais.core.price_sheets.values import OTHERS_KEY, WORDS, Met
from relais.core.price_sheets.whatsapp import layout_of
from relais.core.rating.types import Parameter
from relais.pages.kinds import amount
from relais.records.catalog.models import RateNode, Scope
from relais.records.catalog.price_sheet_context import name_below
from relais.records.catalog.rows import path_to

PLACES_OFFERED_MAX = 20
ROWS_SHOWN_MAX = 100
VALUES_SHOWN_MAX = 100
FORMATS = {
    Format.STANDARD: gettext_lazy("Standard"),
    Format.WHATSAPP_BASIC: gettext_lazy("WhatsApp basic"),
    Format.WHATSAPP_TIER: gettext_lazy("WhatsApp tier"),
}
DUPLICATES = {
    "error": gettext_lazy("Show error (do not import)"),
    "first": gettext_lazy("Take first"),
    "last": gettext_lazy("Take last"),
}
_PROPERTIES = {
    PRICE: gettext_lazy("Price"),
    PRICE_TYPE: gettext_lazy("Price type"),
    BILLING_RULE: gettext_lazy("Billing rule"),
    QUANTITY_RULE: gettext_lazy("Quantity rule"),
    MNC: "MNC",
}


@dataclass(slots=True)
class Head:
    """What stands above a column. `by`: what its values are; `said`: how many of them have a match, with the tone of it."""

    at: int
    letter: str
    label: str = ""
    by: str = ""
    said: str = ""
    tone: str = ""
    mapped: bool = False  # there are values that can be mapped


@dataclass(slots=True)
class Row:
    number: int
    cells: list[tuple[str, str, str]]  # text, tone, what it was taken for
    is_heading: bool
    is_start: bool


@dataclass(slots=True)
class Value:
    """A value of a column in the list in which it can be mapped."""

    met: Met
    place: str  # its country or MCC, where it is told apart by that
    rows: str
    taken_for: str

    @property
    def why(self) -> str:
        """What keeps it from being read, where that is more than that no entry is called so."""
        return "" if self.met.key is not None or self.met.reason.startswith("no match") else self.met.reason

    @property
    def tone(self) -> str:
        return "warn" if self.met.key is None else "ok" if self.met.by_hand else ""


@dataclass(slots=True)
class View:
    """A sheet with its settings. `columns` are those declared, or, of a WhatsApp list, those found by their headings."""

    sheet: Sheet
    settings: Settings
    context: Context
    reading: Reading | None
    columns: dict[int, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.columns = {column.at: column for column in self.settings.columns}
        if self.settings.format is not Format.STANDARD:
            self.columns = _found_columns(self.sheet, self.settings.format)

    def label_of(self, meaning: str) -> str:
        return str(_PROPERTIES.get(meaning) or gettext(self.context.label_of(meaning)))

    def dictionary_of(self, column: Column) -> Dictionary | None:
        return dictionary_of(column, self.context)

    def heads(self) -> list[Head]:
        return [self._head(at) for at in range(max((len(row) for row in self.sheet.rows), default=0))]

    def rows(self, first: int) -> list[Row]:
        """From that row on, as many as are shown at once."""
        width = max((len(row) for row in self.sheet.rows), default=0)
        taken = {at: {met.value: met for met in values} for at, values in self._met().items()}
        start = self.settings.start_row
        shown = self.sheet.rows[first - 1 : first - 1 + ROWS_SHOWN_MAX]
        return [
            Row(
                number,
                [self._cell(at, row[at] if at < len(row) else None, taken, number < start) for at in range(width)],
                number < start,
                number == start,
            )
            for number, row in enumerate(shown, first)
        ]

    def values(self, at: int, everything: bool) -> list[Value]:
        """Of a column: those without a match and those mapped by hand, or all."""
        column = self.columns[at]
        found = [met for met in self._met().get(at, ()) if everything or met.key is None or met.by_hand]
        found.sort(key=lambda met: (met.key is not None, not met.by_hand))
        return [
            Value(met, self._place_of(column, met), _rows_of(met), self.taken_for(column, met))
            for met in found[:VALUES_SHOWN_MAX]
        ]

    def taken_for(self, column: Column, met: Met) -> str:
        """The entry, word or price that a value means, "" for none."""
        if met.key is None:
            return ""
        if met.key == OTHERS_KEY:
            return gettext("Others")
        if column.meaning == PRICE and met.key[0].isdecimal():
            return amount(int(met.key), 6).rstrip("0").rstrip(".")
        dictionary = self.dictionary_of(column)
        entry = dictionary.entries.get(met.key) if dictionary is not None else None
        return entry.label if entry is not None else met.key

    def _met(self) -> Mapping[int, Sequence[Met]]:
        return self.reading.met if self.reading is not None else {}

    def _head(self, at: int) -> Head:
        head, column = Head(at, letters_of(at)), self.columns.get(at)
        if column is None:
            return head
        head.label = self.label_of(column.meaning)
        dictionary = self.dictionary_of(column)
        if dictionary is not None and dictionary.attributes and column.meaning not in WORDS:
            head.by = gettext(dictionary.attributes.get(column.by, "Key"))
            head.by += f" · {gettext('best match')}" if column.best else ""
        met = self._met().get(at, ())
        unmatched = sum(each.key is None for each in met)
        head.mapped = bool(met)
        if unmatched and column.meaning == PRICE:
            head.said = ngettext("%(count)s not readable", "%(count)s not readable", unmatched) % {"count": unmatched}
            head.tone = "bad"
        elif unmatched:
            head.said = ngettext("no match for %(count)s value", "no match for %(count)s values", unmatched)
            head.said %= {"count": unmatched}
            head.tone = "warn"
        elif met:
            head.said, head.tone = gettext("all match"), "ok"
        return head

    def _cell(
        self, at: int, cell: Cell, taken: Mapping[int, Mapping[str, Met]], is_heading: bool
    ) -> tuple[str, str, str]:
        text = text_of(cell)
        column = self.columns.get(at)
        if is_heading or column is None:
            return text, "t3" if not is_heading else "", ""
        met = taken.get(at, {}).get(text)
        if met is None:
            return text, "", ""
        if met.key is None:
            return text, "bad" if column.meaning == PRICE else "warn", ""
        said = self.taken_for(column, met) if met.by_hand or met.key == OTHERS_KEY else ""
        return text, "ok" if met.by_hand else "", said

    def _place_of(self, column: Column, met: Met) -> str:
        if not met.within:
            return ""
        return (
            self.context.label_of(Parameter.COUNTRY, met.within) if column.meaning == Parameter.NETWORK else met.within
        )


def places_in(scope: Scope, wanted: int | None) -> Iterator[tuple[RateNode, str]]:
    """Records that rates can go below: the resources, what stands directly under them where that is not too much, and the one
    that is wanted."""
    live = RateNode.objects.filter(scope=scope, retired_at=None).select_related("scope__service")
    for top in live.filter(parent=None).order_by("pk"):
        resource = f"{words(top.domain)} / {words(top.resource)}"
        yield top, resource
        children = list(live.filter(parent=top).order_by("is_others", "pk")[: PLACES_OFFERED_MAX + 1])
        if children and len(children) <= PLACES_OFFERED_MAX:
            yield from ((child, f"{resource} / {_name(child, top)}") for child in children)
    deep = live.filter(pk=wanted).exclude(parent=None).exclude(parent__parent=None).first()
    if deep is not None:
        names = [words(deep.domain), *(name_of(node) for node in path_to(deep))]
        yield deep, " / ".join(names)


def name_of(node: RateNode) -> str:
    """The record's name as the tree has it."""
    return words(node.resource) if node.parent is None else _name(node, node.parent)


def fixed_sections(node: RateNode, context: Context) -> list[tuple[str, str]]:
    """Attributes that the place of the import has already, with their values (RI-105)."""
    found = []
    while node.parent is not None:
        above = node.parent
        label = gettext(context.label_of(above.split_by)) if above.split_by else ""
        found.append((label, _name(node, above)))
        node = above
    return found[::-1]


def _name(node: RateNode, parent: RateNode) -> str:
    return gettext("Others") if node.is_others else name_below(parent, node)


def dictionary_of(column: Column, context: Context) -> Dictionary | None:
    """What a column's values are looked up in."""
    if column.meaning in WORDS:
        return WORDS[column.meaning]
    if column.meaning == MNC or column.by == Parameter.MCCMNC:
        return context.dictionaries.get(Parameter.MCCMNC)
    return context.dictionaries.get(Parameter(column.meaning)) if column.meaning in tuple(Parameter) else None


def meanings(context: Context) -> list[tuple[str, list[tuple[str, Any]]]]:
    """What a column can be declared as, in two groups (RI-38, RI-39)."""
    attributes: list[tuple[str, Any]] = [(str(each), gettext(context.label_of(each))) for each in context.offered]
    if context.takes_mnc:
        attributes.append((MNC, "MNC"))
    properties = [(meaning, label) for meaning, label in _PROPERTIES.items() if meaning != MNC]
    return [(gettext("Rate properties"), properties), (gettext("Attributes"), attributes)]


def ways(meaning: str, context: Context) -> list[tuple[str, str]]:
    """What the values of such a column can be (RI-45 to RI-47); none where that is not asked."""
    if meaning in WORDS or meaning in (PRICE, MNC) or meaning not in tuple(Parameter):
        return []
    dictionary = context.dictionaries.get(Parameter(meaning))
    if dictionary is None:
        return []
    return [(KEY, gettext("Key")), *((name, gettext(label)) for name, label in dictionary.attributes.items())]


def offered(column: Column, context: Context, term: str, within: str) -> list[dict[str, str]]:
    """Entries that a value may be mapped to, found by a part of their text (RI-63)."""
    dictionary = dictionary_of(column, context)
    if dictionary is None:
        return []
    own = within if column.meaning == Parameter.NETWORK and column.by != Parameter.MCCMNC else ""
    found = dictionary.search(term, within=own)
    if column.meaning == MNC and within:
        found = [entry for entry in dictionary.search(term or within, limit=400) if entry.key.startswith(within)][:20]
    options = [{"value": entry.key, "text": entry.label} for entry in found]
    if column.meaning not in WORDS and folded(term) in folded("Others"):
        options.insert(0, {"value": "others", "text": gettext("Others")})
    return options


def _found_columns(sheet: Sheet, kind: Format) -> dict[int, Column]:
    layout = layout_of(sheet, kind)
    if layout is None:
        return {}
    found = {layout.region: Column(layout.region, Parameter.WHATSAPP_REGION)}
    if layout.category_column is not None:
        found[layout.category_column] = Column(layout.category_column, Parameter.PRICING_CATEGORY)
    for at in [*layout.prices] or [layout.rate]:
        found[at] = Column(at, PRICE)
    return found


def _rows_of(met: Met) -> str:
    if met.rows_count == 1:
        return gettext("row %(row)s") % {"row": met.first_row}
    return gettext("%(count)s rows, the first is %(row)s") % {"count": met.rows_count, "row": met.first_row}
