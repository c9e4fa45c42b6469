"""What the tab Overview of a company's page shows: how much it sent in the current day, month or year (CO-71)."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.utils.timezone import localtime

from relais.pages.kinds import grouped
from relais.pages.viewer import Viewer
from relais.records.parties.models import Company
from relais.records.senders.models import SenderId
from relais.records.traffic.statistics import ChannelFigures, SenderFigures, figures_of
from relais.records.visibility import visible

SENDERS_SHOWN_MAX = 10
PERIODS = {"day": "Day", "month": "Month", "year": "Year"}


@dataclass(frozen=True, slots=True)
class Period:
    """The current day, month or year on the viewer's clock (CO-67), from `since` (inclusive) to `till` (exclusive)."""

    key: str
    label: str
    since: datetime
    till: datetime


def period_of(key: str, viewer: Viewer) -> Period:
    """Month where `key` is none of PERIODS. Its ends are midnights in the viewer's zone, whatever its clock changes do."""
    today = localtime(viewer.now, viewer.zone).date()
    match key:
        case "day":
            first, last, label = today, today + timedelta(days=1), f"{today:%d.%m.%Y}"
        case "year":
            first = today.replace(month=1, day=1)
            last, label = first.replace(year=first.year + 1), f"{today:%Y}"
        case _:
            key, first = "month", today.replace(day=1)
            last, label = (first + timedelta(days=31)).replace(day=1), f"{today:%B %Y}"
    since, till = (datetime.combine(day, time(), viewer.zone) for day in (first, last))
    return Period(key, label, since, till)


@dataclass(frozen=True, slots=True)
class Line:
    """Counts ready to be read."""

    label: str
    sent: str
    delivered: str
    failed: str
    received: str


def overview(company: Company, viewer: Viewer, period_key: str) -> dict[str, Any]:
    """What the tab's template shows. Senders are named only where the viewer may see them: those of the company itself."""
    period = period_of(period_key, viewer)
    figures = figures_of(company.pk, period.since, period.till)
    return {
        "period": period,
        "periods": PERIODS,
        "total": _total(figures.channels),
        "channels": [_line(each.channel.label, [each]) for each in figures.channels],
        "senders": _senders(figures.senders, company, viewer),
    }


def _line(label: str, figures: list[ChannelFigures]) -> Line:
    return Line(
        label,
        grouped(sum(each.sent_count for each in figures)),
        grouped(sum(each.delivered_count for each in figures)),
        grouped(sum(each.failed_count for each in figures)),
        grouped(sum(each.received_count for each in figures)),
    )


def _total(channels: tuple[ChannelFigures, ...]) -> Line:
    return _line("All channels", list(channels))


def _senders(figures: tuple[SenderFigures, ...], company: Company, viewer: Viewer) -> list[tuple[SenderId, str]]:
    """The ten that sent most, also those that were deleted meanwhile, with their counts."""
    rows = visible(SenderId.everything.filter(company=company), viewer.user)
    known = rows.in_bulk([each.sender_id for each in figures])
    ranked = [(known[each.sender_id], grouped(each.sent_count)) for each in figures if each.sender_id in known]
    return ranked[:SENDERS_SHOWN_MAX]
