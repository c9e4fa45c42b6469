"""The versions of an agreement in its drawer: a strip of time, the choice of one, its terms, and what can be done with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString

from relais.backoffice.agreement_parts import (
    EMAILS,
    PERIODS,
    STATES,
    BillingDay,
    EmailList,
    Tax,
    ZonedInstant,
    day_in,
    version_label,
)
from relais.pages.entity import Block
from relais.pages.kinds import OPEN, Choice, Flag, Kind, Money, not_set
from relais.pages.viewer import Viewer
from relais.records.agreements.actions.delete_version import reason_against_deleting
from relais.records.agreements.models import Agreement, AgreementVersion
from relais.records.agreements.versions import VersionState, state_of

WEIGHT_MAX = 12  # widths of the strip's bars, in twelfths of the longest
OPEN_END = timedelta(days=182)  # how long an open end looks

VERSION_KINDS: tuple[tuple[str, str, Kind], ...] = (
    ("version_code", "Version code", Kind()),
    ("effective_from", "Effective from", ZonedInstant(zone="effective_from_timezone")),
    ("effective_till", "Effective till", ZonedInstant(zone="effective_till_timezone", none=OPEN)),
)
INVOICING_KINDS: tuple[tuple[str, str, Kind], ...] = (
    ("billing_timezone", "Billing timezone", Kind()),
    ("days_for_payment", "Days for payment", Kind()),
    ("billing_period", "Billing period", Choice(PERIODS)),
    ("billing_day", "Billing day", BillingDay()),
    ("split_by_month", "Split by month", Flag()),
    ("tax_bp", "Tax", Tax()),
)
EMAIL_KINDS = tuple(
    (column, label, Kind() if column == "account_emails" else EmailList()) for column, label in EMAILS.items()
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A version on the strip. `weight`: its width; `look`: "on" in force, "up" to come, "" over."""

    url: str
    label: str
    since: str
    weight: int
    look: str
    current: bool


def version_blocks(
    agreement: Agreement,
    versions: list[AgreementVersion],
    picked: AgreementVersion | None,
    viewer: Viewer,
    *,
    manages: bool,
) -> list[Block]:
    """`versions` in order of time; without any there is only the way to add one."""
    url = reverse("agreement-versions-of", args=[agreement.pk])
    add_url = f"{reverse('agreement-versions-new')}?agreement={agreement.pk}" if manages else ""
    context: dict[str, Any] = {"agreement": agreement, "count": len(versions), "url": url, "add_url": add_url}
    if picked is None:
        return [Block("backoffice/agreement_version.html", context)]
    bars = _bars(agreement, versions, picked, url, viewer.now)
    context |= {
        "picked": picked,
        "bars": bars,
        "today_percent": _today_percent(versions, bars, viewer.now),
        "choices": [
            (version.pk, version_label(version, viewer.now), version.pk == picked.pk) for version in reversed(versions)
        ],
        "state": STATES[state_of(picked, viewer.now).value],
        "version": _items(picked, VERSION_KINDS),
        "invoicing": _items(picked, INVOICING_KINDS),
        "emails": _items(picked, EMAIL_KINDS),
    }
    blocks = [Block("backoffice/agreement_version.html", context)]
    if manages:
        refused = reason_against_deleting(picked, viewer.now)
        blocks.append(Block("backoffice/version_delete.html", {"version": picked, "refused": refused}, place="foot"))
        blocks.append(Block("backoffice/version_edit.html", {"version": picked}, place="foot_end"))
    return blocks


def _items(version: AgreementVersion, kinds: Any) -> list[tuple[str, SafeString]]:
    return [(label, _shown(kind, getattr(version, column), version)) for column, label, kind in kinds]


def _shown(kind: Kind, value: Any, version: AgreementVersion) -> SafeString:
    return not_set() if type(kind) is Kind and value == "" else kind.html(value, version)


def _bars(
    agreement: Agreement, versions: list[AgreementVersion], picked: AgreementVersion, url: str, now: datetime
) -> list[Bar]:
    lengths = [_end(version, now) - version.effective_from for version in versions]
    longest = max(lengths)
    bars = []
    for version, length in zip(versions, lengths, strict=True):
        state = state_of(version, now)
        since = day_in(version.effective_from, version.effective_from_timezone)
        if version is versions[-1]:
            till = version.effective_till
            since += f" \N{EN DASH} {OPEN if till is None else day_in(till, version.effective_till_timezone)}"
        bars.append(
            Bar(
                f"{url}?version={version.pk}",
                _bar_label(agreement, version, state),
                since,
                max(3, round(WEIGHT_MAX * (length / longest))),
                {VersionState.ACTIVE: "on", VersionState.UPCOMING: "up"}.get(state, ""),
                version.pk == picked.pk,
            )
        )
    return bars


def _bar_label(agreement: Agreement, version: AgreementVersion, state: VersionState) -> str:
    name = version.version_code or f"ID {version.pk}"
    if state is not VersionState.ACTIVE or version.credit_limit_micros is None:
        return name
    limit = Money(agreement.currency).text(version.credit_limit_micros, agreement)
    return f"{name} · {limit} {agreement.currency} credit"


def _end(version: AgreementVersion, now: datetime) -> datetime:
    return version.effective_till or max(now, version.effective_from) + OPEN_END


def _today_percent(versions: list[AgreementVersion], bars: list[Bar], now: datetime) -> str:
    """How far to the right the mark of today stands; gaps between versions have no width."""
    weight = sum(bar.weight for bar in bars)
    passed = 0.0
    for version, bar in zip(versions, bars, strict=True):
        end = _end(version, now)
        share = (now - version.effective_from) / (end - version.effective_from)
        passed += bar.weight * min(1.0, max(0.0, share))
    return f"{100 * passed / weight:.1f}"
