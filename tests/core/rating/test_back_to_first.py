"""Scales that recalculate the whole period: corrections, what is set aside for them, and what is paid back."""

from tests.core.rating.rating_samples import AGREEMENT, FEBRUARY, JANUARY, SMS, Shape, Till, to, tree_of

from relais.core.charging.charge import charge, posted, touched
from relais.core.charging.types import (
    Account,
    Capture,
    Choose,
    Chosen,
    CounterKey,
    Hold,
    Lacking,
    Release,
    Reverse,
    State,
)
from relais.core.money import parse_micros
from relais.core.rating.message import Offer, Option
from relais.core.rating.types import Term
from relais.core.refusals import Refusal


def till_of(steps: list[tuple[int | None, str]], group: list[str] | None = None, tax_bp: int = 0) -> Till:
    shape: Shape = {"kind": "back_to_first", "steps": steps, "group": group}
    return Till(tree_of({SMS: shape}), tax_bp=tax_bp)


def spent_after(till: Till, *batches: int, sender_id: str = "1") -> list[int]:
    spent = []
    for segments in batches:
        till.send(to("ES", sender_id=sender_id), segments)
        spent.append(till.spent_micros)
    return spent


def choosing(term: Term) -> Choose:
    return Choose(((Offer((Option(term),), Refusal.RATE_NOT_FOUND),),), "1")


def test_SV_91_SV_92_SV_93_the_whole_volume_has_the_price_of_the_last_step() -> None:
    assert spent_after(till_of([(1000, "1"), (None, "2")]), 1000, 1, 49) == [
        parse_micros(amount) for amount in ("1000", "2002", "2100")
    ]


def test_SV_144_a_lower_price_makes_a_credit() -> None:
    falling: list[tuple[int | None, str]] = [(1000, "0.005"), (None, "0.004")]
    assert spent_after(till_of(falling), 1000, 1, 49) == [parse_micros(each) for each in ("5.000", "4.004", "4.200")]


def test_SV_255_one_correcting_entry_says_what_earlier_units_cost_more() -> None:
    till = till_of([(1000, "1"), (None, "2")], tax_bp=2100)
    till.send(to("ES"), 1000)
    term = till.term(to("ES"), 3)
    till.state, outcomes = charge(till.state, [choosing(term), Capture((term,), (JANUARY,))])
    (charged,) = outcomes[1].charges
    assert charged.pieces == ((1, 3, 2_000_000),)
    assert (charged.net_micros, charged.tax_micros) == (6_000_000, 1_260_000)
    assert (charged.correction_net_micros, charged.correction_tax_micros) == (1_000_000_000, 210_000_000)
    assert posted(outcomes).corrected == {AGREEMENT: -1_210_000_000}
    assert till.spent_micros == parse_micros("2427.26")


def test_SV_98_groups_are_corrected_on_their_own() -> None:
    till = till_of([(10, "1"), (None, "2")], ["sender_id"])
    assert spent_after(till, 10, sender_id="1") == [parse_micros("10")]
    assert spent_after(till, 10, sender_id="2") == [parse_micros("20")]
    assert spent_after(till, 1, sender_id="1") == [parse_micros("32")]


def test_SV_253_a_new_period_begins_at_the_first_step() -> None:
    till = till_of([(10, "1"), (None, "2")])
    till.send(to("ES"), 11)
    till.send(to("ES"), 10, FEBRUARY)
    assert till.spent_micros == parse_micros("32")


def test_SV_256_the_unit_that_would_pass_a_threshold_reserves_the_correction_whoever_is_billed_first() -> None:
    """The credit is there for it, also when the messages are settled the other way round."""
    till = till_of([(10, "1"), (None, "2")])
    till.send(to("ES"), 9)
    start = State({AGREEMENT: Account(-till.spent_micros, 0, parse_micros("22"))}, till.state.counters)
    tenth, eleventh = till.term(to("ES")), till.term(to("ES"))
    state, _ = charge(start, [choosing(tenth)])
    assert state.accounts[AGREEMENT].reserved_micros == parse_micros("2")
    state, outcomes = charge(state, [choosing(eleventh)])
    assert outcomes == [Lacking(0, AGREEMENT)]  # 9 spent, 2 + 2 reserved, 10 more for the threshold: 23 of 22
    start = State({AGREEMENT: Account(-till.spent_micros, 0, parse_micros("23"))}, till.state.counters)
    state, _ = charge(start, [choosing(tenth), choosing(eleventh)])
    assert state.accounts[AGREEMENT].reserved_micros == parse_micros("14")
    key = CounterKey(AGREEMENT, 1, "", JANUARY)
    assert state.holds == {key: Hold(2, 0, parse_micros("10"))}
    assert touched([choosing(tenth)]).counter_keys == [key]
    state, _ = charge(state, [Capture((eleventh,), (JANUARY,)), Capture((tenth,), (JANUARY,))])
    assert state.accounts[AGREEMENT] == Account(-parse_micros("22"), 0, parse_micros("23"))
    assert state.holds == {key: Hold()}


def test_SV_256_at_the_threshold_the_next_unit_needs_the_correction_of_all_before_it() -> None:
    till = till_of([(10, "1"), (None, "2")])
    till.send(to("ES"), 10)
    term = till.term(to("ES"))
    for credit, outcome in (("21.999999", Lacking(0, AGREEMENT)), ("22", Chosen((term,)))):
        start = State({AGREEMENT: Account(-parse_micros("10"), 0, parse_micros(credit))}, till.state.counters)
        assert charge(start, [choosing(term)])[1] == [outcome]


def test_SV_256_a_message_that_does_not_go_gives_the_correction_back() -> None:
    till = till_of([(10, "1"), (None, "2")])
    till.send(to("ES"), 10)
    before = till.state
    term = till.term(to("ES"))
    state, _ = charge(before, [choosing(term), Release((term,))])
    assert state.accounts == before.accounts


def test_SV_257_unsent_later_costs_nothing_though_its_price_was_corrected_since() -> None:
    """Its place in the volume stays (SV-254): 11 counted, 10 of them charged at the price of today."""
    for prices in (("1", "2"), ("2", "1")):
        till = till_of([(10, prices[0]), (None, prices[1])])
        term = till.term(to("ES"))
        till.state, outcomes = charge(till.state, [choosing(term), Capture((term,), (JANUARY,))])
        spent_after(till, 9, 1)
        till.state, refund = charge(till.state, [Reverse(outcomes[1].charges, (term,))])
        assert refund[0].charges[0].net_micros == -parse_micros(prices[0])
        assert till.spent_micros == 10 * parse_micros(prices[1])
        assert [hold.void for hold in till.state.holds.values()] == [1]


def test_a_second_threshold_does_not_charge_again_what_was_paid_back() -> None:
    till = till_of([(2, "1"), (4, "2"), (None, "5")])
    term = till.term(to("ES"))
    till.state, outcomes = charge(till.state, [choosing(term), Capture((term,), (JANUARY,))])
    till.state, _ = charge(till.state, [Reverse(outcomes[1].charges, (term,))])
    assert spent_after(till, 1, 1, 1, 1) == [parse_micros(each) for each in ("1", "4", "6", "20")]
