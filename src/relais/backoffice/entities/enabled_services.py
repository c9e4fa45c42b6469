"""Enabled services and packs: what an agreement has bought (ES). A record is a purchase: it is ended, never deleted."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from relais.backoffice.agreement_parts import AgreementField
from relais.backoffice.enabled_parts import (
    AGREEMENT,
    CHARGE,
    CHARGE_FILTER,
    COMPANY,
    COST,
    FILTERS,
    FROM,
    MADE,
    SEARCH,
    TILL,
    CostWidget,
    DatesForm,
    Left,
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
from relais.pages.kinds import Flag, Id
from relais.records.catalog.actions.enable_service import enable_pack, enable_service
from relais.records.catalog.models import PACK_TYPES, EnabledService, ServiceType
from relais.records.errors import Invalid


class EnabledServiceForm(DatesForm):
    hidden_from_client = forms.BooleanField(label="Do not show to client", required=False)

    class Meta:
        model = EnabledService
        fields = ("hidden_from_client",)


class NewEnabledServiceForm(EnabledServiceForm):
    service = ServiceField(services_of((ServiceType.PAY_AS_YOU_GO,)), label="Service")
    agreement = AgreementField(
        agreements,
        depends_on=("service",),
        label="Agreement",
        help_text="A pack of the agreement is used before the service",
    )

    class Meta:
        model = EnabledService
        fields = ("service", "agreement", "hidden_from_client")

    def store(self) -> EnabledService:
        return enable_service(self.instance, self.viewer.now)


class EnabledPackForm(DatesForm):
    class Meta:
        model = EnabledService
        fields = ()


class NewEnabledPackForm(EnabledPackForm):
    service = ServiceField(services_of(tuple(PACK_TYPES)), label=gettext_noop("Service (pack)"))
    agreement = AgreementField(
        agreements,
        depends_on=("service",),
        label="Agreement",
        help_text="A pack is used before the service; packs in the order they were enabled",
    )
    billing = forms.ChoiceField(
        label=gettext_noop("Billing"), choices=[("free", "Free of charge"), ("charge", "Charge")]
    )
    cost = forms.CharField(label="Cost", required=False, widget=CostWidget)

    class Meta:
        model = EnabledService
        fields = ("service", "agreement")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["cost"].show_when = "billing=charge"

    def store(self) -> EnabledService:
        self.instance.charged = self.cleaned_data["billing"] == "charge"
        try:
            return enable_pack(self.instance, self.viewer.now)
        except Invalid as refusal:
            raise Invalid({{"charged": "billing"}.get(at, at): why for at, why in refusal.reasons.items()}) from refusal


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("agreement__company", "service")


ENABLED_SERVICES = Entity(
    name="enabled-services",
    model=EnabledService,
    label="Enabled service",
    plural="Enabled services",
    line="Enabled services",
    menu=Menu("Account management", 40),
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
    search_hint="Company, agreement or service",
    sections=(
        Section("Service", ("service", "agreement")),
        Section("Period", ("effective_from", "effective_till", "hidden_from_client")),
    ),
    of=of_types((ServiceType.PAY_AS_YOU_GO,)),
    rows=_rows,
    form=EnabledServiceForm,
    form_of_new=NewEnabledServiceForm,
    blocks=made_by,
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
    tab_of="enabled-services",
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        AGREEMENT,
        service_column(),
        COMPANY,
        *COST,
        FROM,
        TILL,
        Column("used", "Used", Used()),
        Column("left", "Left", Left(), path="used", sort=None),
        *CHARGE,
        *MADE,
    ),
    filters=(*FILTERS, CHARGE_FILTER),
    search=SEARCH,
    search_hint="Company, agreement or pack",
    sections=(
        Section("Pack", ("service", "agreement", "billing", "cost", "currency", "charge", "not_charged_reason")),
        Section("Period", ("effective_from", "effective_till")),
        Section("Use", ("used", "left")),
    ),
    of=of_types(tuple(PACK_TYPES)),
    rows=rows_with_use,
    form=EnabledPackForm,
    form_of_new=NewEnabledPackForm,
    blocks=made_by,
    empty="A pack is a number of units, or an amount of money, that is used before the pay-as-you-go service. Add a pack under "
    "Finance, Services first.",
)
