"""Everything wrong with a rate tree at once, in sentences for its editors and for `relais apply`.

What an editor may keep half-done is `INCOMPLETE` (the warning icon, SV-65); what must not be saved is `INVALID`.
A dictionary entry that has gone is not a problem (SV-69), so nothing is looked up here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from relais.core.rating.catalogue import COUNTER_GROUPS, RULES, VALUE_FORMS, ResourceRules
from relais.core.rating.scale import read_price, read_scale
from relais.core.rating.types import NodeRow, Parameter, PriceType, Problem, ServiceType, Severity

_PRICE_TYPES = frozenset(PriceType)
_PARAMETERS = frozenset(Parameter)
_STATUSES = frozenset({PriceType.DEPENDS_ON, PriceType.INCLUDED, PriceType.NOT_INCLUDED, PriceType.BLOCKED})
_PRICES = _PRICE_TYPES - {PriceType.INCLUDED}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record stands: its path, how many records are above it, and what these have used and fixed."""

    path: str
    depth: int
    used: frozenset[Parameter]
    fixed: frozenset[Parameter]  # used with an explicit value; an Others leaves its parameter open (SV-285)


class _Findings(list[Problem]):
    """Problems in the order of the tree."""

    def invalid(self, row: NodeRow, path: str, reason: str) -> None:
        self.append(Problem(path, reason, row.id, Severity.INVALID))

    def incomplete(self, row: NodeRow, path: str, reason: str) -> None:
        self.append(Problem(path, reason, row.id, Severity.INCOMPLETE))


def problems(rows: Iterable[NodeRow], service_type: ServiceType = ServiceType.PAY_AS_YOU_GO) -> list[Problem]:
    """All problems of the records of a scope, depth first; empty when all can be used. Retired ones are left out."""
    live = sorted((row for row in rows if not row.retired), key=lambda row: row.id)
    below: dict[int, list[NodeRow]] = {}
    for row in live:
        if row.parent_id is not None:
            below.setdefault(row.parent_id, []).append(row)
    found = _Findings()
    seen: set[int] = set()
    tops: set[tuple[str, str]] = set()
    for top in live:
        if top.parent_id is None:
            path = f"{top.domain}/{top.resource}"
            rules = _check_top(found, top, path, tops)
            place = _Place(path, 0, frozenset(), frozenset())
            _check_branch(found, top, place, rules, below, service_type, seen)
    for row in live:
        if row.id not in seen:
            found.invalid(row, f"{row.domain}/{row.resource}/{_label(row)}", "the record above it does not exist")
    return found


def _label(row: NodeRow) -> str:
    return "Others" if row.is_others else row.value or "?"


def _check_top(found: _Findings, top: NodeRow, path: str, tops: set[tuple[str, str]]) -> ResourceRules | None:
    """The rules of the resource, None when there is no such resource in the domain."""
    if top.is_others or top.value is not None:
        found.invalid(top, path, "the record of a resource has no value and is not Others")
    if (top.domain, top.resource) in tops:
        found.invalid(top, path, "this resource is there already")
    tops.add((top.domain, top.resource))
    rules = RULES.get(top.resource)
    if rules is None:
        found.invalid(top, path, f"unknown resource {top.resource!r}")
    elif rules.domain != top.domain:
        found.invalid(top, path, f"{top.resource} belongs to {rules.domain}, not to {top.domain}")
        return None
    return rules


def _check_branch(
    found: _Findings,
    row: NodeRow,
    place: _Place,
    rules: ResourceRules | None,
    below: Mapping[int, Sequence[NodeRow]],
    service_type: ServiceType,
    seen: set[int],
) -> None:
    """A record and all below it, down to where a path must have a parameter twice and has been told so."""
    children = below.get(row.id, ())
    _check_rules(found, row, place.path, rules)
    parameter = _check_price_type(found, row, place, rules, service_type, children)
    seen.add(row.id)
    if place.depth == len(Parameter):
        _pass_over(children, below, seen)
        return
    used = place.used if parameter is None else place.used | {parameter}
    known: set[tuple[bool, str | None]] = set()
    for child in children:
        path = f"{place.path}/{_label(child)}"
        fixed = place.fixed if parameter is None or child.is_others else place.fixed | {parameter}
        _check_value(found, child, path, parameter, (row.domain, row.resource), known)
        child_place = _Place(path, place.depth + 1, used, fixed)
        _check_branch(found, child, child_place, rules, below, service_type, seen)


def _pass_over(rows: Sequence[NodeRow], below: Mapping[int, Sequence[NodeRow]], seen: set[int]) -> None:
    waiting = list(rows)
    while waiting:
        row = waiting.pop()
        seen.add(row.id)
        waiting.extend(below.get(row.id, ()))


def _check_value(
    found: _Findings,
    row: NodeRow,
    path: str,
    parameter: Parameter | None,
    resource: tuple[str, str],
    known: set[tuple[bool, str | None]],
) -> None:
    """The value of a record below a split by `parameter` (None: the split is not usable, so any value passes)."""
    if (row.domain, row.resource) != resource:
        found.invalid(row, path, "it stands under another resource than its own")
    if row.is_others:
        if row.value is not None:
            found.invalid(row, path, "Others has no value")
    elif row.value is None or row.value == "":
        found.incomplete(row, path, "a value is missing")
        return
    elif parameter is not None and VALUE_FORMS[parameter].fullmatch(row.value) is None:
        found.invalid(row, path, f"{row.value!r} is not a value of {parameter}")
    value = (row.is_others, None if row.is_others else row.value)
    if value in known:
        found.invalid(row, path, f"{_label(row)} is there already")
    known.add(value)


def _check_rules(found: _Findings, row: NodeRow, path: str, rules: ResourceRules | None) -> None:
    if rules is None:
        return
    if row.billing_rule is not None and row.billing_rule not in rules.billing_rules:
        found.invalid(row, path, f"billing rule {row.billing_rule!r} is not one of {_words(rules.billing_rules)}")
    if row.quantity_rule is not None and row.quantity_rule not in rules.quantity_rules:
        found.invalid(row, path, f"quantity rule {row.quantity_rule!r} is not one of {_words(rules.quantity_rules)}")


def _words(names: Iterable[str]) -> str:
    return ", ".join(sorted(str(name) for name in names))


def _check_price_type(
    found: _Findings,
    row: NodeRow,
    place: _Place,
    rules: ResourceRules | None,
    service_type: ServiceType,
    children: Sequence[NodeRow],
) -> Parameter | None:
    """What the price type asks for and rules out; the parameter when the record is a split by one that is known."""
    path = place.path
    allowed = _PRICES if service_type is ServiceType.PAY_AS_YOU_GO else _STATUSES
    if row.price_type not in _PRICE_TYPES:
        found.invalid(row, path, f"unknown price type {row.price_type!r}")
        return None
    if row.price_type not in allowed:
        found.invalid(row, path, f"a {service_type} service has no price type {row.price_type!r}")
    if row.price_type != PriceType.FLAT and row.price_micros is not None:
        found.invalid(row, path, f"price type {row.price_type} has no price")
    if row.price_type != PriceType.SCALE and row.scale is not None:
        found.invalid(row, path, f"price type {row.price_type} has no scale")
    if row.price_type == PriceType.DEPENDS_ON:
        return _check_split(found, row, place, rules, children)
    if row.split_by is not None:
        found.invalid(row, path, f"price type {row.price_type} does not depend on a parameter")
    if children:
        found.invalid(row, path, f"price type {row.price_type} cannot have records below it")
    if row.price_type == PriceType.FLAT:
        _check_flat(found, row, path)
    elif row.price_type == PriceType.SCALE:
        _check_scale(found, row, place, rules)
    return None


def _check_split(
    found: _Findings, row: NodeRow, place: _Place, rules: ResourceRules | None, children: Sequence[NodeRow]
) -> Parameter | None:
    if row.split_by is None:
        found.incomplete(row, place.path, "choose the parameter it depends on")
        return None
    if not children:
        found.incomplete(row, place.path, f"it depends on {row.split_by}, and no value is there yet")
    if row.split_by not in _PARAMETERS:
        found.invalid(row, place.path, f"unknown parameter {row.split_by!r}")
        return None
    parameter = Parameter(row.split_by)
    if parameter in place.used:
        found.invalid(row, place.path, f"{parameter} is used already on this path")
    elif rules is not None and parameter not in rules.parameters:
        found.invalid(row, place.path, f"{row.resource} does not depend on {parameter}")
    return parameter


def _check_flat(found: _Findings, row: NodeRow, path: str) -> None:
    if row.price_micros is None:
        found.incomplete(row, path, "a price is missing")
        return
    try:
        read_price(row.price_micros)
    except ValueError as fault:
        found.invalid(row, path, str(fault))


def _check_scale(found: _Findings, row: NodeRow, place: _Place, rules: ResourceRules | None) -> None:
    if row.scale is None:
        found.incomplete(row, place.path, "a scale is missing")
        return
    try:
        scale = read_scale(row.scale, row.id)
    except ValueError as fault:
        found.invalid(row, place.path, str(fault))
        return
    for parameter in scale.counter_group:
        if parameter not in COUNTER_GROUPS or (rules is not None and parameter not in rules.parameters):
            found.invalid(row, place.path, f"{parameter} cannot be a counter group of {row.resource}")
        elif parameter in place.fixed:
            found.invalid(row, place.path, f"{parameter} is fixed by the path, so it cannot be a counter group")
