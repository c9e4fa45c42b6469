"""The bench gate can fail, and noise alone does not make it."""

import pytest
from bench.gate import Round, judge, kept, typical

RECORDED = Round(wal_octets_per_message=1000, python_us_per_message=300, pace_us=200)


def test_figures_like_the_record_hold() -> None:
    assert judge([RECORDED], RECORDED).holds


@pytest.mark.parametrize(("python_us", "holds"), [(420, True), (421, False), (480, False)])
def test_python_microseconds_may_grow_by_40_percent(python_us: float, holds: bool) -> None:
    verdict = judge([Round(1000, python_us, 200)], RECORDED)
    assert verdict.holds is holds
    assert ("GREW" in verdict.lines[1]) is not holds


@pytest.mark.parametrize(("wal_octets", "holds"), [(1150, True), (1151, False)])
def test_wal_octets_may_grow_by_15_percent_whatever_the_pace(wal_octets: float, holds: bool) -> None:
    assert judge([Round(wal_octets, 900, 600)], RECORDED).holds is holds


def test_a_machine_at_half_the_pace_may_take_twice_as_long() -> None:
    assert judge([Round(1000, 600, 400)], RECORDED).holds
    assert not judge([Round(1000, 900, 400)], RECORDED).holds


def test_a_fast_machine_does_not_hide_a_regression() -> None:
    assert not judge([Round(1000, 240, 100)], RECORDED).holds


def test_one_quiet_round_among_noisy_ones_is_enough_and_none_is_not() -> None:
    assert judge([Round(1000, 600, 200), Round(1000, 500, 200), Round(1000, 400, 200)], RECORDED).holds
    assert not judge([Round(1000, 480, 200)] * 4, RECORDED).holds


def test_what_is_recorded_is_the_typical_round() -> None:
    rounds = [Round(1010, 200, 200), Round(1000, 330, 220), Round(1020, 400, 200), Round(1030, 900, 210)]
    assert typical(rounds) == Round(1015, 359, 205)


def test_the_record_can_be_read() -> None:
    assert all(figure > 0 for figure in kept())
