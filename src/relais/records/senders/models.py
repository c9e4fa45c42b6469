"""Sender IDs. One channel and one kind of vendor so far; each further one adds its own columns or table."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from relais.records.columns import TEXT_LENGTH_MAX, Editable, blank_text, closed_set, flag, name_text, owner

MCC = RegexValidator(r"\A[0-9]{3}\Z", "three digits")


class SenderStatus(models.TextChoices):
    ACTIVE = "active"
    BLOCKED = "blocked"
    DRAFT = "draft"


class SenderChannel(models.TextChoices):
    SMS = "sms"


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
