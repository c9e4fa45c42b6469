"""Link a reseller's legal entity with an agreement under which it buys what it sells (LE-22, RSL-12), or unlink it."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from relais.records.agreements.models import ResellingAgreement
from relais.records.errors import Invalid
from relais.records.parties.models import Company, CompanyType
from relais.records.saving import find, prepare, require_fixed, require_unchanged, save


@transaction.atomic
def save_reselling_agreement(
    link: ResellingAgreement, *, unchanged_since: datetime | None = None
) -> ResellingAgreement:
    """`Invalid` unless entity and agreement are of one reseller (LE-29). Overlaps are taken (RSL-45): see `overlapping`."""
    former = prepare(link, unchanged_since)
    if former is not None:
        require_fixed(link, former, ("legal_entity", "agreement"), "cannot be changed: remove the row and add another")
    company = find(Company, link.legal_entity.company_id)  # so that it does not become a client meanwhile (CO-61)
    if company.type != CompanyType.RESELLER:
        raise Invalid.of("legal_entity", "%(company)s is a client and resells nothing", company=company.name)
    if link.agreement.company_id != company.pk:
        raise Invalid.of("agreement", "must be an agreement of the legal entity's company with the level above")
    save(link)
    return link


@transaction.atomic
def delete_reselling_agreement(link_id: int, *, unchanged_since: datetime | None = None) -> None:
    """From now on the entity's traffic uses the links that are left, or is refused without any (RSL-44)."""
    link = find(ResellingAgreement, link_id)
    require_unchanged(link, unchanged_since)
    link.delete()


def overlapping(link: ResellingAgreement) -> list[ResellingAgreement]:
    """Other links of the entity that hold at some instant of this one, in the order they are tried: to be warned of."""
    others = ResellingAgreement.objects.filter(legal_entity_id=link.legal_entity_id).exclude(pk=link.pk)
    meeting = others.filter(Q(effective_till=None) | Q(effective_till__gt=link.effective_from))
    if link.effective_till is not None:
        meeting = meeting.filter(effective_from__lt=link.effective_till)
    return list(meeting.select_related("agreement").order_by("effective_from", "pk"))
