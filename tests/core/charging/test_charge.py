"""Reserve, capture, release, reverse: what each does to the accounts of a chain."""

import pytest
from tests.core.charging.charging_samples import CLIENT, FEBRUARY, JANUARY, OWNER, RESELLER, flat, prepaid, tiered

from relais.core.charging.charge import charge, posted, touched
from relais.core.charging.types import (
    Account,
    Capture,
    Captured,
    Charged,
    CounterKey,
    Event,
    Lacking,
    Outcome,
    Release,
    Released,
    Reserve,
    Reserved,
    Reverse,
    Reversed,
    State,
)

CHAIN = (flat(CLIENT, 40_000), flat(RESELLER, 30_000))
STEPS = [(1000, 5000), (None, 4000)]


def after(state: State, *events: Event) -> State:
    return charge(state, events)[0]


def outcomes(state: State, *events: Event) -> list[Outcome]:
    return charge(state, events)[1]


def test_a_reservation_stands_at_every_level_and_moves_no_balance() -> None:
    state, (outcome,) = charge(prepaid(client=100_000, reseller=30_000), [Reserve(CHAIN)])
    assert outcome == Reserved()
    assert state.accounts == {CLIENT: Account(100_000, 40_000, 0), RESELLER: Account(30_000, 30_000, 0)}


@pytest.mark.parametrize(
    ("balances", "level"),
    [
        ({"client": 39_999, "reseller": 30_000, "owner": 20_000}, 0),
        ({"client": 40_000, "reseller": 29_999, "owner": 20_000}, 1),
        ({"client": 40_000, "reseller": 30_000, "owner": 19_999}, 2),
        ({"client": 0, "reseller": 0, "owner": 0}, 0),
    ],
)
def test_RSL_42_a_level_that_lacks_funds_stops_the_whole_chain(balances: dict[str, int], level: int) -> None:
    """Also SV-246: nothing is set aside anywhere."""
    state = prepaid(**balances)
    chain = (*CHAIN, flat(OWNER, 20_000))
    next_state, result = charge(state, [Reserve(chain)])
    assert result == [Lacking(level, chain[level].agreement_id)]
    assert next_state == state


def test_AG_87_the_last_micro_may_be_spent_and_not_one_more() -> None:
    state = prepaid(client=80_000)
    term = flat(CLIENT, 40_000)
    assert outcomes(state, *[Reserve((term,))] * 3) == [Reserved(), Reserved(), Lacking(0, CLIENT)]


def test_WC_11_WC_19_WC_27_credit_must_cover_the_whole_message_and_a_rejection_gives_it_back() -> None:
    """One SMS to Germany at 0.15425."""
    term = flat(CLIENT, 154_250)
    lacking, outcomes = charge(prepaid(client=150_000), [Reserve((term,))])
    assert (lacking, outcomes) == (prepaid(client=150_000), [Lacking(0, CLIENT)])
    sent, _ = charge(prepaid(client=160_000), [Reserve((term,)), Capture((term,))])
    assert sent == prepaid(client=5_750)
    rejected, _ = charge(prepaid(client=160_000), [Reserve((term,)), Release((term,))])
    assert rejected == prepaid(client=160_000)


def test_AG_87_credit_extends_what_is_available() -> None:
    state = State({CLIENT: Account(10_000, 0, 30_000)}, {})
    state, result = charge(state, [Reserve((flat(CLIENT, 40_000),)), Reserve((flat(CLIENT, 1),))])
    assert result == [Reserved(), Lacking(0, CLIENT)]
    assert after(state, Capture((flat(CLIENT, 40_000),))).accounts[CLIENT] == Account(-30_000, 0, 30_000)


def test_AG_87_with_a_blank_limit_money_never_stops_traffic() -> None:
    state = State({CLIENT: Account(-(10**9), 0, None)}, {})
    assert outcomes(state, Reserve((flat(CLIENT, 10**12),))) == [Reserved()]


def test_AG_87_what_costs_nothing_at_a_level_is_not_stopped_for_money_there() -> None:
    state = State({CLIENT: Account(-5, 0, 0), RESELLER: Account(30_000, 0, 0)}, {})
    assert outcomes(state, Reserve((flat(CLIENT, 0), flat(RESELLER, 30_000)))) == [Reserved()]
    assert outcomes(state, Reserve((flat(RESELLER, 30_000), flat(CLIENT, 1)))) == [Lacking(1, CLIENT)]


def test_one_agreement_at_two_levels_pays_for_both_or_for_none() -> None:
    chain = (flat(CLIENT, 40_000), flat(CLIENT, 40_000))
    assert outcomes(prepaid(client=79_999), Reserve(chain)) == [Lacking(1, CLIENT)]
    assert after(prepaid(client=79_999), Reserve(chain)) == prepaid(client=79_999)
    assert outcomes(prepaid(client=80_000), Reserve(chain)) == [Reserved()]


def test_a_capture_turns_the_reservation_into_a_charge() -> None:
    """Also SV-257."""
    state, result = charge(prepaid(client=100_000, reseller=30_000), [Reserve(CHAIN), Capture(CHAIN)])
    assert state.accounts == {CLIENT: Account(60_000, 0, 0), RESELLER: Account(0, 0, 0)}
    assert result[1] == Captured((Charged(CLIENT, 40_000, 0), Charged(RESELLER, 30_000, 0)))


def test_SV_288_tax_is_charged_beside_the_net_amount() -> None:
    term = flat(CLIENT, 33_333, units=3, tax_bp=2150)
    state, result = charge(prepaid(client=200_000), [Reserve((term,)), Capture((term,))])
    assert result[1] == Captured((Charged(CLIENT, 99_999, 21_500),))
    assert state.accounts[CLIENT] == Account(78_501, 0, 0)


def test_levels_with_different_billing_rules_are_captured_apart() -> None:
    state = after(prepaid(client=100_000, reseller=30_000), Reserve(CHAIN), Capture(CHAIN[1:]))
    assert state.accounts == {CLIENT: Account(100_000, 40_000, 0), RESELLER: Account(0, 0, 0)}
    assert after(state, Release(CHAIN[:1])).accounts == {CLIENT: Account(100_000, 0, 0), RESELLER: Account(0, 0, 0)}


def test_a_release_restores_what_was_before() -> None:
    state = prepaid(client=100_000, reseller=30_000)
    next_state, result = charge(state, [Reserve(CHAIN), Release(CHAIN)])
    assert next_state == state
    assert result == [Reserved(), Released()]


def test_what_is_released_can_be_reserved_again_in_the_same_batch() -> None:
    state = prepaid(client=40_000, reseller=30_000)
    events = [Reserve(CHAIN), Reserve(CHAIN), Release(CHAIN), Reserve(CHAIN)]
    assert outcomes(state, *events) == [Reserved(), Lacking(0, CHAIN[0].agreement_id), Released(), Reserved()]


def test_SV_257_a_reversal_pays_back_exactly_what_was_charged() -> None:
    term = tiered(CLIENT, STEPS, units=3, tax_bp=2100)
    key = CounterKey(CLIENT, 201, "", JANUARY)
    start = State({CLIENT: Account(100_000, 0, 0)}, {key: 998})
    state, result = charge(start, [Reserve((term,)), Capture((term,), (JANUARY,))])
    assert isinstance(result[1], Captured)
    assert result[1].charges == (Charged(CLIENT, 14_000, 2940, ((0, 2, 5000), (1, 1, 4000)), 998, JANUARY),)
    state, refund = charge(state, [Reverse(result[1].charges)])
    assert refund == [Reversed((Charged(CLIENT, -14_000, -2940, ((0, -2, 5000), (1, -1, 4000)), None, JANUARY),))]
    assert state.accounts == start.accounts
    assert state.counters == {key: 1001}


def test_SV_254_two_messages_of_a_batch_never_have_the_same_position() -> None:
    term = tiered(CLIENT, [(2, 5000), (None, 4000)])
    events = [Reserve((term,))] * 4 + [Capture((term,), (JANUARY,))] * 4
    state, result = charge(prepaid(client=100_000), events)
    captured = [outcome.charges[0] for outcome in result if isinstance(outcome, Captured)]
    assert [(charged.counter_position, charged.net_micros) for charged in captured] == [
        (0, 5000),
        (1, 5000),
        (2, 4000),
        (3, 4000),
    ]
    assert state.accounts[CLIENT] == Account(82_000, 0, 0)


def test_SV_253_counters_go_by_agreement_node_group_and_period() -> None:
    terms = [tiered(CLIENT, STEPS, group="1"), tiered(CLIENT, STEPS, group="2"), tiered(RESELLER, STEPS, group="1")]
    events: list[Event] = []
    for term in terms:
        for period_start in (JANUARY, FEBRUARY):
            events += [Reserve((term,)), Capture((term,), (period_start,))]
    state = after(prepaid(client=10**6, reseller=10**6), *events)
    assert state.counters == {
        CounterKey(agreement_id, 200 + agreement_id, group, period_start): 1
        for agreement_id, group in [(CLIENT, "1"), (CLIENT, "2"), (RESELLER, "1")]
        for period_start in (JANUARY, FEBRUARY)
    }


def test_ruling_21_volume_counts_in_the_period_of_the_billing_moment() -> None:
    """Also SV-256: reserved in one period, captured at the real price of the next."""
    term = tiered(CLIENT, [(1, 5000), (None, 4000)])
    state = State({CLIENT: Account(10_000, 0, 0)}, {CounterKey(CLIENT, 201, "", JANUARY): 7})
    assert after(state, Reserve((term,)), Capture((term,), (JANUARY,))).accounts[CLIENT].balance_micros == 6000
    assert after(state, Reserve((term,)), Capture((term,), (FEBRUARY,))).accounts[CLIENT].balance_micros == 5000


def test_a_chain_can_be_of_any_length() -> None:
    chain = tuple(flat(agreement_id, agreement_id) for agreement_id in range(1, 41))
    state = State({agreement_id: Account(agreement_id, 0, 0) for agreement_id in range(1, 41)}, {})
    assert all(
        account == Account(0, 0, 0) for account in after(state, Reserve(chain), Capture(chain)).accounts.values()
    )
    assert outcomes(state, Reserve((*chain[:-1], flat(40, 41)))) == [Lacking(39, 40)]


def test_the_state_given_is_not_changed() -> None:
    accounts = {CLIENT: Account(100_000, 0, 0)}
    counters = {CounterKey(CLIENT, 201, "", JANUARY): 5}
    term = tiered(CLIENT, STEPS)
    charge(State(accounts, counters), [Reserve((term,)), Capture((term,), (JANUARY,))])
    assert accounts == {CLIENT: Account(100_000, 0, 0)}
    assert counters == {CounterKey(CLIENT, 201, "", JANUARY): 5}


def test_an_empty_batch_changes_nothing() -> None:
    state = prepaid(client=1)
    assert charge(state, []) == (state, [])


@pytest.mark.parametrize("event", [Capture(CHAIN), Release(CHAIN)])
def test_what_was_never_reserved_cannot_be_captured_or_released(event: Event) -> None:
    with pytest.raises(AssertionError, match="more is captured or released than was reserved"):
        charge(prepaid(client=10**6, reseller=10**6), [event])


def test_a_capture_above_its_reservation_is_a_fault() -> None:
    dear = flat(CLIENT, 50_000)
    cheap = flat(CLIENT, 40_000)
    wrong = type(dear)(CLIENT, 1, 1, dear.unit_price_micros, cheap.reserved_micros, 0, False, None, "")
    with pytest.raises(AssertionError, match="a capture exceeds its reservation"):
        charge(prepaid(client=10**6), [Reserve((wrong,)), Capture((wrong,))])


def test_a_scale_without_its_billing_period_is_a_fault() -> None:
    term = tiered(CLIENT, STEPS)
    with pytest.raises(AssertionError, match="a scale is captured in a billing period"):
        charge(prepaid(client=10**6), [Reserve((term,)), Capture((term,))])


def test_an_agreement_that_is_not_in_the_state_is_a_fault() -> None:
    with pytest.raises(KeyError):
        charge(prepaid(client=10**6), [Reserve(CHAIN)])


def test_what_is_to_be_locked_is_named_in_one_order() -> None:
    scaled = tiered(RESELLER, STEPS, group="9")
    events: list[Event] = [
        Reserve((flat(OWNER, 1), flat(CLIENT, 1))),
        Capture((scaled, flat(CLIENT, 1)), (JANUARY, None)),
        Release((flat(CLIENT, 1),)),
        Reverse((Charged(8, 1, 0),)),
        Reserve((tiered(CLIENT, STEPS),)),
    ]
    assert touched(events) == ([CLIENT, RESELLER, OWNER, 8], [CounterKey(RESELLER, 202, "9", JANUARY)], [], [])


def test_posted_sums_are_the_changes_of_the_balances() -> None:
    free = flat(OWNER, 0)
    state = prepaid(client=10**6, reseller=10**6, owner=0)
    chain = (*CHAIN, free)
    middle, result = charge(state, [Reserve(chain), Reserve(chain), Capture(chain), Capture(chain)])
    assert posted(result) == ({CLIENT: -80_000, RESELLER: -60_000}, {}, {})
    assert isinstance(result[2], Captured)
    _, refund = charge(middle, [Reverse(result[2].charges)])
    assert posted(refund) == ({}, {CLIENT: 40_000, RESELLER: 30_000}, {})
