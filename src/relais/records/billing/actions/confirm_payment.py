"""Confirm a payment: the money has arrived (PAY-18, PAY-19)."""

from datetime import datetime

from django.db import transaction

from relais.records.billing.counting import count, require_past_payment_date
from relais.records.billing.models import Payment
from relais.records.saving import find


@transaction.atomic
def confirm_payment(payment_id: int, now: datetime) -> Payment:
    """Counts at once if it does not already (PAY-54, PAY-55); a confirmed payment is left as it is."""
    payment = find(Payment, payment_id)
    if payment.confirmed:
        return payment
    require_past_payment_date(payment, now)
    count(payment, now)
    payment.confirmed, payment.confirm_before = True, None
    payment.save()
    return payment
