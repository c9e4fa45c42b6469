"""Delete a department (USR-78)."""

from datetime import datetime

from django.db import transaction

from relais.records.errors import WHOLE, Invalid
from relais.records.hanging import require_nothing_hanging
from relais.records.people.models import Department
from relais.records.saving import find, require_unchanged


@transaction.atomic
def delete_department(department_id: int, *, unchanged_since: datetime | None = None) -> None:
    """Refused for one that every company has, and while it has users."""
    department = find(Department, department_id)
    require_unchanged(department, unchanged_since)
    if department.company_id is None:
        raise Invalid.of(WHOLE, "every company has this department: it cannot be deleted")
    require_nothing_hanging(department)
    department.delete()
