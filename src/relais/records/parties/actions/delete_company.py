"""Delete a company (CO-53)."""

from django.db import transaction
from django.db.models import Model, QuerySet

from relais.records.agreements.models import Agreement
from relais.records.billing.models import Payment
from relais.records.catalog.models import Service
from relais.records.connections.models import VendorSmppConnection
from relais.records.errors import WHOLE, Invalid
from relais.records.parties.models import Bank, Company, LegalEntity
from relais.records.people.models import ApiKey, User
from relais.records.saving import find
from relais.records.senders.models import SenderId


@transaction.atomic
def delete_company(company_id: int) -> None:
    """Its API keys go with it. Refused, saying what hangs on it (CO-60, RSL-49), while anything else does."""
    company = find(Company, company_id)
    if company.parent_id is None:
        raise Invalid.of(WHOLE, "the System owner cannot be deleted")
    hanging = [f"{rows.count()} {name}" for name, rows in _what_hangs_on(company).items() if rows.exists()]
    if hanging:
        raise Invalid.of(WHOLE, f"{company.name} cannot be deleted: it has {', '.join(hanging)}")
    ApiKey.objects.filter(company=company).delete()
    company.delete()


def _what_hangs_on(company: Company) -> dict[str, QuerySet[Model]]:
    return {
        "companies below it": Company.objects.filter(parent=company),
        "legal entities": LegalEntity.objects.filter(company=company),
        "banks": Bank.objects.filter(company=company),
        "agreements": Agreement.objects.filter(company=company),
        "payments": Payment.objects.filter(agreement__company=company),
        "services": Service.objects.filter(company=company),
        "vendor connections": VendorSmppConnection.objects.filter(company=company),
        "sender IDs": SenderId.objects.filter(company=company),
        "users": User.objects.filter(company=company),
    }
