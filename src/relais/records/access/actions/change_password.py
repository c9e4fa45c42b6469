"""Change a password: the own one, one whose change is demanded, one that an administrator sets, one that was forgotten."""

from datetime import datetime

from django.contrib.auth.hashers import check_password
from django.db import transaction

from relais.records.access.admins import may_change_at_any_time
from relais.records.access.passwords import Demanded, access_of, demanded_change, require_fit, store_password
from relais.records.access.policy import policy_of
from relais.records.access.tries import may_try, was_right
from relais.records.errors import WHOLE, Invalid
from relais.records.people.models import User


def require_own_password(user: User, password: str, now: datetime, field: str = "current_password") -> None:
    """`Invalid` when it is not the person's; wrong ones are limited as at log-in (ACC-49)."""
    subject = f"own password of {user.pk}"
    if not may_try([subject], policy_of(user.company_id), now):
        raise Invalid.of(field, "was wrong too often: wait a while")
    if not check_password(password, user.password):  # without storing it anew, which would end the sessions
        raise Invalid.of(field, "is wrong")
    was_right(subject)


@transaction.atomic
def change_own_password(user: User, new: str, now: datetime) -> None:
    """Of a person who has shown the present one (`require_own_password`, before and outside this transaction, so that wrong
    ones stay counted). `Invalid` for an unfit one, or too soon after the last change (PWD-6, PWD-7, ACC-48)."""
    access = access_of(_locked(user))
    policy = policy_of(user.company_id)
    soon = not access.must_change and not policy.may_change_again(access.password_changed_at, now)
    if soon and not may_change_at_any_time(user):
        raise Invalid.of(WHOLE, "the password can be changed once in %(hours)s hours", hours=policy.change_again_hours)
    require_fit(user, new, "new_password")
    store_password(user, new, now, by_the_person=True)


@transaction.atomic
def change_demanded_password(user: User, new: str, now: datetime) -> None:
    """The default or expired one, whenever it was last changed (PWD-20). `Invalid` when no change is demanded, or for an
    unfit one."""
    _locked(user)
    if demanded_change(user, now) == Demanded.NOTHING:
        raise Invalid.of(WHOLE, "the password has been changed meanwhile: log in with it")
    require_fit(user, new, "new_password")
    store_password(user, new, now, by_the_person=True)


@transaction.atomic
def set_default_password(user: User, password: str, now: datetime) -> None:
    """As somebody else sets it: the person changes it at the next log-in (PWD-21). `Invalid` for an unfit one."""
    if user.pk is not None:
        _locked(user)
    require_fit(user, password)
    store_password(user, password, now, by_the_person=False)


def _locked(user: User) -> User:
    """The same record, whose row nobody else changes until the transaction ends; `user` has the password stored now."""
    stored = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    user.password = stored.password
    return user
