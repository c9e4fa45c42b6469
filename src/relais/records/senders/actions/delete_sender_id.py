"""Delete a sender ID (SID-9)."""

from datetime import datetime

from django.db import transaction

from relais.records.saving import find, require_unchanged
from relais.records.senders.handing_down import require_owner
from relais.records.senders.models import SenderId, SenderStatus


@transaction.atomic
def delete_sender_id(
    sender_pk: int, company_id: int, now: datetime, *, unchanged_since: datetime | None = None
) -> None:
    """It leaves every list and sends nothing any more; messages, charges and reports keep its name (SID-246). Its webhook
    GUID is free again. `SenderId.everything` still has it. `Invalid` unless that company is its owner (RSL-54)."""
    sender = find(SenderId, sender_pk)
    require_unchanged(sender, unchanged_since)
    require_owner(sender, company_id, "only who made it deletes it. You can withdraw it from your client")
    delete(sender, now)


def delete(sender: SenderId, now: datetime) -> None:
    """The same for a locked sender ID, whoever asks."""
    sender.handovers.all().delete()
    sender.status, sender.deleted_at, sender.webhook_guid = SenderStatus.BLOCKED, now, None
    sender.is_default = False
    sender.save(update_fields=["status", "deleted_at", "webhook_guid", "is_default", "updated_at"])
