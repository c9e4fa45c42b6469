"""Sender IDs. One channel and one kind of vendor so far; each further one adds its own columns or table."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from relais.records.columns import Editable, closed_set, name_text, owner


class SenderStatus(models.TextChoices):
    ACTIVE = "active"
    BLOCKED = "blocked"
    DRAFT = "draft"


class SenderChannel(models.TextChoices):
    SMS = "sms"


class VendorType(models.TextChoices):
    SMPP = "smpp"


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
    webhook_guid = models.UUIDField(null=True, blank=True, unique=True)

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
        ]

    def __str__(self) -> str:
        return self.sender_id
