"""Price lists of SMS by country (WC-8, WC-33): which service they price, and from whose costs. Prices are on a list's page."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Computed, Id, Instant, Kind, Name, Reference
from relais.pages.viewer import Viewer
from relais.records.catalog.actions.price_countries import delete_country_prices, save_country_prices
from relais.records.catalog.models import CountryPrices, EnabledService, Service, ServiceType


def _priced(rows: QuerySet[Service]) -> QuerySet[Service]:
    return rows.filter(type=ServiceType.PAY_AS_YOU_GO, archived_at=None).order_by("name", "pk")


def _sold(viewer: Viewer, chosen: Any) -> QuerySet[Service]:
    return _priced(viewer.rows(Service, "manage")).filter(country_prices=None)


def _own(viewer: Viewer, chosen: Any) -> QuerySet[Service]:
    return _priced(viewer.rows(Service))


def _bought(viewer: Viewer, chosen: Any) -> QuerySet[EnabledService]:
    """On agreements under which the company buys, but for what the seller hides from it."""
    rows = viewer.rows(EnabledService).filter(agreement__company=viewer.company)
    return rows.filter(service__type=ServiceType.PAY_AS_YOU_GO, service__archived_at=None).order_by(
        "service__name", "pk"
    )


class _PricedField(ReferenceField):
    def label_from_instance(self, service: Service) -> str:  # type: ignore[override]  # of services only
        return f"{service.name}, {service.currency}"


class _BoughtField(ReferenceField):
    def label_from_instance(self, enabled: EnabledService) -> str:  # type: ignore[override]  # of these only
        return f"{enabled.service.name}, {enabled.service.currency}, {enabled.agreement.agreement_code}"


class CountryPricesForm(RecordForm):
    fixed = ("service",)

    service = _PricedField(
        _sold, label="Service", help_text="Whose SMS rates the list writes. They depend on the country alone."
    )
    cost_service = _PricedField(
        _own, required=False, label="Costs of an own service", help_text="One that holds the rates of a vendor"
    )
    bought = _BoughtField(
        _bought, required=False, search=("service__name", "agreement__agreement_code"), label="Costs of what is bought",
        help_text="A service that is enabled on an agreement of your company",
    )  # fmt: skip

    class Meta:
        model = CountryPrices
        fields = ("service", "cost_service")

    def __init__(self, viewer: Viewer, *args: Any, instance: CountryPrices | None = None, **options: Any) -> None:
        super().__init__(viewer, *args, instance=instance, **options)
        if instance is not None and instance.cost_service.company_id != viewer.company.pk:
            self.initial["bought"] = _bought(viewer, {}).filter(service=instance.cost_service_id).first()
            self.initial["cost_service"] = None

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        own, bought = cleaned.get("cost_service"), cleaned.get("bought")
        if (own is None) is (bought is None) and not self.errors:
            self.add_error("cost_service", gettext("Choose where the costs come from: one of these two."))
        elif own is None and bought is not None:
            cleaned["cost_service"] = bought.service
        return cleaned

    def store(self) -> CountryPrices:
        if self.instance.pk is None:
            self.instance.company = self.viewer.company
        return save_country_prices(self.instance, unchanged_since=self.unchanged_since)


def percent(basis_points: int) -> str:
    """2550 → "25.5 %"."""
    return f"{basis_points / 100:g} %"


def _profit(prices: CountryPrices) -> tuple[Any, str]:
    told = percent(prices.profit_bp)
    return told, told


COUNTRY_PRICES = Entity(
    name="country-prices",
    model=CountryPrices,
    label="Price list by country",
    plural="Country prices",
    line="Services",
    menu=Menu("Finance", 35),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("name", "Service", Name(), path="service__name", sort="service__name", phone="m1"),
        Column("currency", "Currency", Kind(), path="service__currency", sort="service__currency", phone="m2"),
        Column("cost_service", "Costs", Reference("services"), sort="cost_service__name", phone="m3"),
        Column("profit_bp", "Profit rate", Computed(_profit), sort="profit_bp", phone="m4"),
        Column("applied_at", "Costs taken", Instant()),
        Column("trouble", "Trouble", Kind(), shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(Filter("name", "Service", path="service__name"), Filter("created_at", "Created", "day")),
    search=("service__name", "cost_service__name"),
    search_hint="Name of a service",
    sections=(Section("Price list", ("name", "cost_service", "profit_bp", "applied_at")),),
    rows=lambda rows: rows.select_related("service", "cost_service"),
    form=CountryPricesForm,
    deletes=lambda prices, viewer: delete_country_prices(prices.pk),
    own_page="country-prices-view",
    empty="A price list sells SMS by country: its prices are made from what messages cost, by one profit rate.",
)
