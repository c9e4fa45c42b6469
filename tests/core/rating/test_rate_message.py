"""What a message owes at one level."""

import pytest
from tests.core.rating.rating_samples import (
    AGREEMENT,
    EXAMPLE_1,
    FEBRUARY,
    JANUARY,
    SMS,
    Till,
    attributes_of,
    to,
    tree_of,
)

from relais.core.charging.charge import charge
from relais.core.charging.types import Account, Lacking, Reserve, State
from relais.core.money import parse_micros
from relais.core.rating.message import Level, rate_message, restore_term
from relais.core.rating.tree import lookup
from relais.core.rating.types import Parameter, Rate, Term
from relais.core.refusals import Refusal

TREE = tree_of(EXAMPLE_1)
SPAIN = tree_of({SMS: {"by": "country", "is": {"ES": "0.04", "RU": "blocked"}}})
WORLD = tree_of({SMS: "0.5"})


def rated(*trees: object, country: str = "ES", segments_count: int = 1, tax_bp: int = 0) -> Term | Refusal:
    return rate_message(Level(AGREEMENT, tax_bp, trees), *SMS, to(country), segments_count)


def test_a_flat_rate_becomes_a_term_with_all_that_settlement_needs() -> None:
    term = rate_message(Level(AGREEMENT, 0, (TREE,)), *SMS, to("ES", "1"), 3)
    assert isinstance(term, Term)
    rate = lookup(TREE, *SMS, to("ES", "1"))
    assert isinstance(rate, Rate)
    assert term == Term(
        agreement_id=AGREEMENT,
        node_id=rate.node_id,
        units=3,
        unit_price_micros=40_000,
        reserved_micros=120_000,
        tax_bp=0,
        delivered=False,
        scale=None,
        counter_group="",
    )


def test_SV_288_tax_is_reserved_with_the_net_amount() -> None:
    term = rated(SPAIN, segments_count=3, tax_bp=2100)
    assert isinstance(term, Term)
    assert (term.unit_price_micros, term.reserved_micros, term.tax_bp) == (40_000, 145_200, 2100)


def test_SV_99_free_traffic_owes_nothing() -> None:
    term = rate_message(Level(AGREEMENT, 2100, (TREE,)), *SMS, attributes_of(direction="P2A"), 3)
    assert isinstance(term, Term)
    assert (term.units, term.unit_price_micros, term.reserved_micros) == (3, 0, 0)


@pytest.mark.parametrize(("rule", "units"), [("segments", 3), ("messages", 1)])
def test_SV_106_a_unit_is_a_segment_or_a_message(rule: str, units: int) -> None:
    term = rated(tree_of({SMS: {"price": "1", "quantity_rule": rule}}), segments_count=3)
    assert isinstance(term, Term)
    assert (term.units, term.reserved_micros) == (units, units * parse_micros("1"))


@pytest.mark.parametrize(("rule", "delivered"), [("submitted", False), ("delivered", True)])
def test_SV_105_the_term_knows_its_billing_moment(rule: str, delivered: bool) -> None:
    term = rated(tree_of({SMS: {"price": "1", "billing_rule": rule}}))
    assert isinstance(term, Term)
    assert term.delivered is delivered


def test_SV_245_sources_are_asked_in_order_until_one_includes_the_message() -> None:
    """Also SV-102."""
    spain, world = rated(SPAIN, WORLD), rated(SPAIN, WORLD, country="FR")
    assert isinstance(spain, Term)
    assert isinstance(world, Term)
    assert (spain.unit_price_micros, world.unit_price_micros) == (40_000, 500_000)


def test_SV_245_blocked_ends_the_search() -> None:
    """Also SV-103 and SV-246."""
    assert rated(SPAIN, WORLD, country="RU") is Refusal.DESTINATION_BLOCKED


def test_SV_244_without_a_source_left_there_is_no_rate() -> None:
    """Also SV-246, SV-265."""
    assert rated(SPAIN, country="FR") is Refusal.RATE_NOT_FOUND
    assert rated() is Refusal.RATE_NOT_FOUND


def test_SV_114_a_price_above_the_credit_limit_stops_traffic_without_an_own_price() -> None:
    """Also SV-81."""
    tree = tree_of({SMS: {"by": "country", "is": {"ES": "0.04", "others": "150"}}})
    state = State({AGREEMENT: Account(parse_micros("10"), 0, parse_micros("100"))}, {})
    own, other = rated(tree), rated(tree, country="FR")
    assert isinstance(own, Term)
    assert isinstance(other, Term)
    after, outcomes = charge(state, [Reserve((other,)), Reserve((own,))])
    assert outcomes[0] == Lacking(0, AGREEMENT)
    assert after.accounts[AGREEMENT].reserved_micros == parse_micros("0.04")


def grouped(*parameters: str) -> Till:
    return Till(tree_of({SMS: {"steps": [(10, "2"), (None, "1")], "group": list(parameters)}}))


def test_SV_98_a_counter_group_keeps_a_volume_for_each_value() -> None:
    """Also SV-253."""
    till = grouped("sender_id")
    assert till.send(to("ES", sender_id="1"), 10) == parse_micros("20")
    assert till.send(to("FR", sender_id="1"), 1) == parse_micros("1")
    assert till.send(to("ES", sender_id="2"), 1) == parse_micros("2")
    assert {key.group: units for key, units in till.state.counters.items()} == {"1": 11, "2": 1}


def test_SV_285_several_parameters_make_one_counter_a_combination() -> None:
    till = grouped("sender_id", "country")
    for sender_id, country in [("1", "ES"), ("1", "FR"), ("2", "ES")]:
        assert till.send(to(country, sender_id=sender_id), 10) == parse_micros("20")
    assert sorted(key.group for key in till.state.counters) == ["1/ES", "1/FR", "2/ES"]


def test_an_unknown_attribute_has_a_counter_of_its_own() -> None:
    till = grouped("network")
    till.send(to("ES"), 10)
    assert till.send(to("ES", "1"), 1) == parse_micros("2")
    assert sorted(key.group for key in till.state.counters) == ["", "1"]


def test_SV_253_a_counter_restarts_with_the_billing_period() -> None:
    """Also ruling 21: the period is that of the billing moment."""
    till = grouped()
    till.send({}, 12, JANUARY)
    assert till.send({}, 1, JANUARY) == parse_micros("1")
    assert till.send({}, 1, FEBRUARY) == parse_micros("2")
    assert [key.period_start for key in till.state.counters] == [JANUARY, FEBRUARY]


def test_SV_253_agreements_do_not_share_a_counter() -> None:
    tree = tree_of({SMS: [(10, "2"), (None, "1")]})
    first, second = (rate_message(Level(agreement_id, 0, (tree,)), *SMS, {}, 1) for agreement_id in (1, 2))
    assert isinstance(first, Term)
    assert isinstance(second, Term)
    assert first.scale == second.scale
    assert (first.agreement_id, second.agreement_id) == (1, 2)


def test_SV_256_only_what_is_captured_counts() -> None:
    till = grouped()
    for _ in range(20):
        till.abandon({})
    assert till.state.counters == {}
    assert till.send({}, 1) == parse_micros("2")


@pytest.mark.parametrize("network", ["1", "2"])
def test_a_term_is_restored_from_what_the_message_row_keeps(network: str) -> None:
    attributes: dict[Parameter, str] = to("ES", network, sender_id="31")
    term = rate_message(Level(AGREEMENT, 700, (TREE,)), *SMS, attributes, 2)
    rate = lookup(TREE, *SMS, attributes)
    assert isinstance(term, Term)
    assert isinstance(rate, Rate)
    kept = attributes_of(sender_id="31")
    assert term == restore_term(AGREEMENT, rate, term.units, term.reserved_micros, term.tax_bp, term.delivered, kept)
