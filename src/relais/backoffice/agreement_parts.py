"""How agreements and their versions are named and shown on every page that speaks of them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_symbol
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from relais.pages.forms import ReferenceField
from relais.pages.kinds import NOTHING, OPEN, Instant, Kind, Money, Name, Reference, indefinitely
from relais.records.agreements.models import Agreement, AgreementVersion, BillingPeriod, Direction
from relais.records.agreements.versions import VersionState, state_of

STATES = {
    VersionState.ACTIVE.value: ("Active", "ok"),
    VersionState.UPCOMING.value: ("Upcoming", "info"),
    VersionState.EXPIRED.value: ("Expired", "mute"),
}
DIRECTIONS = dict(Direction.choices)
PERIODS = dict(BillingPeriod.choices)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EMAILS = {
    "invoice_emails": "Invoice emails",
    "account_emails": "Account emails",
    "rate_change_emails": "Rate change emails",
    "service_emails": "Service emails",
    "payment_alert_emails": "Payment alert emails",
}


class NamedReference(Reference, Name):
    """The record that a row is known by: bold in the list, a link to it in the drawer."""


@dataclass(frozen=True, slots=True)
class AgreementLink(Reference):
    """An agreement by its code and currency in lists, with its company in drawers (ES-6, ES-20)."""

    entity: str = "agreements"

    def text(self, value: Agreement | None, row: Any) -> str:
        return "" if value is None else f"{value.agreement_code} ({value.currency})"

    def link(self, value: Agreement | None) -> SafeString:
        if value is None:
            return NOTHING
        return format_html('<a href="{}">{}</a>', reverse(f"{self.entity}-view", args=[value.pk]), said(value))


class AgreementField(ReferenceField):
    """Offers agreements with the company, code and currency of each."""

    def __init__(self, rows: Any, **options: Any) -> None:
        super().__init__(rows, **({"search": ("agreement_code", "company__name")} | options))

    def label_from_instance(self, agreement: Agreement) -> str:
        return said(agreement)


def said(agreement: Agreement) -> str:
    """ "Demo AY - emul_Agreement, EUR" (ES-20)."""
    return f"{agreement.company.name} - {agreement.agreement_code}, {agreement.currency}"


@dataclass(frozen=True, slots=True)
class DayOfZone(Kind):
    """The day of an instant in the zone kept with it, at the path `zone` of the row; `none` is an open end."""

    zone: str
    none: str = OPEN

    css: ClassVar[str] = "tnum t2"

    def html(self, value: Any, row: Any) -> SafeString:
        return format_html("{}", self.text(value, row))

    def text(self, value: datetime | None, row: Any) -> str:
        return self.none if value is None else day_in(value, getattr(row, self.zone) or "Etc/UTC")


class ZonedInstant(Instant):
    """To the second, in its own zone, which stands below."""

    def html(self, value: datetime | None, row: Any) -> SafeString:
        zone = getattr(row, self.zone)
        if value is None:
            return format_html('{} <span class="t3">{}</span>', indefinitely(), zone)
        return format_html('{} <span class="t3">{}</span>', self.text(value, row), zone)

    def text(self, value: datetime | None, row: Any) -> str:
        return self.none if value is None else clock(value, getattr(row, self.zone))


class Balance(Money):
    """Red when nothing that costs money can be sent any more."""

    def html(self, value: Any, row: Any) -> SafeString:
        shown = super().html(value, row)
        available = available_micros(row.balance.balance_micros, row.balance.reserved_micros, row.version_limit_micros)
        stopped = row.state == VersionState.ACTIVE.value and available is not None and available <= 0
        return format_html('<span class="bad">{}</span>', shown) if stopped else shown


@dataclass(frozen=True, slots=True)
class Linked(Kind):
    """How many of something the agreement has, as a link to their page filtered to it (AG-8 to AG-10)."""

    entity: str
    noun: str
    nothing: str

    css: ClassVar[str] = ""

    def html(self, value: int, row: Any) -> SafeString:
        if not value:
            return format_html('<span class="t3">{}</span>', self.nothing)
        url = f"{reverse(f'{self.entity}-list')}?agreement={row.pk}"
        return format_html('<a href="{}">{}</a>', url, self.text(value, row))

    def text(self, value: int, row: Any) -> str:
        return f"{self.noun} {value}" if value else self.nothing


class Tax(Kind):
    """Hundredths of a percent."""

    numeric = True
    css = "num"

    def text(self, value: int, row: Any) -> str:
        return f"{value // 100}.{value % 100:02} %"


class BillingDay(Kind):
    """A weekday by its name, else its number; a daily period has none (AG-38)."""

    def text(self, value: int, row: Any) -> str:
        if row.billing_period == BillingPeriod.DAILY:
            return "Every day"
        return WEEKDAYS[value - 1] if row.billing_period == BillingPeriod.WEEKLY else str(value)


class Currency(Kind):
    """Its code; in a drawer with the symbol, where it has one (AG-54)."""

    def detail(self, value: str, row: Any) -> SafeString:
        symbol = get_currency_symbol(value, locale="en")
        return format_html("{}", value if symbol == value else f"{symbol} {value}")


class EmailList(Kind):
    """Blank means the Account emails (AG-50)."""

    def html(self, value: str, row: Any) -> SafeString:
        return format_html("{}", value) if value else SafeString('<span class="t3">→ Account emails</span>')

    def text(self, value: str, row: Any) -> str:
        return value or "→ Account emails"


def available_micros(balance_micros: int, reserved_micros: int, limit_micros: int | None) -> int | None:
    """What may still be spent (AG-86); None: without bound."""
    return None if limit_micros is None else balance_micros - reserved_micros + limit_micros


def day_in(instant: datetime, zone: str) -> str:
    return localtime(instant, ZoneInfo(zone)).strftime("%d.%m.%Y")


def clock(instant: datetime, zone: str) -> str:
    return localtime(instant, ZoneInfo(zone)).strftime("%d.%m.%Y, %H:%M:%S")


def version_label(version: AgreementVersion, now: datetime) -> str:
    """ "30.04.2087 - Indefinitely (ID 962) - upcoming" (AG-72, AG-73)."""
    start = day_in(version.effective_from, version.effective_from_timezone)
    end = "Indefinitely"
    if version.effective_till is not None:
        end = day_in(version.effective_till, version.effective_till_timezone)
    return f"{start} - {end} (ID {version.pk}) - {state_of(version, now).value}"


def today_in(zone: ZoneInfo, now: datetime) -> date:
    return localtime(now, zone).date()
