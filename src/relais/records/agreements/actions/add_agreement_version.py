"""Add a version to an agreement (AG-67, AG-68)."""

from django.db import transaction

from relais.records.agreements.models import AgreementVersion
from relais.records.agreements.posting import lock_agreement
from relais.records.agreements.versions import require_sound_terms, versions_in_the_way
from relais.records.errors import Invalid
from relais.records.saving import prepare, save


@transaction.atomic
def add_agreement_version(version: AgreementVersion) -> AgreementVersion:
    """Store an unsaved version. An open-ended predecessor ends where it starts; any other overlap is refused with the
    ID of the version in the way (AG-78). Gaps are allowed."""
    prepare(version)
    agreement = lock_agreement(version.agreement_id)
    require_sound_terms(version, agreement.currency)
    for other in versions_in_the_way(version):
        if other.effective_till is not None or other.effective_from >= version.effective_from:
            raise Invalid.of("effective_from", "overlaps the version with ID %(id)s", id=other.pk)
        other.effective_till = version.effective_from
        other.effective_till_timezone = version.effective_from_timezone
        save(other)
    save(version)
    return version
