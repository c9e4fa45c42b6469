"""Rate trees: compiled from records once a change, asked for every message.

A record that is incomplete or cannot be used is as if it were not there (SV-247); telling why is `problems`'s part.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from relais.core.rating.catalogue import RULES
from relais.core.rating.scale import read_price, read_scale
from relais.core.rating.types import (
    BLOCKED,
    Answer,
    BillingRule,
    Node,
    NodeRow,
    Parameter,
    PriceType,
    QuantityRule,
    Rate,
    Split,
    Tree,
)

_Rules = tuple[BillingRule, QuantityRule]
_Below = Mapping[int, Sequence[NodeRow]]


class Attributes(Protocol):
    """A mapping of parameters to values, such as `dict[Parameter, str]`; what is not known is absent."""

    def get(self, parameter: Parameter, /) -> str | None: ...


def compile_tree(rows: Iterable[NodeRow]) -> Tree:
    """The tree of one scope. Order of the rows does not matter; of two siblings with one value the older (by id) holds.

    What is wrong with a record only makes that record absent.
    """
    below: dict[int, list[NodeRow]] = {}
    tops: list[NodeRow] = []
    for row in sorted(rows, key=lambda row: row.id):
        if row.retired:
            continue
        if row.parent_id is None:
            tops.append(row)
        else:
            below.setdefault(row.parent_id, []).append(row)
    resources: dict[tuple[str, str], Node] = {}
    for top in tops:
        rules = RULES.get(top.resource)
        if rules is None or rules.domain != top.domain or (top.domain, top.resource) in resources:
            continue
        inherited = (rules.default_billing_rule, rules.default_quantity_rule)
        try:
            resources[(top.domain, top.resource)] = _node(top, inherited, below, frozenset())
        except ValueError:
            continue
    return Tree(MappingProxyType(resources))


def lookup(tree: Tree, domain: str, resource: str, attributes: Attributes) -> Rate | Answer | None:
    """The rate of a resource for these attributes; `BLOCKED`; or None for "not included here": ask the next source.

    At each level an explicit value beats Others, and a level with neither ends the search: the Others of a higher level
    is never fallen back on (SV-244, ruling 1). An attribute that is not known matches only Others (SV-284).
    """
    node = tree.resources.get((domain, resource))
    while isinstance(node, Split):
        node = node.children.get(attributes.get(node.parameter), node.others)
    return node


def way(tree: Tree, domain: str, resource: str, attributes: Attributes) -> tuple[tuple[Parameter, str | None], ...]:
    """How `lookup` comes to its answer: each parameter asked, with the value found by name, or None where Others holds, or
    nothing does."""
    found: list[tuple[Parameter, str | None]] = []
    node = tree.resources.get((domain, resource))
    while isinstance(node, Split):
        value = attributes.get(node.parameter)
        found.append((node.parameter, value if value in node.children else None))
        node = node.children.get(value, node.others)
    return tuple(found)


def has_own_node(tree: Tree, domain: str, resource: str, attributes: Attributes, parameter: Parameter) -> bool:
    """Whether the way of these attributes meets their value of `parameter` by name, not by Others nor not at all."""
    node = tree.resources.get((domain, resource))
    while isinstance(node, Split):
        value = attributes.get(node.parameter)
        if node.parameter is parameter:
            return value in node.children
        node = node.children.get(value, node.others)
    return False


def rates_of_nodes(rows: Iterable[NodeRow]) -> Mapping[int, Rate]:
    """Every priced node by its id, retired ones too: a message keeps the node it was accepted with (SV-261, SV-281).

    Rules are inherited as the records stand now; what a message was accepted with is kept with the message.
    """
    by_id = {row.id: row for row in rows}
    rates: dict[int, Rate] = {}
    for row in by_id.values():
        try:
            answer = _leaf(row, _inherited_rules(row, by_id))
        except ValueError:
            continue
        if isinstance(answer, Rate):
            rates[row.id] = answer
    return MappingProxyType(rates)


def _node(row: NodeRow, inherited: _Rules, below: _Below, above: frozenset[Parameter]) -> Node:
    """The node of a record and of all that is below it; ValueError when the record is unusable.

    `above` holds the parameters of the path so far; since none may come twice (SV-250), depth is bounded.
    """
    rules = _own_rules(row, inherited)
    if row.price_type != PriceType.DEPENDS_ON:
        return _leaf(row, rules)
    parameter = Parameter(row.split_by or "")
    if parameter in above:
        raise ValueError(f"{parameter} twice on a path")
    children: dict[str | None, Node] = {}
    others: list[Node] = []
    for child in below.get(row.id, ()):
        if not child.is_others and (child.value is None or child.value in children):
            continue
        try:
            node = _node(child, rules, below, above | {parameter})
        except ValueError:
            continue
        if child.is_others:
            others.append(node)
        else:
            children[child.value] = node
    if not children and not others:
        raise ValueError("depends on a parameter, without a usable value")
    return Split(parameter, MappingProxyType(children), others[0] if others else None)


def _leaf(row: NodeRow, rules: _Rules) -> Rate | Answer | None:
    """Rate, `BLOCKED` or None (not included); ValueError when the record is unusable as a leaf."""
    match PriceType(row.price_type):
        case PriceType.BLOCKED:
            return BLOCKED
        case PriceType.NOT_INCLUDED:
            return None
        case PriceType.FREE | PriceType.INCLUDED as unpriced:
            return Rate(row.id, unpriced, 0, None, *rules, 0)
        case PriceType.FLAT:
            price_micros = read_price(row.price_micros)
            return Rate(row.id, PriceType.FLAT, price_micros, None, *rules, price_micros)
        case PriceType.SCALE:
            scale = read_scale(row.scale or {}, row.id if row.counter_id is None else row.counter_id)
            return Rate(row.id, PriceType.SCALE, 0, scale, *rules, max(scale.prices_micros))
        case PriceType.DEPENDS_ON:
            raise ValueError("not a leaf")


def _own_rules(row: NodeRow, inherited: _Rules) -> _Rules:
    """A record's explicit rules, else the inherited ones (SV-108, SV-109); ValueError for unknown words."""
    billing_rule, quantity_rule = inherited
    return (
        billing_rule if row.billing_rule is None else BillingRule(row.billing_rule),
        quantity_rule if row.quantity_rule is None else QuantityRule(row.quantity_rule),
    )


def _inherited_rules(row: NodeRow, by_id: Mapping[int, NodeRow]) -> _Rules:
    """The rules that hold for a record, found upwards; ValueError for a resource or a rule that is not known."""
    rules = RULES.get(row.resource)
    if rules is None:
        raise ValueError(f"unknown resource {row.resource!r}")
    path = [row]
    while (parent := by_id.get(path[-1].parent_id or 0)) is not None and len(path) <= len(Parameter):
        path.append(parent)
    found = (rules.default_billing_rule, rules.default_quantity_rule)
    for ancestor in reversed(path):
        found = _own_rules(ancestor, found)
    return found
