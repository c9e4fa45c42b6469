"""Make a user on behalf of the system: from the command line, in scenarios and demos."""

from collections.abc import Iterable

from django.db import transaction

from relais.records.access.models import Access
from relais.records.errors import Invalid
from relais.records.parties.models import Company
from relais.records.people.actions.save_user import save_user
from relais.records.people.models import Department, Interface, Role, User
from relais.records.people.roles import roles_for

ADMIN = "Admin"  # of roles and of departments


@transaction.atomic
def create_user(
    *,
    company: Company | str,
    login: str,
    password: str,
    interface: str = Interface.BACKOFFICE,
    roles: Iterable[Role | str] | None = None,
    must_change_password: bool = True,
    **fields: object,
) -> User:
    """`company` is a record, or the name of the only company called so; `roles` are records, or names of roles its users may
    have. First and last name default to the login, the roles to Admin (with `no_restrictions` to none), the department of the
    Client portal to Admin. The password is a default one, to be changed at the first log-in (PWD-21), but where the person
    has chosen it. `Invalid` as `save_user` has it."""
    owner = company if isinstance(company, Company) else _named(company)
    fields = {"first_name": login, "last_name": login} | fields
    if interface == Interface.CLIENT_PORTAL:
        fields.setdefault("department", Department.objects.get(company=None, name=ADMIN))
    user = User(interface=interface, company=owner, login=login, **fields)
    if roles is None:
        roles = () if user.no_restrictions else (ADMIN,)
    given = [_role(role, user) if isinstance(role, str) else role for role in roles]
    save_user(user, by=None, roles=given, password=password)
    Access.objects.filter(pk=user.pk).update(must_change=must_change_password)
    return user


def _role(name: str, user: User) -> Role:
    offered = roles_for(user.company, user.interface)
    found = offered.filter(name__iexact=name).first()
    if found is None:
        known = ", ".join(offered.order_by("pk").values_list("name", flat=True))
        raise Invalid.of("roles", f"no role is called {name!r}; there are {known}")
    return found


def _named(name: str) -> Company:
    found = list(Company.objects.filter(name__iexact=name)[:2])
    if len(found) != 1:
        raise Invalid.of("company", f"{'no company' if not found else 'more than one company'} is called {name!r}")
    return found[0]
