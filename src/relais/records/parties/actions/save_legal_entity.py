"""Make or change a legal entity, a client's (6.2) or one of the own company (OLE)."""

from datetime import datetime

from django.db import transaction

from relais.records.agreements.models import Agreement, ResellingAgreement
from relais.records.catalog.countries import require_country
from relais.records.errors import Invalid, Reason
from relais.records.parties.models import BankAccount, Company, LegalEntity
from relais.records.parties.vat import is_vat_number
from relais.records.saving import find, prepare, save


@transaction.atomic
def save_legal_entity(
    entity: LegalEntity, *, own: bool = False, unchanged_since: datetime | None = None
) -> LegalEntity:
    """The default mark leaves the company's other entities when this one gets it (LE-25, OLE-20). `Invalid` when the company
    changes although something refers to the entity (LE-27).

    `own`: the company enters an entity of its own. Then it always has one default (OLE-20), a legal ID number that no
    other of its entities in the country has (OLE-11, OLE-21), and an EU VAT number of the right form (OLE-22).
    """
    find(Company, entity.company_id)  # before the entity, in every verb: one after the other, for there is one default
    former = prepare(entity, unchanged_since)
    require_country(entity.country)
    if former is not None and former.company_id != entity.company_id:
        _require_free_to_move(former)
    others = LegalEntity.objects.filter(company_id=entity.company_id).exclude(pk=entity.pk)
    if own:
        _require_own_terms(entity)
        if not entity.is_default and not others.filter(is_default=True).exists():
            if former is not None and former.is_default:
                raise Invalid.of("is_default", "mark another legal entity as the default instead: there is always one")
            entity.is_default = True
    if entity.is_default:
        others.filter(is_default=True).update(is_default=False)
    save(entity)
    return entity


def _require_free_to_move(entity: LegalEntity) -> None:
    referring = {
        "agreements": Agreement.objects.filter(legal_entity=entity) | Agreement.objects.filter(own_legal_entity=entity),
        "bank accounts": BankAccount.objects.filter(legal_entity=entity),
        "reselling agreements": ResellingAgreement.objects.filter(legal_entity=entity),
        "companies it serves": Company.objects.filter(own_legal_entity=entity),
    }
    if found := [Reason(name) for name, rows in referring.items() if rows.exists()]:
        raise Invalid.of("company", "cannot be changed: the legal entity has %(found)s", found=found)


def _require_own_terms(entity: LegalEntity) -> None:
    reasons: dict[str, tuple[str, ...]] = {}
    if not entity.legal_id_number:
        reasons["legal_id_number"] = ("is required for an own legal entity",)
    else:
        same = LegalEntity.objects.filter(
            company_id=entity.company_id, country=entity.country, legal_id_number__iexact=entity.legal_id_number
        ).exclude(pk=entity.pk)
        if same.exists():
            reasons["legal_id_number"] = ("another own legal entity of this country has it",)
    if not is_vat_number(entity.vat_id_number, entity.country):
        reasons["vat_id_number"] = (
            Reason("is not a VAT number of %(country)s: check its letters and digits", country=entity.country),
        )
    if reasons:
        raise Invalid(reasons)
