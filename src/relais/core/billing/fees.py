"""When a periodic fee is due: a day of the month or week begins a period, which is paid some days beforehand (SID-18 to 29)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from relais.core.billing.periods import BillingTerms, Period, periods_between
from relais.core.clock import in_utc, start_of_day

_DAY = timedelta(days=1)


def due_at(period: Period, terms: BillingTerms, days_beforehand: int) -> datetime:
    """The midnight, in the zone of the terms, that many days before the period begins (SID-28, SID-243)."""
    zone = ZoneInfo(terms.timezone)
    return start_of_day(period.start.astimezone(zone).date() - days_beforehand * _DAY, zone)


def due_periods(
    terms: BillingTerms, days_beforehand: int, start: datetime, end: datetime | None, now: datetime
) -> Iterator[Period]:
    """Whole periods of a rule in force from `start` until before `end` (None: for ever) that are to be paid by now, in order. The
    one in which the rule begins is due at once and in full."""
    horizon = in_utc(now) + (days_beforehand + 1) * _DAY
    for period in periods_between(start, horizon if end is None else min(end, horizon), terms):
        if max(due_at(period, terms, days_beforehand), in_utc(start)) <= now:
            yield period
