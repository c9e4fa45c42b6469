"""Guesses at secrets are limited (PWD-25): so many for an account, and from an address, within so many minutes.

A guess is written down before it is looked at, in a transaction of its own, so that guesses made at once are counted too.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from relais.records.access.models import Try
from relais.records.access.policy import Policy

SUBJECT_LENGTH_MAX = 120
KEPT = timedelta(days=1)  # longer than any policy counts


def may_try(subjects: Iterable[str], policy: Policy, now: datetime) -> bool:
    """Counts one more guess at each subject; False when any has had as many as it may: then nothing is to be looked at."""
    named = [_kept(subject) for subject in subjects]
    since = now - timedelta(minutes=policy.tries_minutes)
    made = Try.objects.bulk_create(Try(subject=subject, at=now) for subject in named)
    counts = [Try.objects.filter(subject=subject, at__gt=since).count() for subject in named]
    if max(counts) <= policy.tries_max:
        return True
    Try.objects.filter(pk__in=[one.pk for one in made]).delete()  # refused guesses do not prolong the wait
    return False


def was_right(account: str, address: str = "") -> None:
    """The guess at `account` was none: it begins anew, and `address` made one guess less."""
    Try.objects.filter(subject=_kept(account)).delete()
    newest = Try.objects.filter(subject=_kept(address)).order_by("-at", "-pk").values("pk")[:1]
    Try.objects.filter(pk__in=newest).delete()


def forget_tries(now: datetime) -> None:
    """What no policy counts any more."""
    Try.objects.filter(at__lt=now - KEPT).delete()


def _kept(subject: str) -> str:
    return subject.replace("\0", "")[:SUBJECT_LENGTH_MAX]
