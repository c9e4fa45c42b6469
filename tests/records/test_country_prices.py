"""Price lists of SMS by country: one profit rate over what messages cost, and prices by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.core.rating.rating_samples import SMS, rows_of

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
START = datetime(2025, 1, 1, tzinfo=UTC)


def service(company: Any, name: str, tree: Any = None, currency: str = "EUR") -> Any:
    from relais.records.catalog.actions.replace_rate_tree import replace_rate_tree
    from relais.records.catalog.models import Scope, Service

    made = Service.objects.create(company=company, name=name, type="pay_as_you_go", currency=currency)
    if tree is not None:
        scope = Scope.objects.create(service=made, effective_from=START)
        replace_rate_tree(scope.pk, rows_of({SMS: tree}), NOW)
    return made


def replaced(made: Any, tree: Any) -> None:
    from relais.records.catalog.actions.replace_rate_tree import replace_rate_tree

    replace_rate_tree(made.scopes.get().pk, rows_of({SMS: tree}), NOW)


@pytest.fixture
def prices(records: str) -> Any:
    """A list over costs in the United States and Germany, whose service has no rates yet."""
    from relais.records.catalog.actions.price_countries import save_country_prices
    from relais.records.catalog.models import Country, CountryPrices
    from relais.records.parties.models import Company

    for iso in ("US", "DE", "ES", "FR"):
        Country.objects.get_or_create(iso=iso, defaults={"name": iso})
    company = Company.objects.get(parent=None)
    costs = service(company, "Provider", {"by": "country", "is": {"US": "0.062", "DE": "0.1234", "others": "5"}})
    return save_country_prices(CountryPrices(company=company, service=service(company, "World"), cost_service=costs))


def sold(prices: Any) -> dict[str, int | None]:
    from relais.records.catalog.actions.price_countries import lines_of

    return {line.iso: line.sale_micros for line in lines_of(prices, NOW)}


def test_WC_8_WC_9_WC_18_one_rate_prices_every_country_at_once(prices: Any) -> None:
    """WC-33: they are rates of a pay-as-you-go service; WC-20; the preview changes nothing (WC-21)."""
    from relais.core.rating.tree import compile_tree, lookup
    from relais.core.rating.types import Parameter, Rate
    from relais.records.catalog.actions.price_countries import apply_profit, lines_of
    from relais.records.catalog.models import RateNode
    from relais.records.catalog.rows import node_rows

    seen = {line.iso: line.next_micros for line in lines_of(prices, NOW, profit_bp=2_500)}
    assert seen == {"US": 77_500, "DE": 154_250}
    assert sold(prices) == {"US": None, "DE": None}
    assert apply_profit(prices.pk, 2_500, NOW) == 2
    assert apply_profit(prices.pk, 2_500, NOW) == 0, "said again it changes nothing"
    assert sold(prices) == {"US": 77_500, "DE": 154_250}
    nodes = RateNode.objects.filter(scope__service=prices.service, retired_at=None)
    tree = compile_tree(node_rows(nodes))
    rate = lookup(tree, *SMS, {Parameter.COUNTRY: "DE"})
    assert isinstance(rate, Rate) and rate.price_micros == 154_250
    assert lookup(tree, *SMS, {Parameter.COUNTRY: "FR"}) is None, "WC-25: a country without a price is refused"
    assert apply_profit(prices.pk, 0, NOW) == 2
    assert sold(prices) == {"US": 62_000, "DE": 123_400}


def test_WC_21_a_price_by_hand_stays_until_it_is_overwritten(prices: Any) -> None:
    from relais.records.catalog.actions.price_countries import apply_profit, lines_of, set_country_price
    from relais.records.errors import Invalid

    apply_profit(prices.pk, 2_500, NOW)
    set_country_price(prices.pk, "US", 60_000, NOW)
    set_country_price(prices.pk, "FR", 90_000, NOW)
    prices.refresh_from_db()
    assert {line.iso: (line.by_hand, line.below_cost) for line in lines_of(prices, NOW)} == {
        "US": (True, True), "DE": (False, False), "FR": (True, False),
    }  # fmt: skip
    assert apply_profit(prices.pk, 5_000, NOW, overwrite=False) == 1
    assert sold(prices) == {"US": 60_000, "DE": 185_100, "FR": 90_000}
    assert apply_profit(prices.pk, 5_000, NOW, overwrite=True) == 1
    prices.refresh_from_db()
    assert (sold(prices)["US"], prices.by_hand) == (93_000, ["FR"])
    with pytest.raises(Invalid, match="no cost to follow"):
        set_country_price(prices.pk, "FR", None, NOW)
    assert apply_profit(prices.pk, 100, NOW, isos=["DE"]) == 1
    prices.refresh_from_db()
    assert (prices.by_hand, prices.profit_bp) == (["DE", "FR"], 5_000)
    set_country_price(prices.pk, "DE", None, NOW)
    prices.refresh_from_db()
    assert (sold(prices)["DE"], prices.by_hand) == (185_100, ["FR"])
    for iso, micros in (("XX", 1), ("US", -1)):
        with pytest.raises(Invalid):
            set_country_price(prices.pk, iso, micros, NOW)


def test_WC_22_WC_23_prices_of_the_rate_follow_their_costs_and_stay_when_those_cannot_be_read(prices: Any) -> None:
    from relais.records.catalog.actions.price_countries import apply_profit, follow_costs, set_country_price
    from relais.records.people.models import AuditAction

    assert follow_costs(NOW) == 0, "a list that was never applied follows nothing"
    apply_profit(prices.pk, 2_500, NOW)
    set_country_price(prices.pk, "US", 61_000, NOW)
    replaced(prices.cost_service, {"by": "country", "is": {"US": "0.065", "DE": "0.1", "ES": "0.04"}})
    actions = AuditAction.objects.count()
    assert [follow_costs(NOW), follow_costs(NOW)] == [2, 0]
    assert sold(prices) == {"US": 61_000, "DE": 125_000, "ES": 50_000}
    assert AuditAction.objects.count() == actions + 1
    replaced(prices.service, "0.05")
    assert follow_costs(NOW) == 0
    prices.refresh_from_db()
    assert "depend" in prices.trouble or "more than the country" in prices.trouble
    replaced(prices.service, {"by": "country", "is": {"DE": "0.2"}})
    assert follow_costs(NOW) == 2, "what was made by hand and is gone does not come back by itself"
    prices.refresh_from_db()
    assert prices.trouble == ""


def test_a_list_needs_two_plans_in_one_currency_and_the_second_editor_is_told(prices: Any) -> None:
    from relais.records.catalog.actions.price_countries import apply_profit, save_country_prices
    from relais.records.catalog.models import CountryPrices, Service
    from relais.records.errors import Invalid
    from relais.records.saving import Changed

    company = prices.company
    euro, dollar = service(company, "Euro"), service(company, "Dollar", currency="USD")
    pack = Service.objects.create(company=company, name="Pack", type="unit_pack", size=5)
    for bought, why in ((dollar, "priced in USD"), (pack, "no pay-as-you-go"), (euro, "is the service that is sold")):
        with pytest.raises(Invalid, match=why):
            save_country_prices(CountryPrices(company=company, service=euro, cost_service=bought))
    seen = prices.updated_at
    apply_profit(prices.pk, 100, NOW, unchanged_since=seen)
    with pytest.raises(Changed):
        apply_profit(prices.pk, 200, NOW, unchanged_since=seen)
    assert sold(prices) == {"US": 62_620, "DE": 124_634}
