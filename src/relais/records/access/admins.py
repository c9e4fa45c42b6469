"""Who counts as an administrator where the password policy makes a difference (PWD-7, PWD-9, PWD-28, ACC-48)."""

from django.db.models import Q

from relais.records.people.models import Interface, User, UserRole

ADMIN = "admin"  # the key of the system role, in both interfaces

SYSTEM_ADMINS = Q(interface=Interface.BACKOFFICE) & (
    Q(no_restrictions=True) | Q(pk__in=UserRole.objects.filter(role__key=ADMIN).values("user"))
)


def is_system_admin(user: User) -> bool:
    """Never blocked for being away: "No restrictions" or the role Admin in the BackOffice."""
    return user.interface == Interface.BACKOFFICE and _is_admin(user)


def may_change_at_any_time(user: User) -> bool:
    """The own password, however recently it was changed: people of the BackOffice and admins of the Client portal."""
    return user.interface == Interface.BACKOFFICE or _is_admin(user)


def _is_admin(user: User) -> bool:
    return user.no_restrictions or UserRole.objects.filter(user=user, role__key=ADMIN).exists()
