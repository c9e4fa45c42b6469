"""Register a payment, by hand (PAY-23 to PAY-39) or from a payment system (PAY-45)."""

from datetime import datetime

from django.db import transaction

from relais.records.agreements.posting import lock_balances
from relais.records.billing.amounts import require_payable_amounts, settle_exchange
from relais.records.billing.counting import count, require_later_deadline, require_past_payment_date
from relais.records.billing.models import Payment
from relais.records.billing.notices import tell_confirmed
from relais.records.errors import Invalid
from relais.records.saving import prepare, save


@transaction.atomic
def register_payment(
    payment: Payment, now: datetime, *, duplicate_intended: bool = False, tells_client: bool = True
) -> Payment:
    """Store an unsaved payment; it counts from now on, confirmed or awaiting confirmation (PAY-12, PAY-20).

    In one currency the credited amount follows the paid one unless it is given (PAY-62). A reference code met before on the
    agreement is refused unless `duplicate_intended` (PAY-64). Of a confirmed one the client is told by mail (PAY-53), but for
    automatic ones, and those that `tells_client` excepts: books that are taken over.
    """
    prepare(payment)
    assert payment._state.adding, "a payment is registered once; change_payment changes it"
    lock_balances([payment.agreement_id])  # one after the other, so that a repeated code is seen
    if payment.replenishment_amount_micros is None and payment.payment_currency == payment.agreement.currency:
        payment.replenishment_amount_micros = payment.payment_amount_micros
    require_payable_amounts(payment)
    settle_exchange(payment)
    if payment.confirmed:
        payment.confirm_before = None
        require_past_payment_date(payment, now)
    else:
        require_later_deadline(payment, payment.confirm_before, now)
    if not duplicate_intended:
        require_new_reference(payment)
    # The table holds a confirmed payment to be counted; the ledger entry needs the payment's id. So the row says
    # "counted" from the start, and is counted before anybody can see it.
    payment.counted = True
    save(payment)
    payment.counted = False
    count(payment, now)
    if payment.confirmed and not payment.automatic and tells_client:
        tell_confirmed(payment, now)
    return payment


@transaction.atomic
def register_automatic_payment(payment: Payment, now: datetime) -> Payment:
    """A confirmed payment that a payment system reported. Reported again, it books nothing: the one booked first is
    returned (PAY-64)."""
    lock_balances([payment.agreement_id])
    booked = Payment.objects.filter(
        agreement_id=payment.agreement_id, reference_code=payment.reference_code.strip(), automatic=True
    ).first()
    if booked is not None:
        return booked
    payment.automatic = payment.confirmed = True
    return register_payment(payment, now, duplicate_intended=True)


def require_new_reference(payment: Payment) -> None:
    """`Invalid` for a reference code that another payment of the agreement has."""
    same = Payment.objects.filter(agreement_id=payment.agreement_id, reference_code=payment.reference_code)
    if same.exclude(pk=payment.pk).exists():
        raise Invalid.of("reference_code", "another payment of this agreement has it: confirm that it is meant so")
