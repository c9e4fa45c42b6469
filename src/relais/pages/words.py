"""Words and tones of closed sets that more than one site shows."""

from relais.records.catalog.models import ServiceType
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
