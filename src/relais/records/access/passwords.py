"""A person's password: whether a new one may be taken, how it is stored, when a change is demanded."""

import secrets
import string
from datetime import datetime
from functools import cache

from django.contrib.auth.hashers import check_password, is_password_usable, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.db import transaction
from django.db.models import TextChoices

from relais.records.access.models import Access, FormerPassword
from relais.records.access.policy import Policy, policy_of
from relais.records.errors import Invalid, Reason
from relais.records.people.models import User
from relais.records.people.passwords import weaknesses

GENERATED_LENGTH = 16
LOGIN_LENGTH_MIN = 3  # a shorter one is contained in nearly everything
SPECIAL = "-_.!?+*#%="
ALPHABET = "".join(
    sorted(set(string.ascii_letters + string.digits + SPECIAL) - set("0O1lI"))
)  # none is taken for another


class Demanded(TextChoices):
    """Why a new password is asked for before anything else."""

    NOTHING = ""
    DEFAULT = "default"
    EXPIRED = "expired"


def access_of(user: User) -> Access:
    """Of a person who was never here: as if their password had been set when they were made."""
    found, _ = Access.objects.get_or_create(
        user=user, defaults={"password_changed_at": user.created_at, "last_access_at": user.created_at}
    )
    return found


def demanded_change(user: User, now: datetime) -> Demanded:
    """Whether the person has to choose a new password first (PWD-5, PWD-8, PWD-21)."""
    access = access_of(user)
    if access.must_change:
        return Demanded.DEFAULT
    expired = policy_of(user.company_id).has_expired(access.password_changed_at, now)
    return Demanded.EXPIRED if expired else Demanded.NOTHING


def require_fit(user: User, password: str, field: str = "password") -> None:
    """`Invalid` when the policy of the person's company does not take it."""
    if found := unfit(user, password):
        raise Invalid({field: found})


def unfit(user: User, password: str) -> list[str]:
    """Why it is not taken: its form (PWD-1, PWD-2), a login in it or one of the most common ones (PWD-23), one of the last
    few (PWD-3). Empty when it is."""
    policy = policy_of(user.company_id)
    found = list(weaknesses(password, policy.length_min, policy.groups_min))
    login = user.login.casefold()
    if len(login) >= LOGIN_LENGTH_MIN and login in password.casefold():
        found.append("must not contain the login")
    if is_common(password):
        found.append("is one of the most common passwords: choose another")
    if not found and user.pk is not None and _was_had(user, password, policy):
        found.append(Reason("must differ from the last %(count)s", count=policy.history_count))
    return found


def is_common(password: str) -> bool:
    """Whether it stands, as typed or with its first letter made small, on the list of the twenty thousand most common ones
    that Django keeps. Capitals elsewhere make it another: `abcdEF12` is taken (PWD-14)."""
    return not _common().isdisjoint({password, password[:1].lower() + password[1:]})


@cache
def _common() -> set[str]:
    return set(CommonPasswordValidator().passwords)


def _was_had(user: User, password: str, policy: Policy) -> bool:
    """The present one is the first of the last; the hashes of older users may know it alone."""
    former = user.former_passwords.order_by("-pk").values_list("password_hash", flat=True)[: policy.history_count]
    known = {user.password: None, **dict.fromkeys(former)}
    # A new person has none yet, and to compare with nothing would take as long as with a hash.
    return any(is_password_usable(each) and check_password(password, each) for each in known)


@transaction.atomic
def store_password(user: User, password: str, now: datetime, *, by_the_person: bool) -> None:
    """Without asking whether it is fit. One that somebody else has set is to be changed at
    the next log-in. All sessions end with the next request, because each holds to the password it began with; links to
    reset it no longer fit either."""
    user.password = make_password(password)
    user.save(update_fields=["password", "updated_at"])
    FormerPassword.objects.create(user=user, password_hash=user.password)
    history_count = policy_of(user.company_id).history_count
    kept = user.former_passwords.order_by("-pk").values_list("pk", flat=True)[:history_count]
    user.former_passwords.exclude(pk__in=list(kept)).delete()
    changed = {"password_changed_at": now, "must_change": not by_the_person}
    Access.objects.update_or_create(user=user, defaults=changed, create_defaults={**changed, "last_access_at": now})


def generated_password(policy: Policy) -> str:
    """A strong one that the policy takes, from the system's source of randomness (PWD-30)."""
    length = max(GENERATED_LENGTH, policy.length_min)
    while True:
        password = "".join(secrets.choice(ALPHABET) for _ in range(length))
        if not weaknesses(password, policy.length_min, groups_min=4):
            return password
