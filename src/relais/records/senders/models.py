"""Sender IDs. Each further kind of vendor adds its own columns or table."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator, URLValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from relais.records.columns import TEXT_LENGTH_MAX, Editable, blank_text, closed_set, flag, name_text, owner

MCC = RegexValidator(r"\A[0-9]{3}\Z", "three digits")


class SenderStatus(models.TextChoices):
    ACTIVE = "active"
    BLOCKED = "blocked"
    DRAFT = "draft"


class SenderChannel(models.TextChoices):
    SMS = "sms"
    WHATSAPP = "whatsapp"
    RCS = "rcs"


class VendorType(models.TextChoices):
    SMPP = "smpp"


class LiveSenders(models.Manager["SenderId"]):
    """Without those that were deleted (SID-246)."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(deleted_at=None)


class SenderId(Editable):
    """A name or number that a company may send from. Only the System owner's own may have no agreement (SID-8)."""

    company = owner("parties.Company", related_name="sender_ids")
    agreement = owner("agreements.Agreement", null=True, blank=True, related_name="sender_ids")
    channel = closed_set(SenderChannel, default=SenderChannel.SMS, db_default=SenderChannel.SMS)
    sender_id = models.CharField(max_length=100)
    name = name_text()
    status = closed_set(SenderStatus, default=SenderStatus.DRAFT, db_default=SenderStatus.DRAFT)
    vendor_type = closed_set(VendorType, default=VendorType.SMPP, db_default=VendorType.SMPP)
    smpp_connection = owner("connections.VendorSmppConnection", null=True, blank=True, related_name="sender_ids")
    # New messages leave by it while the first is down; none = they wait for the first.
    second_smpp_connection = owner("connections.VendorSmppConnection", null=True, blank=True, related_name="+")
    # Who binds with it is told what comes for this sender ID (SID-54).
    client_smpp_connection = owner("connections.ClientSmppConnection", null=True, blank=True, related_name="sender_ids")
    webhook_guid = models.UUIDField(null=True, blank=True, unique=True)
    mcc = models.CharField(max_length=3, blank=True, default="", db_default="", validators=[MCC])
    keyword = blank_text(100)
    webhook_url = models.CharField(
        max_length=TEXT_LENGTH_MAX, blank=True, default="", db_default="", validators=[URLValidator(["http", "https"])]
    )
    service_type = blank_text(50)
    # Kept while the notifications are off (SID-43).
    notifications = flag()
    trigger_percent = models.SmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    minimal_message_count = models.IntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    window_size_minutes = models.IntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    # Of its company's messages that name no sender; the System owner's also of companies that have no sender ID (SP-12).
    is_default = flag()
    # STOP, START and HELP (core.opt_out) are understood unless it is off; further words, and answers that are sent by themselves.
    opt_out_words = flag(default=True)
    stop_words = blank_text(500)
    start_words = blank_text(500)
    help_words = blank_text(500)
    stop_answer = blank_text(1000)
    start_answer = blank_text(1000)
    help_answer = blank_text(1000)
    # The secret of its webhook is derived from the version; after a change the former one signs beside it for a day.
    webhook_secret_version = models.SmallIntegerField(default=1, db_default=1, editable=False)
    webhook_secret_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = LiveSenders()
    everything: Any = models.Manager()

    class Meta:
        db_table = "senders_senderid"
        constraints = [
            models.UniqueConstraint(
                "company",
                "channel",
                Lower("sender_id"),
                name="sender_id_once_a_company",
                violation_error_message="sender_id is taken in this company and channel",
            ),
            models.UniqueConstraint(
                fields=["company", "channel"],
                condition=Q(is_default=True),
                name="sender_id_one_default",
                violation_error_message="another sender ID of the company is its default on this channel",
            ),
            models.CheckConstraint(condition=Q(channel__in=SenderChannel.values), name="sender_id_channel"),
            models.CheckConstraint(condition=Q(status__in=SenderStatus.values), name="sender_id_status"),
            models.CheckConstraint(condition=Q(vendor_type__in=VendorType.values), name="sender_id_vendor_type"),
            models.CheckConstraint(condition=~Q(sender_id=""), name="sender_id_not_empty"),
            models.CheckConstraint(
                condition=Q(notifications=False)
                | Q(
                    trigger_percent__isnull=False,
                    minimal_message_count__isnull=False,
                    window_size_minutes__isnull=False,
                    trigger_percent__range=(1, 100),
                    minimal_message_count__gte=1,
                    window_size_minutes__gte=1,
                ),
                name="sender_id_notification",
            ),
        ]

    def __str__(self) -> str:
        return self.sender_id


class FeeKind(models.TextChoices):
    SETUP = "setup"
    USAGE = "usage"


class FeeEvery(models.TextChoices):
    MONTH = "monthly"
    WEEK = "weekly"


class SenderIdType(models.TextChoices):
    ALPHANUMERIC = "alphanumeric"
    SHORT_CODE = "short_code"
    LONG_CODE = "long_code"


class FeeRule(Editable):
    """A usage fee of a sender ID: how often, how long beforehand, and what is tried when it cannot be taken (SID-17 to SID-25).

    `start_day`: of the month, or of the week (1 Monday). `mno`: the operator the sender ID is used with, blank for Others. Days
    are those of the agreement's billing zone."""

    company = owner("parties.Company", related_name="+")  # the sender ID's
    sender = models.ForeignKey("senders.SenderId", models.RESTRICT, related_name="fee_rules")
    effective_from = models.DateField()
    effective_till = models.DateField(null=True, blank=True)  # the last day
    every = closed_set(FeeEvery, default=FeeEvery.MONTH, db_default=FeeEvery.MONTH)
    start_day = models.SmallIntegerField(
        default=1, db_default=1, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    days_beforehand = models.SmallIntegerField(
        default=0, db_default=0, validators=[MinValueValidator(0), MaxValueValidator(31)]
    )
    retry_hours = models.SmallIntegerField(
        default=1, db_default=1, validators=[MinValueValidator(1), MaxValueValidator(168)]
    )
    max_retries = models.SmallIntegerField(
        default=3, db_default=3, validators=[MinValueValidator(0), MaxValueValidator(50)]
    )
    sender_id_type = closed_set(SenderIdType, default=SenderIdType.ALPHANUMERIC, db_default=SenderIdType.ALPHANUMERIC)
    mno = blank_text(100)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(every__in=FeeEvery.values), name="fee_rule_every"),
            models.CheckConstraint(condition=Q(sender_id_type__in=SenderIdType.values), name="fee_rule_type"),
            models.CheckConstraint(
                condition=Q(start_day__range=(1, 31)) & (Q(every=FeeEvery.MONTH) | Q(start_day__lte=7)),
                name="fee_rule_start_day",
                violation_error_message="start_day is 1 to 7 of a week and 1 to 31 of a month",
            ),
            models.CheckConstraint(
                condition=Q(effective_till=None) | Q(effective_till__gte=F("effective_from")),
                name="fee_rule_ends_after_its_start",
                violation_error_message="effective_till must not be before effective_from",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sender}, {self.every}"


class SenderFee(models.Model):
    """A fee of a sender ID that was taken, or is tried: of a rule one a period, whatever restarts (SID-243). What was taken never
    changes."""

    agreement = owner("agreements.Agreement", related_name="+")
    sender = models.ForeignKey("senders.SenderId", models.RESTRICT, related_name="fees")
    rule = models.ForeignKey(FeeRule, models.RESTRICT, null=True, blank=True, related_name="fees")
    kind = closed_set(FeeKind)
    sender_id_type = models.CharField(max_length=20)
    mno = blank_text(100)
    period_start = models.DateTimeField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    tries = models.SmallIntegerField(default=0, db_default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    charged_at = models.DateTimeField(null=True, blank=True)
    node = models.ForeignKey(
        "catalog.RateNode", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    net_micros = models.BigIntegerField(null=True, blank=True)
    tax_micros = models.BigIntegerField(null=True, blank=True)
    reason = blank_text(200)  # why the last try failed
    user = models.ForeignKey("people.User", models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "period_start"], name="sender_fee_once_a_period"),
            models.CheckConstraint(condition=Q(kind__in=FeeKind.values), name="sender_fee_kind"),
            models.CheckConstraint(
                condition=Q(charged_at=None) | Q(node__isnull=False, net_micros__gte=0, tax_micros__gte=0),
                name="sender_fee_cost_when_charged",
            ),
            models.CheckConstraint(
                condition=Q(kind=FeeKind.SETUP, rule=None, period_start=None)
                | Q(kind=FeeKind.USAGE, rule__isnull=False, period_start__isnull=False, period_end__isnull=False),
                name="sender_fee_of_rule",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sender}, {self.kind}"


class Handover(models.Model):
    """That a company has passed a sender ID on to one directly below it. Of each sender ID there is a row for every step from
    the company whose connection it uses, its owner, down to the one that sends from it (decision 16)."""

    sender = models.ForeignKey(SenderId, models.CASCADE, related_name="handovers")
    given_by = owner("parties.Company", related_name="handed_down_senders")
    company = owner("parties.Company", related_name="handed_senders")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "senders_handover"
        constraints = [
            models.UniqueConstraint(fields=["sender", "given_by"], name="handover_given_once"),
            models.UniqueConstraint(fields=["sender", "company"], name="handover_had_once"),
        ]

    def __str__(self) -> str:
        return str(self.sender)


class StopOrigin(models.TextChoices):
    """Who put a number on a stop list."""

    HAND = "hand"
    WORD = "word"  # the recipient, by a message
    API = "api"


class StopEntry(models.Model):
    """A recipient that a company does not write to: from any of its sender IDs, or from that one. Gateways follow within a
    second, by a log of changes that a trigger writes (migration 0008)."""

    company = owner("parties.Company", related_name="+")
    sender = models.ForeignKey(SenderId, models.CASCADE, null=True, blank=True, related_name="+")
    number = models.CharField(max_length=15)  # E.164 digits
    origin = closed_set(StopOrigin, default=StopOrigin.HAND, db_default=StopOrigin.HAND)
    note = blank_text()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "sender", "number"],
                name="stop_entry_once",
                nulls_distinct=False,
                violation_error_message="number is on this stop list already",
            ),
            models.CheckConstraint(condition=Q(origin__in=StopOrigin.values), name="stop_entry_origin"),
            models.CheckConstraint(condition=Q(number__regex=r"^[0-9]{7,15}$"), name="stop_entry_number"),
        ]

    def __str__(self) -> str:
        return self.number


class SenderUse(models.TextChoices):
    """What the networks of a country take as a sender of one kind."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "not_allowed"
    REGISTERED = "registration"  # of an approved registration
    DOCUMENTED = "document"  # of an approved registration with a document


class SenderRule(Editable):
    """What a country takes as sender of an SMS (WC-12, WC-13). A country without a rule takes every sender."""

    country = owner("catalog.Country", related_name="+")
    names = closed_set(SenderUse, default=SenderUse.ALLOWED, db_default=SenderUse.ALLOWED)
    numbers = closed_set(SenderUse, default=SenderUse.ALLOWED, db_default=SenderUse.ALLOWED)
    documents = blank_text(500)  # which, as the provider tells

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["country"],
                name="sender_rule_once_a_country",
                violation_error_message="the country has its rule already",
            ),
            models.CheckConstraint(condition=Q(names__in=SenderUse.values), name="sender_rule_names"),
            models.CheckConstraint(condition=Q(numbers__in=SenderUse.values), name="sender_rule_numbers"),
        ]

    def __str__(self) -> str:
        return str(self.country)


class RegistrationStatus(models.TextChoices):
    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"


class SenderRegistration(Editable):
    """That a sender ID is, or is to be, registered in a country; the level above its company decides (WC-29)."""

    company = owner("parties.Company", related_name="+")  # the sender ID's
    sender = models.ForeignKey(SenderId, models.RESTRICT, related_name="registrations")
    country = owner("catalog.Country", related_name="+")
    status = closed_set(RegistrationStatus, default=RegistrationStatus.PENDING, db_default=RegistrationStatus.PENDING)
    document = models.BinaryField(null=True, blank=True)
    document_name = blank_text(100)  # "" where there is none
    note = blank_text(500)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "country"],
                name="sender_registration_once",
                violation_error_message="the sender ID is registered, or to be, in this country already",
            ),
            models.CheckConstraint(
                condition=Q(status__in=RegistrationStatus.values), name="sender_registration_status"
            ),
            models.CheckConstraint(
                condition=Q(document=None, document_name="") | (Q(document__isnull=False) & ~Q(document_name="")),
                name="sender_registration_document",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sender}, {self.country}"
