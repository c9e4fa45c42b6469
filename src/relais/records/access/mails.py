"""The mails of access: the link to set a new password, in the language of who gets it."""

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from relais.records.access.resets import parts_of_link, people_asked_for


def send_reset_mails(interface: str, asked_for: str, base_url: str, site: str) -> int:
    """One to each who may be in and is known by that login or address; how many. Raises what the mail server raises."""
    people = list(people_asked_for(interface, asked_for))
    for user in people:
        path = reverse("reset-link", settings.URLCONFS[interface], args=parts_of_link(user, base_url))
        with translation.override(user.language):
            subject = _("Set a new password for %(site)s") % {"site": site}
            text = _(
                "Hello %(name)s,\n\n"
                "somebody, probably you, asked for a new password of the log-in %(login)s.\n"
                "Set it here within an hour; the link works once:\n\n"
                "%(link)s\n\n"
                "If it was not you, leave it: the password stays as it is.\n"
            ) % {"name": user.full_name, "login": user.login, "link": base_url.rstrip("/") + path}
        send_mail(subject, text, None, [user.e_mail])
    return len(people)
