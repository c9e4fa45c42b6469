"""Delete a payment (PAY-57); its ledger entries stay."""

from datetime import datetime

from django.db import transaction

from relais.records.billing.counting import discount
from relais.records.billing.models import Payment
from relais.records.saving import find


@transaction.atomic
def delete_payment(payment_id: int, now: datetime) -> None:
    """A counting payment leaves the balance; a lapsed one leaves it as it is (PAY-58)."""
    payment = find(Payment, payment_id)
    discount(payment, now, "deleted")
    payment.delete()
