"""Change terms of a version."""

from datetime import datetime

from django.db import transaction

from relais.records.agreements.models import AgreementVersion, BillingPeriod
from relais.records.agreements.versions import find_version, require_sound_terms, versions_in_the_way
from relais.records.errors import Invalid
from relais.records.saving import require_unchanged, save

_OPEN = {field.attname for field in AgreementVersion._meta.concrete_fields if field.editable} - {"id", "agreement_id"}


@transaction.atomic
def change_agreement_version(
    version_id: int, now: datetime, *, unchanged_since: datetime | None = None, **terms: object
) -> AgreementVersion:
    """Set the given columns. Of an expired version only `version_code` may change (AG-81); `agreement` never does."""
    version = find_version(version_id)
    require_unchanged(version, unchanged_since)
    assert terms.keys() <= _OPEN, terms.keys() - _OPEN
    terms = _without_leftovers(terms)
    expired = version.effective_till is not None and version.effective_till <= now
    changed = {column for column, value in terms.items() if getattr(version, column) != value}
    if expired and changed - {"version_code"}:
        raise Invalid({column: ("the version has expired",) for column in sorted(changed - {"version_code"})})
    for column, value in terms.items():
        setattr(version, column, value)
    require_sound_terms(version, version.agreement.currency)
    for other in versions_in_the_way(version):
        raise Invalid.of("effective_from", "overlaps the version with ID %(id)s", id=other.pk)
    save(version)
    return version


def _without_leftovers(terms: dict[str, object]) -> dict[str, object]:
    """A new period takes along fields that its form disables: the day of a daily one is 1 (AG-38), and only daily and
    weekly ones are split (AG-40). Said expressly they stay, to be refused."""
    if terms.get("billing_period") == BillingPeriod.DAILY:
        return {"billing_day": 1} | terms
    if terms.get("billing_period") in (BillingPeriod.MONTHLY, BillingPeriod.QUARTERLY):
        return {"split_by_month": False} | terms
    return terms
