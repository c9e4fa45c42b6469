"""Delete a version of an agreement (AG-74)."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from relais.records.agreements.models import AgreementVersion, LedgerEntry, LedgerKind
from relais.records.agreements.versions import find_version
from relais.records.errors import WHOLE, Invalid, Reason
from relais.records.saving import require_unchanged

_CHARGES = (LedgerKind.MESSAGES_CAPTURED, LedgerKind.FEE, LedgerKind.PACK, LedgerKind.SCALE_CORRECTED)


@transaction.atomic
def delete_version(version_id: int, now: datetime, *, unchanged_since: datetime | None = None) -> None:
    """Refused for the only version (AG-76), one that started before today in its own zone (AG-75), and one under which a
    charge was made (AG-99). What it had closed stays closed: a gap is allowed."""
    version = find_version(version_id)
    require_unchanged(version, unchanged_since)
    if reason := reason_against_deleting(version, now):
        raise Invalid.of(WHOLE, reason)
    version.delete()


def reason_against_deleting(version: AgreementVersion, now: datetime) -> str:
    """Why the version has to stay, in words for the person who asks; "" when it can be deleted."""
    if not AgreementVersion.objects.filter(agreement_id=version.agreement_id).exclude(pk=version.pk).exists():
        return Reason("the only version of an agreement cannot be deleted")
    zone = ZoneInfo(version.effective_from_timezone)
    if version.effective_from.astimezone(zone).date() < now.astimezone(zone).date():
        return Reason("a version that started before today cannot be deleted")
    charges = LedgerEntry.objects.filter(
        agreement_id=version.agreement_id, kind__in=_CHARGES, at__gte=version.effective_from
    )
    if version.effective_till is not None:
        charges = charges.filter(at__lt=version.effective_till)
    return Reason("charges were made under this version") if charges.exists() else ""
