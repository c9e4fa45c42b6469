"""The client is told by mail when a payment is confirmed (PAY-52, PAY-53).

A job for each address is written in the transaction that confirms, and worked off by the worker: so a mail goes out only if the
confirmation stands, and a mail server that is away keeps nobody from confirming (PAY-72).
"""

from datetime import datetime
from decimal import Decimal

from babel.numbers import get_currency_precision
from django.core.mail import send_mail
from django.utils import translation
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from relais.core.money import MICROS
from relais.records.agreements.terms import version_at
from relais.records.agreements.versions import addresses
from relais.records.billing.models import Payment
from relais.records.people.models import User

SEND_PAYMENT_MAIL = "send_payment_mail"


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


def _money(micros: int, currency: str) -> str:
    """With the decimals of its currency; amounts of payments have no more."""
    decimals = get_currency_precision(currency)
    return f"{Decimal(micros) / MICROS:.{decimals}f} {currency}"
