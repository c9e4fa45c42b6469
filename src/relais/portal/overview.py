"""What the dashboard shows, a part for each permission line that the viewer has."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from relais.pages.kinds import Badge, Money, grouped
from relais.pages.viewer import Viewer
from relais.pages.words import SENDER_STATUSES
from relais.portal.entities.balances import BALANCES
from relais.portal.entities.sender_ids import SENDER_IDS
from relais.portal.entities.services import SERVICES
from relais.records.senders.models import SenderId
from relais.records.traffic.statistics import figures_of

ROWS_SHOWN_MAX = 10
PERIODS_DAYS = (1, 7, 30)  # CP-77


@dataclass(frozen=True, slots=True)
class BalanceCard:
    pk: int
    agreement_code: str
    balance: SafeString
    reserved: SafeString
    credit_limit: SafeString
    is_spent: bool  # so that whatever costs something is refused


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of whole days up to now, on the viewer's clock. `delivered_share` is "" while nothing was sent."""

    label: str
    sent: str
    delivered_share: str
    failed: str


def overview(viewer: Viewer) -> dict[str, Any]:
    """Of each part nothing but its absence where the viewer lacks its line."""
    shown: dict[str, Any] = {}
    if viewer.may(BALANCES.line):
        shown["balances"] = list(balances_of(viewer))
    if viewer.may("Messages"):
        shown["traffic"] = [_traffic(viewer, days) for days in PERIODS_DAYS]
    if viewer.may(SERVICES.line):
        in_force = Q(effective_from__lte=viewer.now) & (Q(effective_till=None) | Q(effective_till__gt=viewer.now))
        shown["services"] = SERVICES.queryset(viewer).filter(in_force).order_by("service__name", "pk")[:ROWS_SHOWN_MAX]
    if viewer.may(SENDER_IDS.line):
        shown["senders"] = list(_senders(viewer))
    return shown


def balances_of(viewer: Viewer) -> Iterator[BalanceCard]:
    """By agreement code."""
    money, limit = Money("currency"), Money("currency", none=_("Unlimited"))
    for row in BALANCES.queryset(viewer).order_by("agreement_code", "pk"):
        yield BalanceCard(
            row.pk,
            row.agreement_code,
            money.html(row.balance.balance_micros, row),
            money.html(row.balance.reserved_micros, row),
            limit.html(row.credit_limit_micros, row),
            row.credit_limit_micros is not None
            and row.balance.balance_micros - row.balance.reserved_micros + row.credit_limit_micros <= 0,
        )


def _traffic(viewer: Viewer, days_count: int) -> Traffic:
    today = localtime(viewer.now, viewer.zone).date()
    since = datetime.combine(today - timedelta(days=days_count - 1), time(), viewer.zone)
    channels = figures_of(viewer.company.pk, since, viewer.now).channels
    sent_count = sum(each.sent_count for each in channels)
    delivered_count = sum(each.delivered_count for each in channels)
    share = Decimal(100 * delivered_count) / sent_count if sent_count else None
    label = _("Today") if days_count == 1 else _("%(count)s days") % {"count": days_count}
    return Traffic(
        label,
        grouped(sent_count),
        "" if share is None else f"{share.quantize(Decimal('0.1'))} %",
        grouped(sum(each.failed_count for each in channels)),
    )


def _senders(viewer: Viewer) -> Iterator[tuple[SenderId, SafeString]]:
    badge = Badge(SENDER_STATUSES)
    for sender in SENDER_IDS.queryset(viewer).order_by("sender_id", "pk")[:ROWS_SHOWN_MAX]:
        yield sender, badge.html(sender.status, sender)
