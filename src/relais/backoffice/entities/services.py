"""Services: the rate plans that can be offered to clients (SV). Properties here; scopes and rates on the service's own page."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db.models import Case, CharField, Count, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from relais.backoffice.service_parts import Size
from relais.pages.choices import currency_choices
from relais.pages.entity import Action, Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm
from relais.pages.kinds import MICROS, Badge, Choice, Computed, Id, Instant, Kind, Name, Number
from relais.pages.templatetags.pages import icon
from relais.pages.viewer import Viewer
from relais.pages.words import SERVICE_TYPES
from relais.records.catalog.actions.clone_service import clone_service
from relais.records.catalog.actions.save_service import (
    archive_service,
    delete_service,
    priced_in,
    save_service,
    stopped_by_archiving,
    unarchive_service,
)
from relais.records.catalog.models import (
    TYPES_WITH_CURRENCY,
    TYPES_WITH_SIZE,
    EnabledService,
    Scope,
    Service,
    ServiceType,
)

STATES = {"active": ("Active", "ok"), "archived": ("Archived", "mute")}
STATE_CHOICES = [(state, label) for state, (label, _) in STATES.items()]
NAMED_MAX = 5


class ServiceForm(RecordForm):
    type = forms.ChoiceField(label="Type", choices=[("", ""), *SERVICE_TYPES.items()])
    currency = forms.ChoiceField(label="Currency", required=False, choices=currency_choices)
    size = forms.DecimalField(
        label="Size",
        required=False,
        max_digits=18,
        decimal_places=6,
        help_text="Units; money of a monetary pack; members of a bundle",
        widget=forms.TextInput({"inputmode": "decimal", "class": "num"}),
    )
    description = forms.CharField(
        label="Description", required=False, max_length=2000, widget=forms.Textarea({"rows": 3})
    )
    fixed: ClassVar[tuple[str, ...]] = ("type", "currency")

    class Meta:
        model = Service
        fields = ("name", "type", "currency", "description")

    def __init__(self, viewer: Viewer, *args: Any, instance: Service | None = None, **options: Any) -> None:
        super().__init__(viewer, *args, instance=instance, **options)
        if instance is None:
            self.fields["currency"].show_when = f"type={'|'.join(TYPES_WITH_CURRENCY)}"
            self.fields["size"].show_when = f"type={'|'.join(TYPES_WITH_SIZE)}"
        elif instance.size is None:
            del self.fields["size"]
        elif instance.type == ServiceType.MONETARY_PACK:
            self.initial["size"] = (Decimal(instance.size) / MICROS).normalize()
            self.fields["size"].unit = instance.currency
        else:
            self.initial["size"] = instance.size

    def clean_size(self) -> int | None:
        """Micros for a monetary pack, else a whole number."""
        size: Decimal | None = self.cleaned_data["size"]
        service_type = self.cleaned_data.get("type") or self.instance.type
        if size is None or service_type not in TYPES_WITH_SIZE:
            return None
        if service_type == ServiceType.MONETARY_PACK:
            return int(size * MICROS)
        if size != size.to_integral_value():
            raise forms.ValidationError("Enter a whole number.")
        return int(size)

    def clean_currency(self) -> str | None:
        has_currency = self.cleaned_data.get("type") in TYPES_WITH_CURRENCY
        return self.cleaned_data["currency"] or None if has_currency else None

    def store(self) -> Service:
        if self.instance.pk is None:
            self.instance.company = self.viewer.company
        if "size" in self.cleaned_data:
            self.instance.size = self.cleaned_data["size"]
        return save_service(self.instance, unchanged_since=self.unchanged_since)


class ArchiveForm(forms.Form):
    """Names the clients whose traffic stops, and asks for the service's name where there are any (SV-17, SV-266)."""

    name = forms.CharField(label="Name of the service", max_length=200)

    def __init__(self, data: Any = None, *, record: Service | None = None) -> None:
        super().__init__(data)
        self.record = record
        if record is None:
            return
        stopped = stopped_by_archiving(record, timezone.now())
        named = [f"{each.agreement.company.name} ({each.agreement.agreement_code})" for each in stopped[:NAMED_MAX]]
        told = (
            [f"Enabled on {len(stopped)}: {', '.join(named)}{', …' if len(stopped) > NAMED_MAX else ''}."]
            if stopped
            else []
        )
        told += [f"Its price stands in {each.name} (ID {each.pk})." for each in priced_in(record)[:NAMED_MAX]]
        self.fields["name"].help_text = " ".join([*told, "Type the name to archive it."])
        if not stopped:
            self.fields["name"].required = False

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if self.fields["name"].required and self.record is not None and typed.strip() != self.record.name:
            raise forms.ValidationError("This is not the name of the service. Type it as it is written above.")
        return typed


def _controls(service: Service) -> SafeString:
    """What a row offers under the pointer (SV-11 to SV-16); what changes something is hidden from who may not."""
    ends = (
        ("unarchive", "archive-off", "Bring back %s") if service.archived_at else ("archive", "archive", "Archive %s")
    )
    offered = (
        ("services-do", "clone", "copy", "Clone %s", "#dialog"),
        ("services-view", "", "list-details", "Edit structure of %s", ""),
        ("services-edit", "", "pencil", "Properties of %s", "#drawer"),
        ("services-do", *ends, "#dialog"),
    )
    made = []
    for name, action, shown, label, target in offered:
        url = reverse(name, args=[service.pk, action] if action else [service.pk])
        scripted = format_html(
            ' hx-get="{}" hx-target="{}" hx-push-url="{}"', url, target, str(target == "#drawer").lower()
        )
        css = "btn btn-quiet btn-ic btn-s" + (" manages" if target else "")
        made.append(
            format_html('<a class="{}" href="{}"{} aria-label="{}">{}</a>', css, url,
                        scripted if target else SafeString(' hx-boost="false"'), gettext(label) % service.name, icon(shown))
        )  # fmt: skip
    return format_html('<span class="row-acts">{}</span>', SafeString("".join(made)))


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.filter(service=OuterRef("pk")).order_by().values("service").annotate(count=Count("pk"))
    return Coalesce(Subquery(counted.values("count")), 0)


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    state = Case(When(archived_at=None, then=Value("active")), default=Value("archived"), output_field=CharField())
    return rows.annotate(
        state=state, enabled_count=_count(EnabledService.objects.all()), scopes_count=_count(Scope.objects.all())
    )


SERVICES = Entity(
    name="services",
    model=Service,
    label="Service",
    plural="Services",
    line="Services",
    menu=Menu("Finance", 30),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("name", "Name", Name(), phone="m1"),
        Column("type", "Type", Choice(SERVICE_TYPES), phone="m3"),
        Column("size", "Size", Size()),
        Column("currency", "Currency", Kind(), phone="m2"),
        Column("state", "State", Badge(STATES), phone="m4"),
        Column("scopes_count", "Scopes", Number()),
        Column("enabled_count", "Enabled on agreements", Number()),
        Column("description", "Description", Kind(), shown=False),
        Column("archived_at", "Archived", Instant(), shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
        Column("actions", "Actions", Computed(lambda service: (_controls(service), "")), sort=None),
    ),
    filters=(
        Filter("name", "Name"),
        Filter("type", "Type", "choice", choices=list(SERVICE_TYPES.items())),
        Filter("currency", "Currency"),
        Filter("state", "State", "choice", choices=STATE_CHOICES),
        Filter("created_at", "Created", "day"),
    ),
    search=("name", "description"),
    search_hint="Name or description",
    sections=(Section("Service", ("name", "type", "currency", "size", "description")),),
    rows=_rows,
    form=ServiceForm,
    deletes=lambda service, viewer: delete_service(service.pk),
    actions=(
        Action(
            "clone",
            "Clone…",
            lambda service, viewer, data: clone_service(service.pk),
            confirm="Makes a copy with all scopes and their rates. The scopes of the copy are drafts, so that nothing is charged "
            "by them before you say so.",
            makes=True,
        ),
        Action(
            "archive",
            "Archive…",
            lambda service, viewer, data: archive_service(service.pk, viewer.now),
            shown=lambda service: service.archived_at is None,
            confirm="An archived service is no source of rates any more: traffic stops for every client that has no other. "
            "Nothing is deleted, and it can be brought back.",
            form=ArchiveForm,
        ),
        Action(
            "unarchive",
            "Bring back…",
            lambda service, viewer, data: unarchive_service(service.pk),
            shown=lambda service: service.archived_at is not None,
            confirm="Where the service is enabled, it gives rates again at once.",
        ),
    ),
    own_page="services-view",
    empty="A service is a rate plan: what messages cost, by country and network. Add one, give it a scope and rates, then "
    "enable it on agreements.",
)
