"""Change terms of a version."""

from datetime import datetime

from django.db import transaction

from relais.records.agreements.models import Agreement, AgreementVersion
from relais.records.agreements.versions import require_sound_terms, versions_in_the_way
from relais.records.errors import Invalid
from relais.records.saving import find, save


@transaction.atomic
def change_agreement_version(version_id: int, now: datetime, **terms: object) -> AgreementVersion:
    """Set the given columns. Of an expired version only `version_code` may change (AG-81)."""
    version = find(AgreementVersion, version_id)
    agreement = find(Agreement, version.agreement_id)
    expired = version.effective_till is not None and version.effective_till <= now
    changed = {column for column, value in terms.items() if getattr(version, column) != value}
    if expired and changed - {"version_code"}:
        raise Invalid({column: ("the version has expired",) for column in sorted(changed - {"version_code"})})
    for column, value in terms.items():
        setattr(version, column, value)
    require_sound_terms(version, agreement.currency)
    for other in versions_in_the_way(version):
        raise Invalid.of("effective_from", f"overlaps the version with ID {other.pk}")
    save(version)
    return version
