"""The notice that countries ask for something before they take a sender ID (WC-14), for whoever looks at it."""

from django.utils.translation import gettext as _

from relais.records.senders.actions.registrations import countries_to_approve
from relais.records.senders.models import SenderId

COUNTRIES_NAMED_MAX = 8


def approvals_needed(sender: SenderId) -> list[str]:
    """A sentence where messages to some country are refused until the sender ID is approved there; else nothing."""
    if not sender.sender_id or not (names := countries_to_approve(sender)):
        return []
    named = ", ".join(names[:COUNTRIES_NAMED_MAX]) + (", …" if len(names) > COUNTRIES_NAMED_MAX else "")
    return [_("Pre-approval is needed; until then messages are refused to: %(countries)s.") % {"countries": named}]
