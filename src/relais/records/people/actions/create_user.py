"""Make a user (USR-8 to USR-19)."""

from django.contrib.auth.hashers import make_password
from django.db import transaction

from relais.records.errors import Invalid
from relais.records.parties.models import Company, CompanyType
from relais.records.people.models import Interface, User
from relais.records.people.passwords import weaknesses
from relais.records.saving import save
from relais.records.zones import zone_names


@transaction.atomic
def create_user(
    *, company: Company | str, login: str, password: str, interface: str = Interface.BACKOFFICE, **fields: object
) -> User:
    """`company` is a record, or the name of the only company called so. First and last name default to the login.

    `Invalid` for a weak password (PWD-1, PWD-2), and for BackOffice access of a company that sells nothing.
    """
    owner = company if isinstance(company, Company) else _named(company)
    if found := weaknesses(password):
        raise Invalid({"password": found})
    if interface == Interface.BACKOFFICE and owner.type != CompanyType.RESELLER:
        raise Invalid.of("interface", f"{owner.name} is a client: its users use the Client portal")
    names = {"first_name": login, "last_name": login}
    user = User(interface=interface, company=owner, login=login, **(names | fields))
    if user.timezone and user.timezone not in zone_names():
        raise Invalid.of("timezone", "is not the IANA name of a time zone")
    user.password = make_password(password)
    save(user)
    return user


def _named(name: str) -> Company:
    found = list(Company.objects.filter(name__iexact=name)[:2])
    if len(found) != 1:
        raise Invalid.of("company", f"{'no company' if not found else 'more than one company'} is called {name!r}")
    return found[0]
