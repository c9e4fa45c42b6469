"""What the four tabs of enabled services share: columns, filters, dates that stay open, and what a pack costs (ES)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString

from relais.backoffice.agreement_parts import AgreementLink, NamedReference, ZonedInstant
from relais.backoffice.service_parts import ServiceLink
from relais.pages.entity import Block, Column, Filter
from relais.pages.forms import FROM_EXPLAINED, TILL_EXPLAINED, RecordForm, ZonedField, explained
from relais.pages.kinds import NOTHING, OPEN, Badge, Computed, Instant, Kind, amount, grouped
from relais.pages.viewer import MANAGE, Viewer
from relais.records.agreements.models import Agreement
from relais.records.catalog.actions.enable_service import change_enabled_service
from relais.records.catalog.models import EnabledService, Service, ServiceType
from relais.records.parties.models import Company
from relais.records.people.models import AuditLine, Operation

NO_END = f"Blank: {OPEN} (indefinitely)"
CHARGES = {
    "free": ("Free of charge", "mute"),
    "charged": ("Charged", "ok"),
    "due": ("To be charged", "info"),
    "failed": ("Not charged", "bad"),
}


@dataclass(frozen=True, slots=True)
class Given(Kind):
    """An instant in the viewer's zone in lists, to the second in the zone it was given in where the record is shown (ES-64)."""

    zone: str

    css: ClassVar[str] = "tnum t2"

    def html(self, value: datetime | None, row: Any) -> SafeString:
        return Instant(none=OPEN).html(value, row)

    def text(self, value: datetime | None, row: Any) -> str:
        return Instant(none=OPEN).text(value, row)

    def detail(self, value: datetime | None, row: Any) -> SafeString:
        return ZonedInstant(zone=self.zone, none=OPEN).html(value, row)


class Units(Kind):
    """Units, members, or money of a monetary pack, of those that the service has (ES-62)."""

    numeric = True
    css = "num"

    def html(self, value: int | None, row: Any) -> SafeString:
        return NOTHING if value is None else escape(self.said(value, row))

    def text(self, value: int | None, row: Any) -> str:
        return "" if value is None else self.said(value, row).replace("\N{NO-BREAK SPACE}", "")

    def said(self, value: int, row: Any) -> str:
        return amount(value, 2) if row.service.type == ServiceType.MONETARY_PACK else grouped(value)


class Used(Units):
    """ "15/10": how far it is used, of its size; nothing before the first use. Beyond the size members are paid for (ES-63)."""

    def said(self, value: int, row: Any) -> str:
        return f"{super().said(value, row)}/{super().said(row.service.size, row)}"


class Left(Units):
    """What of the size is not used yet; 0 when it is used up, or more."""

    def html(self, value: int | None, row: Any) -> SafeString:
        return escape(self.said(value or 0, row))

    def text(self, value: int | None, row: Any) -> str:
        return super().text(value or 0, row)

    def said(self, value: int, row: Any) -> str:
        return super().said(max(row.service.size - value, 0), row)


class Cost(Kind):
    """The net price that was taken, in the currency of the agreement, which has a column of its own (ES-26)."""

    numeric = True
    css = "num"

    def html(self, value: int | None, row: Any) -> SafeString:
        return NOTHING if value is None else escape(amount(value, 2))

    def text(self, value: int | None, row: Any) -> str:
        return "" if value is None else amount(value, 2).replace("\N{NO-BREAK SPACE}", "")


class CostWidget(forms.Widget):
    """No input: asks the page `pack-cost` whenever a field of its form changes, and shows the answer (ES-34)."""

    template_name = "backoffice/widgets/pack_cost.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        return context | {"url": reverse("pack-cost")}


def services_of(types: tuple[ServiceType, ...]) -> Callable[[Viewer, Any], QuerySet[Any]]:
    """Those that fit the tab, archived ones left out (ES-72)."""
    return lambda viewer, chosen: viewer.rows(Service, MANAGE).filter(type__in=types, archived_at=None)


def agreements(viewer: Viewer, chosen: Any) -> QuerySet[Any]:
    """In force or upcoming (ES-74), in the currency of the service where it has one (ES-73)."""
    rows = viewer.rows(Agreement, MANAGE).select_related("company")
    service = viewer.rows(Service).filter(pk=chosen["service"]).first() if chosen["service"] else None
    if service is not None and service.currency:
        rows = rows.filter(currency=service.currency)
    ended_not = Q(versions__effective_till=None) | Q(versions__effective_till__gt=viewer.now)
    return rows.filter(pk__in=Agreement.objects.filter(ended_not, versions__isnull=False).values("pk"))


class DatesForm(RecordForm):
    """The dates stay open after the purchase: the start while it lies ahead, the end always (ES-23, ES-43)."""

    effective_from = explained(ZonedField(label="Effective from"), FROM_EXPLAINED)
    effective_till = explained(ZonedField(label="Effective till", required=False, help_text=NO_END), TILL_EXPLAINED)
    fixed: ClassVar[tuple[str, ...]] = ("service", "agreement")

    def __init__(self, viewer: Viewer, *args: Any, instance: Any = None, initial: Any = None, **options: Any) -> None:
        known: dict[str, Any] = {}
        if instance is None:
            known = {
                "effective_from": (viewer.now.replace(microsecond=0), viewer.zone.key),
                "effective_till": (None, viewer.zone.key),
            }
        elif instance.effective_from <= viewer.now:
            self.fixed = (*self.fixed, "effective_from")  # of this form alone
        super().__init__(viewer, *args, instance=instance, initial=known | dict(initial or {}), **options)

    def terms(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if name in ("effective_from", "effective_till"):
                found[name], found[f"{name}_timezone"] = value
            elif name == "hidden_from_client":
                found[name] = value
        return found

    def store(self) -> EnabledService:
        terms = self.terms()
        return change_enabled_service(self.instance.pk, self.viewer.now, unchanged_since=self.unchanged_since, **terms)


def of_types(types: tuple[ServiceType, ...]) -> Callable[[Viewer], Q]:
    return lambda viewer: Q(service__type__in=types)


def rows_with_use(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With what is used of a pack, reserved units among it (SV-254), what is left, and how its charge stands (ES-80)."""
    charge = Case(
        When(charged=False, then=Value("free")),
        When(charged_at__isnull=False, then=Value("charged")),
        When(not_charged_reason="", effective_from__gt=Now(), then=Value("due")),
        When(not_charged_reason="", then=Value("due")),
        default=Value("failed"),
        output_field=CharField(),
    )
    used = F("use__used") + F("use__reserved")
    return rows.select_related("agreement__company", "service").annotate(charge=charge, used=used)


def made_by(enabled: EnabledService, viewer: Viewer) -> list[Block]:
    """Who made the purchase: a user, or the System (ES-85, ES-87)."""
    lines = AuditLine.objects.filter(
        table=EnabledService._meta.db_table, object_id=str(enabled.pk), operation=Operation.INSERT
    )
    line = lines.select_related("action").first()
    return [Block("backoffice/made_by.html", {"name": line.action.user_name if line else ""})]


COMPANY = Column(
    "company",
    "Company",
    NamedReference("companies"),
    path="agreement__company",
    sort="agreement__company__name",
    phone="m1",
)
AGREEMENT = Column("agreement", "Agreement", AgreementLink(), sort="agreement__agreement_code", phone="m3")
FROM = Column("effective_from", "Effective from", Given("effective_from_timezone"), phone="m4")
TILL = Column("effective_till", "Effective till", Given("effective_till_timezone"))
COST = (
    Column("cost", "Cost", Cost(), path="cost_net_micros"),
    Column("currency", "Currency", Computed(lambda row: _currency(row)), sort=None),
)
CHARGE = (
    Column("charge", "Charge", Badge(CHARGES)),
    Column("not_charged_reason", "Why it was not charged", Kind(), shown=False),
    Column("charged_at", "Charged", Instant(), shown=False),
)
MADE = (
    Column("created_at", "Created", Instant(), shown=False),
    Column("updated_at", "Updated", Instant(), shown=False),
)
FILTERS = (
    Filter("company", "Company", "reference", path="agreement__company", of=Company),
    Filter("agreement", "Agreement", "reference", of=Agreement),
    Filter("service", "Service", "reference", of=Service),
    Filter("effective_from", "Effective from", "day"),
    Filter("effective_till", "Effective till", "day"),
)
CHARGE_FILTER = Filter("charge", "Charge", "choice", choices=[(key, label) for key, (label, _) in CHARGES.items()])
SEARCH = ("agreement__company__name", "agreement__agreement_code", "service__name")


def service_column(label: str = "Service") -> Column:
    return Column("service", label, ServiceLink("services"), sort="service__name", phone="m2")


def _currency(row: Any) -> tuple[SafeString | str, str]:
    code = row.agreement.currency if row.cost_net_micros is not None else ""
    return code or NOTHING, code
