"""What the conformance tests need to know of an entity that its declaration does not say: a form that is valid, a change.

A module `<entity with underscores>.py` holds `SAMPLE`. An entity with a form and without a sample fails the conformance test,
so a new entity is covered by writing its few values here and nothing else.
"""

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

Values = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """`new(company)`: the fields of the form to add, for a user of that company, made new at each call (names differ).

    `change`: fields of the form to edit and their other values, or what gives them once the database is there; `changed`: the
    column whose old and new value the audit shows.
    `deletable`: the record just made can go at once, and `deleted_as` is what the audit calls that. `who` keeps such records:
    "reseller", or "owner" where all companies share them, or where it is `alone` in knowing of them. `asked`: what an action's
    own form is sent, by the action's key.
    `never_new`: keys of actions that a record just made never has; tests of the entity's own try them. `silent`: of those that
    change no record.
    """

    new: Callable[[Any], Values]
    change: Values = field(default_factory=dict)
    changed: str = ""
    deletable: bool = True
    deleted_as: str = "delete"
    who: str = "reseller"
    alone: bool = False
    asked: Mapping[str, Values] = field(default_factory=dict)
    never_new: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()

    def changes(self) -> Values:
        return {name: value() if callable(value) else value for name, value in self.change.items()}


def numbers(first: int = 1) -> Iterator[int]:
    """For names that differ, also from those that another worker of the run has used: it may have made the world."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return count(first + 100 * int(worker))


def sample_of(entity_name: str) -> Sample | None:
    name = f"{__name__}.{entity_name.replace('-', '_')}"
    if importlib.util.find_spec(name) is None:
        return None
    found: Sample = importlib.import_module(name).SAMPLE
    return found
