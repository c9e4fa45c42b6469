"""Payments in scenario files."""

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from django.db.models.functions import Lower

from relais.records.agreements.models import Agreement
from relais.records.apply import references
from relais.records.apply.section import Outcome, Run, Section, assign, changed_if
from relais.records.apply.shapes import Entry, Field, Shape, capitals, day, flag, full_text, money, one_of, text
from relais.records.billing.actions.change_payment import change_payment
from relais.records.billing.actions.confirm_payment import confirm_payment
from relais.records.billing.actions.move_deadline import move_deadline
from relais.records.billing.actions.register_payment import register_payment
from relais.records.billing.actions.withdraw_confirmation import withdraw_confirmation
from relais.records.billing.models import Payment, PaymentDirection
from relais.records.errors import Invalid


class Payments(Section):
    name = "payments"
    key = ("agreement", "reference_code")
    label = "reference_code"
    columns: ClassVar = {
        "payment_amount": "payment_amount_micros",
        "replenishment_amount": "replenishment_amount_micros",
        "payment_confirmed": "confirmed",
        "confirm_payment_before": "confirm_before",
    }
    shape: ClassVar[Shape] = {
        "agreement": Field(full_text, required=True),
        "payment_date": Field(day, required=True),
        "reference_code": Field(full_text, required=True),
        "direction": Field(one_of(*PaymentDirection.values)),
        "payment_amount": Field(money, required=True),
        "payment_currency": Field(capitals),
        "replenishment_amount": Field(money),
        "exchange_rate_date": Field(day),
        "description": Field(text),
        "payment_confirmed": Field(flag, required=True),
        "confirm_payment_before": Field(day, blank=True),
    }
    _fixed: ClassVar = ("payment_date", "direction", "payment_amount")

    def posted_to(self, entries: Sequence[Entry]) -> Collection[int]:
        """By code alone: one too many is locked for a moment, which harms nobody."""
        codes = {entry["agreement"].rpartition(references.QUALIFIER)[2].lower() for entry in entries}
        coded = Agreement.objects.annotate(code=Lower("agreement_code")).filter(code__in=codes)
        return tuple(coded.values_list("pk", flat=True))

    def apply(self, entry: Entry, run: Run) -> Outcome:
        agreement = references.agreement(entry["agreement"])
        amounts = self._amounts(entry, agreement)
        found = (
            Payment.objects.filter(agreement=agreement, reference_code=entry["reference_code"]).order_by("pk").first()
        )
        if found is None:
            register_payment(
                Payment(
                    agreement=agreement,
                    reference_code=entry["reference_code"],
                    **self.given(
                        entry,
                        (
                            *self._fixed,
                            "description",
                            "exchange_rate_date",
                            "payment_confirmed",
                            "confirm_payment_before",
                        ),
                    ),
                    **amounts,
                ),
                run.now,
                tells_client=False,
            )
            return Outcome.CREATED
        fixed = self.given(entry, self._fixed) | amounts
        assign(found, fixed, final=fixed)
        given = self.given(entry, ("description", "exchange_rate_date"))
        changed = assign(found, given)
        if changed:
            change_payment(found.pk, run.now, **given)
        return changed_if(_confirm_as_told(entry, found, run) or changed)

    def _amounts(self, entry: Entry, agreement: Agreement) -> dict[str, Any]:
        """In the agreement's currency the credited amount follows the paid one; in another it has to be said (PAY-62)."""
        currency = entry.get("payment_currency", agreement.currency)
        if "replenishment_amount" not in entry and currency != agreement.currency:
            raise Invalid.of(
                "replenishment_amount", f"is required: {currency} was paid, {agreement.currency} is credited"
            )
        if "exchange_rate_date" in entry and currency == agreement.currency:
            raise Invalid.of("exchange_rate_date", "goes with a payment in another currency than the agreement's")
        replenishment_micros = entry.get("replenishment_amount", entry["payment_amount"])
        return {"payment_currency": currency, "replenishment_amount_micros": replenishment_micros}


def _confirm_as_told(entry: Entry, payment: Payment, run: Run) -> bool:
    """Whether confirmation or deadline changed. An expired payment stays as it is until the file gives a later day."""
    confirm_before = entry.get("confirm_payment_before")
    if entry["payment_confirmed"]:
        if not payment.confirmed:
            confirm_payment(payment.pk, run.now)
            return True
        return False
    if payment.confirmed:
        withdraw_confirmation(payment.pk, confirm_before, run.now)
        return True
    if confirm_before is not None and confirm_before != payment.confirm_before:
        move_deadline(payment.pk, confirm_before, run.now)
        return True
    return False
