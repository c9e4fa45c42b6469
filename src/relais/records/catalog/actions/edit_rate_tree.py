"""Edit a rate tree record by record: add values below one, change one in its place, take one away (SV-61 to SV-69).

A record is final (decision 4): a change retires it and makes another. What stands below it names its row, so that is made anew
with it. Each verb names the record that the person saw; when another stands at its place meanwhile, `Changed` tells it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from relais.core.rating.problems import problems
from relais.core.rating.types import NodeRow, PriceType, ServiceType, Severity
from relais.records.catalog.actions.replace_rate_tree import (
    LINES_COUNT_MAX,
    carried_counter,
    refresh_channels_of_service,
    touch,
)
from relais.records.catalog.copying import copy_below
from relais.records.catalog.models import RateNode, Scope
from relais.records.catalog.rows import TERMS, node_row, path_to, terms_of
from relais.records.catalog.whole import tree_as_a_whole
from relais.records.errors import WHOLE, Invalid, Reason
from relais.records.saving import Changed, find

OTHERS = None  # the value of the record that catches all other values


@dataclass(frozen=True, slots=True)
class Terms:
    """What a record says. A rule that is None is the one from above."""

    price_type: str
    split_by: str | None = None
    price_micros: int | None = None
    scale: Mapping[str, Any] | None = None
    billing_rule: str | None = None
    quantity_rule: str | None = None


@transaction.atomic
def add_resource(scope_id: int, domain: str, resource: str, terms: Terms, now: datetime) -> RateNode:
    """The top record of a resource. `Invalid` when the scope has it already, or another service covers its channel."""
    scope = find(Scope, scope_id)
    row = NodeRow(-1, None, domain, resource, **_columns(terms))
    _require_valid([row], scope)
    if _live(scope_id).filter(parent=None, domain=domain, resource=resource).exists():
        raise Invalid.of("resource", "is there already")
    (node,) = _make(scope, None, [row])
    touch(scope)
    refresh_channels_of_service(scope.service_id)
    return node


@transaction.atomic
def add_values(parent_id: int, values: Sequence[str | None], terms: Terms, now: datetime) -> list[RateNode]:
    """Records of those values below one that depends on a parameter, all with the same terms (SV-66). All or none are made:
    `Invalid` for a value that is there already (SV-248) or that the parameter does not know."""
    parent = standing(_locked(parent_id))
    if parent is None or parent.split_by is None:
        raise Invalid.of(WHOLE, "the record above was changed by somebody else: read the tree anew")
    if not values:
        raise Invalid.of("values", "choose a value")
    place = {"parent_id": parent.pk, "domain": parent.domain, "resource": parent.resource}
    rows = [
        NodeRow(-number, value=value, is_others=value is OTHERS, **place, **_columns(terms))
        for number, value in enumerate(values, 1)
    ]
    _require_valid([*map(node_row, path_to(parent)), *rows], parent.scope)
    named = [value for value in values if value is not OTHERS]
    siblings = _live(parent.scope_id).filter(parent=parent)
    there = [*siblings.filter(value__in=named).order_by("pk")]
    there += siblings.filter(is_others=True) if OTHERS in values else []
    if there:
        raise Invalid.of(
            "values", "%(values)s: there already", values=[node.value or Reason("Others") for node in there]
        )
    made = _make(parent.scope, parent, rows)
    touch(parent.scope)
    return made


@transaction.atomic
def change_record(node_id: int, terms: Terms, now: datetime, *, sure: bool = False) -> RateNode:
    """The record in force then. `Invalid` on `sure` when records below would go with it (SV-249) and nobody said so."""
    node = _unchanged(_locked(node_id))
    row = msgspec.structs.replace(node_row(node), **_columns(terms))
    if terms_of(row) == terms_of(node):
        return node
    below = _ids_below(node)
    stays = terms.price_type == PriceType.DEPENDS_ON and terms.split_by == node.split_by
    if below and not stays and not sure:
        raise Invalid.of(
            "sure", "%(count)s records below it would be removed: check the box to go on", count=len(below)
        )
    _require_valid([*map(node_row, path_to(node)[:-1]), row], node.scope)
    _retire([node.pk], len(below), now)
    (made,) = _make(node.scope, node.parent, [row], node_row(node))
    if stays:
        copy_below([(node.pk, made.pk)], node.scope_id, carried=True)
    _retire(below, len(below), now)
    touch(node.scope)
    return made


@transaction.atomic
def remove_record(node_id: int, now: datetime) -> int:
    """How many records went: it and all below it (SV-64). Messages accepted before keep their rate (SV-261)."""
    node = _unchanged(_locked(node_id))
    gone = [node.pk, *_ids_below(node)]
    _retire(gone, len(gone), now)
    touch(node.scope)
    if node.parent_id is None:
        refresh_channels_of_service(node.scope.service_id)
    return len(gone)


def count_below(node: RateNode) -> int:
    """Records in force at any depth below it."""
    return len(_ids_below(node))


def standing(seen: RateNode) -> RateNode | None:
    """The record in force at the place of one that may be retired; None when nothing stands there."""
    if seen.retired_at is None:
        return seen
    live = _live(seen.scope_id).select_related("scope__service", "parent")
    if seen.parent is None:
        return live.filter(parent=None, domain=seen.domain, resource=seen.resource).first()
    above = standing(seen.parent)
    if above is None or above.split_by != seen.parent.split_by:
        return None
    return live.filter(parent=above, is_others=seen.is_others, value=seen.value).first()


def _locked(node_id: int) -> RateNode:
    """With its scope locked, so that two edits of one tree come one after the other."""
    scope_id = RateNode.objects.filter(pk=node_id).values_list("scope_id", flat=True).first()
    if scope_id is None:
        raise Invalid.of(WHOLE, "no record has the ID %(id)s", id=node_id)
    find(Scope, scope_id)
    return RateNode.objects.select_related("scope__service", "parent").get(pk=node_id)


def _unchanged(seen: RateNode) -> RateNode:
    """What stands at the place of the record that was seen, if it says the same."""
    node = standing(seen)
    if node is None:
        raise Invalid.of(WHOLE, "was removed by somebody else meanwhile")
    if terms_of(node) != terms_of(seen):
        raise Changed(node)
    return node


def _ids_below(node: RateNode) -> list[int]:
    found: list[int] = []
    level = [node.pk]
    while level:
        level = list(_live(node.scope_id).filter(parent__in=level).values_list("pk", flat=True))
        found += level
    return found


def _retire(ids: Sequence[int], changed_count: int, now: datetime) -> None:
    if changed_count > LINES_COUNT_MAX:
        tree_as_a_whole()
    RateNode.objects.filter(pk__in=ids).update(retired_at=now)


def _live(scope_id: int) -> Any:
    return RateNode.objects.filter(scope_id=scope_id, retired_at=None)


def _columns(terms: Terms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in TERMS}


def _require_valid(rows: Sequence[NodeRow], scope: Scope) -> None:
    """Only what is wrong with the new rows counts; a way down to them is all of the tree that has to be known."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for problem in problems(rows, ServiceType(scope.service.type)):
        if problem.severity is Severity.INVALID and problem.reason not in reasons[WHOLE]:
            reasons[WHOLE].append(problem.reason)
    if reasons[WHOLE]:
        raise Invalid(reasons)


def _make(
    scope: Scope, parent: RateNode | None, rows: Sequence[NodeRow], former: NodeRow | None = None
) -> list[RateNode]:
    return RateNode.objects.bulk_create(
        RateNode(
            scope=scope,
            parent=parent,
            domain=row.domain,
            resource=row.resource,
            is_others=row.is_others,
            value=row.value,
            counter_id=carried_counter(row, former),
            **{term: getattr(row, term) for term in TERMS},
        )
        for row in rows
    )
