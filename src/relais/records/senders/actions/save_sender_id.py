"""Make or change a sender ID."""

from django.db import transaction

from relais.core.segments import NotEncodable, encode
from relais.records.errors import Invalid
from relais.records.parties.tree import level_and_above
from relais.records.saving import save
from relais.records.senders.models import SenderChannel, SenderId

SMS_SENDER_CHARACTERS_MAX = 20  # SID-250


@transaction.atomic
def save_sender_id(sender: SenderId) -> SenderId:
    """`Invalid` without an agreement unless it is the System owner's own (SID-8), without a connection (SID-38) or with one
    of another branch, and for a name that SMS cannot carry (SID-250)."""
    reasons: dict[str, tuple[str, ...]] = {}
    if sender.agreement_id is None and sender.company.parent_id is not None:
        reasons["agreement"] = ("is required",)
    if sender.smpp_connection is None:
        reasons["smpp_connection"] = ("is required",)
    elif sender.smpp_connection.company_id not in level_and_above(sender.company):
        reasons["smpp_connection"] = ("belongs to a company that is not above the sender's",)
    if sender.channel == SenderChannel.SMS and not _fits_sms(sender.sender_id):
        reasons["sender_id"] = (f"takes 1 to {SMS_SENDER_CHARACTERS_MAX} characters of the GSM 7-bit alphabet",)
    if reasons:
        raise Invalid(reasons)
    save(sender)
    return sender


def _fits_sms(text: str) -> bool:
    try:
        return 1 <= len(text) <= SMS_SENDER_CHARACTERS_MAX and encode(text).encoding == "gsm7"
    except NotEncodable:
        return False
