"""Make or change a legal entity."""

from django.db import transaction

from relais.records.catalog.countries import require_country
from relais.records.parties.models import LegalEntity
from relais.records.saving import save


@transaction.atomic
def save_legal_entity(entity: LegalEntity) -> LegalEntity:
    """The default mark leaves the company's other entities when this one gets it (LE-25)."""
    require_country(entity.country)
    if entity.is_default:
        LegalEntity.objects.filter(company_id=entity.company_id, is_default=True).exclude(pk=entity.pk).update(
            is_default=False
        )
    save(entity)
    return entity
