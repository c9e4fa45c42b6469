"""Billing periods: what each setting of an agreement gives, and that periods tile time whatever clocks do."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relais.core.billing.periods import (
    BillingPeriod,
    BillingTerms,
    Period,
    VersionTerms,
    period_at,
    periods_between,
    version_period_at,
    version_periods_between,
)

DAILY, WEEKLY, MONTHLY, QUARTERLY = BillingPeriod
ODD_ZONES = [
    "UTC",
    "Europe/Madrid",
    "Etc/GMT+3",
    "Africa/Cairo",
    "America/Havana",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Toronto",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
]
INSTANTS = st.datetimes(datetime(1960, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
TERMS = st.one_of(
    st.builds(BillingTerms, st.sampled_from(ODD_ZONES), st.just(DAILY), st.just(1), st.booleans()),
    st.builds(BillingTerms, st.sampled_from(ODD_ZONES), st.just(WEEKLY), st.integers(1, 7), st.booleans()),
    st.builds(BillingTerms, st.sampled_from(ODD_ZONES), st.sampled_from([MONTHLY, QUARTERLY]), st.integers(1, 31)),
)
# Around every kind of change of clocks that ODD_ZONES know.
CHANGES = st.sampled_from(
    [
        datetime(2026, 4, 23, 22, tzinfo=UTC),
        datetime(2026, 11, 1, 4, tzinfo=UTC),
        datetime(2018, 2, 18, 2, tzinfo=UTC),
        datetime(2006, 10, 29, 2, 31, tzinfo=UTC),
        datetime(2011, 12, 30, 10, tzinfo=UTC),
        datetime(1993, 8, 21, 12, tzinfo=UTC),
        datetime(1969, 9, 30, 13, tzinfo=UTC),
    ]
)
NEAR_CHANGES = st.builds(lambda change, minutes: change + timedelta(minutes=minutes), CHANGES, st.integers(-4000, 4000))


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def days(period: Period, zone: str = "UTC") -> tuple[str, str]:
    """First day and day after the last, in the zone; fails unless both ends are midnights."""
    ends = [each.astimezone(ZoneInfo(zone)) for each in period]
    assert [(each.hour, each.minute, each.second, each.microsecond) for each in ends] == [(0, 0, 0, 0)] * 2
    return ends[0].date().isoformat(), ends[1].date().isoformat()


@pytest.mark.parametrize(
    ("period", "billing_day", "instant", "expected"),
    [
        (DAILY, 1, "2025-10-01T12:00", ("2025-10-01", "2025-10-02")),
        (WEEKLY, 1, "2025-10-01T12:00", ("2025-09-29", "2025-10-06")),
        (WEEKLY, 1, "2025-09-29T00:00", ("2025-09-29", "2025-10-06")),
        (WEEKLY, 3, "2025-10-01T00:00", ("2025-10-01", "2025-10-08")),
        (WEEKLY, 7, "2025-10-04T12:00", ("2025-09-28", "2025-10-05")),
        (MONTHLY, 1, "2025-10-31T23:59", ("2025-10-01", "2025-11-01")),
        (MONTHLY, 15, "2025-10-14T23:59", ("2025-09-15", "2025-10-15")),
        (MONTHLY, 15, "2025-10-15T00:00", ("2025-10-15", "2025-11-15")),
        (MONTHLY, 15, "2026-01-02T00:00", ("2025-12-15", "2026-01-15")),
        (QUARTERLY, 1, "2025-12-31T12:00", ("2025-10-01", "2026-01-01")),
        (QUARTERLY, 20, "2025-10-19T12:00", ("2025-07-20", "2025-10-20")),
        (QUARTERLY, 20, "2026-01-19T12:00", ("2025-10-20", "2026-01-20")),
        (QUARTERLY, 20, "2025-11-01T12:00", ("2025-10-20", "2026-01-20")),
    ],
)
def test_AG_38_the_billing_day_is_counted_in_its_own_period(
    period: BillingPeriod, billing_day: int, instant: str, expected: tuple[str, str]
) -> None:
    assert days(period_at(at(instant), BillingTerms("UTC", period, billing_day))) == expected


@pytest.mark.parametrize("period", list(BillingPeriod))
def test_AG_38_no_period_has_other_billing_days(period: BillingPeriod) -> None:
    most = {DAILY: 1, WEEKLY: 7, MONTHLY: 31, QUARTERLY: 31}[period]
    for billing_day in (0, most + 1, -1):
        with pytest.raises(ValueError, match="no billing day"):
            BillingTerms("UTC", period, billing_day)


def test_AG_39_monthly_periods_from_the_first_run_from_first_to_first() -> None:
    year = periods_between(at("2025-01-01"), at("2026-01-01"), BillingTerms("UTC", MONTHLY, 1))
    assert [period.start.date() for period in year] == [date(2025, month, 1) for month in range(1, 13)]


def test_AG_41_weekly_period_is_split_at_the_month() -> None:
    terms = BillingTerms("UTC", WEEKLY, 1, split_by_month=True)
    assert [days(period) for period in periods_between(at("2025-09-29"), at("2025-10-06"), terms)] == [
        ("2025-09-29", "2025-10-01"),
        ("2025-10-01", "2025-10-06"),
    ]


def test_AG_40_a_week_that_ends_with_the_month_is_not_cut() -> None:
    terms = BillingTerms("UTC", WEEKLY, 1, split_by_month=True)
    assert days(period_at(at("2025-08-31T23:59"), terms)) == ("2025-08-25", "2025-09-01")


@given(INSTANTS, st.sampled_from(ODD_ZONES))
def test_AG_42_splitting_changes_nothing_for_daily(instant: datetime, zone: str) -> None:
    assert period_at(instant, BillingTerms(zone, DAILY, 1, True)) == period_at(instant, BillingTerms(zone, DAILY))


def test_AG_40_splitting_says_nothing_for_months_and_quarters() -> None:
    assert days(period_at(at("2025-10-01"), BillingTerms("UTC", MONTHLY, 15, True))) == ("2025-09-15", "2025-10-15")


@pytest.mark.parametrize(
    ("billing_day", "starts"),
    [
        (31, ["2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (30, ["2025-12-30", "2026-01-30", "2026-02-28", "2026-03-30", "2026-04-30"]),
        (29, ["2025-12-29", "2026-01-29", "2026-02-28", "2026-03-29", "2026-04-29"]),
    ],
)
def test_AG_90_a_day_beyond_the_month_is_its_last(billing_day: int, starts: list[str]) -> None:
    terms = BillingTerms("UTC", MONTHLY, billing_day)
    found = [days(period)[0] for period in periods_between(at("2026-01-01"), at("2026-05-01"), terms)]
    assert found == starts
    assert days(period_at(at("2028-02-29"), terms))[0] == "2028-02-29"  # a leap year


def test_AG_90_a_quarter_of_day_31_starts_on_30_april() -> None:
    terms = BillingTerms("UTC", QUARTERLY, 31)
    assert days(period_at(at("2026-05-01"), terms)) == ("2026-04-30", "2026-07-31")


def test_AG_34_periods_are_cut_in_the_billing_zone() -> None:
    terms = BillingTerms("Europe/Madrid", MONTHLY)
    assert period_at(at("2026-06-30T22:00"), terms) == (at("2026-06-30T22:00"), at("2026-07-31T22:00"))
    assert period_at(at("2026-06-30T21:59"), terms) == (at("2026-05-31T22:00"), at("2026-06-30T22:00"))


def test_AG_91_days_of_changing_clocks_have_23_and_25_hours() -> None:
    terms = BillingTerms("Europe/Madrid", DAILY)
    lengths = [
        period.end - period.start
        for instant in ("2026-03-29T12:00", "2026-10-25T12:00", "2026-10-26T12:00")
        for period in [period_at(at(instant), terms)]
    ]
    assert lengths == [timedelta(hours=23), timedelta(hours=25), timedelta(hours=24)]


def test_AG_91_a_day_that_the_zone_left_out_is_no_period() -> None:
    terms = BillingTerms("Pacific/Apia", DAILY)
    found = list(periods_between(at("2011-12-29T12:00"), at("2011-12-31T12:00"), terms))
    assert [period.start for period in found] == [at(f"2011-12-{day}T10:00") for day in (29, 30, 31)]


def test_AG_92_signs_of_fixed_zones_are_those_of_iana() -> None:
    assert period_at(at("2026-01-01T03:00"), BillingTerms("Etc/GMT+3", DAILY)).start == at("2026-01-01T03:00")


@pytest.mark.parametrize("zone", ["", "Europe", "Europe/Atlantis", "../etc/passwd", "/etc/localtime", "UTC+3", "\0"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="no such time zone"):
        BillingTerms(zone, DAILY)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs its zone"):
        period_at(datetime(2026, 1, 1), BillingTerms("UTC", DAILY))


@given(INSTANTS | NEAR_CHANGES, TERMS)
def test_every_instant_is_in_one_period_and_periods_tile(instant: datetime, terms: BillingTerms) -> None:
    period = period_at(instant, terms)
    assert period.start <= instant < period.end
    microsecond = timedelta(microseconds=1)
    assert period_at(period.start, terms) == period
    assert period_at(period.end - microsecond, terms) == period
    assert period_at(period.end, terms).start == period.end
    assert period_at(period.start - microsecond, terms).end == period.start


@given(INSTANTS | NEAR_CHANGES, st.integers(-1, 100), TERMS)
def test_periods_between_touch_one_another_and_cover_the_time(
    start: datetime, length_days: int, terms: BillingTerms
) -> None:
    end = start + timedelta(days=length_days)
    found = list(periods_between(start, end, terms))
    if end <= start:
        assert found == []
        return
    assert found[0].start <= start < found[0].end
    assert found[-1].start < end <= found[-1].end
    assert all(one.end == other.start for one, other in pairwise(found))


@pytest.mark.parametrize(
    "terms", [BillingTerms("UTC", WEEKLY, day, split) for day in range(1, 8) for split in (False, True)]
)
def test_every_day_of_two_years_is_in_the_week_that_began_on_the_billing_day(terms: BillingTerms) -> None:
    for number in range(731):
        day = at("2024-01-01") + timedelta(days=number)
        period = period_at(day, terms)
        if not terms.split_by_month:
            assert (period.start.isoweekday(), period.end - period.start) == (terms.billing_day, timedelta(days=7))
        else:
            assert period.start.day == 1 or period.start.isoweekday() == terms.billing_day
            assert period.start.month == day.month == (period.end - timedelta(days=1)).month


MADRID = BillingTerms("Europe/Madrid", MONTHLY, 1)


def test_AG_91_a_version_with_other_terms_cuts_the_running_period() -> None:
    versions = [
        VersionTerms(at("2026-01-01", "Europe/Madrid"), MADRID),
        VersionTerms(at("2026-03-10", "Europe/Madrid"), BillingTerms("Europe/Madrid", WEEKLY, 1)),
    ]
    found = version_periods_between(at("2026-02-15"), at("2026-03-20"), versions)
    assert [days(period, "Europe/Madrid") for period in found] == [
        ("2026-02-01", "2026-03-01"),
        ("2026-03-01", "2026-03-10"),
        ("2026-03-10", "2026-03-16"),
        ("2026-03-16", "2026-03-23"),
    ]


@pytest.mark.parametrize(
    ("terms", "tax_bp", "cuts"),
    [
        (MADRID, 2100, False),
        (MADRID, 1000, True),
        (BillingTerms("Europe/Lisbon", MONTHLY, 1), 2100, True),
        (BillingTerms("Europe/Madrid", QUARTERLY, 1), 2100, True),
        (BillingTerms("Europe/Madrid", MONTHLY, 5), 2100, True),
        (BillingTerms("Europe/Madrid", MONTHLY, 1, True), 2100, True),
    ],
)
def test_AG_91_only_another_zone_period_day_split_or_tax_cuts(terms: BillingTerms, tax_bp: int, cuts: bool) -> None:
    change = at("2026-03-10T09:30")
    versions = [VersionTerms(at("2026-01-01"), MADRID, 2100), VersionTerms(change, terms, tax_bp)]
    before = version_period_at(change - timedelta(seconds=1), versions)
    after = version_period_at(change, versions)
    assert (before.end == change, after.start == change) == (cuts, cuts)
    assert (before == after) is not cuts


def test_a_first_version_begins_its_own_first_period() -> None:
    versions = [VersionTerms(at("2026-01-20T15:00"), MADRID)]
    assert version_period_at(at("2026-01-25"), versions) == (at("2026-01-20T15:00"), at("2026-02-01", "Europe/Madrid"))
    with pytest.raises(ValueError, match="before the agreement's first version"):
        version_period_at(at("2026-01-20T14:59"), versions)


def test_versions_must_be_some_and_in_order() -> None:
    with pytest.raises(ValueError, match="at least one"):
        version_period_at(at("2026-01-01"), [])
    twice = VersionTerms(at("2026-01-01"), MADRID)
    with pytest.raises(ValueError, match="one after another"):
        version_period_at(at("2026-01-02"), [twice, twice])


@given(
    st.lists(st.tuples(INSTANTS, TERMS, st.sampled_from([0, 2100])), min_size=1, max_size=4, unique_by=lambda v: v[0]),
    INSTANTS,
    st.integers(1, 60),
)
def test_AG_91_periods_of_versions_tile_from_the_first_version_on(
    rows: list[tuple[datetime, BillingTerms, int]], start: datetime, length_days: int
) -> None:
    versions = [VersionTerms(*row) for row in sorted(rows, key=lambda row: row[0])]
    end = start + timedelta(days=length_days)
    found = list(version_periods_between(start, end, versions))
    begins = max(start, versions[0].effective_from)
    if begins >= end:
        assert found == []
        return
    assert found[0].start <= begins < found[0].end
    assert found[-1].end >= end
    assert all(one.end == other.start for one, other in pairwise(found))
    for one, other in pairwise(versions):
        if (one.terms, one.tax_bp) != (other.terms, other.tax_bp):
            assert not any(period.start < other.effective_from < period.end for period in found)
