"""Mails about money: a payment is confirmed (PAY-52, PAY-53); a balance does not cover what is sent (RSL-43, AG-46).

A job for each address of a payment is written in the transaction that confirms, and worked off by the worker: so a mail goes out
only if the confirmation stands, and a mail server that is away keeps nobody from confirming (PAY-72).
"""

from datetime import datetime, timedelta
from decimal import Decimal

from babel.numbers import get_currency_precision
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Max, Sum
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from procrastinate.contrib.django import app

from relais.core.money import MICROS
from relais.records.agreements.models import Agreement
from relais.records.agreements.terms import version_at
from relais.records.agreements.versions import addresses
from relais.records.billing.models import Payment
from relais.records.people.models import User
from relais.records.traffic.models import Shortage

SEND_PAYMENT_MAIL = "send_payment_mail"
SEND_SHORTAGE_MAIL = "send_shortage_mail"
SHORTAGE_TOLD_EVERY = timedelta(hours=24)


def tell_confirmed(payment: Payment, now: datetime) -> None:
    """At the payment alert e-mails of the version that speaks now, else at the account e-mails; without either nobody is told."""
    version = version_at(payment.agreement_id, now)
    if version is not None:
        told = addresses(version.payment_alert_emails) or addresses(version.account_emails)
        for address in dict.fromkeys(told):
            app.configure_task(SEND_PAYMENT_MAIL).defer(payment_id=payment.pk, address=address)


def send_payment_mail(payment_id: int, address: str) -> bool:
    """In the language of the client's person with that address, where there is one. False, and nothing is sent, for a payment
    that was deleted meanwhile or whose confirmation was withdrawn. Raises what the mail server raises."""
    payment = (
        Payment.objects.select_related("agreement__own_legal_entity").filter(pk=payment_id, confirmed=True).first()
    )
    if payment is None:
        return False
    agreement = payment.agreement
    person = User.objects.filter(company_id=agreement.company_id, e_mail__iexact=address).order_by("pk").first()
    with translation.override(person.language if person is not None else "en"):
        words = {
            "amount": _money(payment.payment_amount_micros, payment.payment_currency),
            "credited": _money(payment.replenishment_amount_micros, agreement.currency),
            "reference": payment.reference_code,
            "agreement": agreement.agreement_code,
            "date": payment.payment_date.strftime("%d.%m.%Y"),
            "seller": agreement.own_legal_entity.legal_company_name,
        }
        subject = _("Payment %(reference)s is confirmed") % words
        text = (
            _(
                "The payment of %(amount)s of %(date)s with the reference code %(reference)s is confirmed.\n"
                "%(credited)s count on the balance of agreement %(agreement)s.\n\n"
                "%(seller)s\n"
            )
            % words
        )
    send_mail(subject, text, None, [address])
    return True


@transaction.atomic
def tell_shortages(now: datetime) -> int:
    """Defers a mail to the account e-mails of each agreement whose balance did not cover messages lately, once in
    `SHORTAGE_TOLD_EVERY`; how many agreements. It goes to the buyer alone: its own clients learn no more than that a message
    was refused."""
    since = now - SHORTAGE_TOLD_EVERY
    recent = Shortage.objects.filter(last_at__gt=since)
    found = recent.values("agreement_id").annotate(messages=Sum("messages"), told_at=Max("told_at"), hour=Max("hour"))
    told = 0
    for row in found.order_by("agreement_id"):
        if row["told_at"] is not None and row["told_at"] > since:
            continue
        version = version_at(row["agreement_id"], now)
        to = addresses(version.account_emails) if version is not None else ()
        marked = Shortage.objects.filter(agreement_id=row["agreement_id"], hour=row["hour"], told_at=row["told_at"])
        if to and marked.update(told_at=now):
            told += 1
            for address in dict.fromkeys(to):
                app.configure_task(SEND_SHORTAGE_MAIL).defer(
                    agreement_id=row["agreement_id"], messages=row["messages"], address=address
                )
    return told


def send_shortage_mail(agreement_id: int, messages: int, address: str) -> None:
    """In the language of the buyer's person with that address. Raises what the mail server raises."""
    agreement = Agreement.objects.select_related("own_legal_entity").get(pk=agreement_id)
    person = User.objects.filter(company_id=agreement.company_id, e_mail__iexact=address).order_by("pk").first()
    with translation.override(person.language if person is not None else "en"):
        words = {
            "agreement": agreement.agreement_code,
            "messages": messages,
            "seller": agreement.own_legal_entity.legal_company_name,
        }
        subject = _("Agreement %(agreement)s does not cover what is sent") % words
        text = (
            ngettext(
                "%(messages)d message was refused in the last 24 hours because the balance of agreement %(agreement)s with "
                "%(seller)s did not cover it.",
                "%(messages)d messages were refused in the last 24 hours because the balance of agreement %(agreement)s with "
                "%(seller)s did not cover them.",
                messages,
            )
            % words
        )
        text += "\n" + _("A payment on that agreement lets messages through again.") + "\n"
    send_mail(subject, text, None, [address])


def _money(micros: int, currency: str) -> str:
    """With the decimals of its currency; amounts of payments have no more."""
    decimals = get_currency_precision(currency)
    return f"{Decimal(micros) / MICROS:.{decimals}f} {currency}"
