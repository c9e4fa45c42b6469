"""Walks of the tree of companies."""

from relais.records.parties.models import Company


def level_and_above(company: Company) -> tuple[int, ...]:
    """Ids of the company and of every company above it, the System owner last."""
    found = [company.pk]
    parent_id = company.parent_id
    while parent_id is not None:
        found.append(parent_id)
        parent_id = Company.objects.values_list("parent_id", flat=True).get(pk=parent_id)
    return tuple(found)


def system_owner() -> Company:
    """The company without a parent; a migration makes it."""
    return Company.objects.get(parent=None)
