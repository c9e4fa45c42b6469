"""Whether a payment is in its balance: the only writers of `Payment.counted`, so that no repetition counts it twice.

A payment counts while it is confirmed, or unconfirmed before its deadline (PAY-12, PAY-20, PAY-21).
The caller holds the lock on the payment's row, or has just made it.
"""

from datetime import UTC, date, datetime, time

from relais.records.agreements.models import LedgerKind
from relais.records.agreements.posting import post
from relais.records.agreements.terms import billing_zone
from relais.records.billing.models import Payment, PaymentDirection
from relais.records.errors import Invalid


def effect_micros(payment: Payment) -> int:
    """What the payment adds to the balance while it counts (PAY-28, PAY-32)."""
    inbound = payment.direction == PaymentDirection.INBOUND
    return payment.replenishment_amount_micros if inbound else -payment.replenishment_amount_micros


def count(payment: Payment, now: datetime) -> None:
    """Into the balance, unless it is there."""
    if not payment.counted:
        post(payment.agreement_id, LedgerKind.PAYMENT, effect_micros(payment), now, payment.pk, payment.reference_code)
        payment.counted = True


def discount(payment: Payment, now: datetime, why: str) -> None:
    """Out of the balance, unless it is not there."""
    if payment.counted:
        post(payment.agreement_id, LedgerKind.PAYMENT_WITHDRAWN, -effect_micros(payment), now, payment.pk, why)
        payment.counted = False


def deadline(payment: Payment, now: datetime) -> datetime:
    """Midnight that begins `confirm_before` in the agreement's billing zone (PAY-17); the payment must have one."""
    assert payment.confirm_before is not None
    zone = billing_zone(payment.agreement_id, now)
    return datetime.combine(payment.confirm_before, time(), zone).astimezone(UTC)


def require_later_deadline(payment: Payment, confirm_before: date | None, now: datetime) -> None:
    """`Invalid` unless the day is later than today in the billing zone (PAY-11, PAY-67)."""
    if confirm_before is None:
        raise Invalid.of("confirm_before", "is required while the payment is not confirmed")
    if confirm_before <= now.astimezone(billing_zone(payment.agreement_id, now)).date():
        raise Invalid.of("confirm_before", "must be later than today")


def require_past_payment_date(payment: Payment, now: datetime) -> None:
    """`Invalid` for a payment date to come: money that arrived did so already (PAY-70)."""
    if payment.payment_date > now.astimezone(billing_zone(payment.agreement_id, now)).date():
        raise Invalid.of("payment_date", "of a confirmed payment cannot lie in the future")
