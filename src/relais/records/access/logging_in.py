"""The first step of a log-in: a login and a password, of which a few guesses may be made (PWD-25, PWD-27, USR-75)."""

from datetime import datetime

from django.contrib.auth import authenticate

from relais.records import audit
from relais.records.access.actions.block_unused_users import block_if_unused
from relais.records.access.policy import policy_of
from relais.records.access.tries import may_try, was_right
from relais.records.parties.tree import system_owner
from relais.records.people.models import User


class TooManyTries(Exception):
    """Nothing was looked at: this login, or this address, has failed too often of late. Whether it exists is not told."""


def person_of(interface: str, login: str, password: str, ip_address: str | None, now: datetime) -> User | None:
    """Whose login and password these are, if they may be in; None otherwise, without telling why, not by time either.

    Every failure is in the audit. `TooManyTries` by the System owner's policy, since a login may be nobody's.
    """
    account, address = f"{interface} login {login.casefold()}", f"address {ip_address}"
    allowed = may_try([account, address], policy_of(system_owner().pk), now)
    user = authenticate(None, interface=interface, login=login, password=password) if allowed else None
    if user is not None and not block_if_unused(user, now):
        was_right(account, address)
        return user
    audit.note("Failed log in", user=None, ip_address=ip_address, user_name=login[:60])
    if not allowed:
        raise TooManyTries
    return None
