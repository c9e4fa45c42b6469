"""Register a payment by hand (PAY-23 to PAY-39)."""

from datetime import datetime

from django.db import transaction

from relais.records.billing.counting import count, require_later_deadline, require_past_payment_date
from relais.records.billing.models import Payment
from relais.records.currencies import fits_minor_units, is_currency
from relais.records.errors import Invalid
from relais.records.saving import save


@transaction.atomic
def register_payment(payment: Payment, now: datetime, *, duplicate_intended: bool = False) -> Payment:
    """Store an unsaved payment; it counts from now on, confirmed or awaiting confirmation (PAY-12, PAY-20).

    A reference code met before on the agreement is refused unless `duplicate_intended` (PAY-64).
    """
    _require_payable_amounts(payment)
    if payment.confirmed:
        payment.confirm_before = None
        require_past_payment_date(payment, now)
    else:
        require_later_deadline(payment, payment.confirm_before, now)
    same = Payment.objects.filter(agreement_id=payment.agreement_id, reference_code=payment.reference_code)
    if not duplicate_intended and same.exists():
        raise Invalid.of("reference_code", "another payment of this agreement has it")
    # The table holds a confirmed payment to be counted; the ledger entry needs the payment's id. So the row says
    # "counted" from the start, and is counted before anybody can see it.
    payment.counted = True
    save(payment)
    payment.counted = False
    count(payment, now)
    return payment


def _require_payable_amounts(payment: Payment) -> None:
    reasons = {}
    if not is_currency(payment.payment_currency):
        reasons["payment_currency"] = ("is not the code of a currency",)
    elif not fits_minor_units(payment.payment_amount_micros, payment.payment_currency):
        reasons["payment_amount_micros"] = (f"has more decimals than {payment.payment_currency}",)
    if not fits_minor_units(payment.replenishment_amount_micros, payment.agreement.currency):
        reasons["replenishment_amount_micros"] = (f"has more decimals than {payment.agreement.currency}",)
    if reasons:
        raise Invalid(reasons)
