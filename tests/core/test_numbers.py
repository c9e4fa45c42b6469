"""Numbers as people write them, and the plan that says whose they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relais.core.numbers import CallingCode, NumberPlan, Range, normalise

VODAFONE, OTHER = Range("ES", 1), Range("ES", 2)
CALLING_CODES = [
    CallingCode("34", "ES", True, (9,)),
    CallingCode("7", "RU", True, (10,)),
    CallingCode("7", "KZ", False, (10, 11)),
]
PLAN = NumberPlan(
    {"346": VODAFONE, "34612": OTHER, "77": Range("KZ", None), "799": Range("XX", 9), "88213": Range("YY", None)},
    CALLING_CODES,
)


@pytest.mark.parametrize(
    "text",
    ["34600000000", "+34600000000", "0034600000000", "+34 600 00-00-00", "(+34) 600.000.000", " 00 34 600000000 "],
)
def test_a_number_is_read_however_it_is_punctuated(text: str) -> None:
    assert normalise(text) == "34600000000"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "00",
        "600 CALL ME",
        "+34+600000000",
        "34/600000000",
        "++34600000000",
        "0600000000",
        "+0034600000000",
        "000346000000",
        "123456",
        "1234567890123456",
        "٣٤٦٠٠٠٠٠٠٠٠",
        "34600²00000",
        "34600\u00a0000000",
        "34600000000\n",
        "34600000\x00000",
    ],
)
def test_what_is_not_a_number_of_any_country_is_none(text: str) -> None:
    assert normalise(text) is None


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_digits_stay_what_they_are(digits: str) -> None:
    assert normalise(digits) == normalise("+" + digits) == normalise("00" + digits) == digits


@given(st.text("0123456789+-(). a", max_size=20))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text)
    assert once is None or normalise(once) == once


def test_the_longest_prefix_wins() -> None:
    assert PLAN.resolve("34611000000") is VODAFONE
    assert PLAN.resolve("34612000000") is OTHER


def test_a_number_that_no_prefix_knows_is_of_the_calling_codes_main_country() -> None:
    assert PLAN.resolve("34911000000") == Range("ES", None)
    assert PLAN.resolve("79031234567") == Range("RU", None)


@pytest.mark.parametrize("digits", ["3460000000", "346000000000", "7903123456", "790312345678", "9991234567", "0"])
def test_a_number_of_an_impossible_length_or_calling_code_is_none(digits: str) -> None:
    assert PLAN.resolve(digits) is None


def test_each_country_of_a_shared_calling_code_has_its_own_lengths() -> None:
    assert PLAN.resolve("770012345678") == Range("KZ", None)
    assert PLAN.resolve("790312345678") is None


def test_a_prefix_given_to_a_country_without_the_calling_code_takes_any_length_of_that_code() -> None:
    assert PLAN.resolve("79912345678") == Range("XX", 9)
    assert PLAN.resolve("799123456789") == Range("XX", 9)
    assert PLAN.resolve("7991234567") is None


def test_a_prefix_outside_every_calling_code_is_taken_at_its_word() -> None:
    assert PLAN.resolve("8821312345") == Range("YY", None)
    assert PLAN.resolve("8821412345") is None


def test_an_empty_plan_knows_nobody() -> None:
    assert NumberPlan({}, []).resolve("34600000000") is None
