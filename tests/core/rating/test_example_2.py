"""Example 2 of the specification: WhatsApp, whose category, type and volume Meta tells afterwards."""

import pytest
from tests.core.rating.rating_samples import AGREEMENT, JANUARY, Till, attributes_of, rows_of, tree_of

from relais.core.charging.charge import charge
from relais.core.charging.types import Account, Capture, Exchange, Reserve, State
from relais.core.money import parse_micros
from relais.core.rating.message import Level, term_of
from relais.core.rating.problems import problems
from relais.core.rating.types import PriceType, Rate
from relais.core.rating.whatsapp import rate_to_reserve, reported_rate

WHATSAPP = ("whatsapp_messaging", "whatsapp_message")
Steps = list[tuple[int | None, str]]
EGYPT_INTERNATIONAL: Steps = [
    (300_000, "0.0650"),
    (2_000_000, "0.0618"),
    (10_000_000, "0.0585"),
    (20_000_000, "0.0553"),
    (40_000_000, "0.0520"),
    (None, "0.0488"),
]
EGYPT_AUTHENTICATION: Steps = [
    (300_000, "0.0052"),
    (2_000_000, "0.0049"),
    (10_000_000, "0.0047"),
    (20_000_000, "0.0044"),
    (40_000_000, "0.0042"),
    (None, "0.0039"),
]
UTILITY: Steps = [(100_000, "0.0289"), (None, "0.0275")]


def regular(price: object) -> dict[str, object]:
    return {"by": "pricing_type", "is": {"regular": price}}


EXAMPLE_2 = {
    WHATSAPP: {
        "billing_rule": "submitted",
        "quantity_rule": "messages",
        "by": "whatsapp_region",
        "is": {
            "argentina": {
                "by": "pricing_category",
                "is": {
                    "authentication": regular(UTILITY),
                    "authentication_international": regular("0.0280"),
                    "marketing": regular("0.0618"),
                    "utility": UTILITY,  # without a level of types (SV-168)
                    "service": "free",
                    "others": "free",
                },
            },
            "egypt": {
                "by": "pricing_category",
                "is": {
                    "authentication": regular(EGYPT_AUTHENTICATION),
                    "authentication_international": regular(EGYPT_INTERNATIONAL),
                    "marketing": regular("0.1073"),
                    "service": "free",
                    "others": "free",
                },
            },
        },
    }
}
TREE = tree_of(EXAMPLE_2)


def rate(region: str, category: str, kind: str = "regular") -> Rate:
    found = reported_rate(TREE, attributes_of(whatsapp_region=region, pricing_category=category, pricing_type=kind))
    assert isinstance(found, Rate)
    return found


def test_SV_159_to_SV_168_the_example_can_be_saved_as_it_stands() -> None:
    assert problems(rows_of(EXAMPLE_2)) == []


@pytest.mark.parametrize(
    ("steps", "category", "amounts"),
    [
        (
            EGYPT_AUTHENTICATION,
            "authentication",
            "300000 1560.00, 300001 1560.0049, 2000000 9890.00, 2000001 9890.0047, 10000000 47490.00, 10000001 47490.0044, "
            "20000000 91490.00, 20000001 91490.0042, 40000000 175490.00, 40000001 175490.0039",
        ),
        (
            EGYPT_INTERNATIONAL,
            "authentication_international",
            "300000 19500.00, 300001 19500.0618, 2000000 124560.00, 2000001 124560.0585, 10000000 592560.00, "
            "10000001 592560.0553, 20000000 1145560.00, 20000001 1145560.0520, 40000000 2185560.00, 40000001 2185560.0488",
        ),
    ],
)
def test_SV_175_SV_176_cumulated_volume_of_egypt(steps: Steps, category: str, amounts: str) -> None:
    """Charged through the counter, from figure to figure."""
    till = Till(TREE, WHATSAPP)
    sent = 0
    found = rate("egypt", category)
    for volume, amount in (pair.split() for pair in amounts.split(", ")):
        term = term_of(till.level, found, {}, 1)
        units = int(volume) - sent
        bulk = term.__class__(AGREEMENT, term.node_id, units, 0, units * found.dearest_micros, 0, False, term.scale, "")
        till.state, _ = charge(till.state, [Reserve((bulk,)), Capture((bulk,), (JANUARY,))])
        sent += units
        assert till.spent_micros == parse_micros(amount), volume


def test_SV_173_SV_177_flat_categories() -> None:
    """Also SV-170: what the example leaves out is free here."""
    assert rate("argentina", "authentication_international").price_micros == parse_micros("0.0280")
    assert 1000 * rate("argentina", "marketing").price_micros == parse_micros("61.80")
    assert 1000 * rate("egypt", "marketing").price_micros == parse_micros("107.30")
    for region in ("argentina", "egypt"):
        for category in ("service", "marketing_lite", "referral_conversion"):
            assert rate(region, category).price_type is PriceType.FREE


def test_SV_169_free_types_cost_nothing_without_a_node_of_their_own() -> None:
    for kind in ("free_customer_service", "free_entry_point"):
        for category in ("utility", "authentication"):
            free = rate("argentina", category, kind)
            assert (free.price_type, free.price_micros, free.scale, free.dearest_micros) == (PriceType.FREE, 0, None, 0)
    own = tree_of({WHATSAPP: {"by": "pricing_type", "is": {"regular": "2", "free_entry_point": "1", "others": "9"}}})
    prices = [
        found.price_micros
        for kind in ("regular", "free_entry_point", "free_customer_service")
        if isinstance(found := reported_rate(own, attributes_of(pricing_type=kind)), Rate)
    ]
    assert prices == [2_000_000, 1_000_000, 0]


@pytest.mark.parametrize(
    ("region", "template", "price"),
    [
        ("egypt", "authentication", "0.0650"),
        ("argentina", "authentication", "0.0289"),
        ("argentina", "marketing", "0.0618"),
        ("argentina", "utility", "0.0289"),
        ("argentina", None, "0"),
        ("egypt", "utility", "0"),
    ],
)
def test_SV_280_the_dearest_category_that_may_be_reported_is_reserved(
    region: str, template: str | None, price: str
) -> None:
    reserved = rate_to_reserve(TREE, attributes_of(whatsapp_region=region), template)
    assert isinstance(reserved, Rate)
    assert reserved.dearest_micros == parse_micros(price)


def test_SV_164_SV_179_nothing_is_charged_before_the_report_and_then_what_it_says() -> None:
    """Also SV-147, SV-167, SV-280: a dearer category is captured all the same, whatever the balance."""
    level = Level(AGREEMENT, 0, (TREE,))
    start = State({AGREEMENT: Account(parse_micros("0.03"), 0, 0)}, {})
    believed = rate_to_reserve(TREE, attributes_of(whatsapp_region="argentina"), "utility")
    assert isinstance(believed, Rate)
    term = term_of(level, believed, {}, 1)
    state, _ = charge(start, [Reserve((term,))])
    assert state.accounts[AGREEMENT] == Account(30_000, 28_900, 0)
    told = term_of(level, rate("argentina", "marketing"), {}, 1)
    state, _ = charge(state, [Exchange((term,), (told,)), Capture((told,))])
    assert state.accounts[AGREEMENT] == Account(parse_micros("-0.0318"), 0, 0)
