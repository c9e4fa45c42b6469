"""Rate trees as small data, and a till that sends messages through rating and charging."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

from relais.core.charging.charge import charge
from relais.core.charging.types import Account, Capture, Captured, Choose, Chosen, Release, Reserve, State
from relais.core.money import parse_micros
from relais.core.rating.message import Level, Offer, Option, rate_message
from relais.core.rating.tree import compile_tree
from relais.core.rating.types import NodeRow, Parameter, PriceType, Term, Tree
from relais.core.refusals import Refusal

JANUARY = datetime(2025, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2025, 2, 1, tzinfo=UTC)
AGREEMENT = 7
SMS = ("sms_messaging", "sms_message")

# A shape is "0.04" (flat), "free" and the like, a list of steps [(1000, "0.005"), (None, "0.004")], or a dict: by + is
# for a split ("others" = Others), steps + group + kind for a scale with counters of its own or of another type,
# billing_rule and quantity_rule.
Shape = str | list[tuple[int | None, str]] | dict[str, Any]

EXAMPLE_1: dict[tuple[str, str], Shape] = {
    SMS: {
        "billing_rule": "submitted",
        "quantity_rule": "segments",
        "by": "direction",
        "is": {
            "P2A": "free",
            "A2P": {
                "by": "country",
                "is": {
                    "ES": {
                        "by": "network",
                        "is": {
                            "1": "0.04",  # Vodafone Spain
                            "2": {"steps": [(1000, "0.005"), (None, "0.004")], "group": ["sender_id"]},  # DIGI mobil
                            "others": "0.08",
                        },
                    },
                    "others": [(10_000, "0.05"), (50_000, "0.04"), (None, "0.03")],
                },
            },
        },
    },
    ("sms_messaging", "sender_id_setup_fee"): {"by": "mno", "is": {"DIGI mobil": "50"}},
    ("sms_messaging", "sender_id_usage_fee"): {
        "quantity_rule": "full_period",
        "by": "mno",
        "is": {"Vodafone Spain": "10", "DIGI mobil": "15"},
    },
}


def rows_of(shapes: Mapping[tuple[str, str], Shape], first_id: int = 1) -> list[NodeRow]:
    """The records of a scope, parents before children."""
    ids = count(first_id)
    rows: list[NodeRow] = []

    def add(shape: Shape, parent_id: int | None, key: tuple[str, str], value: str | None) -> None:
        is_others = value == "others"
        fields: dict[str, Any] = {"id": next(ids), "parent_id": parent_id, "domain": key[0], "resource": key[1]}
        fields |= {"is_others": is_others, "value": None if is_others else value}
        if isinstance(shape, list):
            shape = {"steps": shape}
        if isinstance(shape, str):
            if shape in tuple(PriceType):
                rows.append(NodeRow(price_type=shape, **fields))
            else:
                rows.append(NodeRow(price_type="flat", price_micros=parse_micros(shape), **fields))
            return
        fields |= {name: shape[name] for name in ("billing_rule", "quantity_rule") if name in shape}
        if "by" in shape:
            rows.append(NodeRow(price_type="depends_on", split_by=shape["by"], **fields))
            for child_value, child in shape["is"].items():
                add(child, fields["id"], key, child_value)
        elif "price" in shape:
            rows.append(NodeRow(price_type="flat", price_micros=parse_micros(shape["price"]), **fields))
        else:
            rows.append(NodeRow(price_type="scale", scale=_stored(shape), **fields))

    for key, shape in shapes.items():
        add(shape, None, key, None)
    return rows


def _stored(shape: Mapping[str, Any]) -> dict[str, object]:
    return stored_scale(shape["steps"], shape.get("group"), shape.get("kind", "tier"))


def stored_scale(
    steps: Iterable[tuple[int | None, str]], group: list[str] | None = None, kind: str = "tier"
) -> dict[str, object]:
    stored: dict[str, object] = {
        "type": kind,
        "steps": [{"up_to": up_to, "price_micros": parse_micros(price)} for up_to, price in steps],
    }
    return stored if group is None else stored | {"counter_group": group}


def tree_of(shapes: Mapping[tuple[str, str], Shape]) -> Tree:
    return compile_tree(rows_of(shapes))


def attributes_of(**values: str) -> dict[Parameter, str]:
    return {Parameter(name): value for name, value in values.items()}


def to(country: str, network: str | None = None, sender_id: str = "1") -> dict[Parameter, str]:
    """Attributes of an outgoing SMS; the network may be unknown."""
    attributes = attributes_of(direction="A2P", country=country, sender_id=sender_id)
    return attributes if network is None else attributes | attributes_of(network=network)


class Till:
    """One agreement without a credit limit on one tree; answers what its balance lost, in micros."""

    def __init__(self, tree: Tree, key: tuple[str, str] = SMS, tax_bp: int = 0) -> None:
        self.level = Level(AGREEMENT, tax_bp, (tree,), period_start=JANUARY)
        self.key = key
        self.state = State({AGREEMENT: Account(0, 0, None)}, {})

    def term(self, attributes: Mapping[Parameter, str], segments_count: int = 1) -> Term:
        term = rate_message(self.level, *self.key, attributes, segments_count)
        assert isinstance(term, Term), term
        return term

    def send(
        self, attributes: Mapping[Parameter, str], segments_count: int = 1, period_start: datetime = JANUARY
    ) -> int:
        """Accepts and bills one message; its net price."""
        term = self.term(attributes, segments_count)
        before = self.spent_micros
        route = (Offer((Option(term),), Refusal.RATE_NOT_FOUND),)
        self.state, outcomes = charge(self.state, [Choose((route,), "1"), Capture((term,), (period_start,))])
        reserved, captured = outcomes
        assert reserved == Chosen((term,))
        assert isinstance(captured, Captured)
        (charged,) = captured.charges
        assert self.spent_micros - before == sum(
            (charged.net_micros, charged.tax_micros, charged.correction_net_micros, charged.correction_tax_micros)
        )
        return charged.net_micros

    def abandon(self, attributes: Mapping[Parameter, str]) -> None:
        """Accepts one message that the vendor refuses."""
        term = self.term(attributes)
        self.state, _ = charge(self.state, [Reserve((term,)), Release((term,))])

    @property
    def spent_micros(self) -> int:
        return -self.state.accounts[AGREEMENT].balance_micros
