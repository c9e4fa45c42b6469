"""Block who has been away too long, and let them in again (PWD-9, PWD-27, PWD-28)."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from relais.records import audit
from relais.records.access.admins import SYSTEM_ADMINS, is_system_admin
from relais.records.access.models import Access
from relais.records.access.parameters import PARAMETERS
from relais.records.access.passwords import access_of
from relais.records.access.policy import policy_of
from relais.records.errors import WHOLE, Invalid
from relais.records.people.models import Actor, User
from relais.records.saving import find


def block_if_unused(user: User, now: datetime) -> bool:
    """Whether the person is blocked: since before, or from now on."""
    if user.blocked_at is not None:
        return True
    if is_system_admin(user) or not policy_of(user.company_id).is_unused(access_of(user).last_access_at, now):
        return False
    with audit.audited("Block for inactivity", user=None, ip_address=None, actor=Actor.JOB):
        user.blocked_at = now
        user.save(update_fields=["blocked_at", "updated_at"])
    return True


def block_unused_users(now: datetime) -> int:
    """The daily look at everybody; how many were blocked."""
    shortest = timedelta(days=PARAMETERS["unused_days"].least)
    away = (
        User.objects.filter(is_active=True, blocked_at=None)
        .exclude(SYSTEM_ADMINS)
        .alias(seen_at=Coalesce("access__last_access_at", F("created_at")))
        .filter(seen_at__lt=now - shortest)
    )
    return sum(block_if_unused(user, now) for user in away.order_by("pk").iterator())


@transaction.atomic
def unblock_user(user_id: int, by: User | None, now: datetime) -> User:
    """In again, as if they had been here today. `Invalid` unless `by` is of the System owner (None: its own machine)."""
    if by is not None and by.company.parent_id is not None:
        raise Invalid.of(WHOLE, "only the System owner unblocks who was away too long")
    user = find(User, user_id)
    if user.blocked_at is None:
        raise Invalid.of(WHOLE, "%(user)s is not blocked", user=str(user))
    user.blocked_at = None
    user.save(update_fields=["blocked_at", "updated_at"])
    Access.objects.filter(pk=access_of(user).pk).update(last_access_at=now)
    return user
