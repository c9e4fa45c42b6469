"""Delete a user (USR-66)."""

from datetime import datetime

from django.db import transaction

from relais.records.errors import WHOLE, Invalid
from relais.records.people.granting import require_not_above
from relais.records.people.models import User, UserRole
from relais.records.people.roles import full_access_kept
from relais.records.saving import find, require_unchanged


@transaction.atomic
def delete_user(user_id: int, now: datetime, *, by: User | None, unchanged_since: datetime | None = None) -> None:
    """Out with the next request; the name stays wherever it stands, and the login is nobody's again. `User.everybody` still
    has the record. Refused for the own account, for whoever may do more, and for a company's last with full access."""
    user = find(User, user_id)
    require_unchanged(user, unchanged_since)
    if by is not None and by.pk == user.pk:
        raise Invalid.of(WHOLE, "you cannot delete your own account here")
    require_not_above(by, user)
    with full_access_kept({(user.company_id, user.interface)}):
        user.is_active, user.deleted_at = False, now
        user.save(update_fields=["is_active", "deleted_at", "updated_at"])
        UserRole.objects.filter(user=user).delete()
