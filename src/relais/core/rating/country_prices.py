"""Prices of SMS by country: what a rate tree costs in each country, and a tree that sells at other prices (WC-4, WC-33)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from relais.core.rating.types import Domain, NodeRow, Parameter, PriceType, Resource

WHOLE_BP = 10_000
_HERE = (Domain.SMS_MESSAGING, Resource.SMS_MESSAGE)
_OF_A_COUNTRY = (Parameter.MCC, Parameter.MCCMNC, Parameter.NETWORK)

Located = Callable[[str, str], str | None]  # a parameter of _OF_A_COUNTRY and its value → ISO code of the country


class Cost(NamedTuple):
    """Net micros of the cheapest and the dearest message to a country, whatever network, sender or volume."""

    low_micros: int
    high_micros: int


def sale_micros(cost_micros: int, profit_bp: int) -> int:
    """The cost and the rate on it, rounded half up to the micro (WC-21). `profit_bp`: hundredths of a percent, above -100 %."""
    return (cost_micros * (WHOLE_BP + profit_bp) * 2 + WHOLE_BP) // (2 * WHOLE_BP)


def country_costs(rows: Iterable[NodeRow], located: Located) -> dict[str, Cost]:
    """By ISO code. Countries that only Others would price, and those that are blocked, have none."""
    below = _below(rows)
    found: dict[str, list[int]] = defaultdict(list)
    for top in below[None]:
        if (top.domain, top.resource) == _HERE:
            for iso, price in _prices(top, None, below, located):
                found[iso].append(price)
    return {iso: Cost(min(prices), max(prices)) for iso, prices in found.items()}


def sold_by_country(rows: Iterable[NodeRow]) -> dict[str, int] | None:
    """ISO code → net micros; None where SMS messages are not priced by country alone, so that no such list can be kept."""
    below = _below(rows)
    if not any((top.domain, top.resource) == _HERE for top in below[None]):
        return {}
    split = _split_by_country(below)
    if split is None:
        return None
    named = [row for row in below[split.id] if not row.is_others]
    if any(row.price_type != PriceType.FLAT or row.price_micros is None for row in named):
        return None
    return {row.value: row.price_micros for row in named if row.value is not None and row.price_micros is not None}


def with_country_prices(rows: Sequence[NodeRow], prices: Mapping[str, int]) -> list[NodeRow]:
    """The same tree with these countries at these prices; other countries, Others and other resources stay. The rows name
    each other by ids of their own. Only for trees that `sold_by_country` can read."""
    live = [row for row in rows if not row.retired]
    split = _split_by_country(_below(live))
    next_id = max((row.id for row in live), default=0) + 1
    if split is None:
        split = NodeRow(next_id, None, *_HERE, PriceType.DEPENDS_ON, split_by=Parameter.COUNTRY)
        live.append(split)
        next_id += 1
    kept = [row for row in live if row.parent_id != split.id or row.is_others or row.value not in prices]
    made = [
        NodeRow(next_id + at, split.id, *_HERE, PriceType.FLAT, value=iso, price_micros=micros)
        for at, (iso, micros) in enumerate(sorted(prices.items()))
    ]
    return kept + made


def _split_by_country(below: Mapping[int | None, list[NodeRow]]) -> NodeRow | None:
    """The record of SMS messages that is split by country: the top, or what the top says of messages to people."""
    top = next((row for row in below[None] if (row.domain, row.resource) == _HERE), None)
    if top is not None and top.price_type == PriceType.DEPENDS_ON and top.split_by == Parameter.DIRECTION:
        top = next((row for row in below[top.id] if row.value == "A2P"), None)
    splits = top is not None and top.price_type == PriceType.DEPENDS_ON and top.split_by == Parameter.COUNTRY
    return top if splits else None


def _below(rows: Iterable[NodeRow]) -> dict[int | None, list[NodeRow]]:
    below: dict[int | None, list[NodeRow]] = defaultdict(list)
    for row in rows:
        if not row.retired:
            below[row.parent_id].append(row)
    return below


def _prices(
    row: NodeRow, iso: str | None, below: Mapping[int | None, list[NodeRow]], located: Located
) -> Iterator[tuple[str, int]]:
    """Country and price of each record below that prices a message to a known country."""
    match row.price_type:
        case PriceType.FLAT if iso is not None and row.price_micros is not None:
            yield iso, row.price_micros
        case PriceType.FREE if iso is not None:
            yield iso, 0
        case PriceType.SCALE if iso is not None and row.scale is not None:
            steps = row.scale.get("steps")
            for step in steps if isinstance(steps, list) else ():
                yield iso, step["price_micros"]
        case PriceType.DEPENDS_ON:
            for child in below.get(row.id, ()):
                if row.split_by == Parameter.DIRECTION and child.value == "P2A":
                    continue
                yield from _prices(child, _country(row, child, iso, located), below, located)


def _country(row: NodeRow, child: NodeRow, iso: str | None, located: Located) -> str | None:
    if child.is_others or child.value is None:
        return iso
    if row.split_by == Parameter.COUNTRY:
        return child.value
    return (located(row.split_by, child.value) or iso) if row.split_by in _OF_A_COUNTRY else iso
