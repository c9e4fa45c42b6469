"""Make or change a user of either interface (USR-8 to USR-19, USR-33, USR-46)."""

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from relais.records.access.passwords import unfit
from relais.records.catalog.models import Country
from relais.records.errors import Invalid, Reason
from relais.records.parties.models import CompanyType
from relais.records.people.actions.set_password import set_password
from relais.records.people.granting import beyond, require_not_above
from relais.records.people.models import Interface, Role, User, UserRole
from relais.records.people.permissions import (
    LINES,
    NONE,
    Levels,
    effective_levels,
    exceeding,
    highest,
    known,
    role_levels,
    with_deviations,
)
from relais.records.people.roles import full_access_kept, roles_for
from relais.records.saving import prepare, require_fixed, save
from relais.records.zones import zone_names

NAME_MAX = 60  # USR-59
_BLANKS_OF_NUMBERS = str.maketrans("", "", " +-()/.\N{NO-BREAK SPACE}")

Reasons = dict[str, list[str]]


@transaction.atomic
def save_user(
    user: User,
    *,
    by: User | None,
    roles: Collection[Role] | None = None,
    password: str = "",
    unchanged_since: datetime | None = None,
) -> User:
    """The stored user. `roles` None: as they are; `password` "": as it is (USR-40), and required of a new user.

    `user.deviations` are levels for this user alone; those that the roles give anyway are dropped. In another company the
    user loses roles it may not use (USR-70). `Invalid` with a reason a field, and where `by`, the person who does it, would
    grant more than they hold (USR-68), lower or disable the own account, or leave a company without full access (USR-67).
    """
    former = prepare(user, unchanged_since)
    before = effective_levels(former) if former is not None else {}
    if former is not None:
        require_fixed(user, former, ("interface",), "cannot be changed: the same person has two accounts")
        require_not_above(by, former)
    reasons: Reasons = {}
    given = _roles_given(user, former, roles, reasons)
    _check_person(user, reasons)
    _check_company(user, former, by, reasons)
    _check_password(user, password, reasons)
    _check_deviations(user, given, reasons)
    after = dict(_after(user, given))
    _check_grant(user, former, by, before, after, reasons)
    if former is not None and by is not None and by.pk == user.pk:
        _check_own_account(user, former, before, after, reasons)
    _tell(user, reasons)
    places = {(former.company_id, former.interface)} if former is not None else set()
    with full_access_kept(places):
        if former is None:
            user.password = make_password(None)  # until the real one is set
        save(user)
        _assign(user, given)
    if password:
        set_password(user, password, by=by)
    return user


def _tell(user: User, reasons: Reasons) -> None:
    """`Invalid` with our reasons and those of the columns together, where ours forbid that it is stored."""
    if not reasons:
        return
    try:
        with transaction.atomic():
            user.password = user.password or make_password(None)
            save(user)
            transaction.set_rollback(True)
    except Invalid as invalid:
        for field, words in invalid.reasons.items():
            reasons.setdefault(field, list(words))
    raise Invalid(reasons)


def _roles_given(user: User, former: User | None, roles: Collection[Role] | None, reasons: Reasons) -> list[Role]:
    """The roles the user will have; of another company those are left out that it may not use."""
    given = list(former.roles.all() if roles is None and former is not None else roles or ())
    usable = set(roles_for(user.company, user.interface).values_list("pk", flat=True))
    if former is not None and former.company_id != user.company_id:
        given = [role for role in given if role.pk in usable]
    if foreign := [role.name for role in given if role.pk not in usable]:
        reasons.setdefault("roles", []).append(
            Reason("%(roles)s: not for users of %(company)s here", roles=foreign, company=str(user.company))
        )
    if not given and not user.no_restrictions:
        reasons.setdefault("roles", []).append("choose at least one, or No restrictions")
    return given


def _after(user: User, given: Collection[Role]) -> Levels:
    if user.no_restrictions:
        return {name: line.levels[-1] for name, line in LINES[user.interface].items()}
    return with_deviations(user.interface, highest(map(role_levels, given)), user.deviations)


def _check_person(user: User, reasons: Reasons) -> None:
    for column in ("first_name", "middle_name", "last_name"):
        if len(getattr(user, column)) > NAME_MAX:
            reasons.setdefault(column, []).append(Reason("takes at most %(most)s characters", most=NAME_MAX))
    user.phone = user.phone.translate(_BLANKS_OF_NUMBERS)
    if user.phone == "" and (user.two_factor or user.company.two_factor_required):
        whose = Reason("the user") if user.two_factor else str(user.company)
        reasons["phone"] = [Reason("is required: two-factor authentication is on for %(whose)s", whose=whose)]
    if user.birthday is not None and user.birthday >= timezone.localdate():
        reasons["birthday"] = ["must lie in the past"]
    if user.timezone and user.timezone not in zone_names():
        reasons["timezone"] = ["is not the IANA name of a time zone"]
    if user.language not in dict(settings.LANGUAGES):
        reasons["language"] = [Reason("must be one of %(codes)s", codes=[code for code, _ in settings.LANGUAGES])]
    if user.country and not Country.objects.filter(pk=user.country).exists():
        reasons["country"] = ["is no country of the dictionary"]


def _check_company(user: User, former: User | None, by: User | None, reasons: Reasons) -> None:
    company = user.company
    if by is not None and by.company_id not in (company.pk, company.parent_id):
        reasons["company"] = ["must be your own company or one directly below it"]
    if user.interface == Interface.BACKOFFICE and company.type != CompanyType.RESELLER:
        reasons["interface" if by is None else "company"] = [
            Reason("%(company)s is a client: its users use the Client portal", company=company.name)
        ]
    if former is not None and former.company_id != company.pk and former.last_login is not None:
        reasons["company"] = ["cannot be changed after the first log-in"]
    department = user.department
    if department is not None and department.company_id not in (None, company.pk):
        reasons["department"] = [Reason("is none of %(company)s: choose another", company=str(company))]
    if user.interface == Interface.BACKOFFICE:
        user.department = None
    elif department is None:
        reasons["department"] = ["is required"]


def _check_password(user: User, password: str, reasons: Reasons) -> None:
    if password:
        if found := unfit(user, password):
            reasons["password"] = found
    elif user._state.adding:
        reasons["password"] = ["is required"]


def _check_deviations(user: User, given: Collection[Role], reasons: Reasons) -> None:
    """Leaves of the deviations those that deviate."""
    lines, roles = LINES[user.interface], highest(map(role_levels, given))
    wrong = [name for name, level in user.deviations.items() if name not in lines or level not in lines[name].levels]
    if wrong:
        reasons["deviations"] = [Reason("%(names)s: no such permission or level", names=[repr(name) for name in wrong])]
        user.deviations = {}
    user.deviations = {name: level for name, level in user.deviations.items() if level != roles.get(name, NONE)}


def _check_grant(
    user: User, former: User | None, by: User | None, before: Levels, after: Levels, reasons: Reasons
) -> None:
    was_free = former is not None and former.no_restrictions
    if user.no_restrictions and not was_free and by is not None and not by.no_restrictions:
        reasons["no_restrictions"] = ["can be granted only by somebody who has it"]
    elif lacking := beyond(by, user.interface, before, after):
        field = "deviations" if user.deviations else "roles"
        reasons.setdefault(field, []).append(Reason("you cannot grant what you do not hold: %(lines)s", lines=lacking))


def _check_own_account(user: User, former: User, before: Levels, after: Levels, reasons: Reasons) -> None:
    if not user.is_active:
        reasons["is_active"] = ["you cannot disable your own account"]
    if former.no_restrictions and not user.no_restrictions:
        reasons["no_restrictions"] = ["you cannot lower your own rights"]
    elif lost := list(exceeding(after, known(user.interface, before))):
        reasons.setdefault("roles", []).append(Reason("you cannot lower your own rights: %(lines)s", lines=lost))


def _assign(user: User, given: Collection[Role]) -> None:
    wanted = {role.pk for role in given}
    held = set(UserRole.objects.filter(user=user).values_list("role", flat=True))
    UserRole.objects.filter(user=user, role__in=held - wanted).delete()
    UserRole.objects.bulk_create(UserRole(user=user, role_id=pk) for pk in sorted(wanted - held))
