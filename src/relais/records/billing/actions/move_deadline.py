"""Give an unconfirmed payment another deadline (PAY-22)."""

from datetime import date, datetime

from django.db import transaction

from relais.records.billing.counting import count, find_payment, require_later_deadline
from relais.records.billing.models import Payment
from relais.records.errors import Invalid


@transaction.atomic
def move_deadline(payment_id: int, confirm_before: date, now: datetime) -> Payment:
    """An expired payment counts again; a confirmed one has no deadline and is refused."""
    payment = find_payment(payment_id)
    put_off(payment, confirm_before, now)
    payment.save()
    return payment


def put_off(payment: Payment, confirm_before: date | None, now: datetime) -> None:
    """The same for a locked payment that the caller stores."""
    if payment.confirmed:
        raise Invalid.of("confirm_before", "the payment is confirmed: withdraw the confirmation first")
    require_later_deadline(payment, confirm_before, now)
    count(payment, now)
    payment.confirm_before = confirm_before
