"""Change a payment in its form (PAY-49, PAY-50, PAY-56, PAY-69)."""

from datetime import date, datetime

from django.db import transaction

from relais.records.billing.actions.confirm_payment import confirm
from relais.records.billing.actions.move_deadline import put_off
from relais.records.billing.actions.register_payment import require_new_reference
from relais.records.billing.actions.withdraw_confirmation import withdraw
from relais.records.billing.amounts import require_payable_amounts, settle_exchange
from relais.records.billing.counting import find_payment, recount, require_past_payment_date
from relais.records.billing.models import Payment
from relais.records.billing.notices import tell_confirmed
from relais.records.errors import Invalid
from relais.records.saving import prepare, save

OPEN_BY_HAND = (
    "payment_date", "reference_code", "payment_amount_micros", "replenishment_amount_micros", "exchange_rate_date",
    "description",
)  # fmt: skip
OPEN_OF_AUTOMATIC = ("description",)
_CONFIRMATION = ("confirmed", "confirm_before")


def open_columns(payment: Payment) -> tuple[str, ...]:
    """What the form may change: never company, agreement, direction and currency (PAY-69)."""
    return (OPEN_OF_AUTOMATIC if payment.automatic else OPEN_BY_HAND) + _CONFIRMATION


@transaction.atomic
def change_payment(
    payment_id: int,
    now: datetime,
    *,
    unchanged_since: datetime | None = None,
    duplicate_intended: bool = False,
    **columns: object,
) -> Payment:
    """Set the given columns. `confirmed` confirms, or withdraws the confirmation with the `confirm_before` given along;
    `confirm_before` alone moves the deadline, and an expired payment counts again (PAY-22). A counting payment's new
    amount is posted to the balance, the old one taken out. The same values again change nothing.
    """
    payment = find_payment(payment_id, unchanged_since)
    before = Payment.objects.get(pk=payment_id)
    _require_open(payment, columns)
    for column, value in columns.items():
        if column not in _CONFIRMATION:
            setattr(payment, column, value)
    prepare(payment)
    require_payable_amounts(payment)
    settle_exchange(payment)
    if not duplicate_intended and payment.reference_code != before.reference_code:
        require_new_reference(payment)
    recount(payment, before, now)
    _confirm_as_told(payment, columns, now)
    if payment.confirmed and payment.payment_date != before.payment_date:
        require_past_payment_date(payment, now)
    save(payment)
    if payment.confirmed and not before.confirmed:
        tell_confirmed(payment, now)
    return payment


def _require_open(payment: Payment, columns: dict[str, object]) -> None:
    reasons = {
        column: (
            "of an automatic payment cannot be changed" if payment.automatic else "is fixed once the payment exists",
        )
        for column, value in columns.items()
        if column not in open_columns(payment) and getattr(payment, column) != value
    }
    if reasons:
        raise Invalid(reasons)


def _confirm_as_told(payment: Payment, columns: dict[str, object], now: datetime) -> None:
    confirm_before = columns.get("confirm_before", payment.confirm_before)
    assert confirm_before is None or isinstance(confirm_before, date)
    if columns.get("confirmed", payment.confirmed):
        confirm(payment, now)
    elif payment.confirmed:
        withdraw(payment, confirm_before, now)
    elif confirm_before != payment.confirm_before:
        put_off(payment, confirm_before, now)
