"""What an import changes below its target, record by record, in the order in which the tree is shown (RI-89, RI-109)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from relais.core.price_sheets.tree import children_of
from relais.core.rating.types import NodeRow

PERCENT_WHOLE_BP = 10_000
Label = Callable[[str | None, str | None], str]  # of a value by its parameter; None is Others


class Change(StrEnum):
    """What becomes of a record. `BRANCH` is a level, which has no price of its own."""

    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"
    SAME = "same"
    BRANCH = "branch"


class Terms(msgspec.Struct, frozen=True):
    """What a record costs and how it is billed. `steps_micros`: prices of a scale."""

    price_type: str
    price_micros: int | None
    steps_micros: tuple[int, ...]
    billing_rule: str | None
    quantity_rule: str | None


class Line(msgspec.Struct, frozen=True):
    """A record of the tree as it is shown. `by`: what a branch depends on; `depth` 0 is directly below the target."""

    depth: int
    label: str
    by: str
    change: Change
    before: Terms | None = None
    after: Terms | None = None

    @property
    def difference_bp(self) -> int | None:
        """Of two flat prices, in basis points of the former one; None where there are not two, or the former is 0."""
        before, after = (each.price_micros if each else None for each in (self.before, self.after))
        if not before or after is None:
            return None
        return (after - before) * PERCENT_WHOLE_BP // before


class Counts(msgspec.Struct, frozen=True):
    """Records by what becomes of them."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    same: int = 0

    @property
    def changes_anything(self) -> bool:
        return bool(self.new or self.changed or self.gone)


def difference(
    before: Sequence[NodeRow], after: Sequence[NodeRow], target_ids: tuple[int, int], label: Label
) -> list[Line]:
    """Lines of both trees below the target, whose ids are given as it is before and after. A level that is split otherwise than
    before is new as a whole."""
    walk = _Walk(children_of(before), children_of(after), label)
    splits = [next((row.split_by for row in rows if row.id == target), None)
              for rows, target in zip((before, after), target_ids, strict=True)]  # fmt: skip
    return list(walk.level(target_ids[0], splits[0], target_ids[1], splits[1], 0))


def counts_of(lines: Sequence[Line]) -> Counts:
    found = dict.fromkeys(Change, 0)
    for line in lines:
        found[line.change] += 1
    return Counts(found[Change.NEW], found[Change.CHANGED], found[Change.GONE], found[Change.SAME])


class _Walk:
    def __init__(
        self,
        before: Mapping[int | None, list[NodeRow]],
        after: Mapping[int | None, list[NodeRow]],
        label: Label,
    ) -> None:
        self._before, self._after, self._label = before, after, label

    def level(
        self, former_id: int | None, former_by: str | None, later_id: int | None, later_by: str | None, depth: int
    ) -> Iterator[Line]:
        """The children of two records that stand for each other; either may be missing."""
        former = {_value(row): row for row in self._before.get(former_id, ())} if former_id is not None else {}
        later = {_value(row): row for row in self._after.get(later_id, ())} if later_id is not None else {}
        if former_by != later_by and former and later:
            yield from self._pairs({}, later, former_by, later_by, depth)
            yield from self._pairs(former, {}, former_by, later_by, depth)
            return
        yield from self._pairs(former, later, former_by, later_by, depth)

    def _pairs(
        self,
        former: Mapping[str | None, NodeRow],
        later: Mapping[str | None, NodeRow],
        former_by: str | None,
        later_by: str | None,
        depth: int,
    ) -> Iterator[Line]:
        named = [
            (self._label(later_by if value in later else former_by, value), value) for value in {**later, **former}
        ]
        for name, value in sorted(named, key=lambda each: (each[1] is None, each[0].casefold())):
            yield from self._pair(name, former.get(value), later.get(value), depth)

    def _pair(self, name: str, former: NodeRow | None, later: NodeRow | None, depth: int) -> Iterator[Line]:
        before, after = _terms(former), _terms(later)
        shown = later or former
        split = later.split_by if later is not None and later.split_by else None
        if split is None and (later is None and former is not None):
            split = former.split_by
        if before is None and after is None and shown is not None:
            yield Line(depth, name, split or "", Change.BRANCH)
        elif after is not None or before is not None:
            yield Line(depth, name, split or "", _change(before, after), before, after)
        former_id = former.id if former is not None and former.split_by else None
        later_id = later.id if later is not None and later.split_by else None
        if former_id is not None or later_id is not None:
            yield from self.level(
                former_id,
                former.split_by if former is not None else None,
                later_id,
                later.split_by if later is not None else None,
                depth + 1,
            )


def _change(before: Terms | None, after: Terms | None) -> Change:
    if before is None:
        return Change.NEW
    if after is None:
        return Change.GONE
    return Change.SAME if before == after else Change.CHANGED


def _terms(row: NodeRow | None) -> Terms | None:
    """None for a record that has no rate: none at all, or a branch."""
    if row is None or row.split_by is not None:
        return None
    steps = (row.scale or {}).get("steps")
    prices = tuple(step["price_micros"] for step in steps) if isinstance(steps, list) else ()
    return Terms(row.price_type, row.price_micros, prices, row.billing_rule, row.quantity_rule)


def _value(row: NodeRow) -> str | None:
    return None if row.is_others else row.value
