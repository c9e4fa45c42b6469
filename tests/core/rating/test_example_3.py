"""Example 3 of the specification: RCS, billed on delivery by what the message is."""

from datetime import timedelta

import pytest
from tests.core.rating.rating_samples import AGREEMENT, JANUARY, attributes_of, rows_of, tree_of

from relais.core.charging.charge import charge
from relais.core.charging.types import Account, Capture, Captured, Release, Reserve, Reverse, State
from relais.core.money import parse_micros
from relais.core.rating.message import Level, rate_message
from relais.core.rating.problems import problems
from relais.core.rating.rcs import billing_event, forms_sessions, in_session, session_opened_at
from relais.core.rating.types import Term
from relais.core.refusals import Refusal

RCS = ("rcs_messaging", "rcs_message")
HOUR = timedelta(hours=1)


def example(single_spain: str) -> dict[tuple[str, str], object]:
    return {
        RCS: {
            "billing_rule": "delivered",
            "quantity_rule": "messages",
            "by": "billing_event",
            "is": {
                "basic": {"by": "country", "is": {"ES": "0.04", "IT": "0.05", "FR": "0.034"}},
                "conversation": {"by": "country", "is": {"ES": "0.08", "IT": "0.088", "FR": "0.09"}},
                "single": {"by": "country", "is": {"ES": single_spain, "IT": "0.089", "FR": "1"}},
                "others": "1.5",
            },
        }
    }


TREE = tree_of(example("0.93"))
LEVEL = Level(AGREEMENT, 0, (TREE,))


def term(event: str, country: str, level: Level = LEVEL) -> Term:
    rated = rate_message(level, *RCS, attributes_of(billing_event=event, country=country), 7)
    assert isinstance(rated, Term)
    return rated


def test_SV_185_to_SV_188_the_example_can_be_saved_as_it_stands() -> None:
    assert problems(rows_of(example("0.93"))) == []
    assert term("basic", "ES").units == 1
    assert term("basic", "ES").delivered


def test_SV_180_SV_189_SV_282_240_characters_are_basic_and_241_are_single() -> None:
    assert (billing_event("x" * 240), billing_event("x" * 241)) == ("basic", "single")
    assert billing_event("\U0001f600" * 240) == "basic"
    assert billing_event("Hello", rich=True) == "single"
    assert term(billing_event("x" * 240), "ES").reserved_micros == parse_micros("0.04")
    assert term(billing_event("x" * 241), "ES").reserved_micros == parse_micros("0.93")


def test_SV_183_the_price_of_single_in_spain_is_a_fixture() -> None:
    second = Level(AGREEMENT, 0, (tree_of(example("0.093")),))
    assert term("single", "ES", second).reserved_micros == parse_micros("0.093")


@pytest.mark.parametrize(("country", "amount"), [("IT", "5.00"), ("FR", "3.40")])
def test_SV_190_a_hundred_delivered_basic_messages(country: str, amount: str) -> None:
    state = State({AGREEMENT: Account(0, 0, None)}, {})
    for _ in range(100):
        basic = term("basic", country)
        state, _ = charge(state, [Reserve((basic,)), Capture((basic,))])
    lost = term("basic", country)
    state, _ = charge(state, [Reserve((lost,)), Release((lost,))])
    assert state.accounts[AGREEMENT] == Account(-parse_micros(amount), 0, None)


def test_SV_192_SV_193_others_is_for_other_events_not_for_other_countries() -> None:
    assert term("carousel", "DE").reserved_micros == parse_micros("1.50")
    assert rate_message(LEVEL, *RCS, attributes_of(billing_event="basic", country="DE"), 1) is Refusal.RATE_NOT_FOUND


def test_SV_283_a_session_is_opened_by_what_the_recipient_wrote_and_lasts_24_hours() -> None:
    assert session_opened_at(JANUARY, None, None) is None
    assert session_opened_at(JANUARY, JANUARY - 24 * HOUR, None) is None
    opened = session_opened_at(JANUARY, JANUARY - 23 * HOUR, None)
    assert opened == JANUARY
    assert session_opened_at(JANUARY + 23 * HOUR, None, opened) == JANUARY
    assert session_opened_at(JANUARY + 24 * HOUR, None, opened) is None
    later = JANUARY + 30 * HOUR
    assert session_opened_at(later, later - HOUR, opened) == later
    assert forms_sessions(TREE, attributes_of(country="IT"))
    assert not forms_sessions(tree_of({RCS: "1"}), attributes_of(country="IT"))


def test_SV_191_a_session_costs_once_with_its_first_delivered_message() -> None:
    """Also SV-278. Whichever is delivered first; one that never is costs nothing; the next session costs anew."""
    first, second = (in_session(term("conversation", "IT"), "9", opened) for opened in (JANUARY, JANUARY + 24 * HOUR))
    state = State({AGREEMENT: Account(parse_micros("1"), 0, 0)}, {})
    state, _ = charge(state, [Reserve((first,))] * 3 + [Release((first,))])
    assert state.accounts[AGREEMENT].reserved_micros == parse_micros("0.176")
    state, outcomes = charge(state, [Capture((first,), None, "39")] * 2)
    assert [outcome.charges[0].net_micros for outcome in outcomes if isinstance(outcome, Captured)] == [88_000, 0]
    other, _ = charge(state, [Reserve((first,)), Capture((first,), None, "34")])
    assert other.accounts[AGREEMENT].balance_micros == parse_micros("0.824")
    state, outcomes = charge(state, [Reserve((second,)), Capture((second,), None, "39")])
    assert state.accounts[AGREEMENT] == Account(parse_micros("0.824"), 0, 0)
    assert isinstance(outcomes[1], Captured)
    state, _ = charge(state, [Reverse(outcomes[1].charges, (second,))])
    assert state.accounts[AGREEMENT] == Account(parse_micros("0.912"), 0, 0)
