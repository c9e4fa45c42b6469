"""Delete a role (ROLE-20, ROLE-23)."""

from datetime import datetime

from django.db import transaction

from relais.records.errors import WHOLE, Invalid
from relais.records.hanging import require_nothing_hanging
from relais.records.people.models import Role
from relais.records.saving import find, require_unchanged


@transaction.atomic
def delete_role(role_id: int, *, unchanged_since: datetime | None = None) -> None:
    """Refused for a system role, and while users have it, naming them."""
    role = find(Role, role_id)
    require_unchanged(role, unchanged_since)
    if role.is_system:
        raise Invalid.of(WHOLE, "a system role cannot be deleted")
    require_nothing_hanging(role)
    role.delete()
