"""Links to set a new password (PWD-13): good for an hour, once, on the portal that they were asked at.

Django's own tokens: they hold to the password, the last log-in and the e-mail, so whatever changes one of these ends the link.
"""

from datetime import datetime

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.encoding import force_bytes, force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext_noop

from relais.records.access.passwords import require_fit, store_password
from relais.records.access.sessions import end_sessions
from relais.records.errors import WHOLE, Invalid
from relais.records.people.backends import who_may_be_in
from relais.records.people.models import User

USED_UP = gettext_noop("this link is not good any more: ask for a new one")
PEOPLE_MAX = 5  # who share an address and get a mail each


class ResetTokens(PasswordResetTokenGenerator):
    """Of one portal: interface and host are part of what is signed."""

    def __init__(self, portal: str, now: datetime | None = None) -> None:
        super().__init__()
        self.key_salt = f"relais password reset {portal}"
        self._at = now

    def _now(self) -> datetime:
        return super()._now() if self._at is None else self._at.replace(tzinfo=None)


def people_asked_for(interface: str, asked_for: str) -> QuerySet[User]:
    """Who may be in and has that login or e-mail, a few at most."""
    named = Q(login__iexact=asked_for) | Q(e_mail__iexact=asked_for)
    people = who_may_be_in(User.objects.filter(named, interface=interface, blocked_at=None))
    return people.order_by("pk")[:PEOPLE_MAX]


def parts_of_link(user: User, portal: str, now: datetime | None = None) -> tuple[str, str]:
    """What the link's address is made of: who, and the token."""
    return urlsafe_base64_encode(force_bytes(user.pk)), ResetTokens(portal, now).make_token(user)


def person_of_link(interface: str, who: str, token: str, portal: str, now: datetime | None = None) -> User:
    """`Invalid` when the link is not good, or not any more."""
    user = who_may_be_in(User.objects.filter(pk=_key(who), interface=interface, blocked_at=None)).first()
    if user is None or not ResetTokens(portal, now).check_token(user, token):
        raise Invalid.of(WHOLE, USED_UP)
    return user


@transaction.atomic
def reset_password(interface: str, who: str, token: str, portal: str, password: str, now: datetime) -> User:
    """The password is set and all sessions end (PWD-24). `Invalid` for a link that is not good, or an unfit password: then
    the link stays good."""
    User.objects.select_for_update(of=("self",)).filter(pk=_key(who)).first()  # a link used twice at once is good once
    user = person_of_link(interface, who, token, portal, now)
    require_fit(user, password, "new_password")
    store_password(user, password, now, by_the_person=True)
    end_sessions(user)
    return user


def _key(who: str) -> int:
    """0, which is nobody's, for what is no key."""
    try:
        key = int(force_str(urlsafe_base64_decode(who)))
    except (ValueError, UnicodeDecodeError):
        return 0
    return key if 0 < key < 2**63 else 0
