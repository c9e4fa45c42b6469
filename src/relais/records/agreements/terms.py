"""Which version of an agreement speaks at an instant."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Now

from relais.records.agreements.models import Agreement, AgreementVersion


def version_at(agreement_id: int, instant: datetime) -> AgreementVersion | None:
    """The version in force; else the latest one (AG-50); None only for an agreement without versions."""
    versions = AgreementVersion.objects.filter(agreement_id=agreement_id)
    in_force = Q(effective_from__lte=instant) & (Q(effective_till=None) | Q(effective_till__gt=instant))
    return versions.filter(in_force).first() or versions.order_by("effective_from").last()


def billing_zone(agreement_id: int, instant: datetime) -> ZoneInfo:
    """Where the days of this agreement begin; UTC when nothing says."""
    version = version_at(agreement_id, instant)
    return ZoneInfo(version.billing_timezone if version else "Etc/UTC")


def shown_version(agreement_id: int, now: datetime) -> AgreementVersion | None:
    """Whose dates a list shows: the version in force, else the next, else the last (AG-77)."""
    versions = AgreementVersion.objects.filter(agreement_id=agreement_id)
    in_force_or_next = versions.filter(Q(effective_till=None) | Q(effective_till__gt=now))
    return in_force_or_next.order_by("effective_from").first() or versions.order_by("effective_from").last()


def with_credit_limit(agreements: QuerySet[Agreement]) -> QuerySet[Any]:
    """Each with its `credit_limit_micros` as `version_at` has it now; None: without bound."""
    in_force = Q(effective_from__lte=Now()) & (Q(effective_till=None) | Q(effective_till__gt=Now()))
    versions = AgreementVersion.objects.filter(agreement=OuterRef("pk"))
    speaking = versions.order_by(Case(When(in_force, then=Value(0)), default=Value(1)), "-effective_from")
    return agreements.annotate(credit_limit_micros=Subquery(speaking.values("credit_limit_micros")[:1]))
