"""The answer to a payment's form while it is filled in: whether currencies differ, the rate, what the balance becomes."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relais.backoffice.payment_parts import effect_of, rate_text
from relais.pages.forms import MoneyField
from relais.pages.site import Screen
from relais.pages.viewer import Viewer, viewer_of
from relais.records.agreements.models import Agreement
from relais.records.billing.counting import balance_after
from relais.records.billing.models import Payment, PaymentDirection


@require_safe
def effect_view(request: HttpRequest) -> HttpResponse:
    """Half-filled forms are answered as far as they go; nothing is stored."""
    viewer = viewer_of(request)
    payment = _payment(request.GET, viewer)
    context: dict[str, Any] = {}
    if payment is not None:
        credited = payment.replenishment_amount_micros
        context["differ"] = payment.payment_currency not in ("", payment.agreement.currency)
        if payment.payment_amount_micros and credited:
            context["rate"] = rate_text(payment)
        if credited:
            counts = bool(request.GET.get("confirmed") or request.GET.get("confirm_before"))
            stored = Payment.objects.filter(pk=payment.pk).first() or payment
            after = balance_after(stored, viewer.now, counts=counts, amount_micros=credited)
            context |= {"told": effect_of(after, payment.agreement.currency), "stops": after.stops_traffic}
    answer = render(request, "backoffice/payment_effect.html", context)
    answer["HX-Trigger-After-Settle"] = "input"  # the form arranges what depends on the currencies
    return answer


def _payment(sent: QueryDict, viewer: Viewer) -> Payment | None:
    """The payment as it would be stored; None before its agreement is known."""
    payment = _one(viewer.rows(Payment), sent.get("payment", ""))
    if payment is None:
        agreement = _one(viewer.rows(Agreement), sent.get("agreement", ""))
        if agreement is None:
            return None
        direction = sent.get("direction") or PaymentDirection.INBOUND.value
        payment = Payment(agreement=agreement, direction=direction, payment_currency=sent.get("payment_currency", ""))
    paid = _micros(sent.get("payment_amount"), payment.payment_amount_micros)
    credited = _micros(sent.get("replenishment_amount"), payment.replenishment_amount_micros if payment.pk else None)
    same = payment.payment_currency == payment.agreement.currency
    payment.payment_amount_micros = paid  # never stored
    payment.replenishment_amount_micros = credited or (paid if same else None)
    return payment


def _one(rows: Any, key: str) -> Any:
    return rows.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None


def _micros(text: str | None, stored: int | None) -> int | None:
    """More than 0, or nothing."""
    if text is None:
        return stored
    try:
        micros = MoneyField(required=False).clean(text)
    except ValidationError:
        return None
    return micros if micros and micros > 0 else None


PAYMENT_EFFECT = Screen("payment-effect", "What the balance becomes", "payment-effect/", effect_view, "Payments")
