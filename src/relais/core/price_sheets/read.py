"""Rows of a sheet to records of a rate tree; a row that gives none has its reason (RI-54, RI-84 to RI-91)."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from relais.core.price_sheets.cells import Cell, Sheet, text_of
from relais.core.price_sheets.codes import MCC_DIGITS, Network, mncs_of
from relais.core.price_sheets.prices import decimal_mark
from relais.core.price_sheets.settings import (
    BILLING_RULE,
    MNC,
    PRICE,
    PRICE_TYPE,
    QUANTITY_RULE,
    Column,
    Context,
    Duplicates,
    Settings,
    parameter_of,
)
from relais.core.price_sheets.values import Met, Unreadable, Values
from relais.core.rating.types import Parameter, PriceType

ROWS_A_REPORT = 5_000
Value = str | None  # None is Others
Path = tuple[Value, ...]


class Record(msgspec.Struct, frozen=True, gc=False):
    """A rate that a row gives; `path` has a value for each section. `scale` as `NodeRow` has it."""

    row: int
    path: Path
    price_type: PriceType
    price_micros: int | None = None
    scale: dict[str, Any] | None = None
    billing_rule: str | None = None
    quantity_rule: str | None = None


class Fault(msgspec.Struct, frozen=True):
    """Why a row, or a part of it, is not imported: `column` counted from 0, None where it is the row as a whole; `value` as the
    file has it."""

    row: int
    column: int | None
    value: str
    reason: str


@dataclass(slots=True)
class Reading:
    """What a sheet gives with the settings so far. `met`: by column, its values in the order of the sheet."""

    records: list[Record] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    met: dict[int, list[Met]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rows_count: int = 0  # that may hold a rate: neither empty nor a heading between them
    dropped_count: int = 0  # repetitions that Take first or Take last left out

    def unmatched(self, at: int) -> list[Met]:
        return [each for each in self.met.get(at, ()) if each.key is None]


def read_sheet(
    sheet: Sheet, settings: Settings, context: Context, progress: Callable[[int], None] = lambda row: None
) -> Reading:
    """Records in the order of the rows, without duplicates; every other row that may hold a rate has a fault. For settings
    without `blocking` warnings. `progress` is told the row now and then."""
    reader = _Reader(sheet, settings, context)
    found: list[Record] = []
    reading = reader.reading
    for row, cells in enumerate(sheet.rows[settings.start_row - 1 :], settings.start_row):
        if row % ROWS_A_REPORT == 0:
            progress(row)
        if not reader.may_hold_a_rate(cells):
            continue
        reading.rows_count += 1
        try:
            found += reader.records(row, cells)
        except Unreadable as why:
            reading.faults.append(Fault(row, why.column, why.value, why.reason))
    reading.met = {column.at: reader.values.of_column(column.at) for column in settings.columns}
    if count := reader.values.completed_count:
        reading.notes.append(f"{count} codes had lost zeros, which were taken from the dictionary: compare them.")
    without_duplicates(reading, found, settings.duplicates)
    return reading


def without_duplicates(reading: Reading, found: Sequence[Record], duplicates: Duplicates) -> None:
    """Gives `reading` its records. Of those with one place in the tree one is kept, or each has a fault (RI-21 to RI-23)."""
    groups: dict[Path, list[Record]] = defaultdict(list)
    if len({record.path for record in found}) == len(found):  # as in nearly every sheet
        reading.records += found
    else:
        for record in found:
            groups[record.path].append(record)
    for group in groups.values():
        if len(group) == 1 or duplicates is not Duplicates.ERROR:
            reading.records.append(group[-1] if duplicates is Duplicates.LAST else group[0])
            reading.dropped_count += len(group) - 1
            continue
        rows = sorted({record.row for record in group})
        for row in rows:
            others = ", ".join(str(each) for each in rows if each != row)
            reason = f"is a duplicate of row {others}" if others else "names the same place twice"
            reading.faults.append(Fault(row, None, "", reason))
    reading.records.sort(key=lambda record: record.row)
    reading.faults.sort(key=lambda fault: fault.row)


class _Reader:
    def __init__(self, sheet: Sheet, settings: Settings, context: Context) -> None:
        self._settings, self._context = settings, context
        declared = [
            (column, parameter) for column in settings.columns if (parameter := parameter_of(column)) is not None
        ]
        # networks are asked for within their country, so that comes first
        self._attributes = sorted(declared, key=lambda each: each[1] is not Parameter.COUNTRY)
        self._mcc = settings.column(Parameter.MCC)
        self._price, self._price_type = settings.column(PRICE), settings.column(PRICE_TYPE)
        self._rules = [settings.column(meaning) for meaning in (BILLING_RULE, QUANTITY_RULE)]
        rows = sheet.rows[settings.start_row - 1 :]
        mark = decimal_mark(_cell(row, self._price.at) for row in rows) if self._price is not None else ""
        self.values = Values(settings, context, mark)
        self.reading = Reading()

    def may_hold_a_rate(self, cells: Sequence[Cell]) -> bool:
        """Not an empty row, nor a title or a letter between the rows: one value, and no price."""
        if self._price is not None and _cell(cells, self._price.at) is not None:
            return True
        if self._price_type is not None and _cell(cells, self._price_type.at) is not None:
            return True
        return sum(_cell(cells, column.at) is not None for column, _ in self._attributes) > 1

    def records(self, row: int, cells: Sequence[Cell]) -> list[Record]:
        """One, or one for each MNC that the row names; `Unreadable` for the first fault. Every cell is looked at all the same,
        so that all values can be mapped at once."""
        faults: list[Unreadable] = []
        known: dict[Parameter, Value] = {}
        codes: list[str] = []
        for column, parameter in self._attributes:
            try:
                if parameter is Parameter.MCCMNC or column.by == Parameter.MCCMNC:
                    codes = self._codes(row, cells, column)
                else:
                    known[parameter] = self._value(row, cells, column, parameter, known)
            except Unreadable as why:
                faults.append(why)
        rules: list[str | None] = []
        for rule in self._rules:
            try:
                rules.append(self._word(row, cells, rule))
            except Unreadable as why:
                faults.append(why)
        price_type, price_micros = PriceType.FLAT, None
        try:
            price_type, price_micros = self._price_of(row, cells)
        except Unreadable as why:
            faults.append(why)
        if faults:
            raise faults[0]
        paths = [self._path(known, code) for code in codes] or [self._path(known, None)]
        return [Record(row, path, price_type, price_micros, None, *rules) for path in paths]

    def _codes(self, row: int, cells: Sequence[Cell], column: Column) -> list[str]:
        cell = _cell(cells, column.at)
        if column.meaning != MNC:
            return [self.values.code(row, column, cell)]
        mcc = text_of(_cell(cells, self._mcc.at)) if self._mcc is not None else ""
        return [self.values.code_apart(row, column, mcc, mnc) for mnc in mncs_of(text_of(cell)) or [""]]

    def _value(
        self, row: int, cells: Sequence[Cell], column: Column, parameter: Parameter, known: Mapping[Parameter, Value]
    ) -> Value:
        within = ""
        if parameter is Parameter.NETWORK:
            within = known.get(Parameter.COUNTRY) or self._context.fixed.get(Parameter.COUNTRY) or ""
        return self.values.attribute(row, column, parameter, _cell(cells, column.at), within) or None

    def _path(self, known: Mapping[Parameter, Value], code: str | None) -> Path:
        """The value of each section: its column's, or what the dictionary of networks says of the others (RI-29)."""
        mccmnc = code if code is not None and len(code) > MCC_DIGITS else None
        network = self._network(known, mccmnc)
        values = dict(known)
        if code is not None:
            values.setdefault(Parameter.MCC, code[:MCC_DIGITS] or None)
            values[Parameter.MCCMNC] = mccmnc
            values.setdefault(Parameter.NETWORK, network.id if network is not None else None)
        sections = self._settings.sections
        told = {} if all(section in values for section in sections) else self._told_by(network, values)
        return tuple(values[section] if section in values else told.get(section) for section in sections)

    def _network(self, known: Mapping[Parameter, Value], mccmnc: str | None) -> Network | None:
        if mccmnc is not None:
            return self._context.codes.network_of.get(mccmnc)
        return self._context.codes.networks.get(known.get(Parameter.NETWORK) or "")

    def _told_by(self, network: Network | None, values: Mapping[Parameter, Value]) -> dict[Parameter, Value]:
        """Attributes of a network; of an MCC alone its country."""
        if network is None:
            mcc = values.get(Parameter.MCC)
            wanted = mcc and Parameter.COUNTRY in self._settings.sections and Parameter.COUNTRY not in values
            country = self._context.codes.country_of(mcc) if mcc and wanted else None
            if wanted and country is None:
                raise Unreadable(None, mcc or "", "is the MCC of several countries: declare a column for the country")
            return {Parameter.COUNTRY: country}
        mccs = {code[:MCC_DIGITS] for code in network.codes}
        return {
            Parameter.COUNTRY: network.iso,
            Parameter.NETWORK_NAME: network.name,
            Parameter.MNO: network.operator or None,
            Parameter.MCC: next(iter(mccs)) if len(mccs) == 1 else None,
            Parameter.MCCMNC: network.codes[0] if len(network.codes) == 1 else None,
        }

    def _word(self, row: int, cells: Sequence[Cell], column: Column | None) -> str | None:
        return None if column is None else self.values.word(row, column, _cell(cells, column.at))

    def _price_of(self, row: int, cells: Sequence[Cell]) -> tuple[PriceType, int | None]:
        told = self._word(row, cells, self._price_type)
        if told is not None and told != PriceType.FLAT:
            return PriceType(told), None
        if self._price is None:
            raise Unreadable(None, "", "has no price")
        return self.values.price(row, self._price, _cell(cells, self._price.at))


def _cell(cells: Sequence[Cell], at: int) -> Cell:
    return cells[at] if at < len(cells) else None
