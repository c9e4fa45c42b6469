"""Enabled bundle initiators: what a bundle covers. Enabled bundle packs: they count people, and go on by themselves (ES)."""

from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet

from relais.backoffice.agreement_parts import AgreementField
from relais.backoffice.enabled_parts import (
    AGREEMENT,
    CHARGE,
    COMPANY,
    COST,
    FILTERS,
    FROM,
    MADE,
    SEARCH,
    TILL,
    CostWidget,
    DatesForm,
    Used,
    agreements,
    made_by,
    of_types,
    rows_with_use,
    service_column,
    services_of,
)
from relais.backoffice.service_parts import ServiceField
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm
from relais.pages.kinds import Flag, Id
from relais.pages.viewer import MANAGE, Viewer
from relais.records.agreements.models import Agreement
from relais.records.catalog.actions.enable_bundle import (
    enable_bundle_pack,
    enable_initiator,
    set_auto_extend,
    version_zone,
)
from relais.records.catalog.models import EnabledService, ServiceType

LINE = "Enabled bundles"


class InitiatorForm(DatesForm):
    hidden_from_client = forms.BooleanField(label="Do not show to client", required=False)

    class Meta:
        model = EnabledService
        fields = ("hidden_from_client",)


class NewInitiatorForm(InitiatorForm):
    """The zones are that of the agreement's billing where the address names the agreement (ES-54), else the user's."""

    service = ServiceField(services_of((ServiceType.BUNDLE_INITIATOR,)), label="Service (pack)")
    agreement = AgreementField(agreements, depends_on=("service",), label="Agreement")

    class Meta:
        model = EnabledService
        fields = ("service", "agreement", "hidden_from_client")

    def __init__(self, viewer: Viewer, *args: Any, initial: Any = None, **options: Any) -> None:
        known = dict(initial or {})
        asked = str(known.get("agreement", ""))
        if asked.isdecimal() and len(asked) < 19:
            agreement = viewer.rows(Agreement, MANAGE).filter(pk=int(asked)).first()
            zone = version_zone(agreement, viewer.now) if agreement else viewer.zone.key
            dates = {"effective_from": (viewer.now.replace(microsecond=0), zone), "effective_till": (None, zone)}
            known = dates | known
        super().__init__(viewer, *args, initial=known, **options)

    def store(self) -> EnabledService:
        return enable_initiator(self.instance, self.viewer.now)


class BundlePackForm(RecordForm):
    """The dates are the System's (ES-70); whether it goes on stays open (ES-71)."""

    auto_extend = forms.BooleanField(
        label="Auto extend",
        required=False,
        help_text="The next one starts where this one ends, and its price is charged again",
    )
    fixed: ClassVar[tuple[str, ...]] = ("service", "agreement")

    class Meta:
        model = EnabledService
        fields = ("auto_extend",)

    def store(self) -> EnabledService:
        return set_auto_extend(self.instance.pk, self.cleaned_data["auto_extend"], unchanged_since=self.unchanged_since)


class NewBundlePackForm(RecordForm):
    service = ServiceField(services_of((ServiceType.BUNDLE_PACK,)), label="Service (pack)")
    agreement = AgreementField(agreements, depends_on=("service",), label="Agreement")
    cost = forms.CharField(label="Cost", required=False, widget=CostWidget)

    class Meta:
        model = EnabledService
        fields = ("service", "agreement")

    def store(self) -> EnabledService:
        return enable_bundle_pack(self.instance, self.viewer.now)


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("agreement__company", "service")


ENABLED_BUNDLE_INITIATORS = Entity(
    name="enabled-bundle-initiators",
    model=EnabledService,
    label="Enabled bundle initiator",
    plural="Enabled bundle initiators",
    line=LINE,
    menu=Menu("Account management", 42),
    tab_of="enabled-services",
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        COMPANY,
        AGREEMENT,
        service_column(),
        FROM,
        TILL,
        Column("hidden_from_client", "Do not show to client", Flag(), shown=False),
        *MADE,
    ),
    filters=(*FILTERS, Filter("hidden_from_client", "Do not show to client", "flag")),
    search=SEARCH,
    search_hint="Company, agreement or initiator",
    sections=(
        Section("Bundle initiator", ("service", "agreement")),
        Section("Period", ("effective_from", "effective_till", "hidden_from_client")),
    ),
    of=of_types((ServiceType.BUNDLE_INITIATOR,)),
    rows=_rows,
    form=InitiatorForm,
    form_of_new=NewInitiatorForm,
    blocks=made_by,
    empty="A bundle initiator says which channels and destinations a bundle covers; it costs nothing itself. Add one under "
    "Finance, Services first.",
)

ENABLED_BUNDLE_PACKS = Entity(
    name="enabled-bundle-packs",
    model=EnabledService,
    label="Enabled bundle pack",
    plural="Enabled bundle packs",
    line=LINE,
    menu=Menu("Account management", 43),
    tab_of="enabled-services",
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        COMPANY,
        AGREEMENT,
        service_column(),
        Column("used", "Used", Used()),
        FROM,
        TILL,
        Column("auto_extend", "Auto extend", Flag(), shown=False),
        *(_hidden for _hidden in COST),
        *CHARGE,
        *MADE,
    ),
    filters=(*FILTERS, Filter("auto_extend", "Auto extend", "flag")),
    search=SEARCH,
    search_hint="Company, agreement or bundle pack",
    sections=(
        Section(
            "Bundle pack", ("service", "agreement", "auto_extend", "used", "cost", "currency", "not_charged_reason")
        ),
        Section("Period", ("effective_from", "effective_till"), "From the purchase to the end of the billing period"),
    ),
    of=of_types((ServiceType.BUNDLE_PACK,)),
    rows=rows_with_use,
    form=BundlePackForm,
    form_of_new=NewBundlePackForm,
    blocks=made_by,
    empty="A bundle pack counts the people reached in a billing period. It needs an enabled bundle initiator, and a service with "
    "the prices of packs, on the same agreement.",
)
