"""Make or rename a department (USR-51, USR-78)."""

from datetime import datetime

from django.db import transaction

from relais.records.errors import WHOLE, Invalid
from relais.records.people.models import Department
from relais.records.saving import prepare, require_fixed, save


@transaction.atomic
def save_department(department: Department, *, unchanged_since: datetime | None = None) -> Department:
    """The stored department. `Invalid` for one that every company has, and for the name of such a one."""
    former = prepare(department, unchanged_since)
    if department.company_id is None:
        raise Invalid.of(WHOLE, "every company has this department: it stays as it is")
    if former is not None:
        require_fixed(department, former, ("company",), "cannot be changed once the department exists")
    if Department.objects.filter(company=None, name__iexact=department.name).exists():
        raise Invalid.of("name", "is that of a department which every company has: choose another")
    save(department)
    return department
