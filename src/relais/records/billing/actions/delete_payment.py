"""Delete a payment (PAY-57); its ledger entries stay."""

from datetime import datetime

from django.db import transaction

from relais.records.billing.counting import discount, find_payment


@transaction.atomic
def delete_payment(payment_id: int, now: datetime, *, unchanged_since: datetime | None = None) -> None:
    """A counting payment leaves the balance; a lapsed one leaves it as it is (PAY-58)."""
    payment = find_payment(payment_id, unchanged_since)
    discount(payment, now, "deleted")
    payment.delete()
