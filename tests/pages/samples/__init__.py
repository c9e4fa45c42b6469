"""What the conformance tests need to know of an entity that its declaration does not say: a form that is valid, a change.

A module `<entity with underscores>.py` holds `SAMPLE`. An entity with a form and without a sample fails the conformance test,
so a new entity is covered by writing its few values here and nothing else.
"""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Values = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """`new(company)`: the fields of the form to add, for a user of that company, made new at each call (names differ).

    `change`: fields of the form to edit and their other values; `changed`: the column whose old and new value the audit shows.
    `deletable`: the record just made can go at once.
    """

    new: Callable[[Any], Values]
    change: Values
    changed: str
    deletable: bool = True


def sample_of(entity_name: str) -> Sample | None:
    name = f"{__name__}.{entity_name.replace('-', '_')}"
    if importlib.util.find_spec(name) is None:
        return None
    found: Sample = importlib.import_module(name).SAMPLE
    return found
