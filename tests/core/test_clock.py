"""Days of a zone, where clocks go forward, back, or over a whole day."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from relais.core.clock import in_utc, start_of_day


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("Europe/Madrid", date(2026, 1, 1), datetime(2025, 12, 31, 23)),
        ("Europe/Madrid", date(2026, 7, 1), datetime(2026, 6, 30, 22)),
        ("Etc/GMT+3", date(2026, 1, 1), datetime(2026, 1, 1, 3)),
        ("Africa/Cairo", date(2026, 4, 24), datetime(2026, 4, 23, 22)),  # 00:00 -> 01:00: the day starts at 01:00
        ("America/Havana", date(2026, 11, 1), datetime(2026, 11, 1, 4)),  # 01:00 -> 00:00: the first midnight counts
        ("America/Sao_Paulo", date(2018, 2, 18), datetime(2018, 2, 18, 3)),  # 00:00 -> 23:00: after the second hour
        ("America/St_Johns", date(2006, 10, 29), datetime(2006, 10, 29, 2, 30)),  # 00:01 -> 23:01: the first midnight
        ("America/Toronto", date(1919, 3, 31), datetime(1919, 3, 31, 4, 30)),  # 23:30 -> 00:30: at the change
        ("Pacific/Apia", date(2011, 12, 29), datetime(2011, 12, 29, 10)),
        ("Pacific/Apia", date(2011, 12, 30), datetime(2011, 12, 30, 10)),  # a day left out starts with the next
        ("Pacific/Apia", date(2011, 12, 31), datetime(2011, 12, 30, 10)),
    ],
)
def test_a_day_starts_at_the_first_instant_of_its_midnight(zone: str, day: date, start: datetime) -> None:
    assert start_of_day(day, ZoneInfo(zone)) == start.replace(tzinfo=UTC)


def test_an_instant_is_put_in_utc() -> None:
    instant = in_utc(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))))
    assert (instant, instant.tzinfo) == (datetime(2026, 1, 1, tzinfo=UTC), UTC)


def test_a_time_without_zone_is_no_instant() -> None:
    with pytest.raises(ValueError, match="needs its zone"):
        in_utc(datetime(2026, 1, 1))
