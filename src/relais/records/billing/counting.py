"""Whether a payment is in its balance: the only writers of `Payment.counted`, so that no repetition counts it twice.

A payment counts while it is confirmed, or unconfirmed before its deadline (PAY-12, PAY-20, PAY-21).
The caller found the payment by `find_payment`, or has just made it, holding the lock on the balance.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db import models

from relais.records.agreements.models import Balance, LedgerKind
from relais.records.agreements.posting import lock_balances, post
from relais.records.agreements.terms import billing_zone, version_at
from relais.records.billing.models import Payment, PaymentDirection
from relais.records.errors import Invalid
from relais.records.saving import find, require_unchanged


class PaymentStatus(models.TextChoices):
    """Derived, never set by hand (PAY-16)."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class BalanceAfter:
    """A balance before and after a change that was not made; `credit_limit_micros` None = unlimited."""

    now_micros: int
    then_micros: int
    reserved_micros: int
    credit_limit_micros: int | None

    @property
    def stops_traffic(self) -> bool:
        """Whether nothing would be left to spend, though something is now or the change takes something away."""
        if self.credit_limit_micros is None or self.then_micros >= self.now_micros:
            return False
        return self.then_micros - self.reserved_micros + self.credit_limit_micros <= 0


def find_payment(payment_id: int, unchanged_since: datetime | None = None) -> Payment:
    """Locked, after the balance it acts on: in every verb of payments balances come first. `Invalid` when there is none,
    `Changed` when it moved on."""
    lock_balances(Payment.objects.filter(pk=payment_id).values_list("agreement_id", flat=True))
    payment = find(Payment, payment_id)
    require_unchanged(payment, unchanged_since)
    return payment


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


def recount(payment: Payment, before: Payment, now: datetime) -> None:
    """After its amount changed: a counting payment's old amount goes out of the balance and the new one in."""
    if payment.counted and effect_micros(payment) != effect_micros(before):
        discount(before, now, "amount changed")
        payment.counted = False
        count(payment, now)


def status_of(payment: Payment, now: datetime) -> PaymentStatus:
    """Expired from the deadline's midnight on, also in the moment before the balance follows (PAY-16, PAY-17)."""
    if payment.confirmed:
        return PaymentStatus.CONFIRMED
    lapsed = not payment.counted or deadline(payment, now) <= now
    return PaymentStatus.EXPIRED if lapsed else PaymentStatus.NOT_CONFIRMED


def balance_after(payment: Payment, now: datetime, *, counts: bool, amount_micros: int | None = None) -> BalanceAfter:
    """What the balance would be if the payment counted or not, with another credited amount or its own; to warn of before a
    withdrawal that lapses, a deletion or an edit (PAY-68). Changes nothing."""
    agreement_id = payment.agreement_id
    balance = Balance.objects.get(pk=agreement_id)
    without = balance.balance_micros - (effect_micros(payment) if payment.counted else 0)
    sign = 1 if payment.direction == PaymentDirection.INBOUND else -1
    amount = payment.replenishment_amount_micros if amount_micros is None else amount_micros
    version = version_at(agreement_id, now)
    limit_micros = version.credit_limit_micros if version else None
    return BalanceAfter(
        now_micros=balance.balance_micros,
        then_micros=without + (sign * amount if counts else 0),
        reserved_micros=balance.reserved_micros,
        credit_limit_micros=limit_micros,
    )


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
