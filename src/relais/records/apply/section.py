"""What a section of a scenario file is, and what several do alike."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar

from django.db.models import Model

from relais.records.apply.shapes import Entry, Shape
from relais.records.errors import Invalid


class Outcome(Enum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


def changed_if(changed: bool) -> Outcome:
    return Outcome.CHANGED if changed else Outcome.UNCHANGED


@dataclass(slots=True)
class Run:
    """One application of a file: its instant, and what is told once and never stored in the clear."""

    now: datetime
    told_once: list[str] = field(default_factory=list)


class Section(ABC):
    """One entity. `name` is its key in the file, `key` the fields that tell an entry from the others, `label` the one by
    which other sections refer to it; `columns` maps a field to its column where their names differ."""

    name: ClassVar[str]
    shape: ClassVar[Shape]
    key: ClassVar[tuple[str, ...]]
    label: ClassVar[str] = "name"
    columns: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def apply(self, entry: Entry, run: Run) -> Outcome:
        """Make the record, or change what differs; `Invalid` by column or by field."""

    def posted_to(self, entries: Sequence[Entry]) -> Collection[int]:
        """Ids of the agreements whose balances these entries may move; locked before the first of them."""
        return ()

    def given(self, entry: Entry, fields: Collection[str]) -> dict[str, Any]:
        """Columns and values of those fields that the entry has; a blank text column holds "", not null."""
        return {self.columns.get(name, name): entry[name] for name in fields if name in entry}

    def field_of(self, column: str) -> str:
        """The field that a column's reason belongs to."""
        by_column = {column: name for name, column in self.columns.items()}
        return by_column.get(column, column)


def assign(record: Model, values: Mapping[str, Any], final: Collection[str] = ()) -> bool:
    """Set what differs; whether anything did. `Invalid` for a column that cannot change once the record exists."""
    differing = {column for column, value in values.items() if _stored(record, column) != _plain(value)}
    if fixed := sorted(differing & set(final)):
        raise Invalid({column: ("cannot be changed once the record exists",) for column in fixed})
    for column in differing:
        setattr(record, column, values[column])
    return bool(differing)


def _stored(record: Model, column: str) -> Any:
    """Of a reference its key: the record it names may not be there yet."""
    return getattr(record, record._meta.get_field(column).attname)


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, Model) else value
