"""Renew what signs the events for a sender ID's webhook."""

from datetime import datetime

from django.db import transaction

from relais.records.errors import WHOLE, Invalid
from relais.records.saving import find, save
from relais.records.senders.models import SenderId
from relais.wire.webhooks import BOTH_SIGN_FOR


@transaction.atomic
def renew_sender_webhook_secret(sender_pk: int, now: datetime) -> SenderId:
    """Events are signed with a new secret from now on, and with the former one beside it for a day, so that a receiver can change
    over. `Invalid` within that day."""
    sender = find(SenderId, sender_pk)
    changed_at = sender.webhook_secret_changed_at
    if changed_at is not None and now < changed_at + BOTH_SIGN_FOR:
        raise Invalid.of(WHOLE, "its secret was renewed less than a day ago, and the former one signs still")
    sender.webhook_secret_version += 1
    sender.webhook_secret_changed_at = now
    save(sender)
    return sender
