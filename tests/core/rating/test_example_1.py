"""Example 1 of the specification, figure by figure: rated, reserved and captured."""

import pytest
from tests.core.rating.rating_samples import AGREEMENT, EXAMPLE_1, JANUARY, Till, attributes_of, rows_of, to, tree_of

from relais.core.charging.charge import charge
from relais.core.charging.types import Account, Capture, Release, Reserve, Reverse, State
from relais.core.money import parse_micros
from relais.core.rating.problems import problems
from relais.core.rating.tree import lookup
from relais.core.rating.types import Rate

VODAFONE, DIGI, MOVISTAR = "1", "2", "3"


@pytest.fixture
def till() -> Till:
    return Till(tree_of(EXAMPLE_1))


def test_the_example_can_be_saved_as_it_stands() -> None:
    assert problems(rows_of(EXAMPLE_1)) == []


@pytest.mark.parametrize("network", [VODAFONE, DIGI, MOVISTAR, None])
def test_SV_135_an_incoming_message_costs_nothing(till: Till, network: str | None) -> None:
    assert till.send(to("ES", network) | attributes_of(direction="P2A"), 3) == 0
    assert till.spent_micros == 0


def test_SV_136_vodafone_spain_has_one_price_a_segment(till: Till) -> None:
    assert till.send(to("ES", VODAFONE)) == parse_micros("0.04")
    assert till.send(to("ES", VODAFONE), 3) == parse_micros("0.12")
    before = till.spent_micros
    for _ in range(250):
        till.send(to("ES", VODAFONE))
    assert till.spent_micros - before == parse_micros("10.00")


@pytest.mark.parametrize(
    ("segments_count", "amount"),
    [(1, "0.005"), (1000, "5.000"), (1001, "5.004"), (1050, "5.200"), (2000, "9.000")],
)
@pytest.mark.parametrize("message_segments", [1, 7])
def test_SV_137_digi_mobil_climbs_its_scale(
    till: Till, segments_count: int, amount: str, message_segments: int
) -> None:
    whole, rest = divmod(segments_count, message_segments)
    for segments in [message_segments] * whole + [rest] * bool(rest):
        till.send(to("ES", DIGI), segments)
    assert till.spent_micros == parse_micros(amount)


def test_SV_138_each_sender_id_climbs_on_its_own(till: Till) -> None:
    for sender_id in ("1", "2"):
        till.send(to("ES", DIGI, sender_id), 800)
    assert till.spent_micros == parse_micros("8.000")


def test_SV_138_a_common_counter_would_give_less() -> None:
    shape: dict[str, object] = {"steps": [(1000, "0.005"), (None, "0.004")]}
    till = Till(tree_of({("sms_messaging", "sms_message"): shape}))
    for sender_id in ("1", "2"):
        till.send(to("ES", DIGI, sender_id), 800)
    assert till.spent_micros == parse_micros("7.400")


@pytest.mark.parametrize("network", [MOVISTAR, None])
def test_SV_139_another_or_unknown_spanish_network_pays_the_price_of_others(till: Till, network: str | None) -> None:
    assert till.send(to("ES", network)) == parse_micros("0.08")
    assert till.send(to("ES", network), 100) == parse_micros("8.00")


@pytest.mark.parametrize(
    ("segments_count", "amount"),
    [(10_000, "500.00"), (10_001, "500.04"), (50_000, "2100.00"), (50_001, "2100.03"), (60_000, "2400.00")],
)
def test_SV_140_the_rest_of_the_world_climbs_three_steps(till: Till, segments_count: int, amount: str) -> None:
    for segments in [1000] * (segments_count // 1000) + [segments_count % 1000]:
        if segments:
            till.send(to("IT"), segments)
    assert till.spent_micros == parse_micros(amount)


def test_SV_141_the_rest_of_the_world_is_counted_together(till: Till) -> None:
    assert till.send(to("IT"), 6000) == parse_micros("300.00")
    assert till.send(to("FR"), 6000) == parse_micros("200.00") + parse_micros("80.00")


def test_SV_142_spain_and_the_rest_do_not_move_each_other(till: Till) -> None:
    till.send(to("ES", DIGI), 10_000)
    assert till.send(to("IT"), 1) == parse_micros("0.05")
    till.send(to("IT"), 60_000)
    assert till.send(to("ES", DIGI, "2"), 1) == parse_micros("0.005")


def test_SV_143_submitted_charges_what_the_vendor_took_and_only_that(till: Till) -> None:
    """Also SV-257: refused by the vendor, or reported as unsent later, costs nothing; undelivered stays charged."""
    term = till.term(to("ES", VODAFONE))
    assert not term.delivered
    start = State({AGREEMENT: Account(parse_micros("1.00"), 0, 0)}, {})
    refused, _ = charge(start, [Reserve((term,)), Release((term,))])
    assert refused == start

    taken, outcomes = charge(start, [Reserve((term,)), Capture((term,))])
    assert taken.accounts[AGREEMENT] == Account(parse_micros("0.96"), 0, 0)
    unsent, _ = charge(taken, [Reverse(outcomes[1].charges)])
    assert unsent == start


def test_SV_145_fees_are_those_of_the_operator_configured_and_of_no_other() -> None:
    """Also SV-133: the setup fee belongs to DIGI mobil."""
    tree = tree_of(EXAMPLE_1)

    def fee(resource: str, mno: str) -> str | None:
        rate = lookup(tree, "sms_messaging", resource, attributes_of(mno=mno))
        return None if rate is None else f"{rate.price_micros / 10**6:.2f} {rate.quantity_rule}"

    assert fee("sender_id_usage_fee", "Vodafone Spain") == "10.00 full_period"
    assert fee("sender_id_usage_fee", "DIGI mobil") == "15.00 full_period"
    assert fee("sender_id_setup_fee", "DIGI mobil") == "50.00 once"
    assert fee("sender_id_setup_fee", "Vodafone Spain") is None
    assert fee("sender_id_usage_fee", "Movistar") is None


def test_SV_287_a_message_over_the_threshold_is_priced_segment_by_segment(till: Till) -> None:
    """Also SV-256."""
    till.send(to("ES", DIGI), 998)
    term = till.term(to("ES", DIGI), 3)
    state, outcomes = charge(till.state, [Reserve((term,)), Capture((term,), (JANUARY,))])
    charged = outcomes[1].charges[0]
    assert charged.net_micros == parse_micros("0.014")
    assert charged.pieces == ((0, 2, 5000), (1, 1, 4000))
    assert charged.counter_position == 998
    assert list(state.counters.values()) == [1001]


def test_ruling_23_the_dearest_step_is_reserved_whatever_the_position(till: Till) -> None:
    """A capture never exceeds its reserve (ruling 23)."""
    till.send(to("IT"), 60_000)
    term = till.term(to("IT"), 2)
    assert term.reserved_micros == parse_micros("0.10")
    assert till.send(to("IT"), 2) == parse_micros("0.06")
    rate = lookup(till.level.sources[0], *till.key, to("IT"))
    assert isinstance(rate, Rate)
    assert rate.dearest_micros == parse_micros("0.05")
