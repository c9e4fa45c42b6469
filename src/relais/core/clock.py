"""What the pure rules need of time: the shape of a clock and calendar days of a zone. Nothing here reads the time."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]  # what the processes hand down; tests hand down their own; always aware, in UTC


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC; ValueError for a naive one, which is no instant."""
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise ValueError(f"an instant needs its zone: {instant.isoformat()}")
    return instant.astimezone(UTC)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which clocks in `zone` show midnight of `day` or, where none does, anything later.

    Midnight comes twice where clocks go back over it (the first counts) and never where they go forward over it: then
    the day starts at the change. A day that a zone left out (Apia, 30 December 2011) starts with the next one.
    """
    midnight = datetime.combine(day, time(), zone)
    start = midnight.astimezone(UTC)
    if start.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return start
    before, after = midnight.replace(fold=1).astimezone(UTC), start  # PEP 495: around the change, nearly always at it
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).date() >= day:
            after = middle
        else:
            before = middle
    return after
