"""What a client and its provider agreed on, the balance that follows from it, and the ledger that explains the balance.

`Balance` and `LedgerEntry` are hot: the data plane writes them by SQL. The rest is configuration.
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from relais.records.columns import TEXT_LENGTH_MAX, Editable, blank_text, closed_set, flag, owner
from relais.records.ranges import TsTzRange

CURRENCY = RegexValidator(r"\A[A-Z]{3}\Z", "an ISO 4217 code of three capitals")
TAX_BP_MAX = 10_000  # 100 %


class Direction(models.TextChoices):
    """Whom the agreement serves. Agreements of vendors are older data: displayed, not made (AG-21, AG-22)."""

    CLIENT = "client"
    VENDOR = "vendor"


class BillingPeriod(models.TextChoices):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


class Agreement(Editable):
    """The part that never changes once made (AG-66, AG-85); its terms are in its versions."""

    company = owner("parties.Company", related_name="agreements")
    legal_entity = owner("parties.LegalEntity", related_name="agreements")
    own_legal_entity = owner("parties.LegalEntity", related_name="sold_agreements")
    bank_account = owner("parties.BankAccount", null=True, blank=True, related_name="agreements")
    own_bank_account = owner("parties.BankAccount", null=True, blank=True, related_name="sold_agreements")
    direction = closed_set(Direction, default=Direction.CLIENT, db_default=Direction.CLIENT)
    agreement_code = models.CharField(max_length=100)
    agreement_date = models.DateField()
    currency = models.CharField(max_length=3, validators=[CURRENCY])

    SEARCH = ("agreement_code", "company__name")  # what people type to find one in a choice

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("agreement_code"),
                "company",
                name="agreement_code_once_a_company",
                violation_error_message="agreement_code is taken",
            ),
            models.UniqueConstraint(fields=["id", "company"], name="agreement_of_company"),
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="agreement_direction"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="agreement_currency"),
        ]

    def __str__(self) -> str:
        return self.agreement_code


class AgreementVersion(Editable):
    """Terms in force from `effective_from` (inclusive) to `effective_till` (exclusive; null = open-ended)."""

    agreement = owner("agreements.Agreement", related_name="versions")
    version_code = blank_text(100)
    effective_from = models.DateTimeField()
    effective_from_timezone = models.CharField(max_length=64, default="Etc/UTC", db_default="Etc/UTC")
    effective_till = models.DateTimeField(null=True, blank=True)
    effective_till_timezone = models.CharField(max_length=64, default="Etc/UTC", db_default="Etc/UTC")
    credit_limit_micros = models.BigIntegerField(null=True, blank=True, validators=[MinValueValidator(0)])
    billing_timezone = models.CharField(max_length=64)
    billing_period = closed_set(BillingPeriod)
    billing_day = models.SmallIntegerField(default=1, db_default=1)
    split_by_month = flag()
    days_for_payment = models.IntegerField(validators=[MinValueValidator(0)], default=0, db_default=0)
    tax_bp = models.IntegerField(
        default=0, db_default=0, validators=[MinValueValidator(0), MaxValueValidator(TAX_BP_MAX)]
    )
    invoice_emails = blank_text(TEXT_LENGTH_MAX)
    account_emails = blank_text(TEXT_LENGTH_MAX)
    rate_change_emails = blank_text(TEXT_LENGTH_MAX)
    service_emails = blank_text(TEXT_LENGTH_MAX)
    payment_alert_emails = blank_text(TEXT_LENGTH_MAX)

    class Meta:
        indexes = [models.Index(fields=["agreement", "effective_from"], name="agreement_version_by_start")]
        constraints = [
            ExclusionConstraint(
                name="agreement_versions_never_overlap",
                expressions=[
                    ("agreement", RangeOperators.EQUAL),
                    (TsTzRange("effective_from", "effective_till"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(effective_till=None) | Q(effective_till__gt=F("effective_from")),
                name="agreement_version_ends_after_its_start",
                violation_error_message="effective_till must be later than effective_from",
            ),
            models.CheckConstraint(
                condition=Q(credit_limit_micros=None) | Q(credit_limit_micros__gte=0), name="agreement_version_credit"
            ),
            models.CheckConstraint(
                condition=Q(billing_period__in=BillingPeriod.values), name="agreement_version_billing_period"
            ),
            models.CheckConstraint(
                condition=Q(billing_period="daily", billing_day=1)
                | Q(billing_period="weekly", billing_day__range=(1, 7))
                | Q(billing_period__in=["monthly", "quarterly"], billing_day__range=(1, 31)),
                name="agreement_version_billing_day",
                violation_error_message="billing_day is 1 for daily, 1 to 7 for weekly, 1 to 31 for other periods",
            ),
            models.CheckConstraint(
                condition=Q(split_by_month=False) | Q(billing_period__in=["daily", "weekly"]),
                name="agreement_version_split_by_month",
                violation_error_message="split_by_month goes with a daily or weekly period only",
            ),
            models.CheckConstraint(condition=Q(days_for_payment__gte=0), name="agreement_version_days_for_payment"),
            models.CheckConstraint(condition=Q(tax_bp__range=(0, TAX_BP_MAX)), name="agreement_version_tax"),
        ]

    def __str__(self) -> str:
        return self.version_code or f"version {self.pk}"


class ResellingAgreement(Editable):
    """What `legal_entity` sells in its own name is bought under `agreement`. Overlaps are allowed (RSL-45)."""

    legal_entity = owner("parties.LegalEntity", related_name="reselling_agreements")
    agreement = owner("agreements.Agreement", related_name="reselling_agreements")
    effective_from = models.DateTimeField()
    effective_till = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "agreement", "effective_from"], name="reselling_agreement_once"
            ),
            models.CheckConstraint(
                condition=Q(effective_till=None) | Q(effective_till__gt=F("effective_from")),
                name="reselling_agreement_ends_after_its_start",
                violation_error_message="effective_till must be later than effective_from",
            ),
        ]


class Balance(models.Model):
    """One row an agreement, made by a trigger with it. `balance` may be negative; `reserved` is of messages not final."""

    agreement = models.OneToOneField(
        "agreements.Agreement", on_delete=models.PROTECT, primary_key=True, related_name="balance"
    )
    balance_micros = models.BigIntegerField(default=0, db_default=0)
    reserved_micros = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(reserved_micros__gte=0), name="balance_reserved_not_negative")
        ]


class LedgerKind(models.IntegerChoices):
    PAYMENT = 1
    PAYMENT_WITHDRAWN = 2  # or lapsed, or deleted
    MESSAGES_CAPTURED = 3  # one row an agreement a tick
    MESSAGES_REVERSED = 4
    FEE = 5
    PACK = 6
    ROUNDING = 7
    CORRECTION = 8
    SCALE_CORRECTED = 9  # Back-to-First: the difference for earlier units of the period (SV-255)


class LedgerEntry(models.Model):
    """One change of a balance; never changed nor deleted. The sum of an agreement's amounts is its balance.

    No foreign keys in the database: the writer appends every few milliseconds, and the payment may be deleted later
    while its entries stay. An agreement cannot go while it has a balance row, so no entry is ever orphaned.
    """

    agreement = models.ForeignKey(
        Agreement, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="ledger"
    )
    kind = models.SmallIntegerField(choices=LedgerKind.choices)
    amount_micros = models.BigIntegerField()  # positive raises the balance
    at = models.DateTimeField(db_default=Now())
    payment = models.ForeignKey(
        "billing.Payment", null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    note = blank_text()

    class Meta:
        indexes = [models.Index(fields=["agreement", "at"], name="ledgerentry_agreement_at")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=LedgerKind.values), name="ledger_kind"),
            models.CheckConstraint(
                condition=~Q(kind=LedgerKind.MESSAGES_CAPTURED) | Q(amount_micros__lte=0),
                name="ledger_captures_lower_the_balance",
            ),
        ]
