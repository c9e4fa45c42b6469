"""Make a user on behalf of the system: from the command line, in scenarios and demos."""

from collections.abc import Iterable

from django.db import transaction

from relais.records.errors import Invalid
from relais.records.parties.models import Company
from relais.records.people.actions.save_user import save_user
from relais.records.people.models import Department, Interface, Role, User

ADMIN = "Admin"  # of roles and of departments


@transaction.atomic
def create_user(
    *,
    company: Company | str,
    login: str,
    password: str,
    interface: str = Interface.BACKOFFICE,
    roles: Iterable[Role] | None = None,
    **fields: object,
) -> User:
    """`company` is a record, or the name of the only company called so. First and last name default to the login, the roles to
    Admin (with `no_restrictions` to none), the department of the Client portal to Admin. `Invalid` as `save_user` has it."""
    owner = company if isinstance(company, Company) else _named(company)
    fields = {"first_name": login, "last_name": login} | fields
    if interface == Interface.CLIENT_PORTAL:
        fields.setdefault("department", Department.objects.get(company=None, name=ADMIN))
    user = User(interface=interface, company=owner, login=login, **fields)
    if roles is None:
        roles = [] if user.no_restrictions else Role.objects.filter(interface=interface, company=None, name=ADMIN)
    return save_user(user, by=None, roles=list(roles), password=password)


def _named(name: str) -> Company:
    found = list(Company.objects.filter(name__iexact=name)[:2])
    if len(found) != 1:
        raise Invalid.of("company", f"{'no company' if not found else 'more than one company'} is called {name!r}")
    return found[0]
