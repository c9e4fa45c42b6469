"""Take a sender ID back from the company it was handed down to, and from all below (RSL-54)."""

from datetime import datetime

from django.db import transaction

from relais.records.errors import WHOLE, Invalid
from relais.records.saving import find
from relais.records.senders.actions.delete_sender_id import delete
from relais.records.senders.handing_down import record_handovers
from relais.records.senders.models import Handover, SenderId


@transaction.atomic
def withdraw_sender_id(handover_pk: int, now: datetime) -> SenderId:
    """It is the giver's again, without an agreement: nobody sends from it until it is given one. Where the giver has another of
    that name it is deleted instead. What was accepted before goes out and is charged. `Invalid` when it was withdrawn already.
    """
    step = find(Handover, handover_pk)
    sender = find(SenderId, step.sender_id)  # whoever changes it waits, or was first
    if not Handover.objects.filter(pk=handover_pk).exists():
        raise Invalid.of(WHOLE, "%(sender)s was withdrawn already", sender=str(sender))
    same = {"company": step.given_by_id, "channel": sender.channel, "sender_id__iexact": sender.sender_id}
    if SenderId.everything.filter(**same).exists():
        delete(sender, now)
        return sender
    sender.company_id, sender.agreement_id, sender.is_default = step.given_by_id, None, False
    sender.save(update_fields=["company", "agreement", "is_default", "updated_at"])
    record_handovers(sender)
    sender.registrations.update(company=step.given_by)
    return sender
