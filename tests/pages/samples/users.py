"""A user of the BackOffice, of the user's own company, with a system role."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def person(company: Any, role: Any) -> Values:
    return {
        "company": company.pk,
        "login": f"person-{next(_serial)}",
        "password": "Person-demo-2025",
        "password_again": "Person-demo-2025",
        "first_name": "Petra",
        "last_name": "Person",
        "e_mail": "person@example.com",
        "language": "en",
        "is_active": "on",
        "roles": role.pk,
    }


def new(company: Any) -> Values:
    from relais.records.people.models import Role

    return person(company, Role.objects.get(interface="backoffice", key="client_manager"))


SAMPLE = Sample(
    new=new,
    change={"job_title": "Accounts"},
    changed="job_title",
    deleted_as="update",
    never_new=frozenset({"unblock"}),
)
