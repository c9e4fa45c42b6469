"""Which roles a company may give its users, and the lock that keeps somebody with full access in every company."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db.models import Q, QuerySet

from relais.records.errors import WHOLE, Invalid
from relais.records.parties.models import Company
from relais.records.people.models import Role, User
from relais.records.people.permissions import has_full_access


def may_use(company: Company) -> Q:
    """Condition on roles: the system's, and those of the company or the one above it that are for all, or for it (ROLE-16)."""
    made_for = Role.companies.through.objects
    made_by = Q(company_id=company.pk) | Q(company_id=company.parent_id, company__isnull=False)
    for_it = Q(pk__in=made_for.filter(company_id=company.pk).values("role"))
    return Q(company=None) | (made_by & (for_it | ~Q(pk__in=made_for.values("role"))))


def roles_for(company: Company, interface: str) -> QuerySet[Role]:
    """What users of the company may be given in that interface."""
    return Role.objects.filter(may_use(company), interface=interface)


def full_access_left(company_id: int, interface: str) -> bool:
    """Whether somebody who may enter has full access there."""
    users = User.objects.filter(company_id=company_id, interface=interface, is_active=True)
    if users.filter(no_restrictions=True).exists():
        return True
    return any(has_full_access(user) for user in users.prefetch_related("roles"))


@contextmanager
def full_access_kept(places: Collection[tuple[int, str]]) -> Iterator[None]:
    """Inside a transaction: `Invalid` when what is done in the block takes the last user with full access from one of
    `places` (company id, interface). Of two who do it at once the second waits, and is refused (USR-67)."""
    company_ids = sorted({company_id for company_id, _ in places})
    for company_id in company_ids:  # in order, one lock after the other
        Company.objects.select_for_update(no_key=True, of=("self",)).get(pk=company_id)
    before = {place for place in places if full_access_left(*place)}
    yield
    if lost := [place for place in before if not full_access_left(*place)]:
        name = Company.objects.get(pk=min(lost)[0]).name
        raise Invalid.of(
            WHOLE, "%(company)s would have no user with full access left: give it to another user first", company=name
        )
