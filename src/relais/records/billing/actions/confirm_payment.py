"""Confirm a payment: the money has arrived (PAY-18, PAY-19)."""

from datetime import datetime

from django.db import transaction

from relais.records.billing.counting import count, find_payment, require_past_payment_date
from relais.records.billing.models import Payment
from relais.records.billing.notices import tell_confirmed


@transaction.atomic
def confirm_payment(payment_id: int, now: datetime, *, unchanged_since: datetime | None = None) -> Payment:
    """Counts at once if it does not already (PAY-54, PAY-55), and the client is told (PAY-52); a confirmed payment is left as it
    is."""
    payment = find_payment(payment_id, unchanged_since)
    if not payment.confirmed:
        confirm(payment, now)
        payment.save()
        tell_confirmed(payment, now)
    return payment


def confirm(payment: Payment, now: datetime) -> None:
    """The same for a locked payment that the caller stores."""
    if not payment.confirmed:
        require_past_payment_date(payment, now)
        count(payment, now)
        payment.confirmed, payment.confirm_before = True, None
