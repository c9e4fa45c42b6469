"""Enabled services and packs: what an agreement has bought (ES). A record is a purchase: it is ended, never deleted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.db.models import Q, QuerySet
from django.utils.safestring import SafeString

from relais.backoffice.agreement_parts import AgreementField, AgreementLink, NamedReference, ZonedInstant
from relais.backoffice.service_parts import ServiceField, ServiceLink
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import FROM_EXPLAINED, TILL_EXPLAINED, RecordForm, ZonedField, explained
from relais.pages.kinds import NOTHING, OPEN, Computed, Flag, Id, Instant, Kind
from relais.pages.viewer import MANAGE, Viewer
from relais.records.agreements.models import Agreement
from relais.records.catalog.actions.enable_service import change_enabled_service, enable_pack, enable_service
from relais.records.catalog.models import PACK_TYPES, EnabledService, Service, ServiceType
from relais.records.parties.models import Company

NO_END = f"Blank: {OPEN} (indefinitely)"


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


def _services(types: tuple[ServiceType, ...]) -> Callable[[Viewer, Any], QuerySet[Any]]:
    """Those that fit the tab, archived ones left out (ES-72)."""
    return lambda viewer, chosen: viewer.rows(Service, MANAGE).filter(type__in=types, archived_at=None)


def _agreements(viewer: Viewer, chosen: Any) -> QuerySet[Any]:
    """In force or upcoming (ES-74), in the currency of the service where it has one (ES-73)."""
    rows = viewer.rows(Agreement, MANAGE).select_related("company")
    service = viewer.rows(Service).filter(pk=chosen["service"]).first() if chosen["service"] else None
    if service is not None and service.currency:
        rows = rows.filter(currency=service.currency)
    ended_not = Q(versions__effective_till=None) | Q(versions__effective_till__gt=viewer.now)
    return rows.filter(pk__in=Agreement.objects.filter(ended_not, versions__isnull=False).values("pk"))


class _DatesForm(RecordForm):
    """The dates stay open after the purchase: the start while it lies ahead, the end always (ES-23, ES-43)."""

    effective_from = explained(ZonedField(label="Effective from"), FROM_EXPLAINED)
    effective_till = explained(ZonedField(label="Effective till", required=False, help_text=NO_END), TILL_EXPLAINED)

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


class EnabledServiceForm(_DatesForm):
    fixed: ClassVar[tuple[str, ...]] = ("service", "agreement")
    hidden_from_client = forms.BooleanField(label="Do not show to client", required=False)

    class Meta:
        model = EnabledService
        fields = ("hidden_from_client",)


class NewEnabledServiceForm(EnabledServiceForm):
    service = ServiceField(_services((ServiceType.PAY_AS_YOU_GO,)), label="Service")
    agreement = AgreementField(
        _agreements,
        depends_on=("service",),
        label="Agreement",
        help_text="A pack of the agreement is used before the service",
    )

    class Meta:
        model = EnabledService
        fields = ("service", "agreement", "hidden_from_client")

    def store(self) -> EnabledService:
        return enable_service(self.instance, self.viewer.now)


class EnabledPackForm(_DatesForm):
    fixed: ClassVar[tuple[str, ...]] = ("service", "agreement")

    class Meta:
        model = EnabledService
        fields = ()


class NewEnabledPackForm(EnabledPackForm):
    service = ServiceField(_services(tuple(PACK_TYPES)), label="Service (pack)")
    agreement = AgreementField(
        _agreements,
        depends_on=("service",),
        label="Agreement",
        help_text="A pack is used before the service; packs in the order they were enabled",
    )
    billing = forms.ChoiceField(label="Billing", choices=[("free", "Free of charge")])

    class Meta:
        model = EnabledService
        fields = ("service", "agreement")

    def store(self) -> EnabledService:
        return enable_pack(self.instance, self.viewer.now)


def _of_types(types: tuple[ServiceType, ...]) -> Callable[[Viewer], Q]:
    return lambda viewer: Q(service__type__in=types)


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("agreement__company", "service")


_COMPANY = Column(
    "company",
    "Company",
    NamedReference("companies"),
    path="agreement__company",
    sort="agreement__company__name",
    phone="m1",
)
_AGREEMENT = Column("agreement", "Agreement", AgreementLink(), sort="agreement__agreement_code", phone="m3")
_FROM = Column("effective_from", "Effective from", Given("effective_from_timezone"), phone="m4")
_TILL = Column("effective_till", "Effective till", Given("effective_till_timezone"))
_MADE = (
    Column("created_at", "Created", Instant(), shown=False),
    Column("updated_at", "Updated", Instant(), shown=False),
)
_FILTERS = (
    Filter("company", "Company", "reference", path="agreement__company", of=Company),
    Filter("agreement", "Agreement", "reference", of=Agreement),
    Filter("service", "Service", "reference", of=Service),
    Filter("effective_from", "Effective from", "day"),
    Filter("effective_till", "Effective till", "day"),
)
_SEARCH = ("agreement__company__name", "agreement__agreement_code", "service__name")


def _service_column(label: str) -> Column:
    return Column("service", label, ServiceLink("services"), sort="service__name", phone="m2")


ENABLED_SERVICES = Entity(
    name="enabled-services",
    model=EnabledService,
    label="Enabled service",
    plural="Enabled services",
    line="Enabled services",
    menu=Menu("Account management", 40),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        _COMPANY,
        _AGREEMENT,
        _service_column("Service"),
        _FROM,
        _TILL,
        Column("hidden_from_client", "Do not show to client", Flag(), shown=False),
        *_MADE,
    ),
    filters=(*_FILTERS, Filter("hidden_from_client", "Do not show to client", "flag")),
    search=_SEARCH,
    search_hint="Company, agreement or service",
    sections=(
        Section("Service", ("service", "agreement")),
        Section("Period", ("effective_from", "effective_till", "hidden_from_client")),
    ),
    of=_of_types((ServiceType.PAY_AS_YOU_GO,)),
    rows=_rows,
    form=EnabledServiceForm,
    form_of_new=NewEnabledServiceForm,
    empty="A client can send once a pay-as-you-go service is enabled on its agreement. Add the service with its rates, and "
    "the agreement, first.",
)

ENABLED_PACKS = Entity(
    name="enabled-packs",
    model=EnabledService,
    label="Enabled pack",
    plural="Enabled packs",
    line="Enabled packs",
    menu=Menu("Account management", 41),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        _AGREEMENT,
        _service_column("Service"),
        _COMPANY,
        Column("cost", "Cost", Computed(lambda row: (NOTHING, "")), sort=None),
        Column("currency", "Currency", Computed(lambda row: (NOTHING, "")), sort=None),
        _FROM,
        _TILL,
        *_MADE,
    ),
    filters=_FILTERS,
    search=_SEARCH,
    search_hint="Company, agreement or pack",
    sections=(
        Section("Pack", ("service", "agreement", "billing")),
        Section("Period", ("effective_from", "effective_till")),
    ),
    of=_of_types(tuple(PACK_TYPES)),
    rows=_rows,
    form=EnabledPackForm,
    form_of_new=NewEnabledPackForm,
    empty="A pack is a number of units, or an amount of money, that is used before the pay-as-you-go service. Add a pack under "
    "Finance, Services first.",
)
