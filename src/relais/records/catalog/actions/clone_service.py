"""Make a copy of a service to start a similar one from (SV-12, SV-13)."""

from django.db import transaction

from relais.records.catalog.actions.save_scope import copy_tree
from relais.records.catalog.models import Scope, Service
from relais.records.columns import NAME_LENGTH_MAX
from relais.records.saving import find

COPY = " (copy)"


@transaction.atomic
def clone_service(service_id: int) -> Service:
    """With all scopes and their trees; the scopes are drafts, so that nothing is billed by them by accident. Of an archived
    service the copy is not archived."""
    source = find(Service, service_id)
    clone = Service.objects.create(
        company=source.company,
        name=source.name[: NAME_LENGTH_MAX - len(COPY)] + COPY,
        type=source.type,
        currency=source.currency,
        size=source.size,
        description=source.description,
    )
    for scope in source.scopes.order_by("pk"):
        copied = Scope.objects.create(
            service=clone, draft=True, effective_from=scope.effective_from, effective_till=scope.effective_till
        )
        copy_tree(scope, copied)
    return clone
