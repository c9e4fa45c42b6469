"""Amounts of a payment: what can be paid, and the rate between two currencies that follows from them."""

from relais.core.money import MICROS, round_to_minor
from relais.records.billing.models import Payment
from relais.records.currencies import fits_minor_units, is_currency
from relais.records.errors import Invalid, Reason

AMOUNT_MICROS_MAX = 10**12 * MICROS
RATE_DECIMALS = 4  # PAY-63


def require_payable_amounts(payment: Payment) -> None:
    """`Invalid` unless both amounts are more than 0 and have no more decimals than their currencies (PAY-61)."""
    reasons = {}
    credited = payment.agreement.currency
    if not is_currency(payment.payment_currency):
        reasons["payment_currency"] = ("is not the code of a currency",)
    elif wrong := _fault(payment.payment_amount_micros, payment.payment_currency):
        reasons["payment_amount_micros"] = (wrong,)
    if wrong := _fault(payment.replenishment_amount_micros, credited):
        reasons["replenishment_amount_micros"] = (wrong,)
    if reasons:
        raise Invalid(reasons)


def settle_exchange(payment: Payment) -> None:
    """The date of the rate is the payment date unless given (PAY-36); in one currency there is no rate (PAY-33)."""
    if payment.payment_currency == payment.agreement.currency:
        payment.exchange_rate_date = None
    elif payment.exchange_rate_date is None:
        payment.exchange_rate_date = payment.payment_date


def exchange_rate_micros(payment: Payment) -> int | None:
    """Units of the payment's currency for one of the agreement's, at four decimals, half up (PAY-34, PAY-35, PAY-63); None
    within one currency. For information: the two amounts are what counts."""
    if payment.payment_currency == payment.agreement.currency:
        return None
    paid, credited = payment.payment_amount_micros, payment.replenishment_amount_micros
    step = 10 ** (6 - RATE_DECIMALS)
    return (2 * paid * MICROS + step * credited) // (2 * step * credited) * step


def _fault(amount_micros: int | None, currency: str) -> str | None:
    if amount_micros is None:
        return Reason("is required: type the amount in %(currency)s", currency=currency)
    if amount_micros <= 0:
        return Reason("must be more than 0: the direction carries the sign")
    if amount_micros > AMOUNT_MICROS_MAX:
        return Reason("is at most %(most)s", most=round_to_minor(AMOUNT_MICROS_MAX, 0) // MICROS)
    if not fits_minor_units(amount_micros, currency):
        return Reason("has more decimals than %(currency)s", currency=currency)
    return None
