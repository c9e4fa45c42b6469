"""Set the credit limit of one version without editing the rest (AG-55, AG-56)."""

from datetime import datetime

from relais.records.agreements.actions.change_agreement_version import change_agreement_version
from relais.records.agreements.models import AgreementVersion


def change_credit_limit(
    version_id: int, limit_micros: int | None, now: datetime, *, unchanged_since: datetime | None = None
) -> AgreementVersion:
    """None = unlimited. Holds at once for the version in force (AG-88); refused for an expired one (AG-81)."""
    return change_agreement_version(version_id, now, unchanged_since=unchanged_since, credit_limit_micros=limit_micros)
