"""Words and tones of closed sets that more than one site shows, and reasons of verbs in the page's language."""

from typing import Any

from django.utils.translation import gettext

from relais.records.catalog.models import ServiceType
from relais.records.errors import Reason
from relais.records.senders.models import SenderChannel, SenderStatus

SENDER_CHANNELS = {SenderChannel.SMS: "SMS", SenderChannel.WHATSAPP: "WhatsApp", SenderChannel.RCS: "RCS"}
SENDER_STATUSES = {
    SenderStatus.ACTIVE: ("Active", "ok"),
    SenderStatus.BLOCKED: ("Blocked", "bad"),
    SenderStatus.DRAFT: ("Draft", "hollow"),
}
SENDER_STATUS_CHOICES = [(status, label) for status, (label, _) in SENDER_STATUSES.items()]
SERVICE_TYPES = {
    ServiceType.PAY_AS_YOU_GO: "Pay-as-you-go",
    ServiceType.UNIT_PACK: "Unit pack",
    ServiceType.MONETARY_PACK: "Monetary pack",
    ServiceType.BUNDLE_INITIATOR: "Bundle Initiator",
    ServiceType.BUNDLE_PACK: "Bundle Pack",
}


def in_words(reason: str) -> str:
    """A verb's reason in the page's language, with its values in their places."""
    if not isinstance(reason, Reason) or not reason.values:
        return gettext(reason)
    return gettext(reason.text) % {name: _value(each) for name, each in reason.values.items()}


def _value(told: Any) -> Any:
    if isinstance(told, list):
        return ", ".join(str(_value(each)) for each in told)
    return in_words(told) if isinstance(told, Reason) else told
