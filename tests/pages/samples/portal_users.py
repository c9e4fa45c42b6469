"""A user of the Client portal, with a role and in a department of the own company where it has made any."""

from typing import Any

from tests.pages.samples import Sample, Values
from tests.pages.samples.users import person


def new(company: Any) -> Values:
    from relais.records.people.models import Department, Role

    roles = Role.objects.filter(interface="client_portal", companies=None)
    role = roles.filter(company=company).first() or roles.get(key="admin")
    department = Department.objects.filter(company=company).first() or Department.objects.get(
        name="Admin", company=None
    )
    return person(company, role) | {"department": department.pk}


SAMPLE = Sample(
    new=new,
    change={"job_title": "Campaigns"},
    changed="job_title",
    deleted_as="update",
    never_new=frozenset({"unblock"}),
)
