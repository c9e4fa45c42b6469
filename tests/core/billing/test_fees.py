"""Days on which periodic fees are due."""

from datetime import UTC, datetime

from relais.core.billing.fees import due_at, due_periods
from relais.core.billing.periods import BillingPeriod, BillingTerms, period_at

MADRID = BillingTerms("Europe/Madrid", BillingPeriod.MONTHLY, 1)


def starts(terms: BillingTerms, days: int, start: datetime, end: datetime | None, now: datetime) -> list[str]:
    return [f"{period.start:%Y-%m-%d %H:%M}" for period in due_periods(terms, days, start, end, now)]


def test_SID_28_the_fee_for_june_is_due_at_midnight_of_31_may() -> None:
    june = period_at(datetime(2025, 6, 10, tzinfo=UTC), MADRID)
    assert due_at(june, MADRID, 1) == datetime(2025, 5, 30, 22, 0, tzinfo=UTC)
    start = datetime(2025, 4, 30, 22, 0, tzinfo=UTC)
    before, at = datetime(2025, 5, 30, 21, 59, 59, tzinfo=UTC), datetime(2025, 5, 30, 22, 0, tzinfo=UTC)
    assert starts(MADRID, 1, start, None, before) == ["2025-04-30 22:00"]
    assert starts(MADRID, 1, start, None, at) == ["2025-04-30 22:00", "2025-05-31 22:00"]


def test_SID_243_a_rule_that_starts_inside_a_period_owes_all_of_it_at_once_and_nothing_before_its_start() -> None:
    start = datetime(2025, 5, 14, 22, 0, tzinfo=UTC)
    assert starts(MADRID, 5, start, None, datetime(2025, 5, 14, 21, 0, tzinfo=UTC)) == []
    assert starts(MADRID, 5, start, None, start) == ["2025-04-30 22:00"]


def test_SID_29_a_week_begins_on_its_start_day_and_a_rule_that_ended_owes_no_more() -> None:
    friday = BillingTerms("Etc/UTC", BillingPeriod.WEEKLY, 5)
    start, end = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 18, tzinfo=UTC)
    assert starts(friday, 0, start, end, datetime(2025, 3, 1, tzinfo=UTC)) == [
        "2024-12-27 00:00", "2025-01-03 00:00", "2025-01-10 00:00", "2025-01-17 00:00",
    ]  # fmt: skip
    assert starts(friday, 0, start, start, datetime(2025, 3, 1, tzinfo=UTC)) == []
