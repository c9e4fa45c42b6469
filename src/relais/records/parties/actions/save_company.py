"""Make or change a company."""

from django.db import transaction

from relais.records.agreements.models import ResellingAgreement
from relais.records.errors import Invalid
from relais.records.parties.models import Company, CompanyType
from relais.records.saving import save


@transaction.atomic
def save_company(company: Company) -> Company:
    """`Invalid` when its parent may not have it (GEN-12, CO-62), its own legal entity is not its parent's (CO-63), or it
    stops being a reseller while it still resells (CO-61)."""
    reasons: dict[str, tuple[str, ...]] = {}
    former = Company.objects.select_for_update().get(pk=company.pk) if company.pk else None
    parent = company.parent
    if parent is not None:
        if parent.type != CompanyType.RESELLER:
            reasons["parent"] = (f"{parent.name} is a client: it has no companies below it",)
        becomes_reseller = company.type == CompanyType.RESELLER and (former is None or former.type != company.type)
        if becomes_reseller and not parent.creator_of_resellers:
            reasons["type"] = (f"{parent.name} may not create resellers",)
    if company.own_legal_entity is not None and company.own_legal_entity.company_id != company.parent_id:
        reasons["own_legal_entity"] = ("belongs to a company that is not directly above",)
    if former is not None and former.type == CompanyType.RESELLER and company.type == CompanyType.CLIENT:
        resells = ResellingAgreement.objects.filter(legal_entity__company=company)
        if Company.objects.filter(parent=company).exists() or resells.exists():
            reasons["type"] = ("cannot become client while the company has clients or reselling agreements",)
    if reasons:
        raise Invalid(reasons)
    save(company)
    return company
