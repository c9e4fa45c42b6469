"""The Client portal on Spain with a second branch, for all tests of a module together: each makes what it changes."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import new_database
from tests.pages.conformance import entered as entered
from tests.pages.conftest import pages_on
from tests.records.hashing import quick_hashes

CLIENT, ABOVE = "Telecom Monsters", "Hornes and Hooves"
PASSWORD = "Lovelace-1852"
SCRIPTED = {"HX-Request": "true", "HX-Target": "drawer"}
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def portal(server_dsn: str, spain_template: str) -> Iterator[str]:
    """Each client of the two branches has sent a message, and has a department; Telecom Monsters has a service that its
    seller does not show to it."""
    from tests.pages.strangers import make_stranger, put_traffic

    with new_database(server_dsn, spain_template) as dsn, pages_on(dsn), quick_hashes():
        from relais.records.agreements.models import Agreement
        from relais.records.catalog.models import EnabledService, Service
        from relais.records.parties.models import Company
        from relais.records.people.models import Department

        make_stranger()
        put_traffic()
        Department.objects.create(company=Company.objects.get(name="Strange Client"), name="Strange questions")
        agreement = Agreement.objects.get(agreement_code="TM-1")
        seller = Company.objects.get(name=ABOVE)
        secret = Service.objects.create(company=seller, name="Nobody's business", type="pay_as_you_go", currency="EUR")
        since = agreement.enabled_services.get().effective_from
        EnabledService.objects.create(
            agreement=agreement, service=secret, effective_from=since, hidden_from_client=True
        )
        yield dsn


def person(company: str = CLIENT, **fields: Any) -> Any:
    """A new user of the portal, who has chosen the password."""
    from relais.records.people.actions.create_user import create_user

    number = next(numbers)
    defaults = {"company": company, "login": f"person{number}", "e_mail": f"p{number}@example.com"}
    defaults |= {"interface": "client_portal", "must_change_password": False, "password": PASSWORD}
    return create_user(**(defaults | fields))


def sent(**fields: Any) -> dict[str, Any]:
    """A valid form of a new user."""
    from relais.records.people.models import Department, Role

    number = next(numbers)
    department = Department.objects.get(company=None, name="First line support")
    role = Role.objects.get(interface="client_portal", key="broadcast_manager")
    return {
        "login": f"new{number}",
        "password": PASSWORD,
        "password_again": PASSWORD,
        "first_name": "Bruno",
        "last_name": "Broadcast",
        "e_mail": f"new{number}@example.com",
        "language": "en",
        "is_active": "on",
        "department": department.pk,
        "roles": role.pk,
    } | fields
