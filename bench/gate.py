"""The gate against regressions: rounds of a load compared with the recorded figures.

A busy machine makes a round dearer, never cheaper, and not by the same amount twice. So the Python microseconds of a
round count in units of the machine's pace at that very time (`bench/pace.py`), the cheapest of `ROUNDS_MAX` rounds
decides, and the record is a typical round, not the best. Code that got slower is slower in each of them.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

RECORDED = Path(__file__).parent / "recorded.json"
ROUNDS_MAX = 4
WAL_GROWTH_MAX, PYTHON_GROWTH_MAX = 1.15, 1.40


class Round(NamedTuple):
    """What a message cost in one round; `pace_us` is the pace around it. A record has the same shape."""

    wal_octets_per_message: float
    python_us_per_message: float
    pace_us: float


class Verdict(NamedTuple):
    """`lines` say for each figure how it compares."""

    holds: bool
    lines: list[str]


def judge(rounds: Sequence[Round], recorded: Round) -> Verdict:
    """Holds when the lowest figures of `rounds` exceed the record by no more than is allowed. Microseconds are scaled to
    the pace of the record."""
    holds, lines = True, []
    for name, of_rounds, record, growth_max in (
        (
            "WAL octets",
            [each.wal_octets_per_message for each in rounds],
            recorded.wal_octets_per_message,
            WAL_GROWTH_MAX,
        ),
        (
            "Python µs",
            [_scaled_us(each, recorded) for each in rounds],
            recorded.python_us_per_message,
            PYTHON_GROWTH_MAX,
        ),
    ):
        growth = min(of_rounds) / record
        within = growth <= growth_max
        told = ", ".join(f"{figure:.0f}" for figure in of_rounds)
        lines.append(
            f"{name} a message: {told}; recorded {record:.0f}; {growth:.2f} of it, {growth_max:.2f} allowed:"
            f" {'kept' if within else 'GREW'}"
        )
        holds = holds and within
    return Verdict(holds, lines)


def typical(rounds: Sequence[Round]) -> Round:
    """The round to record: medians of WAL, pace, and of microseconds at that pace."""
    pace_us = median(each.pace_us for each in rounds)
    python_us = median(each.python_us_per_message / each.pace_us for each in rounds) * pace_us
    return Round(round(median(each.wal_octets_per_message for each in rounds)), round(python_us), round(pace_us))


def kept() -> Round:
    """The record."""
    return Round(**json.loads(RECORDED.read_text(encoding="utf-8")))


def keep(rounds: Sequence[Round]) -> None:
    """Record these rounds."""
    RECORDED.write_text(json.dumps(typical(rounds)._asdict(), indent=2) + "\n", encoding="utf-8")


def _scaled_us(measured: Round, recorded: Round) -> float:
    return measured.python_us_per_message * recorded.pace_us / measured.pace_us
