"""Random trees against the plainest reading of the rules: lookup level by level, rules inherited, unusable records left out."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.core.rating.rating_samples import SMS, attributes_of, rows_of

from relais.core.rating.message import Level, rate_message, term_of
from relais.core.rating.quantity import units_of
from relais.core.rating.tree import compile_tree, lookup
from relais.core.rating.types import BLOCKED, NodeRow, Parameter, QuantityRule, Rate, Term

PARAMETERS = ["direction", "country", "mcc", "network", "sender_id_type"]
VALUES = {"direction": ["A2P", "P2A"], "country": ["ES", "FR"], "mcc": ["214", "208"], "network": ["1", "2"],
          "sender_id_type": ["alphanumeric", "short_code"]}  # fmt: skip
RULES = {"billing_rule": ["submitted", "delivered"], "quantity_rule": ["segments", "messages"]}


@st.composite
def shapes(draw: st.DrawFn, parameters: tuple[str, ...] = tuple(PARAMETERS)) -> dict[str, Any]:
    """As `rows_of` takes them, up to five levels deep."""
    own = {name: draw(st.sampled_from(words)) for name, words in RULES.items() if draw(st.integers(0, 3)) == 0}
    if parameters and draw(st.integers(0, 3)):
        by = draw(st.sampled_from(parameters))
        rest = tuple(parameter for parameter in parameters if parameter != by)
        values = draw(st.lists(st.sampled_from([*VALUES[by], "others"]), unique=True))
        return own | {"by": by, "is": {value: draw(shapes(rest)) for value in values}}
    return own | {"price": f"0.{draw(st.integers(0, 9))}", "says": draw(st.sampled_from(["price", "price", *SAYS]))}


SAYS = ["free", "not_included", "blocked", "incomplete"]


def records(shape: dict[str, Any]) -> list[NodeRow]:
    """The leaves' words beside prices are put in afterwards; what they were is in the order of the tree."""
    says: list[str] = []

    def walk(one: dict[str, Any]) -> None:
        says.append(one.get("says", "split"))
        for child in one.get("is", {}).values():
            walk(child)

    walk(shape)
    rows = []
    for row, word in zip(rows_of({SMS: shape}), says, strict=True):
        if word in ("free", "not_included", "blocked"):
            row = replace(row, price_type=word, price_micros=None)
        elif word == "incomplete":
            row = replace(row, price_micros=None)
        rows.append(row)
    return rows


ABSENT = "absent"


def plainly(shape: dict[str, Any], attributes: dict[Parameter, str], rules: dict[str, str]) -> Any:
    """(price in tenths, rules), "blocked", None for not included, or ABSENT for a record that is as if it were not there."""
    rules = rules | {name: shape[name] for name in RULES if name in shape}
    if "by" not in shape:
        word = shape["says"]
        if word == "incomplete":
            return ABSENT
        if word in ("not_included", "blocked"):
            return None if word == "not_included" else "blocked"
        return (0 if word == "free" else int(shape["price"][2:]), rules)
    answers = {value: plainly(child, attributes, rules) for value, child in shape["is"].items()}
    if all(answer == ABSENT for answer in answers.values()):
        return ABSENT
    value = attributes.get(Parameter(shape["by"]))
    if value in answers and answers[value] != ABSENT:
        return answers[value]
    other = answers.get("others")
    return None if other == ABSENT else other


@settings(max_examples=200, deadline=None)
@given(shapes(), st.fixed_dictionaries({}, optional={name: st.sampled_from(each) for name, each in VALUES.items()}))
def test_a_lookup_is_what_the_tree_plainly_says(shape: dict[str, Any], values: dict[str, str]) -> None:
    """SV-108, SV-109, SV-244, SV-247, SV-284, SV-286."""
    attributes = attributes_of(**values)
    expected = plainly(shape, attributes, {"billing_rule": "submitted", "quantity_rule": "segments"})
    rows = records(shape)
    tree = compile_tree(reversed(rows))
    found = lookup(tree, *SMS, attributes)
    if expected in (None, ABSENT):
        assert found is None
    elif expected == "blocked":
        assert found is BLOCKED
    else:
        assert isinstance(found, Rate)
        tenths, rules = expected
        assert (found.price_micros, found.billing_rule, found.quantity_rule) == (
            tenths * 100_000,
            rules["billing_rule"],
            rules["quantity_rule"],
        )
        term = rate_message(Level(7, 0, (tree,)), *SMS, attributes, 3)
        assert isinstance(term, Term)
        assert term.reserved_micros == tenths * 100_000 * (3 if rules["quantity_rule"] == "segments" else 1)
        assert term.delivered == (rules["billing_rule"] == "delivered")


def test_SV_279_calls_are_billed_by_minutes_begun_or_seconds_and_at_least_one() -> None:
    """Also SV-106, SV-107, SV-110."""
    minutes, seconds = QuantityRule.MINUTES, QuantityRule.SECONDS
    assert [units_of(minutes, duration_s=s) for s in (0, 1, 60, 61, 120)] == [1, 1, 1, 2, 2]
    assert [units_of(seconds, duration_s=s) for s in (0, 1, 61)] == [1, 1, 61]
    for rule in (QuantityRule.MESSAGES, QuantityRule.ONCE, QuantityRule.FULL_PERIOD):
        assert units_of(rule, segments_count=3, duration_s=90) == 1
    call = ("voice_calls", "voice_call")
    rate = lookup(compile_tree(rows_of({call: {"price": "0.1", "billing_rule": "delivered"}})), *call, {})
    assert isinstance(rate, Rate)
    placed, answered = (term_of(Level(7, 0, ()), rate, {}, 1, duration_s) for duration_s in (0, 130))
    assert (placed.units, answered.units, answered.reserved_micros) == (1, 3, 300_000)
