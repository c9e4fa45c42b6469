"""What the worker sends on behalf of the pages: mails and codes by SMS. A page never waits for a server of somebody else.

What is secret travels sealed; a job is written in the transaction that wants it sent.
"""

import json

from django.utils import translation
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from relais.records.secrets import seal, unseal

SEND_TEXT, SEND_RESET_MAIL = "send_sms_code", "send_reset_mail"


def send_text(phone: str, code: str, language: str) -> None:
    """A log-in code by SMS, once."""
    app.configure_task(SEND_TEXT).defer(sealed=seal(json.dumps([phone, code, language])))


def opened(sealed: str) -> tuple[str, str, str]:
    """Phone number, code and language of a job of `send_text`; `NotOurs` for one sealed with a key that is gone."""
    phone, code, language = json.loads(unseal(sealed))
    return phone, code, language


def text_of(code: str, language: str) -> str:
    """What the SMS says; it fits one message in every language that is offered."""
    with translation.override(language):
        return _("%(code)s is your log-in code for %(site)s. Tell it nobody.") % {"code": code, "site": "Relais"}


def send_reset_mail(interface: str, asked_for: str, base_url: str, name: str) -> None:
    """The link to set a new password, to whoever has that login or address; whether somebody has is not looked at here."""
    app.configure_task(SEND_RESET_MAIL).defer(
        sealed=seal(json.dumps({"interface": interface, "asked_for": asked_for, "base_url": base_url, "site": name}))
    )
