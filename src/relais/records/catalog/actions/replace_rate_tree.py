"""Put a rate tree in the place of a scope's present one (SV-52, SV-261, SV-281).

A record keeps its row while its own terms and everything above it stay; so messages, EDRs and scale counters that name
it still find it. Every other record is retired, and new rows are made; a scale that replaces a scale at the same place
carries its counter on (SV-253).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from relais.core.rating.problems import problems
from relais.core.rating.types import NodeRow, PriceType, ServiceType, Severity
from relais.records.agreements.posting import lock_agreement
from relais.records.catalog.channels import refresh_channels
from relais.records.catalog.copy_nodes import NewNode, copy_nodes, new_ids, retire_nodes
from relais.records.catalog.models import EnabledService, RateNode, Scope, Service
from relais.records.catalog.rows import node_rows, terms_of
from relais.records.catalog.whole import tree_as_a_whole
from relais.records.errors import Invalid
from relais.records.saving import find

LINES_COUNT_MAX = 500  # records of one change that the audit tells line by line
Place = tuple[str, str, bool, str | None]  # what tells a record from its siblings


@dataclass(frozen=True, slots=True)
class TreeChange:
    """Records left as they were, made anew and retired."""

    kept_count: int
    made_count: int
    retired_count: int

    @property
    def changed(self) -> bool:
        return bool(self.made_count or self.retired_count)


@dataclass(slots=True)
class _Plan:
    """Rows to make level by level, each with its parent (a row, or None) and the row whose place it takes."""

    kept: dict[int, NodeRow] = field(default_factory=dict)  # by id of the new row
    levels: list[list[tuple[NodeRow, NodeRow | None]]] = field(default_factory=list)


@transaction.atomic
def replace_rate_tree(
    scope_id: int, rows: Sequence[NodeRow], now: datetime, *, live: Sequence[NodeRow] | None = None
) -> TreeChange:
    """`rows` name each other by ids of their own choice; database ids play no part. `Invalid`, by path in the tree, for
    what must not be saved; incomplete records are stored and not used (SV-65). `live`: the records in force, of a caller that has
    the scope locked and knows them already."""
    scope = find(Scope, scope_id)
    _require_valid(rows, ServiceType(scope.service.type))
    live = live if live is not None else node_rows(RateNode.objects.filter(scope=scope, retired_at=None).order_by("pk"))
    plan = _plan(rows, live)
    kept_ids = {node.id for node in plan.kept.values()}
    retired = [node.id for node in live if node.id not in kept_ids]
    if len(rows) - len(kept_ids) + len(retired) > LINES_COUNT_MAX:
        tree_as_a_whole()
    if retired:
        retire_nodes(retired, now)
    made_count = _make(scope, plan)
    change = TreeChange(len(kept_ids), made_count, len(retired))
    if change.changed:
        touch(scope)
        refresh_channels_of_service(scope.service_id)
    return change


def touch(scope: Scope) -> None:
    """Its tree was changed: who looks at it can tell by `updated_at`."""
    scope.save(update_fields=["updated_at"])


def refresh_channels_of_service(service_id: int) -> None:
    """After its rates changed, or its being archived: everywhere it is enabled, agreements in id order. The service is
    locked first, so that nobody enables it meanwhile."""
    find(Service, service_id)
    enabled = EnabledService.objects.filter(service_id=service_id).select_related("service")
    for association in enabled.order_by("agreement_id", "pk"):
        lock_agreement(association.agreement_id)
        refresh_channels(association)


def _require_valid(rows: Iterable[NodeRow], service_type: ServiceType) -> None:
    reasons: dict[str, list[str]] = defaultdict(list)
    for problem in problems(rows, service_type):
        if problem.severity is Severity.INVALID:
            reasons[problem.path].append(problem.reason)
    if reasons:
        raise Invalid(reasons)


def _plan(rows: Sequence[NodeRow], live: Sequence[NodeRow]) -> _Plan:
    """Walk both trees from the top; a pair is the same record when place, terms and everything above are equal."""
    below: dict[int | None, list[NodeRow]] = defaultdict(list)
    for row in rows:
        below[row.parent_id].append(row)
    present: dict[tuple[int | None, Place], NodeRow] = {(node.parent_id, _place(node)): node for node in live}
    plan = _Plan()
    level: list[tuple[NodeRow, NodeRow | None]] = [(row, present.get((None, _place(row)))) for row in below[None]]
    while level:
        following: list[tuple[NodeRow, NodeRow | None]] = []
        for row, former in level:
            above_kept = row.parent_id is None or row.parent_id in plan.kept
            if former is not None and above_kept and terms_of(row) == terms_of(former):
                plan.kept[row.id] = former
            # below another split the values mean something else
            comparable = former is not None and former.split_by == row.split_by
            for child in below[row.id]:
                following.append((child, present.get((former.id, _place(child))) if former and comparable else None))
        plan.levels.append(level)
        level = following
    return plan


def _make(scope: Scope, plan: _Plan) -> int:
    """Insert what is not kept; how many rows. Ids ascend from the top of the tree down."""
    fresh = [(row, former) for level in plan.levels for row, former in level if row.id not in plan.kept]
    if not fresh:
        return 0
    ids = {row.id: pk for (row, _), pk in zip(fresh, new_ids(len(fresh)), strict=True)}
    ids |= {row_id: node.id for row_id, node in plan.kept.items()}
    copy_nodes(
        scope.pk,
        (
            NewNode(
                ids[row.id],
                None if row.parent_id is None else ids[row.parent_id],
                carried_counter(row, former),
                row,
            )
            for row, former in fresh
        ),
    )
    return len(fresh)


def carried_counter(row: NodeRow, former: NodeRow | None) -> int | None:
    """Of a scale that replaces a scale, the first version's id (SV-253)."""
    if former is None or row.price_type != PriceType.SCALE or former.price_type != PriceType.SCALE:
        return None
    return former.counter_id or former.id


def _place(row: NodeRow) -> Place:
    return row.domain, row.resource, row.is_others, row.value
