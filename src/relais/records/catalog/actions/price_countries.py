"""Price lists of SMS by country: kept, written from costs by a profit rate, corrected by hand (WC-7 to WC-9, WC-21, WC-22)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from relais.core.rating.country_prices import (
    Cost,
    country_costs,
    sale_micros,
    sold_by_country,
    with_country_prices,
)
from relais.core.rating.types import NodeRow
from relais.records.audit import audited
from relais.records.catalog.actions.replace_rate_tree import replace_rate_tree
from relais.records.catalog.models import (
    Country,
    CountryPrices,
    Network,
    NetworkCode,
    RateNode,
    Scope,
    ServiceType,
)
from relais.records.catalog.pricing import current_scope
from relais.records.catalog.rows import node_rows
from relais.records.errors import WHOLE, Invalid
from relais.records.people.models import Actor
from relais.records.saving import find, prepare, require_fixed, require_unchanged, save

PRICE_MICROS_MAX = 10**12


@dataclass(frozen=True, slots=True)
class CountryLine:
    """A country of a price list. `sale_micros`: what holds now, None where nothing is sold; `next_micros`: what a rate would make
    of it, None where it leaves the price alone."""

    iso: str
    name: str
    cost: Cost | None
    sale_micros: int | None
    by_hand: bool
    next_micros: int | None = None

    @property
    def below_cost(self) -> bool:
        sale = self.sale_micros if self.next_micros is None else self.next_micros
        return self.cost is not None and sale is not None and sale < self.cost.high_micros

    @property
    def changes(self) -> bool:
        return self.next_micros is not None and self.next_micros != self.sale_micros


@transaction.atomic
def save_country_prices(prices: CountryPrices, *, unchanged_since: datetime | None = None) -> CountryPrices:
    """`Invalid` for services that are no pay-as-you-go plans, in two currencies, or the same; and for a service whose SMS rates
    depend on more than the country. Nothing is priced yet."""
    former = prepare(prices, unchanged_since)
    if former is not None:
        require_fixed(prices, former, ("company", "service"), "cannot be changed once the price list exists")
        prices.profit_bp, prices.by_hand = former.profit_bp, former.by_hand
        prices.applied_at, prices.trouble = former.applied_at, former.trouble
    _require_services(prices)
    save(prices)
    return prices


@transaction.atomic
def delete_country_prices(prices_id: int, *, unchanged_since: datetime | None = None) -> None:
    """The prices that were written stay in their service."""
    prices = find(CountryPrices, prices_id)
    require_unchanged(prices, unchanged_since)
    prices.delete()


def lines_of(
    prices: CountryPrices, now: datetime, *, profit_bp: int | None = None, isos: Iterable[str] | None = None,
    overwrite: bool = False,
) -> list[CountryLine]:  # fmt: skip
    """Every country that costs something or is sold, by name. With a rate also what it would make of those of `isos` (None: of
    all); prices made by hand are left alone unless told to overwrite them. `Invalid` as of `save_country_prices`."""
    costs = country_costs(_current_rows(prices.cost_service_id, now), _Locator())
    sales = _sales(prices, now)
    names = dict(Country.objects.values_list("iso", "name"))
    wanted = None if isos is None else frozenset(isos)
    lines = []
    for iso in costs.keys() | sales.keys():
        cost, by_hand = costs.get(iso), iso in prices.by_hand
        asked = profit_bp is not None and (wanted is None or iso in wanted) and (overwrite or not by_hand)
        following = sale_micros(cost.high_micros, profit_bp) if asked and cost and profit_bp is not None else None
        lines.append(CountryLine(iso, names.get(iso, iso), cost, sales.get(iso), by_hand, following))
    return sorted(lines, key=lambda line: line.name)


@transaction.atomic
def apply_profit(
    prices_id: int, profit_bp: int, now: datetime, *, isos: Iterable[str] | None = None, overwrite: bool = True,
    unchanged_since: datetime | None = None,
) -> int:  # fmt: skip
    """Write the prices that the rate makes, all or none; how many changed. A rate for all countries is kept and follows the
    costs from then on; one for some of them makes prices by hand. What was made by hand is overwritten if told so."""
    prices = find(CountryPrices, prices_id)
    require_unchanged(prices, unchanged_since)
    chosen = None if isos is None else frozenset(isos)
    lines = lines_of(prices, now, profit_bp=profit_bp, isos=chosen, overwrite=overwrite)
    made = {line.iso: line.next_micros for line in lines if line.next_micros is not None}
    _write(prices, made, now)
    if chosen is None:
        prices.profit_bp, prices.applied_at, prices.trouble = profit_bp, now, ""
        prices.by_hand = sorted(set(prices.by_hand) - made.keys())
    else:
        prices.by_hand = sorted(set(prices.by_hand) | made.keys())
    save(prices)
    return sum(line.changes for line in lines)


@transaction.atomic
def set_country_price(
    prices_id: int, iso: str, price_micros: int | None, now: datetime, *, unchanged_since: datetime | None = None
) -> None:
    """A price by hand; None gives the country back to the rate. `Invalid` for a country that is none, a price that is none,
    and for giving back one without a cost."""
    prices = find(CountryPrices, prices_id)
    require_unchanged(prices, unchanged_since)
    if not Country.objects.filter(pk=iso).exists():
        raise Invalid.of(WHOLE, "there is no such country")
    if price_micros is not None and not 0 <= price_micros <= PRICE_MICROS_MAX:
        raise Invalid.of("price", "must be at least 0")
    by_hand = set(prices.by_hand)
    if price_micros is None:
        cost = country_costs(_current_rows(prices.cost_service_id, now), _Locator()).get(iso)
        if cost is None:
            raise Invalid.of("price", "the country has no cost to follow: enter a price")
        price_micros = sale_micros(cost.high_micros, prices.profit_bp)
        by_hand.discard(iso)
    else:
        by_hand.add(iso)
    _write(prices, {iso: price_micros}, now)
    prices.by_hand = sorted(by_hand)
    save(prices)


def follow_costs(now: datetime) -> int:
    """Every price list whose rate was applied once follows its costs (WC-22); how many prices changed. One that cannot keeps
    the prices it has, and says why and since when (WC-23)."""
    changed = 0
    for prices in CountryPrices.objects.exclude(applied_at=None).order_by("pk"):
        try:
            if any(line.changes for line in lines_of(prices, now, profit_bp=prices.profit_bp)):
                with audited("Follow costs of Country prices", user=None, ip_address=None, actor=Actor.JOB):
                    changed += apply_profit(prices.pk, prices.profit_bp, now, overwrite=False)
            elif prices.trouble:
                CountryPrices.objects.filter(pk=prices.pk).update(trouble="")
        except Invalid as refusal:
            CountryPrices.objects.filter(pk=prices.pk).exclude(trouble=str(refusal)).update(trouble=str(refusal))
    return changed


def _write(prices: CountryPrices, made: Mapping[str, int], now: datetime) -> None:
    """In the current scope; a service that has none gets one from now on."""
    if not made:
        return
    scope = current_scope(prices.service_id, now)
    if scope is None:
        scope = Scope(service_id=prices.service_id, effective_from=now)
        save(scope)
    scope = find(Scope, scope.pk)
    replace_rate_tree(scope.pk, with_country_prices(_rows_of(scope), made), now)


def _require_services(prices: CountryPrices) -> None:
    sold, bought = prices.service, prices.cost_service
    for name, service in (("service", sold), ("cost_service", bought)):
        if service.type != ServiceType.PAY_AS_YOU_GO:
            raise Invalid.of(name, "is no pay-as-you-go service")
    if sold.company_id != prices.company_id:
        raise Invalid.of("service", "is a service of another company")
    if sold.pk == bought.pk:
        raise Invalid.of("cost_service", "is the service that is sold: choose the one that is bought")
    if sold.currency != bought.currency:
        raise Invalid.of(
            "cost_service",
            "is priced in %(bought)s, and what is sold in %(sold)s",
            bought=bought.currency,
            sold=sold.currency,
        )


def _sales(prices: CountryPrices, now: datetime) -> dict[str, int]:
    sales = sold_by_country(_current_rows(prices.service_id, now))
    if sales is None:
        raise Invalid.of(
            "service",
            "prices SMS messages by more than the country: choose a service whose SMS rates depend on it alone",
        )
    return sales


def _current_rows(service_id: int, now: datetime) -> list[NodeRow]:
    scope = current_scope(service_id, now)
    return [] if scope is None else _rows_of(scope)


def _rows_of(scope: Scope) -> list[NodeRow]:
    return node_rows(RateNode.objects.filter(scope=scope, retired_at=None))


class _Locator:
    """ISO code of the country that a network or a code of networks is in; None for what the dictionary does not know."""

    def __init__(self) -> None:
        self._networks = dict(Network.objects.values_list("pk", "country_id"))
        codes = NetworkCode.objects.values_list("mccmnc", "mcc", "network__country_id")
        self._codes: dict[str, str] = {}
        self._mccs: dict[str, set[str]] = {}
        for mccmnc, mcc, iso in codes:
            self._codes[mccmnc] = iso
            self._mccs.setdefault(mcc, set()).add(iso)

    def __call__(self, parameter: str, value: str) -> str | None:
        if parameter == "network":
            return self._networks.get(int(value)) if value.isdecimal() else None
        if parameter == "mccmnc":
            return self._codes.get(value)
        isos = self._mccs.get(value, set())
        return next(iter(isos)) if len(isos) == 1 else None
