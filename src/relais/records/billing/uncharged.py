"""Mails that the price of a pack or the fee of a sender ID could not be taken, with the reason (ES-80, ES-84, ruling 17)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.core.mail import send_mail
from django.db import connection, transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from relais.records.agreements.models import Agreement
from relais.records.agreements.terms import version_at
from relais.records.agreements.versions import addresses
from relais.records.catalog.models import EnabledService
from relais.records.people.models import User
from relais.records.senders.models import SenderFee

SEND_UNCHARGED_MAIL = "send_uncharged_mail"
TOLD_EVERY = timedelta(hours=24)

# A row a thing: who comes second within a day, in whatever process, gets none.
_TELL = """
INSERT INTO billing_told AS told (thing, told_at) VALUES (%(thing)s, %(now)s)
ON CONFLICT (thing) DO UPDATE SET told_at = excluded.told_at WHERE told.told_at <= %(since)s
RETURNING 1
"""
_FORGET = "DELETE FROM billing_told WHERE told_at <= %s"


class Uncharged(NamedTuple):
    """`thing` tells it from all others; `name` is what people know it by."""

    thing: str
    agreement_id: int
    name: str
    reason: str


@transaction.atomic
def tell_uncharged(now: datetime) -> int:
    """Defers a mail about everything that could not be charged in the last day: to the payment alert e-mails of the version that
    speaks now, else to the account e-mails; each thing once in `TOLD_EVERY`. How many things."""
    told = 0
    for each in _found(now - TOLD_EVERY):
        version = version_at(each.agreement_id, now)
        to = addresses(version.payment_alert_emails) or addresses(version.account_emails) if version else ()
        if to and _is_first(each.thing, now):
            told += 1
            for address in dict.fromkeys(to):
                app.configure_task(SEND_UNCHARGED_MAIL).defer(
                    agreement_id=each.agreement_id, name=each.name, reason=each.reason, address=address
                )
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [now - 2 * TOLD_EVERY])
    return told


def send_uncharged_mail(agreement_id: int, name: str, reason: str, address: str) -> None:
    """In the language of the buyer's person with that address. Raises what the mail server raises."""
    agreement = Agreement.objects.select_related("own_legal_entity").get(pk=agreement_id)
    person = User.objects.filter(company_id=agreement.company_id, e_mail__iexact=address).order_by("pk").first()
    with translation.override(person.language if person is not None else "en"):
        words = {
            "name": name,
            "reason": reason,
            "agreement": agreement.agreement_code,
            "seller": agreement.own_legal_entity.legal_company_name,
        }
        subject = _("%(name)s could not be charged") % words
        text = (
            _(
                "The price of %(name)s could not be taken from the balance of agreement %(agreement)s with %(seller)s.\n"
                "Reason: %(reason)s.\n"
            )
            % words
        )
    send_mail(subject, text, None, [address])


def _found(since: datetime) -> Iterator[Uncharged]:
    """Packs that wait for their price, or for their follower; fees that were tried in vain."""
    waiting = Q(charged=True, charged_at=None) | Q(auto_extend=True)
    packs = EnabledService.objects.filter(waiting, charge_tried_at__gt=since).exclude(not_charged_reason="")
    for pack in packs.select_related("service").order_by("pk"):
        yield Uncharged(
            f"pack {pack.pk}", pack.agreement_id, pack.service.name, pack.not_charged_reason.removeprefix("charged: ")
        )
    fees = SenderFee.objects.filter(charged_at=None, tried_at__gt=since).exclude(reason="")
    for fee in fees.select_related("sender").order_by("pk"):
        yield Uncharged(f"fee {fee.pk}", fee.agreement_id, f"Sender ID {fee.kind} fee: {fee.sender}", fee.reason)


def _is_first(thing: str, now: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_TELL, {"thing": thing, "now": now, "since": now - TOLD_EVERY})
        return cursor.fetchone() is not None
