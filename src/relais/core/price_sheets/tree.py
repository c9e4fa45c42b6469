"""Records of a price sheet as rows of a rate tree below a target (RI-24 to RI-28, RI-92, RI-95)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from relais.core.price_sheets.read import Path, Record
from relais.core.rating.types import NodeRow, Parameter, PriceType


def replaced_below(
    target: NodeRow, rows: Sequence[NodeRow], records: Iterable[Record], sections: Sequence[Parameter]
) -> list[NodeRow]:
    """The rows of a scope with the records in the place of whatever is below `target`, whose own rules stay. New rows have ids
    above all others."""
    gone = {row.id for row in below(target.id, rows)}
    first_id = max((row.id for row in rows), default=0) + 1
    kept = [row for row in rows if row.id not in gone and row.id != target.id]
    split = replace(
        target,
        price_type=PriceType.DEPENDS_ON,
        split_by=sections[0],
        price_micros=None,
        scale=None,
    )
    return [*kept, split, *_branches(split, records, sections, first_id)]


def below(node_id: int, rows: Iterable[NodeRow]) -> Iterator[NodeRow]:
    """Every row below that node."""
    children = children_of(rows)
    waiting = list(children.get(node_id, ()))
    while waiting:
        row = waiting.pop()
        yield row
        waiting += children.get(row.id, ())


def children_of(rows: Iterable[NodeRow]) -> Mapping[int | None, list[NodeRow]]:
    found: dict[int | None, list[NodeRow]] = defaultdict(list)
    for row in rows:
        found[row.parent_id].append(row)
    return found


def _branches(
    top: NodeRow, records: Iterable[Record], sections: Sequence[Parameter], first_id: int
) -> Iterator[NodeRow]:
    ids: dict[Path, int] = {(): top.id}
    next_id = first_id
    for path, record in _shortened(list(records)):
        for depth in range(1, len(path)):
            if path[:depth] in ids:
                continue
            ids[path[:depth]] = next_id
            yield NodeRow(
                id=next_id,
                parent_id=ids[path[: depth - 1]],
                domain=top.domain,
                resource=top.resource,
                price_type=PriceType.DEPENDS_ON,
                is_others=path[depth - 1] is None,
                value=path[depth - 1],
                split_by=sections[depth],
            )
            next_id += 1
        yield NodeRow(
            id=next_id,
            parent_id=ids[path[:-1]],
            domain=top.domain,
            resource=top.resource,
            price_type=record.price_type,
            is_others=path[-1] is None,
            value=path[-1],
            price_micros=record.price_micros,
            scale=record.scale,
            billing_rule=record.billing_rule,
            quantity_rule=record.quantity_rule,
        )
        next_id += 1


def _shortened(records: Sequence[Record]) -> Iterator[tuple[Path, Record]]:
    """Each with its path, which ends with the first of several Others at its end unless another record goes on there."""
    prefixes = {record.path[:depth] for record in records for depth in range(1, _length(record.path))}
    for record in records:
        length = _length(record.path)
        yield (record.path if record.path[:length] in prefixes else record.path[:length]), record


def _length(path: Path) -> int:
    """Values up to the first of the Others at the end."""
    length = len(path)
    while length > 1 and path[length - 1] is None and path[length - 2] is None:
        length -= 1
    return length
