"""Delete a legal entity (LE-23, OLE-27)."""

from datetime import datetime

from django.db import transaction

from relais.records.hanging import require_nothing_hanging
from relais.records.parties.models import Company, LegalEntity
from relais.records.saving import find, require_unchanged


@transaction.atomic
def delete_legal_entity(entity_id: int, *, own: bool = False, unchanged_since: datetime | None = None) -> None:
    """Refused, saying what refers to it (LE-31, OLE-25). `own`: when the default goes, the oldest one left takes its place
    (OLE-20)."""
    owning = LegalEntity.objects.filter(pk=entity_id).values_list("company_id", flat=True).first()
    if owning is not None:
        find(Company, owning)  # before the entity, as when it is saved
    entity = find(LegalEntity, entity_id)
    require_unchanged(entity, unchanged_since)
    require_nothing_hanging(entity)
    entity.delete()
    heir = LegalEntity.objects.filter(company_id=entity.company_id).order_by("pk").first()
    if own and entity.is_default and heir is not None:
        heir.is_default = True
        heir.save(update_fields=["is_default", "updated_at"])
