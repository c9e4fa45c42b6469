"""Billing periods of an agreement: from midnight to midnight of its billing zone, as its terms say (AG-34 to AG-42).

A period holds its start and not its end; periods tile time, so that every instant lies in exactly one. Starts are also
the days of issue (AG-39). What belongs to a period, and what its invoice says, is not decided here.
"""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from relais.core.clock import in_utc, start_of_day

_DAY = timedelta(days=1)


class BillingPeriod(StrEnum):
    """As stored with the agreement's version."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


_BILLING_DAY_MAX = {
    BillingPeriod.DAILY: 1,
    BillingPeriod.WEEKLY: 7,
    BillingPeriod.MONTHLY: 31,
    BillingPeriod.QUARTERLY: 31,
}


class Period(NamedTuple):
    start: datetime  # UTC, inclusive
    end: datetime  # UTC, exclusive


@dataclass(frozen=True, slots=True)
class BillingTerms:
    """How time is cut. ValueError for a zone that is not of the IANA base or a billing day the period does not have."""

    timezone: str  # IANA name; signs of Etc/GMT+3 as IANA has them: west of Greenwich (AG-92)
    period: BillingPeriod
    billing_day: int = 1  # weekly: 1 Monday to 7 Sunday; monthly and quarterly: 1 to 31, of the quarter's first month
    split_by_month: bool = False  # says nothing for monthly and quarterly periods, which no month boundary cuts (AG-40)

    def __post_init__(self) -> None:
        if not 1 <= self.billing_day <= _BILLING_DAY_MAX[self.period]:
            raise ValueError(f"a {self.period} billing period has no billing day {self.billing_day}")
        try:
            ZoneInfo(self.timezone)
        except (OSError, LookupError, ValueError) as error:  # no such file, not in the base, not a name
            raise ValueError(f"no such time zone: {self.timezone!r}") from error


@dataclass(frozen=True, slots=True)
class VersionTerms:
    """Terms of one agreement version. They go on after its end until another begins: late captures need a period."""

    effective_from: datetime
    terms: BillingTerms
    tax_bp: int = 0  # no part of the calendar, but a change of it cuts the period: a period has one tax (AG-91)


def period_at(instant: datetime, terms: BillingTerms) -> Period:
    """The period of `terms` that holds `instant` (aware). A few microseconds: keep it while instants stay inside."""
    instant = in_utc(instant)
    zone = _zone(terms.timezone)
    period = _from_days(*_days_around(instant.astimezone(zone).date(), terms), zone)
    # Where clocks go back over midnight, local dates repeat after their boundary: the instant itself decides.
    while instant >= period.end:
        period = _following(period, terms, zone)
    assert period.start <= instant, "a day starts no later than any instant of its date"
    return period


def periods_between(start: datetime, end: datetime, terms: BillingTerms) -> Iterator[Period]:
    """Every whole period that shares an instant with `start` <= t < `end`, in order; none when `end` <= `start`."""
    end = in_utc(end)
    if in_utc(start) >= end:
        return
    zone = _zone(terms.timezone)
    period = period_at(start, terms)
    yield period
    while period.end < end:
        period = _following(period, terms, zone)
        yield period


def version_period_at(instant: datetime, versions: Sequence[VersionTerms]) -> Period:
    """The period of an agreement that holds `instant`: cut where a version with other terms or tax begins (AG-91).

    `versions` by rising `effective_from`; a gap between two belongs to the earlier. ValueError for no version, versions
    out of order, or an instant before the first: nothing can be billed then.
    """
    instant = in_utc(instant)
    runs = _runs(versions)
    position = bisect_right(runs, instant, key=_effective_from) - 1
    if position < 0:
        raise ValueError("the instant lies before the agreement's first version")
    return _clipped(period_at(instant, runs[position].terms), runs, position)


def version_periods_between(start: datetime, end: datetime, versions: Sequence[VersionTerms]) -> Iterator[Period]:
    """Every period of an agreement that shares an instant with `start` <= t < `end`, in order, from its first on."""
    runs = _runs(versions)
    instant, end = max(in_utc(start), runs[0].effective_from), in_utc(end)
    while instant < end:
        period = version_period_at(instant, runs)
        yield period
        instant = period.end


def _days_around(day: date, terms: BillingTerms) -> tuple[date, date]:
    """First day of the period that holds `day`, and of the next one."""
    match terms.period:
        case BillingPeriod.DAILY:
            return day, day + _DAY
        case BillingPeriod.WEEKLY:
            start = day - (day.isoweekday() - terms.billing_day) % 7 * _DAY
            end = start + 7 * _DAY
            if terms.split_by_month:
                return max(start, day.replace(day=1)), min(end, _day_of_month(day, 1, 1))
            return start, end
        case BillingPeriod.MONTHLY:
            months, back = 1, 0
        case BillingPeriod.QUARTERLY:
            months, back = 3, (day.month - 1) % 3
    start = _day_of_month(day, -back, terms.billing_day)
    if day < start:
        back += months
        start = _day_of_month(day, -back, terms.billing_day)
    return start, _day_of_month(day, months - back, terms.billing_day)


def _day_of_month(day: date, months: int, day_of_month: int) -> date:
    """That day, `months` months from the month of `day`; the last of the month when it is shorter (AG-90)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day_of_month, monthrange(year, month + 1)[1]))


_zone = lru_cache(maxsize=1024)(ZoneInfo)  # whose own cache costs as much as the rest


@lru_cache(maxsize=4096)  # captures ask for the same few again and again
def _from_days(start: date, end: date, zone: ZoneInfo) -> Period:
    return Period(start_of_day(start, zone), start_of_day(end, zone))


def _following(period: Period, terms: BillingTerms, zone: ZoneInfo) -> Period:
    """The next period that lasts: a day that a zone left out is none."""
    end = period.end.astimezone(zone).date()
    return _from_days(*_days_around(end, terms), zone)


def _runs(versions: Sequence[VersionTerms]) -> list[VersionTerms]:
    """The versions that cut: those whose terms or tax differ from the one before."""
    runs: list[VersionTerms] = []
    latest: datetime | None = None
    for version in versions:
        effective_from = in_utc(version.effective_from)
        if latest is not None and effective_from <= latest:
            raise ValueError("versions must begin one after another")
        latest = effective_from
        if not runs or (version.terms, version.tax_bp) != (runs[-1].terms, runs[-1].tax_bp):
            runs.append(VersionTerms(effective_from, version.terms, version.tax_bp))
    if not runs:
        raise ValueError("an agreement has at least one version")
    return runs


def _clipped(period: Period, runs: Sequence[VersionTerms], position: int) -> Period:
    end = period.end
    if position + 1 < len(runs):
        end = min(end, runs[position + 1].effective_from)
    return Period(max(period.start, runs[position].effective_from), end)


def _effective_from(version: VersionTerms) -> datetime:
    return version.effective_from
