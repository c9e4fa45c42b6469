"""Make or change a role (ROLE-9 to ROLE-18)."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from relais.records.errors import WHOLE, Invalid, Reason
from relais.records.parties.models import Company
from relais.records.people.granting import beyond
from relais.records.people.models import Role, User
from relais.records.people.permissions import LINES, NONE, known
from relais.records.people.roles import full_access_kept
from relais.records.saving import prepare, require_fixed, save

_NAMES_SHOWN_MAX = 5


@transaction.atomic
def save_role(
    role: Role,
    *,
    by: User | None,
    companies: Collection[Company] | None = None,
    unchanged_since: datetime | None = None,
) -> Role:
    """The stored role, in force for all its users with their next request (ROLE-24). `companies`: those it is for, none of
    them meaning all; None: as they are.

    `Invalid` for a system role (ROLE-14), a name of a system role (ROLE-21), without any permission (ROLE-18), for other
    companies than the own and those directly below (ROLE-16), when users of a company it was for would be left with it, and
    where `by` would grant more than they hold (USR-68).
    """
    former = prepare(role, unchanged_since)
    if role.is_system:
        raise Invalid.of(WHOLE, "a system role cannot be edited: make a role with it as template")
    if former is not None:
        require_fixed(role, former, ("interface", "company"), "cannot be changed once the role exists")
    reasons: dict[str, list[str]] = {}
    taken = Role.objects.filter(company=None, interface=role.interface, name__iexact=role.name)
    if taken.exists():
        reasons["name"] = ["is that of a system role: choose another"]
    _check_levels(role, former, by, reasons)
    if companies is not None:
        _check_companies(role, companies, reasons)
    if reasons:
        raise Invalid(reasons)
    places = User.objects.filter(roles=role.pk).values_list("company", "interface") if former is not None else ()
    with full_access_kept(set(places)):
        save(role)
        if companies is not None:
            role.companies.set(companies)
    return role


def _check_levels(role: Role, former: Role | None, by: User | None, reasons: dict[str, list[str]]) -> None:
    if role.interface not in LINES:
        reasons["interface"] = ["must be backoffice or client_portal"]
        return
    lines = LINES[role.interface]
    wrong = [name for name, level in role.levels.items() if name not in lines or level not in lines[name].levels]
    if wrong:
        reasons["levels"] = [Reason("%(names)s: no such permission or level", names=[repr(name) for name in wrong])]
        return
    role.levels = {name: level for name, level in role.levels.items() if level != NONE}
    if not role.levels:
        reasons["levels"] = ["allow at least one thing"]
    elif lacking := beyond(by, role.interface, known(role.interface, former.levels) if former else {}, role.levels):
        reasons["levels"] = [Reason("you cannot grant what you do not hold: %(lines)s", lines=lacking)]


def _check_companies(role: Role, companies: Collection[Company], reasons: dict[str, list[str]]) -> None:
    near = (role.company_id,)
    if far := [each.name for each in companies if each.pk not in near and each.parent_id not in near]:
        reasons["companies"] = [Reason("%(companies)s: neither the own company nor directly below it", companies=far)]
    if companies and role.pk is not None:
        left = User.objects.filter(roles=role.pk).exclude(Q(company__in=[each.pk for each in companies]))
        names = [user.login for user in left.order_by("login")[: _NAMES_SHOWN_MAX + 1]]
        if names:
            told = [*names[:_NAMES_SHOWN_MAX], *(["…"] if len(names) > _NAMES_SHOWN_MAX else [])]
            reasons["companies"] = [
                Reason("users of other companies have it: %(users)s. Take it from them first", users=told)
            ]
