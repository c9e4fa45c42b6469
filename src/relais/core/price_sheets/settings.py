"""What a person says of a sheet: what its columns mean, where the data begin, how the tree is split (RI-19 to RI-50)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from relais.core.price_sheets.codes import Codes
from relais.core.price_sheets.matching import KEY, Dictionary
from relais.core.rating.catalogue import ATTRIBUTES, ResourceRules
from relais.core.rating.types import Parameter


class Format(StrEnum):
    """Kinds of file (RI-5); the two of WhatsApp have columns of their own and are recognised by their headings."""

    STANDARD = "standard"
    WHATSAPP_BASIC = "whatsapp_basic"
    WHATSAPP_TIER = "whatsapp_tier"


class Duplicates(StrEnum):
    """What becomes of several records with one place in the tree (RI-20)."""

    FIRST = "first"
    LAST = "last"
    ERROR = "error"


PRICE, PRICE_TYPE, BILLING_RULE, QUANTITY_RULE = "price", "price_type", "billing_rule", "quantity_rule"
PROPERTIES = (PRICE, PRICE_TYPE, BILLING_RULE, QUANTITY_RULE)
MNC = "mnc"  # beside a column of MCCs; together they are the MCCMNC

# What an attribute can be told from when no column holds it (RI-28): the dictionary of networks connects them.
DERIVED_FROM: Mapping[Parameter, tuple[Parameter, ...]] = {
    Parameter.COUNTRY: (Parameter.NETWORK, Parameter.MCCMNC, Parameter.MCC),
    Parameter.MCC: (Parameter.MCCMNC, Parameter.NETWORK),
    Parameter.MCCMNC: (Parameter.NETWORK,),
    Parameter.NETWORK: (Parameter.MCCMNC,),
    Parameter.NETWORK_NAME: (Parameter.NETWORK, Parameter.MCCMNC),
    Parameter.MNO: (Parameter.NETWORK, Parameter.MCCMNC),
}


class Column(msgspec.Struct, frozen=True):
    """A column, counted from 0, whose meaning was declared. `by`: the key or the dictionary attribute its values are; `best`: by
    likeness where nothing matches in full."""

    at: int
    meaning: str
    by: str = KEY
    best: bool = False


class Replacement(msgspec.Struct, frozen=True):
    """What a person says a value of a column means, `value` as `folded` has it; `to` is a key, a price or a word of the property.
    "" leaves the value without a meaning."""

    meaning: str
    value: str
    to: str
    within: str = ""


class Settings(msgspec.Struct, frozen=True):
    """Rows are counted from 1. `sections`: attributes from the top of the tree down, those without a column derived."""

    format: Format = Format.STANDARD
    sheet: int = 0
    start_row: int = 1
    duplicates: Duplicates = Duplicates.ERROR
    columns: tuple[Column, ...] = ()
    sections: tuple[Parameter, ...] = ()
    replacements: tuple[Replacement, ...] = ()

    def column(self, meaning: str) -> Column | None:
        return next((column for column in self.columns if column.meaning == meaning), None)

    def column_at(self, at: int) -> Column | None:
        return next((column for column in self.columns if column.at == at), None)

    @property
    def attributes(self) -> tuple[Parameter, ...]:
        """Those that columns hold, in the order in which they were declared."""
        found = [parameter_of(column) for column in self.columns]
        return tuple(dict.fromkeys(each for each in found if each is not None))

    @property
    def derived(self) -> tuple[Parameter, ...]:
        return tuple(section for section in self.sections if section not in self.attributes)

    def declared(self, column: Column) -> "Settings":
        """With the column's meaning set; whatever had that meaning is undeclared, and a new section comes last (RI-26, RI-50)."""
        others = [each for each in self.columns if each.at != column.at and each.meaning != column.meaning]
        here = self.column_at(column.at)
        place = self.columns.index(here) if here is not None and here.meaning == column.meaning else len(others)
        return self._with(columns=(*others[:place], column, *others[place:]))

    def undeclared(self, at: int) -> "Settings":
        """Without the column's meaning, and without its section."""
        return self._with(columns=tuple(column for column in self.columns if column.at != at))

    def ordered(self, sections: Iterable[Parameter]) -> "Settings":
        """With these sections in that order; one that a column has comes last when it is not among them."""
        changed = msgspec.structs.replace(self, sections=tuple(dict.fromkeys(sections)))
        return changed._with(columns=self.columns)

    def replaced(self, replacements: Iterable[Replacement]) -> "Settings":
        """With these instead of what was said of the same values; an empty `to` takes the replacement back."""
        said = {(each.meaning, each.value, each.within): each for each in (*self.replacements, *replacements)}
        return msgspec.structs.replace(self, replacements=tuple(each for each in said.values() if each.to))

    def _with(self, columns: tuple[Column, ...]) -> "Settings":
        """Sections follow the columns: each attribute has one, and what can no longer be derived has none (RI-25)."""
        changed = msgspec.structs.replace(self, columns=columns)
        attributes, derived = changed.attributes, self.derived
        kept = [
            section
            for section in self.sections
            if section in attributes
            or (section in derived and not set(DERIVED_FROM.get(section, ())).isdisjoint(attributes))
        ]
        added = (attribute for attribute in attributes if attribute not in kept)
        return msgspec.structs.replace(changed, sections=(*kept, *added))


@dataclass(frozen=True, slots=True)
class Context:
    """What an import is read against. `fixed`: attributes of the target's path with their values, None for Others (RI-105)."""

    rules: ResourceRules
    fixed: Mapping[Parameter, str | None]
    dictionaries: Mapping[Parameter, Dictionary]
    codes: Codes

    @property
    def offered(self) -> tuple[Parameter, ...]:
        """Attributes that a column may hold, in the order of the catalogue."""
        return tuple(each for each in ATTRIBUTES if each in self.rules.parameters and each not in self.fixed)

    @property
    def takes_mnc(self) -> bool:
        return Parameter.MCCMNC in self.offered and Parameter.MCC in self.offered

    def addable(self, settings: Settings) -> tuple[Parameter, ...]:
        """Sections that can be added by hand (RI-28)."""
        attributes = settings.attributes
        return tuple(
            each
            for each in self.offered
            if each not in settings.sections and not set(DERIVED_FROM.get(each, ())).isdisjoint(attributes)
        )

    def label_of(self, parameter: str | None, value: str | None = None) -> str:
        """A parameter, or a value of it, as people read it; a value that the dictionary lost is "Missed option" (SV-69)."""
        dictionary = self.dictionaries.get(Parameter(parameter)) if parameter else None
        if value is not None:
            entry = dictionary.entries.get(value) if dictionary is not None else None
            return entry.label if entry is not None else value if dictionary is None else f"Missed option: {value}"
        if dictionary is not None:
            return dictionary.label
        return (parameter or "").replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Warning:
    """`blocks`: the preview cannot be made before it is mended."""

    text: str
    blocks: bool = True


def blocking(settings: Settings, context: Context) -> list[Warning]:
    """What keeps a sheet of the standard format from being previewed (RI-31 to RI-33)."""
    found = []
    if not settings.attributes:
        found.append(Warning("Declare at least one column as an attribute of the resource."))
    priced = settings.column(PRICE) is not None
    if not priced:
        found.append(Warning("Declare the column that holds the price."))
    if settings.column(MNC) is not None and settings.column(Parameter.MCC) is None:
        found.append(Warning("An MNC means nothing without its MCC: declare that column, too."))
    strange = [each for each in settings.sections if each not in context.offered]
    if strange:
        found.append(Warning(f"{', '.join(strange)} cannot be used here: it is fixed above, or not of this resource."))
    return found


def parameter_of(column: Column) -> Parameter | None:
    """The attribute that a column holds, None for a property of rates."""
    if column.meaning == MNC:
        return Parameter.MCCMNC
    return Parameter(column.meaning) if column.meaning in tuple(Parameter) else None
