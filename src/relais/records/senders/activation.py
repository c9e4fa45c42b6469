"""The mail that a sender ID has become active, to the account e-mails of its agreement (SID-229, NTF-8)."""

from datetime import datetime

from django.core.mail import send_mail
from django.utils import translation
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from relais.records.agreements.terms import version_at
from relais.records.agreements.versions import addresses
from relais.records.people.models import User
from relais.records.senders.models import SenderId, SenderStatus

SEND_ACTIVATED_MAIL = "send_activated_mail"


def tell_activated(sender: SenderId, former: SenderId | None, now: datetime) -> None:
    """Where the status has become Active: a job for each address, written in the transaction that makes it so."""
    became = sender.status == SenderStatus.ACTIVE and (former is None or former.status != SenderStatus.ACTIVE)
    version = version_at(sender.agreement_id, now) if became and sender.agreement_id is not None else None
    if version is not None:
        for address in dict.fromkeys(addresses(version.account_emails)):
            app.configure_task(SEND_ACTIVATED_MAIL).defer(sender_id=sender.pk, address=address)


def send_activated_mail(sender_id: int, address: str) -> bool:
    """In the language of the client's person with that address. False, and nothing is sent, for one that is not active any more.
    Raises what the mail server raises."""
    sender = SenderId.objects.filter(pk=sender_id, status=SenderStatus.ACTIVE).first()
    if sender is None:
        return False
    person = User.objects.filter(company_id=sender.company_id, e_mail__iexact=address).order_by("pk").first()
    with translation.override(person.language if person is not None else "en"):
        words = {"name": sender.name, "sender": sender.sender_id}
        subject = _("Sender ID %(name)s is active") % words
        text = _("The sender ID %(sender)s (%(name)s) is active: messages can be sent from it now.\n") % words
    send_mail(subject, text, None, [address])
    return True
