"""A scope's rate tree as people read it: names instead of keys, inherited rules resolved, what lacks something marked.

A small tree is read whole; of a larger one only what is open, a level at a time, so that 50,000 records open like 50.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext, gettext_noop

from relais.backoffice.rate_values import PRICE_TYPES, Names, matching, rule_words, words
from relais.core.rating.catalogue import RULES
from relais.core.rating.types import Domain, PriceType, Resource
from relais.pages.kinds import amount
from relais.pages.viewer import Viewer
from relais.records.catalog.models import RateNode, Scope
from relais.records.catalog.rows import path_to

WHOLE_COUNT_MAX = 300  # records of a tree that is read at once
LEVEL_COUNT_MAX = 200  # records of a level that are read at once
FOUND_COUNT_MAX = 50
FIND_FROM_COUNT = 12  # children from which on they are searched
PRICE_DECIMALS = 5
TOP_LEVEL = 2  # of resources; domains are the first

_LACKS = {
    PriceType.FLAT: gettext_noop("Enter a price"),
    PriceType.SCALE: gettext_noop("Enter the steps"),
    PriceType.DEPENDS_ON: gettext_noop("Add a value"),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a record bills by: its own rules or those from above."""

    billing: str
    quantity: str
    own_billing: bool = False
    own_quantity: bool = False


@dataclass(slots=True)
class Branch:
    """A record as it is shown. `children` None: asked for when it is opened. `key` tells a domain, which is no record."""

    pk: int | None
    name: str
    by: str
    price_type: str
    price: str
    lacks: str
    steps_count: int
    rules: Rules | None
    children_count: int
    level: int
    children: list["Branch"] | None = field(default_factory=list)
    key: str = ""
    next_offset: int = 0
    marked: bool = False  # what was asked for, or has just been stored

    @property
    def splits(self) -> bool:
        return bool(self.by)

    @property
    def searched(self) -> bool:
        return self.children_count >= FIND_FROM_COUNT


@dataclass(frozen=True, slots=True)
class Level:
    """Some branches, and from where on there are more (0: none)."""

    branches: list[Branch]
    next_offset: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A record with the way to it."""

    pk: int
    name: str
    path: str
    price: str
    lacks: str


def domains_of(scope: Scope, viewer: Viewer, marked: RateNode | None = None) -> list[Branch]:
    """The top of the tree: domains with their resources, and all below them where the tree is small. Of a large one the way
    to `marked` is open."""
    tops = list(_live(scope).filter(parent=None).order_by("pk"))
    live = RateNode.objects.filter(scope=scope, retired_at=None)
    whole = live[: WHOLE_COUNT_MAX + 1].count() <= WHOLE_COUNT_MAX
    reader = _Reader(viewer, marked)
    if whole:
        branches = reader.whole(tops, _live(scope).exclude(parent=None).order_by("is_others", "pk"))
    else:
        branches = [reader.closed(top, None, words(top.resource), TOP_LEVEL) for top in tops]
    by_domain: dict[str, list[Branch]] = defaultdict(list)
    for top, branch in zip(tops, branches, strict=True):
        by_domain[top.domain].append(branch)
    return [
        Branch(None, words(domain), "Resource", "", "", "", 0, None, len(found), 1, found, domain)
        for domain, found in sorted(by_domain.items(), key=lambda pair: _place(pair[0]))
    ]


def level_below(
    parent: RateNode, offset: int, viewer: Viewer, *, term: str = "", first: Sequence[int] = (), marked: Any = None
) -> Level:
    """The children of a record from `offset` on, those with `term` in their names; `first` before all others, Others last."""
    rows = _live(parent.scope).filter(parent=parent).order_by(_before(first), "is_others", "value", "pk")
    if term:
        rows = rows.filter(matching(parent.split_by or "", term, viewer))
    nodes = list(rows[offset : offset + LEVEL_COUNT_MAX + 1])
    branches = _Reader(viewer, marked).level(parent, nodes[:LEVEL_COUNT_MAX])
    return Level(branches, offset + LEVEL_COUNT_MAX if len(nodes) > LEVEL_COUNT_MAX else 0)


def branch_of(node: RateNode, viewer: Viewer, *, first: Sequence[int] = (), marked: Sequence[int] = ()) -> Branch:
    """One record with the level below it open; `marked` are those to show, `first` those of the level to show before others."""
    path = path_to(node)
    reader = _Reader(viewer, None, frozenset(marked))
    counted = _live(node.scope).get(pk=node.pk)
    inherited = None if len(path) == 1 else _rules_at(path[-2])
    name = words(node.resource) if len(path) == 1 else reader.names(path[-2:-1], [node]).of(node)
    branch = reader.closed(counted, inherited, name, TOP_LEVEL + len(path) - 1)
    if branch.children is None:
        level = level_below(counted, 0, viewer, first=first)
        for child in level.branches:
            child.marked = child.pk in marked
        branch.children, branch.next_offset = level.branches, level.next_offset
    return branch


def lacking(scope: Scope) -> QuerySet[RateNode]:
    """Records that cannot be used because something is missing (SV-65)."""
    children = RateNode.objects.filter(parent=OuterRef("pk"), retired_at=None)
    without = (
        Q(price_type=PriceType.FLAT, price_micros=None)
        | Q(price_type=PriceType.SCALE, scale=None)
        | (Q(price_type=PriceType.DEPENDS_ON) & (Q(split_by=None) | ~Exists(children)))
    )
    return RateNode.objects.filter(without, scope=scope, retired_at=None).order_by("pk")


def find(scope: Scope, term: str, viewer: Viewer) -> list[Found]:
    """Records with that text in their names, the first of them; without a text those that lack something."""
    rows = lacking(scope)
    if term:
        live = RateNode.objects.filter(scope=scope, retired_at=None)
        condition = Q(parent=None, resource__in=[each for each in Resource if term.lower() in words(each).lower()])
        for parameter in live.exclude(split_by=None).order_by().values_list("split_by", flat=True).distinct():
            condition |= Q(parent__split_by=parameter) & matching(parameter, term, viewer)
        rows = live.filter(condition).order_by("pk")
    return [_found(node, viewer) for node in rows[:FOUND_COUNT_MAX]]


def state_of_scope(scope: Scope, scopes: Sequence[Scope], now: datetime) -> tuple[str, str]:
    """(label, tone). Of several that hold now the one made first is CURRENT (SV-47, SV-50)."""
    if scope.draft:
        return "Draft", "hollow"
    holding = [each for each in scopes if not each.draft and _holds(each, now)]
    if holding and min(holding, key=lambda each: each.pk).pk == scope.pk:
        return "Current", "ok"
    if scope.effective_from > now:
        return "Upcoming", "info"
    return ("Overlapped", "mute") if _holds(scope, now) else ("Expired", "mute")


def inherited_rules(parent: RateNode | None, resource: str) -> Rules:
    """What Default means for a record below `parent`, or for the top of a resource."""
    return _rules_at(parent) if parent is not None else _defaults(resource)


def _holds(scope: Scope, now: datetime) -> bool:
    return scope.effective_from <= now and (scope.effective_till is None or scope.effective_till > now)


def _live(scope: Scope) -> Any:
    children = RateNode.objects.filter(parent=OuterRef("pk"), retired_at=None).order_by().values("parent")
    counted = Coalesce(Subquery(children.annotate(count=Count("pk")).values("count")), 0)
    return RateNode.objects.filter(scope=scope, retired_at=None).annotate(children_count=counted)


def _before(first: Sequence[int]) -> Any:
    return Case(When(pk__in=list(first), then=0), default=1) if first else "is_others"


def _place(domain: str) -> int:
    known = [each.value for each in Domain]
    return known.index(domain) if domain in known else len(known)


class _Reader:
    """Makes branches. `shown`: the record that the page is asked for, whose way down is open."""

    def __init__(self, viewer: Viewer, shown: RateNode | None, marked: frozenset[int] = frozenset()) -> None:
        self.viewer = viewer
        self.way = [node.pk for node in path_to(shown)] if shown is not None else []
        self.marked = marked | ({shown.pk} if shown is not None else frozenset())
        self.shown = shown

    def names(self, parents: Iterable[RateNode], nodes: Iterable[RateNode]) -> Names:
        return Names(self.viewer, {parent.pk: parent.split_by or "" for parent in parents}, nodes)

    def whole(self, tops: list[RateNode], others: Iterable[RateNode]) -> list[Branch]:
        below: dict[int | None, list[RateNode]] = defaultdict(list)
        rest = list(others)
        for node in rest:
            below[node.parent_id].append(node)
        names = self.names([*tops, *rest], rest)
        return [self._whole(top, None, words(top.resource), TOP_LEVEL, below, names) for top in tops]

    def _whole(
        self, node: RateNode, inherited: Rules | None, name: str, level: int, below: Mapping[Any, list[RateNode]], names: Names
    ) -> Branch:  # fmt: skip
        branch = self.branch(node, inherited, name, level, len(below.get(node.pk, [])))
        children = [(child.is_others, names.of(child), child) for child in below.get(node.pk, [])]
        children.sort(key=lambda each: (each[0], each[1].lower()))
        branch.children = [
            self._whole(child, branch.rules, told, level + 1, below, names) for _, told, child in children
        ]
        return branch

    def level(self, parent: RateNode, nodes: list[RateNode]) -> list[Branch]:
        path = path_to(parent)
        inherited, names = _rules_at(parent), self.names([parent], nodes)
        return [self.closed(node, inherited, names.of(node), TOP_LEVEL + len(path)) for node in nodes]

    def closed(self, node: Any, inherited: Rules | None, name: str, level: int) -> Branch:
        """Its children are asked for later, but for the way to what is shown."""
        branch = self.branch(node, inherited, name, level, node.children_count)
        branch.children = None if branch.children_count else []
        if node.pk in self.way[:-1]:
            following = self.way[self.way.index(node.pk) + 1]
            opened = level_below(node, 0, self.viewer, first=[following], marked=self.shown)
            branch.children, branch.next_offset = opened.branches, opened.next_offset
        return branch

    def branch(self, node: RateNode, inherited: Rules | None, name: str, level: int, children_count: int) -> Branch:
        price_type = PriceType(node.price_type)
        steps = _steps(node)
        kind = f" · {words(str((node.scale or {}).get('type', '')))}" if steps else ""
        return Branch(
            pk=node.pk,
            name=name,
            by=words(node.split_by) if node.split_by else "",
            price_type=gettext(PRICE_TYPES[price_type]) + kind,
            price=_price(node, steps),
            lacks=_lack(node, children_count),
            steps_count=len(steps),
            rules=_rules_of(node, inherited),
            children_count=children_count,
            level=level,
            marked=node.pk in self.marked,
        )


def _found(node: RateNode, viewer: Viewer) -> Found:
    path = path_to(node)
    names = Names(viewer, {each.pk: each.split_by or "" for each in path}, path[1:])
    told = [words(path[0].resource), *(names.of(each) for each in path[1:])]
    steps = _steps(node)
    has_children = RateNode.objects.filter(parent=node, retired_at=None).exists()
    return Found(node.pk, told[-1], " / ".join(told[:-1]), _price(node, steps), _lack(node, int(has_children)))


def _lack(node: RateNode, children_count: int) -> str:
    lacks = {
        PriceType.FLAT: node.price_micros is None,
        PriceType.SCALE: not _steps(node),
        PriceType.DEPENDS_ON: not children_count,
    }
    price_type = PriceType(node.price_type)
    return _LACKS[price_type] if lacks.get(price_type) else ""


def _steps(node: RateNode) -> list[int]:
    """Prices of a scale, in micros."""
    found = (node.scale or {}).get("steps", [])
    return [step["price_micros"] for step in found if isinstance(step.get("price_micros"), int)]


def _price(node: RateNode, steps: list[int]) -> str:
    if steps:
        return f"{amount(steps[0], PRICE_DECIMALS)} → {amount(steps[-1], PRICE_DECIMALS)}"
    return "" if node.price_micros is None else amount(node.price_micros, PRICE_DECIMALS)


def _rules_of(node: RateNode, inherited: Rules | None) -> Rules:
    inherited = inherited or _defaults(node.resource)
    return Rules(
        rule_words(node.billing_rule) if node.billing_rule else inherited.billing,
        rule_words(node.quantity_rule) if node.quantity_rule else inherited.quantity,
        bool(node.billing_rule),
        bool(node.quantity_rule),
    )


def _defaults(resource: str) -> Rules:
    defaults = RULES.get(Resource(resource)) if resource in tuple(Resource) else None
    if defaults is None:
        return Rules("", "")
    return Rules(rule_words(defaults.default_billing_rule), rule_words(defaults.default_quantity_rule))


def _rules_at(node: RateNode) -> Rules:
    rules: Rules | None = None
    for each in path_to(node):
        rules = _rules_of(each, rules)
    assert rules is not None
    return rules


def terms_told(node: RateNode) -> list[tuple[str, str]]:
    """What a record says, by label; "" for what goes with other price types."""
    scale = node.scale or {}
    steps = [
        f"≤ {step.get('up_to', '∞')}: {amount(step['price_micros'], PRICE_DECIMALS)}" for step in scale.get("steps", [])
    ]
    return [
        ("Price type", gettext(PRICE_TYPES[PriceType(node.price_type)])),
        ("Depends on", words(node.split_by) if node.split_by else ""),
        ("Price", "" if node.price_micros is None else amount(node.price_micros, PRICE_DECIMALS)),
        ("Scale", ", ".join(filter(None, [words(str(scale.get("type", ""))) if scale else "", *steps]))),
        ("Counter group", ", ".join(words(each) for each in scale.get("counter_group", []))),
        ("Billing rule", rule_words(node.billing_rule) if node.billing_rule else gettext("Default")),
        ("Quantity rule", rule_words(node.quantity_rule) if node.quantity_rule else gettext("Default")),
    ]
