"""Give an unconfirmed payment another deadline (PAY-22)."""

from datetime import date, datetime

from django.db import transaction

from relais.records.billing.counting import count, require_later_deadline
from relais.records.billing.models import Payment
from relais.records.errors import Invalid
from relais.records.saving import find


@transaction.atomic
def move_deadline(payment_id: int, confirm_before: date, now: datetime) -> Payment:
    """An expired payment counts again; a confirmed one has no deadline and is refused."""
    payment = find(Payment, payment_id)
    if payment.confirmed:
        raise Invalid.of("confirm_before", "the payment is confirmed")
    require_later_deadline(payment, confirm_before, now)
    count(payment, now)
    payment.confirm_before = confirm_before
    payment.save()
    return payment
