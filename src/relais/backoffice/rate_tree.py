"""A scope's rate tree as people read it: names instead of keys, inherited rules resolved, what lacks something marked.

A small tree is read whole; of a larger one only what is open, a level at a time, so that 50,000 records open like 50.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from relais.core.rating.catalogue import RULES
from relais.core.rating.types import BillingRule, Domain, Parameter, PriceType, QuantityRule, Resource
from relais.pages.choices import COUNTRY_NAMES
from relais.pages.kinds import amount
from relais.pages.viewer import Viewer
from relais.records.catalog.models import Network, RateNode, Scope, Service
from relais.records.senders.models import SenderId

WHOLE_COUNT_MAX = 300  # records of a tree that is read at once
LEVEL_COUNT_MAX = 200  # records of a level that are read at once
PRICE_DECIMALS = 5

_WORDS = {"sms": "SMS", "rcs": "RCS", "id": "ID", "mcc": "MCC", "mno": "MNO", "mccmnc": "MCCMNC", "tts": "TTS",
          "whatsapp": "WhatsApp", "wechat": "WeChat"}  # fmt: skip
_DIRECTIONS = {"A2P": "A2P (MT)", "P2A": "P2A (MO)"}
_BY = {Parameter.DIRECTION: "Direction (MT/MO)"}
PRICE_TYPES = {
    PriceType.DEPENDS_ON: "Depends on",
    PriceType.FLAT: "Flat rate",
    PriceType.SCALE: "Scale",
    PriceType.FREE: "Free",
    PriceType.INCLUDED: "Included",
    PriceType.NOT_INCLUDED: "Not included",
    PriceType.BLOCKED: "Blocked",
}
_LACKS = {
    PriceType.FLAT: "Enter a price",
    PriceType.SCALE: "Enter the steps",
    PriceType.DEPENDS_ON: "Add a value",
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
    """A record as it is shown. `children` None: asked for when it is opened."""

    pk: int | None
    name: str
    by: str
    price_type: str
    price: str
    lacks: str
    steps_count: int
    rules: Rules | None
    children_count: int
    children: list["Branch"] | None = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Level:
    """Some branches, and from where on there are more (0: none)."""

    branches: list[Branch]
    next_offset: int = 0


def words(key: str) -> str:
    """sms_messaging → "SMS messaging"."""
    first, *rest = (_WORDS.get(word, word) for word in key.split("_"))
    return " ".join([first[:1].upper() + first[1:], *rest])


def domains_of(scope: Scope, viewer: Viewer) -> list[Branch]:
    """The top of the tree: domains with their resources, and all below them where the tree is small."""
    tops = list(_live(scope).filter(parent=None).order_by("pk"))
    if _live(scope)[: WHOLE_COUNT_MAX + 1].count() <= WHOLE_COUNT_MAX:
        below: dict[int | None, list[RateNode]] = defaultdict(list)
        for node in _live(scope).exclude(parent=None).order_by("is_others", "pk"):
            below[node.parent_id].append(node)
        names = _Names(viewer, scope.pk, below)
        branches = [_whole(top, None, below, names) for top in tops]
    else:
        branches = [_branch(top, None, _resource_name(top), top.children_count) for top in tops]
        for branch in branches:
            branch.children = None if branch.children_count else []
    by_domain: dict[str, list[Branch]] = defaultdict(list)
    for top, branch in zip(tops, branches, strict=True):
        by_domain[top.domain].append(branch)
    return [
        Branch(None, words(domain), "Resource", "", "", "", 0, None, len(found), found)
        for domain, found in sorted(by_domain.items(), key=lambda pair: _place(pair[0]))
    ]


def level_below(parent: RateNode, offset: int, viewer: Viewer) -> Level:
    """The children of a record from `offset` on; Others is the last one."""
    rows = _live(parent.scope).filter(parent=parent).order_by("is_others", "value", "pk")
    nodes = list(rows[offset : offset + LEVEL_COUNT_MAX + 1])
    shown = nodes[:LEVEL_COUNT_MAX]
    names = _Names(viewer, parent.scope_id, {parent.pk: shown})
    inherited = _rules_at(parent)
    branches = []
    for node in shown:
        branch = _branch(node, inherited, names.of(parent, node), node.children_count)
        branch.children = None if branch.children_count else []
        branches.append(branch)
    return Level(branches, offset + LEVEL_COUNT_MAX if len(nodes) > LEVEL_COUNT_MAX else 0)


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


def _holds(scope: Scope, now: datetime) -> bool:
    return scope.effective_from <= now and (scope.effective_till is None or scope.effective_till > now)


def _live(scope: Scope) -> Any:
    live_children = Count("children", filter=Q(children__retired_at=None))
    return RateNode.objects.filter(scope=scope, retired_at=None).annotate(children_count=live_children)


def _place(domain: str) -> int:
    known = [each.value for each in Domain]
    return known.index(domain) if domain in known else len(known)


def _resource_name(top: RateNode) -> str:
    return words(top.resource)


def _whole(node: RateNode, inherited: Rules | None, below: Mapping[Any, list[RateNode]], names: "_Names") -> Branch:
    children = below.get(node.pk, [])
    branch = _branch(node, inherited, _resource_name(node) if node.parent_id is None else "", len(children))
    found = [_whole(child, branch.rules, below, names) for child in children]
    for child, shown in zip(children, found, strict=True):
        shown.name = names.of(node, child)
    branch.children = sorted(found, key=lambda each: (each.name == "Others", each.name.lower()))
    return branch


def _branch(node: RateNode, inherited: Rules | None, name: str, children_count: int) -> Branch:
    price_type = PriceType(node.price_type)
    steps = _steps(node)
    lacking = {
        PriceType.FLAT: node.price_micros is None,
        PriceType.SCALE: not steps,
        PriceType.DEPENDS_ON: not children_count,
    }
    return Branch(
        pk=node.pk,
        name=name,
        by=_by(node),
        price_type=PRICE_TYPES[price_type] + (f" · {words(str((node.scale or {}).get('type', '')))}" if steps else ""),
        price=_price(node, steps),
        lacks=_LACKS[price_type] if lacking.get(price_type) else "",
        steps_count=len(steps),
        rules=_rules_of(node, inherited),
        children_count=children_count,
    )


def _by(node: RateNode) -> str:
    if not node.split_by:
        return ""
    return _BY.get(Parameter(node.split_by), words(node.split_by))


def _steps(node: RateNode) -> list[int]:
    """Prices of a scale, in micros."""
    found = (node.scale or {}).get("steps", [])
    return [step["price_micros"] for step in found if isinstance(step.get("price_micros"), int)]


def _price(node: RateNode, steps: list[int]) -> str:
    if steps:
        return f"{amount(steps[0], PRICE_DECIMALS)} → {amount(steps[-1], PRICE_DECIMALS)}"
    return "" if node.price_micros is None else amount(node.price_micros, PRICE_DECIMALS)


def _rules_of(node: RateNode, inherited: Rules | None) -> Rules:
    if inherited is None:
        defaults = RULES.get(Resource(node.resource))
        inherited = Rules(
            _rule(defaults.default_billing_rule) if defaults else "",
            _rule(defaults.default_quantity_rule) if defaults else "",
        )
    return Rules(
        _rule(BillingRule(node.billing_rule)) if node.billing_rule else inherited.billing,
        _rule(QuantityRule(node.quantity_rule)) if node.quantity_rule else inherited.quantity,
        bool(node.billing_rule),
        bool(node.quantity_rule),
    )


def _rule(rule: BillingRule | QuantityRule) -> str:
    return words(rule.value)


def _rules_at(node: RateNode) -> Rules:
    """From the top of its resource down: as many look-ups as there are levels above."""
    line: list[RateNode] = [node]
    while line[-1].parent_id is not None:
        line.append(RateNode.objects.get(pk=line[-1].parent_id))
    rules: Rules | None = None
    for each in reversed(line):
        rules = _rules_of(each, rules)
    assert rules is not None
    return rules


class _Names:
    """Names of the values below given records, looked up a kind at a time."""

    def __init__(self, viewer: Viewer, scope_id: int, below: Mapping[Any, Iterable[RateNode]]) -> None:
        splits = dict(RateNode.objects.filter(pk__in=list(below)).values_list("pk", "split_by"))
        keys: dict[str, set[int]] = defaultdict(set)
        for parent_id, nodes in below.items():
            keys[splits.get(parent_id) or ""] |= {int(n.value) for n in nodes if n.value and n.value.isdecimal()}
        self._found: dict[str, Mapping[Any, str]] = {
            Parameter.COUNTRY: COUNTRY_NAMES,
            Parameter.DIRECTION: _DIRECTIONS,
            Parameter.NETWORK: _by_key(Network.objects, keys[Parameter.NETWORK], "name"),
            Parameter.SENDER_ID: _by_key(viewer.rows(SenderId), keys[Parameter.SENDER_ID], "sender_id"),
            Parameter.PACK: _by_key(viewer.rows(Service), keys[Parameter.PACK], "name"),
        }

    def of(self, parent: RateNode, node: RateNode) -> str:
        """An entry that the dictionary no longer has is a "Missed option" (SV-69)."""
        if node.is_others:
            return "Others"
        value = node.value or ""
        known = self._found.get(parent.split_by or "")
        if known is None:
            plain = parent.split_by in _SPELT
            return words(value) if plain else value
        return known.get(value, f"Missed option: {value}")


_SPELT = frozenset(
    {
        Parameter.SENDER_ID_TYPE,
        Parameter.PERIODICITY,
        Parameter.WHATSAPP_REGION,
        Parameter.PRICING_CATEGORY,
        Parameter.PRICING_TYPE,
        Parameter.BILLING_EVENT,
    }
)


def _by_key(rows: Any, keys: set[int], column: str) -> dict[str, str]:
    return {str(pk): name for pk, name in rows.filter(pk__in=keys).values_list("pk", column)} if keys else {}
