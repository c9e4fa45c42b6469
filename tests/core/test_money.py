"""Money at its edges: exact text, and the two places where it is rounded."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relais.core.money import MICROS, add_tax, format_micros, parse_micros, round_to_minor

AMOUNTS = st.integers(-(10**18), 10**18)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0.04", 40_000),
        ("12", 12 * MICROS),
        ("-0.000001", -1),
        ("+1.500000", 1_500_000),
        ("007.10", 7_100_000),
        ("-0", 0),
    ],
)
def test_an_amount_is_read_exactly(text: str, micros: int) -> None:
    assert parse_micros(text) == micros


@pytest.mark.parametrize(
    "text", ["", ".5", "1.", "1.0000000", "1,5", "1 000", "1e3", " 1", "1\n", "--1", "NaN", "٣", "1.٣", "0x1", "1_000"]
)
def test_what_is_not_exactly_an_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_micros(text)


@given(AMOUNTS)
def test_text_of_an_amount_reads_back_as_the_same(micros: int) -> None:
    assert parse_micros(format_micros(micros)) == micros


@pytest.mark.parametrize(
    ("micros", "decimals", "text"),
    [
        (40_000, 6, "0.040000"),
        (40_000, 2, "0.04"),
        (5_000, 2, "0.01"),
        (-5_000, 2, "-0.01"),
        (-4_999, 2, "0.00"),
        (1_500_000, 0, "2"),
        (-1_234_567, 3, "-1.235"),
    ],
)
def test_an_amount_is_written_with_the_decimals_asked_for(micros: int, decimals: int, text: str) -> None:
    assert format_micros(micros, decimals) == text


@given(AMOUNTS, st.integers(0, 6))
def test_rounding_to_minor_units_is_half_up_as_decimals_do_it(micros: int, minor_units: int) -> None:
    expected = Decimal(micros).scaleb(-6).quantize(Decimal(1).scaleb(-minor_units), ROUND_HALF_UP)
    assert round_to_minor(micros, minor_units) == int(expected.scaleb(6))


@given(AMOUNTS, st.integers(0, 6))
def test_rounding_a_reversal_reverses_the_rounding(micros: int, minor_units: int) -> None:
    assert round_to_minor(-micros, minor_units) == -round_to_minor(micros, minor_units)


@given(AMOUNTS, st.integers(0, 10_000))
def test_tax_is_the_percentage_rounded_half_up_to_a_micro(net_micros: int, tax_bp: int) -> None:
    expected = (Decimal(net_micros) * tax_bp / 10_000).quantize(Decimal(1), ROUND_HALF_UP)
    assert add_tax(net_micros, tax_bp) == int(expected)


def test_21_percent_of_4_cents_is_8400_micros() -> None:
    assert add_tax(40_000, 2_100) == 8_400


@pytest.mark.parametrize("tax_bp", [-1, 10_001])
def test_AG_98_a_tax_outside_0_to_100_percent_is_refused(tax_bp: int) -> None:
    with pytest.raises(ValueError, match="basis points"):
        add_tax(1, tax_bp)


@pytest.mark.parametrize("minor_units", [-1, 7])
def test_a_currency_of_impossible_decimals_is_refused(minor_units: int) -> None:
    with pytest.raises(ValueError, match="decimals"):
        round_to_minor(1, minor_units)
