"""What holds for every history of a state: random chains, scales and taxes, cut into batches anywhere."""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.charging.charging_samples import FEBRUARY, JANUARY, flat, tiered

from relais.core.charging.charge import charge, posted, touched
from relais.core.charging.types import (
    Account,
    Capture,
    Captured,
    Charged,
    Event,
    Lacking,
    Outcome,
    Release,
    Reserve,
    Reserved,
    Reverse,
    State,
)
from relais.core.rating.types import Term

of_many = settings(max_examples=60, deadline=None)  # a busy machine is no failure; histories are long, so few suffice
AGREEMENTS = st.integers(1, 4)
TAXES_BP = st.sampled_from([0, 700, 2150, 10_000])


class History(NamedTuple):
    """Events that a correct caller could send, in order, and what became of them one by one."""

    start: State
    events: list[Event]
    states: list[State]  # after each event
    outcomes: list[Outcome]


@st.composite
def terms(draw: st.DrawFn, agreement_id: int, untaxed: bool = False) -> Term:
    units = draw(st.integers(1, 4))
    tax_bp = 0 if untaxed else draw(TAXES_BP)
    if draw(st.booleans()):
        return flat(agreement_id, draw(st.integers(0, 60)), units, tax_bp)
    prices_micros = [draw(st.integers(0, 60)) for _ in range(3)]
    first = draw(st.integers(1, 4))
    steps = [(first, prices_micros[0]), (first + 3, prices_micros[1]), (None, prices_micros[2])]
    return tiered(agreement_id, steps, units, draw(st.sampled_from(["", "a", "b"])), tax_bp)


@st.composite
def chains(draw: st.DrawFn) -> tuple[Term, ...]:
    agreement_ids = draw(st.lists(AGREEMENTS, min_size=1, max_size=4, unique=True))
    return tuple(draw(terms(agreement_id)) for agreement_id in agreement_ids)


@st.composite
def starts(draw: st.DrawFn) -> State:
    accounts = {
        agreement_id: Account(draw(st.integers(0, 400)), 0, draw(st.sampled_from([None, 0, 0, 150])))
        for agreement_id in range(1, 5)
    }
    return State(accounts, {})


def period_starts(part: tuple[Term, ...], period_start: datetime) -> tuple[datetime | None, ...]:
    return tuple(None if term.scale is None else period_start for term in part)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Each step reserves a new chain, settles an open part of one, or reverses a charge made before."""
    start = state = draw(starts())
    history = History(start, [], [], [])
    open_parts: list[tuple[Term, ...]] = []
    charges: list[tuple[Charged, ...]] = []
    for _ in range(draw(st.integers(0, 14))):
        verb = draw(st.sampled_from(["reserve", "reserve", "capture", "capture", "release", "reverse"]))
        event: Event
        if verb == "reverse" and charges:
            event = Reverse(charges.pop(draw(st.integers(0, len(charges) - 1))))
        elif verb in ("capture", "release") and open_parts:
            chain = open_parts.pop(draw(st.integers(0, len(open_parts) - 1)))
            cut = draw(st.integers(1, len(chain)))
            part = chain[:cut]
            if chain[cut:]:
                open_parts.append(chain[cut:])
            when = draw(st.sampled_from([JANUARY, FEBRUARY]))
            event = Capture(part, period_starts(part, when)) if verb == "capture" else Release(part)
        else:
            event = Reserve(draw(chains()))
        state, (outcome,) = charge(state, [event])
        if isinstance(event, Reserve) and isinstance(outcome, Reserved):
            open_parts.append(event.terms)
        if isinstance(outcome, Captured):
            charges.append(outcome.charges)
        history.events.append(event)
        history.states.append(state)
        history.outcomes.append(outcome)
    return history


@of_many
@given(histories(), st.data())
def test_a_batch_may_be_cut_anywhere_with_the_same_result(history: History, data: st.DataObject) -> None:
    state, outcomes = charge(history.start, history.events)
    assert outcomes == history.outcomes
    assert state == (history.states[-1] if history.states else history.start)
    cut = data.draw(st.integers(0, len(history.events)))
    middle, first = charge(history.start, history.events[:cut])
    end, second = charge(middle, history.events[cut:])
    assert (end, first + second) == (state, outcomes)


@of_many
@given(histories())
def test_balances_change_by_what_was_charged_and_refunded_and_by_nothing_else(history: History) -> None:
    """Invariant 1, and the sums that the ledger is posted with."""
    state, outcomes = charge(history.start, history.events)
    captured, refunded, _ = posted(outcomes)
    for agreement_id, account in state.accounts.items():
        change = captured.get(agreement_id, 0) + refunded.get(agreement_id, 0)
        assert account.balance_micros == history.start.accounts[agreement_id].balance_micros + change
        assert account.credit_limit_micros == history.start.accounts[agreement_id].credit_limit_micros


@of_many
@given(histories())
def test_reserved_is_the_sum_of_what_is_not_settled(history: History) -> None:
    """Invariant 1, by counting terms."""
    open_terms: Counter[Term] = Counter()
    for event, outcome in zip(history.events, history.outcomes, strict=True):
        if isinstance(event, Reserve) and isinstance(outcome, Reserved):
            open_terms.update(event.terms)
        elif isinstance(event, Capture | Release):
            open_terms.subtract(event.terms)
    reserved: Counter[int] = Counter()
    for term, count in open_terms.items():
        reserved[term.agreement_id] += count * term.reserved_micros
    state, _ = charge(history.start, history.events)
    assert {agreement_id: account.reserved_micros for agreement_id, account in state.accounts.items()} == {
        agreement_id: reserved[agreement_id] for agreement_id in state.accounts
    }


@of_many
@given(histories())
def test_AG_87_no_balance_ever_goes_below_minus_its_credit_limit(history: History) -> None:
    """Invariant 3, and more: not even when all that is reserved should be captured at once."""
    for state in history.states:
        for account in state.accounts.values():
            assert account.reserved_micros >= 0
            if account.credit_limit_micros is not None:
                assert account.balance_micros - account.reserved_micros >= -account.credit_limit_micros


@of_many
@given(histories())
def test_RSL_42_a_chain_is_reserved_whole_or_not_at_all(history: History) -> None:
    """A refusal changes nothing and names the first level that lacks funds; there is none when all had them."""
    before = history.start
    for event, outcome, state in zip(history.events, history.outcomes, history.states, strict=True):
        if isinstance(event, Reserve):
            lacking = [
                level
                for level, term in enumerate(event.terms)
                if (account := before.accounts[term.agreement_id]).credit_limit_micros is not None
                and term.reserved_micros > 0
                and account.balance_micros - account.reserved_micros + account.credit_limit_micros
                < term.reserved_micros
            ]
            if lacking:
                assert (outcome, state) == (Lacking(lacking[0], event.terms[lacking[0]].agreement_id), before)
            else:
                assert outcome == Reserved()
                for term in event.terms:
                    change = state.accounts[term.agreement_id].reserved_micros
                    assert change - before.accounts[term.agreement_id].reserved_micros == term.reserved_micros
        before = state


@of_many
@given(histories())
def test_ruling_23_a_capture_never_exceeds_its_reservation(history: History) -> None:
    for event, outcome in zip(history.events, history.outcomes, strict=True):
        if isinstance(event, Capture):
            assert isinstance(outcome, Captured)
            for term, charged in zip(event.terms, outcome.charges, strict=True):
                assert 0 <= charged.net_micros + charged.tax_micros <= term.reserved_micros
                assert charged.agreement_id == term.agreement_id


@of_many
@given(histories())
def test_counters_hold_the_units_captured_on_scales(history: History) -> None:
    """SV-253, SV-256: positions are given once, without a gap, and reservations do not count."""
    state, _ = charge(history.start, history.events)
    counted: Counter[object] = Counter()
    for event, outcome in zip(history.events, history.outcomes, strict=True):
        if isinstance(event, Capture) and isinstance(outcome, Captured):
            keys = touched([event]).counter_keys
            by_agreement = {key.agreement_id: key for key in keys}
            for term, charged in zip(event.terms, outcome.charges, strict=True):
                if term.scale is None:
                    assert (charged.pieces, charged.counter_position) == ((), None)
                    continue
                key = by_agreement[term.agreement_id]
                assert charged.counter_position == counted[key]
                assert sum(units for _, units, _ in charged.pieces) == term.units
                counted[key] += term.units
    assert state.counters == counted


@of_many
@given(starts(), st.lists(chains(), max_size=6))
def test_releasing_everything_restores_the_state(start: State, wanted: list[tuple[Term, ...]]) -> None:
    state, outcomes = charge(start, [Reserve(chain) for chain in wanted])
    accepted = [chain for chain, outcome in zip(wanted, outcomes, strict=True) if outcome == Reserved()]
    assert charge(state, [Release(chain) for chain in reversed(accepted)])[0] == start


@of_many
@given(st.lists(terms(1, untaxed=True), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_the_order_of_settlement(batch: list[Term], random: object) -> None:
    """Net sums of one scale are those of its volume, whoever is first; so with one scale a group and no tax."""
    scale = next((term.scale for term in batch if term.scale is not None), None)
    batch = [
        term if term.scale is None else tiered(1, [(s.up_to, s.price_micros) for s in scale.steps], term.units)
        for term in batch
    ]
    shuffled = list(batch)
    random.shuffle(shuffled)
    start, _ = charge(State({1: Account(0, 0, None)}, {}), [Reserve((term,)) for term in batch])

    def settle(order: list[Term]) -> State:
        return charge(start, [Capture((term,), period_starts((term,), JANUARY)) for term in order])[0]

    assert settle(batch) == settle(shuffled)


@of_many
@given(histories())
def test_the_state_given_is_never_changed(history: History) -> None:
    accounts, counters = dict(history.start.accounts), dict(history.start.counters)
    charge(history.start, history.events)
    assert (history.start.accounts, history.start.counters) == (accounts, counters)


@of_many
@given(histories())
def test_what_is_touched_is_enough_to_charge_by(history: History) -> None:
    """A state cut down to the rows that `touched` names gives the same outcomes."""
    agreement_ids, keys, _, _ = touched(history.events)
    assert agreement_ids == sorted(agreement_ids)
    assert keys == sorted(keys)
    few = State({agreement_id: history.start.accounts[agreement_id] for agreement_id in agreement_ids}, {})
    state, outcomes = charge(few, history.events)
    assert outcomes == history.outcomes
    assert set(state.counters) <= set(keys)
