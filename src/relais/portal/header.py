"""What stands in the head of every page: the balances, and notices of what keeps the company from sending (CP-72, CP-81)."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from relais.pages.notices import Notice
from relais.pages.viewer import Viewer
from relais.portal.entities.balances import BALANCES
from relais.portal.entities.sender_ids import SENDER_IDS
from relais.portal.overview import ROWS_SHOWN_MAX, BalanceCard, balances_of
from relais.records.senders.models import SenderStatus


@dataclass(frozen=True, slots=True)
class Header:
    balances: tuple[BalanceCard, ...]
    notices: tuple[Notice, ...]


def header_of(viewer: Viewer) -> Header:
    """Of each what the viewer's permission lines open; two queries at most. A notice stands for as long as it is so."""
    balances = tuple(balances_of(viewer)) if viewer.may(BALANCES.line) else ()
    notices = [
        Notice(
            _("Agreement %(code)s has nothing left to spend: what costs something is refused.")
            % {"code": card.agreement_code},
            reverse("balances-view", args=(card.pk,)),
        )
        for card in balances
        if card.is_spent
    ]
    if viewer.may(SENDER_IDS.line):
        blocked = SENDER_IDS.queryset(viewer).filter(status=SenderStatus.BLOCKED).order_by("sender_id", "pk")
        notices += [
            Notice(
                _("Sender ID %(sender)s is blocked: nothing is sent from it.") % {"sender": sender},
                reverse("sender-ids-view", args=(sender.pk,)),
            )
            for sender in blocked[:ROWS_SHOWN_MAX]
        ]
    return Header(balances, tuple(notices))
