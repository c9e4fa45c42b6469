"""Delete a company (CO-53)."""

from datetime import datetime

from django.db import transaction

from relais.records.errors import WHOLE, Invalid
from relais.records.hanging import require_nothing_hanging
from relais.records.parties.models import Company
from relais.records.people.models import ApiKey
from relais.records.saving import find, require_unchanged


@transaction.atomic
def delete_company(company_id: int, *, unchanged_since: datetime | None = None) -> None:
    """Its API keys go with it. Refused, saying what hangs on it (CO-60, RSL-49), while anything else does."""
    company = find(Company, company_id)
    require_unchanged(company, unchanged_since)
    if company.parent_id is None:
        raise Invalid.of(WHOLE, "the System owner cannot be deleted")
    require_nothing_hanging(company)
    ApiKey.objects.filter(company=company).delete()
    company.delete()
