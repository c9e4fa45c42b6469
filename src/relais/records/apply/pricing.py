"""Fee rules of sender IDs and price lists by country in scenario files."""

from typing import Any, ClassVar

from relais.core.money import MICROS, format_micros, parse_micros
from relais.records.apply import references
from relais.records.apply.section import Outcome, Run, Section, assign, changed_if
from relais.records.apply.shapes import Entry, Field, Shape, day, full_text, mapping, money, one_of, text, whole
from relais.records.catalog.actions.price_countries import (
    apply_profit,
    lines_of,
    save_country_prices,
    set_country_price,
)
from relais.records.catalog.models import CountryPrices
from relais.records.errors import Invalid
from relais.records.senders.actions.fees import save_fee_rule
from relais.records.senders.models import FeeEvery, FeeRule, SenderChannel, SenderIdType

_PROFIT_BP_MIN, _PROFIT_BP_MAX = -9_999, 10_000_000


class FeeRules(Section):
    name = "fee_rules"
    key = ("company", "channel", "sender_id", "every", "sender_id_type", "mno", "effective_from")
    label = "sender_id"
    columns: ClassVar = {"sender_id": "sender"}
    shape: ClassVar[Shape] = {
        "company": Field(full_text, required=True),
        "channel": Field(one_of(*SenderChannel.values), required=True),
        "sender_id": Field(full_text, required=True),
        "every": Field(one_of(*FeeEvery.values), required=True),
        "sender_id_type": Field(one_of(*SenderIdType.values), required=True),
        "mno": Field(text, required=True),
        "effective_from": Field(day, required=True),
        "effective_till": Field(day, blank=True),
        "start_day": Field(whole(1, 31)),
        "days_beforehand": Field(whole(0, 31)),
        "retry_hours": Field(whole(1, 168)),
        "max_retries": Field(whole(0, 50)),
    }
    _tells: ClassVar = ("every", "sender_id_type", "mno", "effective_from")

    def apply(self, entry: Entry, run: Run) -> Outcome:
        company = references.company(entry["company"])
        sender = references.sender_id_of(company, entry["channel"], entry["sender_id"])
        same = {"sender": sender, **{name: entry[name] for name in self._tells}}
        found = FeeRule.objects.filter(**same).first()
        record = found or FeeRule(**same)
        open_fields = ("effective_till", "start_day", "days_beforehand", "retry_hours", "max_retries")
        changed = assign(record, self.given(entry, open_fields))
        if found is None or changed:
            save_fee_rule(record)
        return Outcome.CREATED if found is None else changed_if(changed)


def _profit_bp(value: Any) -> int:
    """Hundredths of a percent, of a percentage written as a text; below 0 it sells under its costs."""
    if not isinstance(value, str):
        raise ValueError('a percentage is written as a text, such as "25.00"')
    bp, rest = divmod(parse_micros(value) * 100, MICROS)
    if rest or not _PROFIT_BP_MIN <= bp <= _PROFIT_BP_MAX:
        raise ValueError("a percentage from -99.99 to 100000 with at most two decimals is expected")
    return bp


def _prices(value: Any) -> dict[str, int]:
    """Micros by the ISO code of a country."""
    return {str(iso).upper(): money(price) for iso, price in mapping(value).items()}


class CountryPriceLists(Section):
    """Applied after enabled services: costs may be those of a service that is bought."""

    name = "country_prices"
    key = ("company", "service")
    label = "service"
    columns: ClassVar = {"profit": "profit_bp"}
    shape: ClassVar[Shape] = {
        "company": Field(full_text, required=True),
        "service": Field(full_text, required=True),
        "cost_company": Field(full_text),
        "cost_service": Field(full_text, required=True),
        "profit": Field(_profit_bp),
        "by_hand": Field(_prices),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        company = references.company(entry["company"])
        seller = references.company(entry["cost_company"], "cost_company") if "cost_company" in entry else company
        service = references.service(entry["service"], company.pk)
        found = CountryPrices.objects.filter(company=company, service=service).first()
        record = found or CountryPrices(company=company, service=service)
        changed = assign(record, {"cost_service": references.service(entry["cost_service"], seller.pk, "cost_service")})
        if found is None or changed:
            save_country_prices(record)
        changed |= _apply_profit(entry, record, run)
        changed |= _apply_by_hand(entry, record, run)
        return Outcome.CREATED if found is None else changed_if(changed)


def _apply_profit(entry: Entry, prices: CountryPrices, run: Run) -> bool:
    """Once applied the rate follows the costs by itself, so that only another rate is a change."""
    if "profit" not in entry or (prices.applied_at is not None and prices.profit_bp == entry["profit"]):
        return False
    apply_profit(prices.pk, entry["profit"], run.now, overwrite=False)
    return True


def _apply_by_hand(entry: Entry, prices: CountryPrices, run: Run) -> bool:
    asked = entry.get("by_hand", {})
    prices.refresh_from_db()
    sold = {line.iso: line.sale_micros for line in lines_of(prices, run.now)} if asked else {}
    differing = {iso: price for iso, price in asked.items() if iso not in prices.by_hand or sold.get(iso) != price}
    for iso, price_micros in differing.items():
        try:
            set_country_price(prices.pk, iso, price_micros, run.now)
        except Invalid as refusal:
            why = f"{iso}, {format_micros(price_micros, 2)}: {refusal}"
            raise Invalid.of("by_hand", why) from refusal
    return bool(differing)
