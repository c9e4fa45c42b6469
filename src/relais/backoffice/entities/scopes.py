"""Scopes: the periods in which a service's rates hold (SV-39 to SV-53). They are shown on the service's page, and edited here."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from relais.backoffice.agreement_parts import NamedReference
from relais.backoffice.rate_tree import state_of_scope
from relais.backoffice.service_parts import ServiceField
from relais.pages.entity import Column, Entity, Filter, Section
from relais.pages.forms import FROM_EXPLAINED, TILL_EXPLAINED, RecordForm, ReferenceField, ZonedField, explained
from relais.pages.kinds import OPEN, Badge, Flag, Id, Instant
from relais.pages.viewer import MANAGE, Viewer
from relais.records.catalog.actions.save_scope import has_prices, save_scope
from relais.records.catalog.models import Scope, Service, ServiceType

STATES = {
    "current": ("Current", "ok"),
    "draft": ("Draft", "hollow"),
    "upcoming": ("Upcoming", "info"),
    "overlapped": ("Overlapped", "mute"),
    "expired": ("Expired", "mute"),
}
COPYING = "copy=true"


class ScopeForm(RecordForm):
    """Dates are typed, and shown, in the user's zone (SV-264)."""

    draft = forms.BooleanField(
        label="Draft", required=False, help_text="Not used for rating, so that its rates can be completed later"
    )
    effective_from = explained(ZonedField(label="Effective from"), FROM_EXPLAINED)
    effective_till = explained(
        ZonedField(label="Effective till", required=False, help_text=f"Blank: {OPEN} (indefinitely)"), TILL_EXPLAINED
    )
    fixed: ClassVar[tuple[str, ...]] = ("service",)

    class Meta:
        model = Scope
        fields = ("draft",)

    def __init__(self, viewer: Viewer, *args: Any, instance: Any = None, initial: Any = None, **options: Any) -> None:
        zone = viewer.zone.key
        start = instance.effective_from if instance else viewer.now.replace(microsecond=0)
        known = {
            "effective_from": (start, zone),
            "effective_till": (instance.effective_till if instance else None, zone),
        }
        super().__init__(viewer, *args, instance=instance, initial=known | dict(initial or {}), **options)

    def dated(self) -> Scope:
        scope: Scope = self.instance
        scope.effective_from = self.cleaned_data["effective_from"][0]
        scope.effective_till = self.cleaned_data["effective_till"][0]
        return scope

    def store(self) -> Scope:
        return save_scope(self.dated(), unchanged_since=self.unchanged_since)


def _services(viewer: Viewer, chosen: Any) -> QuerySet[Any]:
    return viewer.rows(Service, MANAGE).filter(archived_at=None)


def _sources(viewer: Viewer, chosen: Any) -> QuerySet[Any]:
    """Services whose trees have the same kind of cells, the current one first (SV-44, SV-277)."""
    rows = viewer.rows(Service).filter(scopes__isnull=False).distinct()
    target = viewer.rows(Service).filter(pk=chosen["service"]).first() if chosen["service"] else None
    if target is None:
        return rows.none()
    same = Q(type=ServiceType.PAY_AS_YOU_GO)
    return rows.filter(same if has_prices(target) else ~same)


def _scopes(viewer: Viewer, chosen: Any) -> QuerySet[Any]:
    rows = viewer.rows(Scope).filter(service=chosen["copy_service"]) if chosen["copy_service"] else Scope.objects.none()
    return rows.select_related("service").order_by("effective_from", "pk")


def _current(rows: QuerySet[Any]) -> Scope | None:
    """The current one, else the first."""
    scopes, now = list(rows), timezone.now()
    current = (each for each in scopes if state_of_scope(each, scopes, now)[0] == "Current")
    return next(current, scopes[0] if scopes else None)


class SourceField(ServiceField):
    """Of the services that may be copied from, the one that the scope is for is "Current service" (SV-44)."""

    target = ""

    def offer(self, viewer: Viewer, chosen: Mapping[str, Any]) -> QuerySet[Any]:
        self.target = str(chosen.get("service") or "")
        return super().offer(viewer, chosen)

    def label_from_instance(self, service: Service) -> str:
        return gettext("Current service") if str(service.pk) == self.target else super().label_from_instance(service)


class ScopeField(ReferenceField):
    """Scopes by their periods, in the user's zone."""

    def label_from_instance(self, scope: Scope) -> str:
        return f"{scope} (ID {scope.pk}{', draft' if scope.draft else ''})"


class NewScopeForm(ScopeForm):
    service = ServiceField(_services, label="Service")
    copy = forms.BooleanField(label=gettext_noop("Copy rate tree from"), required=False)
    copy_service = SourceField(
        _sources, depends_on=("service",), label=gettext_noop("Service to copy from"), required=False
    )
    copy_scope = ScopeField(
        _scopes,
        depends_on=("copy_service",),
        preselects=_current,
        search=("service__name",),
        label=gettext_noop("Its scope"),
        required=False,
    )

    class Meta:
        model = Scope
        fields = ("service", "draft")

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        super().__init__(viewer, *args, **options)
        self.fields["copy"].place = "c12"
        for name in ("copy_service", "copy_scope"):
            self.fields[name].show_when = COPYING

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("copy") and "copy_scope" not in self.errors and not cleaned.get("copy_scope"):
            self.add_error("copy_scope", gettext("Choose the scope whose rates are copied."))
        return cleaned

    def store(self) -> Scope:
        source = self.cleaned_data.get("copy_scope") if self.cleaned_data.get("copy") else None
        return save_scope(self.dated(), copied_from=source)


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    holds = Q(effective_from__lte=Now()) & (Q(effective_till=None) | Q(effective_till__gt=Now()))
    earlier = Scope.objects.filter(holds, service=OuterRef("service"), draft=False, pk__lt=OuterRef("pk"))
    state = Case(
        When(draft=True, then=Value("draft")),
        When(effective_from__gt=Now(), then=Value("upcoming")),
        When(effective_till__lte=Now(), then=Value("expired")),
        When(Exists(earlier), then=Value("overlapped")),
        default=Value("current"),
        output_field=CharField(),
    )
    return rows.select_related("service").annotate(state=state)


SCOPES = Entity(
    name="scopes",
    model=Scope,
    label="Scope",
    plural="Scopes",
    line="Services",
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("service", "Service", NamedReference("services"), sort="service__name", phone="m1"),
        Column("state", "State", Badge(STATES), phone="m2"),
        Column("effective_from", "Effective from", Instant(), phone="m3"),
        Column("effective_till", "Effective till", Instant(none=OPEN), phone="m4"),
        Column("draft", "Draft", Flag(), shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("service", "Service", "reference", of=Service),
        Filter("state", "State", "choice", choices=[(state, label) for state, (label, _) in STATES.items()]),
        Filter("effective_from", "Effective from", "day"),
    ),
    search=("service__name",),
    search_hint="Service",
    sections=(
        Section("Scope", ("service", "draft", "effective_from", "effective_till")),
        Section("Rates", ("copy", "copy_service", "copy_scope"), "They can be added on the page of the service later"),
    ),
    rows=_rows,
    form=ScopeForm,
    form_of_new=NewScopeForm,
    own_page="scopes-view",
    empty="A scope is a period in which the rates of a service hold. Add the service first.",
)
