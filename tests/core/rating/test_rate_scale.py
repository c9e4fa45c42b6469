"""Prices by volume."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.rating.rating_samples import Till, attributes_of, rows_of, stored_scale, tree_of

from relais.core.money import parse_micros
from relais.core.rating.problems import problems
from relais.core.rating.scale import read_price, read_scale, store_scale, tier_pieces
from relais.core.rating.types import Parameter, Scale, ScaleType

WORKED_CASE = read_scale(stored_scale([(1000, "1"), (None, "2")]), counter_id=1)
WHATSAPP = ("whatsapp_messaging", "whatsapp_message")


def total(scale: Scale, units: int, position: int = 0) -> int:
    return sum(count * price_micros for _, count, price_micros in tier_pieces(scale, position, units))


def test_SV_92_tier_keeps_the_price_of_what_came_before_the_threshold() -> None:
    assert tier_pieces(WORKED_CASE, 0, 1050) == ((0, 1000, 1_000_000), (1, 50, 2_000_000))
    assert total(WORKED_CASE, 1050) == parse_micros("1100")


def test_SV_93_the_threshold_belongs_to_the_lower_step() -> None:
    assert total(WORKED_CASE, 1000) == parse_micros("1000")
    assert total(WORKED_CASE, 1001) == parse_micros("1002")
    assert tier_pieces(WORKED_CASE, 999, 1) == ((0, 1, 1_000_000),)
    assert tier_pieces(WORKED_CASE, 1000, 1) == ((1, 1, 2_000_000),)


def test_a_message_can_span_more_than_two_steps() -> None:
    scale = read_scale(stored_scale([(2, "3"), (3, "2"), (None, "1")]), counter_id=1)
    assert tier_pieces(scale, 1, 4) == ((0, 1, 3_000_000), (1, 1, 2_000_000), (2, 2, 1_000_000))


def test_no_units_are_no_pieces() -> None:
    assert tier_pieces(WORKED_CASE, 1000, 0) == ()


ARGENTINA_UTILITY = [
    (100_000, "0.0289"),
    (1_000_000, "0.0275"),
    (4_500_000, "0.0260"),
    (15_000_000, "0.0246"),
    (30_000_000, "0.0231"),
    (None, "0.0217"),
]
ARGENTINA_AUTHENTICATION = [
    (120_000, "0.0289"),
    (400_000, "0.0275"),
    (1_000_000, "0.0260"),
    (5_000_000, "0.0246"),
    (10_000_000, "0.0231"),
    (None, "0.0217"),
]
EGYPT_UTILITY = [
    (100_000, "0.0052"),
    (1_000_000, "0.0049"),
    (4_500_000, "0.0047"),
    (40_000_000, "0.0044"),
    (80_000_000, "0.00421"),
    (None, "0.0039"),
]
EGYPT_UTILITY_SECOND_RUN = [*EGYPT_UTILITY[:4], (80_000_000, "0.0042"), (None, "0.0039")]

CUMULATED = {
    "SV-171": (
        ARGENTINA_UTILITY,
        {
            100_000: "2890",
            100_001: "2890.0275",
            1_000_000: "27640",
            1_000_001: "27640.0260",
            4_500_000: "118640",
            4_500_001: "118640.0246",
            15_000_000: "376940",
            15_000_001: "376940.0231",
            30_000_000: "723440",
            30_000_001: "723440.0217",
        },
    ),
    "SV-172": (
        ARGENTINA_AUTHENTICATION,
        {
            120_000: "3468",
            120_001: "3468.0275",
            400_000: "11168",
            400_001: "11168.0260",
            1_000_000: "26768",
            1_000_001: "26768.0246",
            5_000_000: "125168",
            5_000_001: "125168.0231",
            10_000_000: "240668",
            10_000_001: "240668.0217",
        },
    ),
    "SV-174": (
        EGYPT_UTILITY,
        {
            100_000: "520",
            100_001: "520.0049",
            1_000_000: "4930",
            1_000_001: "4930.0047",
            4_500_000: "21380",
            4_500_001: "21380.0044",
            40_000_000: "177580",
            40_000_001: "177580.00421",
            80_000_000: "345980",
            80_000_001: "345980.0039",
        },
    ),
    "SV-174, second run of SV-155": (
        EGYPT_UTILITY_SECOND_RUN,
        {40_000_001: "177580.0042", 80_000_000: "345580", 80_000_001: "345580.0039"},
    ),
}


@pytest.mark.parametrize(
    ("steps", "units", "amount"),
    [(steps, units, amount) for steps, amounts in CUMULATED.values() for units, amount in amounts.items()],
)
def test_cumulated_volume_of_whatsapp(steps: list[tuple[int | None, str]], units: int, amount: str) -> None:
    """SV-171, SV-172, SV-174."""
    assert total(read_scale(stored_scale(steps), counter_id=1), units) == parse_micros(amount)


def test_SV_178_counters_are_separate_by_region_and_category() -> None:
    """A node is a counter: what one climbs leaves the others at their first step. Both forms of SV-168 are taken."""
    regions = {
        "by": "whatsapp_region",
        "is": {
            "argentina": {
                "by": "pricing_category",
                "is": {"utility": [(2, "3"), (None, "1")], "authentication": [(2, "5"), (None, "1")]},
            },
            "egypt": {
                "by": "pricing_category",
                "is": {"utility": {"by": "pricing_type", "is": {"regular": [(2, "7"), (None, "1")]}}},
            },
        },
    }
    assert problems(rows_of({WHATSAPP: regions})) == []
    till = Till(tree_of({WHATSAPP: regions}), WHATSAPP)

    def send(region: str, category: str) -> int:
        return till.send(attributes_of(whatsapp_region=region, pricing_category=category, pricing_type="regular"), 4)

    assert [send("argentina", "utility") for _ in range(3)] == [3_000_000, 3_000_000, 1_000_000]
    assert send("argentina", "authentication") == 5_000_000
    assert send("egypt", "utility") == 7_000_000


BROKEN = {
    "no scale type": ({"steps": []}, "unknown scale type None"),
    "an unknown type": (stored_scale([(1, "1"), (None, "2")], kind="stairs"), "unknown scale type 'stairs'"),
    "an unknown field": (stored_scale([(1, "1"), (None, "2")]) | {"colour": 1}, "a scale has no 'colour'"),
    "one step": (stored_scale([(None, "2")]), "a scale has at least two steps"),
    "no steps": ({"type": "tier"}, "a scale has at least two steps"),
    "steps that are no steps": ({"type": "tier", "steps": [1, 2]}, "step 1: a step is a threshold and a price"),
    "a closed last step": (stored_scale([(1, "1"), (2, "2")]), "the last step has no threshold"),
    "an open step before": (
        stored_scale([(None, "1"), (None, "2")]),
        "step 1: a threshold is a positive whole number",
    ),
    "threshold 0": (stored_scale([(0, "1"), (None, "2")]), "step 1: a threshold is a positive whole number"),
    "a fraction": (
        {"type": "tier", "steps": [{"up_to": 1.5, "price_micros": 1}, {"price_micros": 2}]},
        "step 1: a threshold is a positive whole number",
    ),
    "equal thresholds": (stored_scale([(5, "1"), (5, "2"), (None, "3")]), "step 2: thresholds must ascend"),
    "falling thresholds": (stored_scale([(5, "1"), (4, "2"), (None, "3")]), "step 2: thresholds must ascend"),
    "a step without price": ({"type": "tier", "steps": [{"up_to": 1}, {}]}, "step 1: a price is missing"),
    "a negative price": (stored_scale([(1, "1"), (None, "-2")]), "step 2: a price cannot be negative"),
    "an unknown group": (
        stored_scale([(1, "1"), (None, "2")], ["weather"]),
        "unknown parameter in the counter group",
    ),
    "a group twice": (
        stored_scale([(1, "1"), (None, "2")], ["country", "country"]),
        "a parameter stands twice in the counter group",
    ),
    "a group that is no list": (
        stored_scale([(1, "1"), (None, "2")]) | {"counter_group": "country"},
        "a counter group is a list of parameters",
    ),
}


@pytest.mark.parametrize(("stored", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_SV_252_a_broken_scale_is_refused_with_its_reason(stored: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_scale(stored, counter_id=1)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "a price is missing"),
        (-1, "a price cannot be negative"),
        (0.5, "a price is a whole number of micro-units: at most six decimals"),
        (True, "a price is a whole number of micro-units: at most six decimals"),
        (10**15 + 1, "the price is too large"),
    ],
)
def test_SV_251_a_price_is_a_non_negative_number_of_micro_units(value: object, reason: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_price(value)
    assert str(refused.value) == reason


@st.composite
def scales(draw: st.DrawFn) -> Scale:
    thresholds = sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=5)))
    prices_micros = draw(st.lists(st.integers(0, 90_000), min_size=len(thresholds) + 1, max_size=len(thresholds) + 1))
    group = draw(st.lists(st.sampled_from(Parameter), unique=True, max_size=2))
    return Scale(draw(st.sampled_from(ScaleType)), tuple(thresholds), tuple(prices_micros), tuple(group), 1)


@settings(deadline=None)
@given(scales(), st.integers(0, 80), st.integers(0, 80))
def test_units_are_priced_one_by_one(scale: Scale, position: int, units: int) -> None:
    """The plainest reading of SV-93, as a model: unit number n has the price of the first step that reaches to n."""
    pieces = tier_pieces(scale, position, units)
    priced = [(tier, price_micros) for tier, count, price_micros in pieces for _ in range(count)]
    expected = []
    for number in range(position + 1, position + units + 1):
        tier = next(i for i, step in enumerate(scale.steps) if step.up_to is None or number <= step.up_to)
        expected.append((tier, scale.steps[tier].price_micros))
    assert priced == expected
    assert all(count > 0 for _, count, _ in pieces)


@settings(deadline=None)
@given(scales(), st.integers(0, 80), st.integers(0, 80), st.integers(0, 80))
def test_volume_costs_the_same_however_it_is_cut(scale: Scale, position: int, first: int, second: int) -> None:
    cut = total(scale, first, position) + total(scale, second, position + first)
    assert cut == total(scale, first + second, position)


@settings(deadline=None)
@given(scales())
def test_a_scale_is_stored_and_read_without_loss(scale: Scale) -> None:
    assert read_scale(store_scale(scale), counter_id=1) == scale
