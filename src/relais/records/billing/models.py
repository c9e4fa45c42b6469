"""Payments. How each of their states acts on a balance is in `actions/`; the table only keeps the result, `counted`."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from relais.records.agreements.models import CURRENCY
from relais.records.columns import TEXT_LENGTH_MAX, Editable, blank_text, closed_set, flag, owner


class PaymentDirection(models.TextChoices):
    INBOUND = "inbound"  # from the client: raises the balance (PAY-28)
    OUTBOUND = "outbound"


class Payment(Editable):
    """Money received or paid out. `counted` says whether the balance holds it; nothing else may decide that twice."""

    agreement = owner("agreements.Agreement", related_name="payments")
    payment_date = models.DateField()
    reference_code = models.CharField(max_length=100)
    direction = closed_set(PaymentDirection, default=PaymentDirection.INBOUND, db_default=PaymentDirection.INBOUND)
    payment_amount_micros = models.BigIntegerField(validators=[MinValueValidator(1)])
    payment_currency = models.CharField(max_length=3, validators=[CURRENCY])
    replenishment_amount_micros = models.BigIntegerField(validators=[MinValueValidator(1)])
    exchange_rate_date = models.DateField(null=True, blank=True)  # of the rate between two currencies (PAY-36)
    automatic = flag(editable=False)  # booked by a payment system, not by hand (PAY-2)
    description = blank_text(TEXT_LENGTH_MAX)
    confirmed = flag()
    confirm_before = models.DateField(null=True, blank=True)
    counted = flag(editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["confirm_before"], condition=Q(confirmed=False, counted=True), name="payment_awaiting")
        ]
        constraints = [
            models.CheckConstraint(condition=Q(direction__in=PaymentDirection.values), name="payment_direction"),
            models.CheckConstraint(
                condition=Q(payment_amount_micros__gt=0, replenishment_amount_micros__gt=0),
                name="payment_amounts_positive",
            ),
            models.CheckConstraint(condition=Q(payment_currency__regex=r"^[A-Z]{3}$"), name="payment_currency_code"),
            models.CheckConstraint(
                condition=Q(confirmed=True) | Q(confirm_before__isnull=False),
                name="payment_unconfirmed_has_a_deadline",
                violation_error_message="confirm_before is required while the payment is not confirmed",
            ),
            models.CheckConstraint(condition=Q(confirmed=False) | Q(counted=True), name="payment_confirmed_is_counted"),
            models.UniqueConstraint(
                fields=["agreement", "reference_code"], condition=Q(automatic=True), name="payment_automatic_once"
            ),
        ]

    def __str__(self) -> str:
        return self.reference_code
