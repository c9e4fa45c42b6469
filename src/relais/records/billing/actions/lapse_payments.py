"""Stop counting payments that nobody confirmed in time (PAY-14, PAY-60)."""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from relais.records.agreements.posting import lock_balances
from relais.records.audit import audited
from relais.records.billing.counting import deadline, discount
from relais.records.billing.models import Payment
from relais.records.people.models import Actor


def lapse_payments(now: datetime) -> int:
    """Number of payments that lapsed. One transaction a payment: it never holds the balances of two agreements."""
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)  # a billing zone may be a day ahead
    awaiting = Payment.objects.filter(confirmed=False, counted=True, confirm_before__lte=tomorrow)
    return sum(_lapse(payment_id, now) for payment_id in awaiting.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _lapse(payment_id: int, now: datetime) -> bool:
    lock_balances(Payment.objects.filter(pk=payment_id).values_list("agreement_id", flat=True))
    payment = Payment.objects.select_for_update().filter(pk=payment_id, confirmed=False, counted=True).first()
    if payment is None or deadline(payment, now) > now:
        return False  # confirmed, deleted or lapsed since it was found, or its midnight is still to come
    with audited("Lapse Payment", user=None, ip_address=None, actor=Actor.JOB):
        discount(payment, now, "not confirmed in time")
        payment.save()
    return True
