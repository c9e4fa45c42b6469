"""Take a confirmation back, for instance one given by mistake (PAY-56)."""

from datetime import date, datetime

from django.db import transaction

from relais.records.billing.counting import find_payment, require_later_deadline
from relais.records.billing.models import Payment
from relais.records.errors import Invalid


@transaction.atomic
def withdraw_confirmation(payment_id: int, confirm_before: date, now: datetime) -> Payment:
    """The payment goes on counting until `confirm_before`; only a confirmed one can be withdrawn."""
    payment = find_payment(payment_id)
    withdraw(payment, confirm_before, now)
    payment.save()
    return payment


def withdraw(payment: Payment, confirm_before: date | None, now: datetime) -> None:
    """The same for a locked payment that the caller stores."""
    if not payment.confirmed:
        raise Invalid.of("confirmed", "the payment is not confirmed")
    require_later_deadline(payment, confirm_before, now)
    payment.confirmed, payment.confirm_before = False, confirm_before
