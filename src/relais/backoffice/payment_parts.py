"""What a payment's form works out while it is filled in: the exchange rate, and what the balance becomes (PAY-34, PAY-68)."""

from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.urls import reverse

from relais.pages.kinds import amount
from relais.records.billing.amounts import RATE_DECIMALS, exchange_rate_micros
from relais.records.billing.counting import BalanceAfter
from relais.records.billing.models import Payment


class EffectWidget(forms.Widget):
    """No input: asks the page `payment-effect` whenever a field of its form changes, and shows the answer."""

    template_name = "backoffice/widgets/payment_effect.html"
    payment_id: int | None = None
    currencies_differ = False  # as stored; the answer tells it anew

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        query = f"?payment={self.payment_id}" if self.payment_id else ""
        return context | {"url": reverse("payment-effect") + query, "differ": self.currencies_differ}


class RateWidget(forms.Widget):
    """Where that answer puts the rate."""

    template_name = "backoffice/widgets/payment_rate.html"


def rate_text(payment: Payment) -> str:
    """ "1 EUR = 1.1111 USD"; "" within one currency."""
    rate_micros = exchange_rate_micros(payment)
    if rate_micros is None:
        return ""
    return f"1 {payment.agreement.currency} = {amount(rate_micros, RATE_DECIMALS)} {payment.payment_currency}"


def effect_of(after: BalanceAfter, currency: str) -> str:
    """A balance before and after, and whether traffic stops, in words."""
    decimals = get_currency_precision(currency)
    before, then = (f"{amount(micros, decimals)} {currency}" for micros in (after.now_micros, after.then_micros))
    told = f"the balance stays {before}." if before == then else f"the balance goes from {before} to {then}."
    return f"{told} Nothing that costs money can be sent then." if after.stops_traffic else told
