"""Users of both interfaces: what their records hold, who may change them, and when they are out."""

import threading
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from tests.records.conftest import NOW, Books, django_on
from tests.records.test_dictionaries_and_people import new_user
from tests.records.test_roles import new_role, refused

pytestmark = pytest.mark.usefixtures("cheap_passwords")
PASSWORD = "Lovelace-2"


def test_USR_8_to_19_fields_of_a_user_are_checked_and_told_together(books: Books) -> None:
    """USR-9, USR-11, USR-14, USR-15, USR-16, USR-17, USR-41, USR-58, USR-59, USR-60, USR-62, CP-16; nothing is stored when one
    is wrong."""
    from django.utils import timezone

    user = new_user(books.reseller, interface="backoffice", phone="+34 (600) 11-22.33", middle_name=" B ", country="ES")
    assert (user.phone, user.middle_name, user.language) == ("34600112233", "B", "en")
    tomorrow = timezone.localdate() + timedelta(days=1)
    for field, value, reason in (
        ("login", "a b", "3 to 60 letters"),
        ("login", "ab", "3 to 60 letters"),
        ("login", "ADA", "login is taken"),
        ("first_name", "x" * 61, "at most 60 characters"),
        ("last_name", "", "cannot be blank"),
        ("e_mail", "nobody", "valid email"),
        ("phone", "1" * 16, "7 to 15 digits"),
        ("phone", "call me", "7 to 15 digits"),
        ("birthday", tomorrow, "in the past"),
        ("birthday", timezone.localdate(), "in the past"),
        ("timezone", "Europe/Nowhere", "IANA"),
        ("language", "xx", "must be one of"),
        ("country", "ZZ", "no country"),
        ("password", "", "is required"),
        ("password", "short", "takes 8 to 128"),
        ("roles", [], "choose at least one"),
        ("deviations", {"Nothing": "view"}, "no such permission"),
        ("deviations", {"Audit": "manage"}, "no such permission"),
    ):
        told = {"login": "grace", "interface": "backoffice", "roles": ["Admin"]} | {field: value}
        refused(lambda told=told: new_user(books.reseller, **told), field, reason)
    refused(lambda: new_user(books.reseller, interface="backoffice", e_mail="x", birthday=tomorrow), "birthday", "past")
    refused(lambda: new_user(books.reseller, interface="backoffice", e_mail="x", birthday=tomorrow), "e_mail", "valid")


def test_USR_48_a_phone_number_is_required_where_two_factor_applies(books: Books) -> None:
    """USR-13, USR-18, USR-47, USR-74, CP-23; of the user, or of the company for all of them."""
    refused(lambda: new_user(books.client, two_factor=True), "phone", "is on for the user")
    user = new_user(books.client)
    books.client.two_factor_required = True
    books.client.save()
    refused(lambda: new_user(books.client, login="bob"), "phone", "is on for Client")
    refused(lambda: edited(user, job_title="Chief"), "phone", "is on for Client")
    assert edited(user, phone="+34600112233").phone == "34600112233"


def test_USR_46_to_52_and_USR_78_departments(books: Books) -> None:
    """USR-49, USR-50, CP-28, CP-29: of every company Admin and First line support, and its own."""
    from relais.records.people.actions.delete_department import delete_department
    from relais.records.people.actions.save_department import save_department
    from relais.records.people.models import Department
    from relais.records.visibility import departments_of, visible

    shared = {each.name: each for each in Department.objects.filter(company=None)}
    assert set(shared) == {"Admin", "First line support"}
    night = save_department(Department(company=books.client, name=" Night shift "))
    assert {each.name for each in departments_of(books.client.pk)} == {"Admin", "First line support", "Night shift"}
    assert night not in departments_of(books.reseller.pk)
    for name, reason in (("NIGHT SHIFT", "is taken"), ("admin", "which every company has")):
        refused(lambda name=name: save_department(Department(company=books.client, name=name)), "name", reason)
    save_department(Department(company=books.reseller, name="Night shift"))  # within its company
    refused(lambda: save_department(shared["Admin"]), "", "stays as it is")
    refused(lambda: delete_department(shared["First line support"].pk), "", "cannot be deleted")
    refused(lambda: new_user(books.client, department=None), "department", "is required")
    refused(lambda: new_user(books.reseller, department=night), "department", "is none of Reseller")
    user = new_user(books.client, department=night)
    refused(lambda: delete_department(night.pk), "", "1 user (ada)")
    assert new_user(books.reseller, interface="backoffice").department is None
    assert set(visible(Department, user)) == {*shared.values(), night}
    assert set(visible(Department, user, "manage")) == {night}
    edited(user, department=shared["First line support"])
    delete_department(night.pk)


def test_USR_33_USR_71_what_a_user_may_do_is_the_highest_of_the_roles_but_for_deviations(books: Books) -> None:
    """USR-22 several roles, USR-35 and ROLE-24 at once, USR-45, USR-53, ROLE-1, ROLE-29; one query."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from relais.records.people.permissions import effective_levels

    low = new_role(books.reseller, name="Low", levels={"Companies": "view", "Banks": "manage"})
    high = new_role(books.reseller, name="High", levels={"Companies": "manage"})
    user = new_user(books.reseller, interface="backoffice", roles=[low, high])
    with CaptureQueriesContext(connection) as queries:
        assert effective_levels(user) == {"Companies": "manage", "Banks": "manage"}
    assert len(queries) == 1
    edited(user, deviations={"Companies": "none", "Banks": "manage", "Payments": "view"})
    assert user.deviations == {"Companies": "none", "Payments": "view"}, "what the roles give anyway is no deviation"
    assert effective_levels(user) == {"Banks": "manage", "Payments": "view"}
    low.refresh_from_db()
    assert low.levels == {"Companies": "view", "Banks": "manage"}, "the role stays as it is"
    assert effective_levels(edited(user, roles=[low])) == {"Banks": "manage", "Payments": "view"}
    user.deviations = {"A line that is gone": "manage"}
    assert effective_levels(user) == {"Companies": "view", "Banks": "manage"}
    with CaptureQueriesContext(connection) as queries:
        user.no_restrictions = True
        assert effective_levels(user)["Audit"] == "view"
    assert len(queries) == 0


def test_USR_67_nobody_takes_rights_from_the_own_account(books: Books) -> None:
    from relais.records.people.actions.delete_user import delete_user

    new_user(books.reseller, interface="backoffice", login="other")
    user = new_user(books.reseller, interface="backoffice")
    desk = new_role(books.reseller, name="Desk")
    refused(lambda: edited(user, by=user, is_active=False), "is_active", "cannot disable your own")
    refused(lambda: edited(user, by=user, roles=[desk]), "roles", "cannot lower your own rights")
    refused(lambda: edited(user, by=user, deviations={"Banks": "view"}), "roles", "Banks (Manage)")
    refused(lambda: delete_user(user.pk, NOW, by=user), "", "cannot delete your own")
    edited(user, by=user, job_title="Chief")
    free = new_user(books.reseller, interface="backoffice", login="free", no_restrictions=True, roles=["Admin"])
    refused(lambda: edited(free, by=free, no_restrictions=False), "no_restrictions", "cannot lower your own")


def test_USR_68_nobody_grants_more_than_they_hold_or_changes_whoever_holds_more(books: Books) -> None:
    """CP-20, USR-21, USR-44: who has no restrictions grants that too; of the other interface the roles are free."""
    from relais.records.people.actions.delete_user import delete_user

    desk = new_role(books.reseller, name="Desk", levels={"Users": "manage", "Companies": "view"})
    by = new_user(books.reseller, interface="backoffice", roles=[desk])
    boss = new_user(books.reseller, interface="backoffice", login="boss", no_restrictions=True)
    told = {"interface": "backoffice", "login": "new"}
    refused(lambda: added(books.reseller, by, roles=["Admin"], **told), "roles", "cannot grant what you do not hold")
    refused(
        lambda: added(books.reseller, by, roles=["Desk"], deviations={"Banks": "view"}, **told),
        "deviations",
        "Banks (View)",
    )
    refused(
        lambda: added(books.reseller, by, roles=["Desk"], no_restrictions=True, **told), "no_restrictions", "who has it"
    )
    refused(
        lambda: added(books.owner, by, roles=["Admin"], **told), "company", "your own company or one directly below"
    )
    made = added(books.reseller, by, roles=["Desk"], deviations={"Companies": "none"}, **told)
    edited(made, by=by, deviations={})
    refused(lambda: edited(boss, by=by, e_mail="mine@example.com"), "", "may do more than you")
    refused(lambda: edited(boss, by=by, password=PASSWORD), "", "may do more than you")
    refused(lambda: delete_user(boss.pk, NOW, by=by), "", "may do more than you")
    client = added(books.client, by, login="carla", roles=["Admin"])
    refused(lambda: edited(client, by=by, no_restrictions=True), "no_restrictions", "who has it")
    assert edited(client, by=boss, no_restrictions=True).no_restrictions
    assert added(books.reseller, boss, roles=["Admin"], **(told | {"login": "second"})).pk


def test_USR_67_every_company_keeps_a_user_with_full_access_also_when_two_take_it_at_once(
    books: Books, records: str
) -> None:
    from django.db import transaction

    from relais.records.errors import Invalid
    from relais.records.people.actions.delete_user import delete_user
    from relais.records.people.models import User

    first, second = (new_user(books.reseller, interface="backoffice", login=name) for name in ("first", "second"))
    new_user(books.reseller, login="portal")  # of the other interface: no help
    refusals = []

    def take() -> None:
        with django_on(records):  # a thread has a connection of its own
            try:
                delete_user(second.pk, NOW, by=None)
            except Invalid as refusal:
                refusals.append(str(refusal))

    thread = threading.Thread(target=take)
    with psycopg.connect(records, autocommit=True) as watcher, transaction.atomic():
        delete_user(first.pk, NOW, by=None)
        thread.start()
        while thread.is_alive() and not watcher.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
            pass
        assert thread.is_alive(), "the second waits for the first"
    thread.join()
    assert refusals == ["Reseller would have no user with full access left: give it to another user first"]
    left = User.objects.get(company=books.reseller, interface="backoffice")
    desk = new_role(books.reseller, name="Desk")
    for change in (
        {"is_active": False},
        {"roles": [desk]},
        {"deviations": {"Banks": "none"}},
        {"company": books.owner},
    ):
        refused(lambda change=change: edited(left, **change), "", "no user with full access left")


def test_USR_66_a_deleted_user_is_out_at_once_and_the_name_and_login_stay_taken(books: Books) -> None:
    """USR-64, USR-77, ROLE-23; CO-60: a company keeps the record."""
    from relais.records.hanging import what_hangs_on
    from relais.records.people.actions.delete_role import delete_role
    from relais.records.people.actions.delete_user import delete_user
    from relais.records.people.backends import InterfaceBackend
    from relais.records.people.models import AuditLine, User

    role = new_role(books.client, name="Writer", interface="client_portal", levels={"Broadcast": "view"})
    user = new_user(books.client, roles=[role])
    assert InterfaceBackend().get_user(user.pk) == user
    delete_user(user.pk, NOW, by=None)
    assert InterfaceBackend().get_user(user.pk) is None and not User.objects.filter(pk=user.pk).exists()
    kept = User.everybody.get(pk=user.pk)
    assert (kept.login, kept.deleted_at, kept.is_active) == ("ada", NOW, False)
    refused(lambda: new_user(books.client, login="ADA"), "login", "login is taken")
    delete_role(role.pk)
    assert ("deleted user with a history", 1) in what_hangs_on(books.client)
    lines = AuditLine.objects.filter(table__in=("people_user", "people_userrole", "people_role"))
    assert {(line.table, line.operation) for line in lines} >= {
        ("people_user", "update"), ("people_userrole", "insert"), ("people_userrole", "delete"), ("people_role", "delete"),
    }  # fmt: skip
    assert kept.password not in str([(line.old, line.new) for line in lines])


def test_USR_70_the_company_changes_until_the_first_log_in_and_takes_its_roles_away(books: Books) -> None:
    """USR-76: the interface never; USR-40: an empty password keeps the stored one."""
    from relais.records.people.models import User

    new_user(books.reseller, login="admin")
    own = new_role(books.reseller, name="Own", interface="client_portal", levels={"Broadcast": "view"})
    client_only = new_role(
        books.reseller, [books.client], name="C", interface="client_portal", levels={"Groups": "view"}
    )
    user = new_user(books.client, roles=[own, client_only])
    new_user(books.client, login="boss")
    edited(user, company=books.reseller)
    assert [role.name for role in user.roles.all()] == ["Own"]
    refused(lambda: edited(user, interface="backoffice"), "interface", "cannot be changed")
    refused(lambda: edited(user, company=books.owner), "roles", "choose at least one")
    User.objects.filter(pk=user.pk).update(last_login=NOW)
    user.refresh_from_db()
    refused(lambda: edited(user, company=books.client), "company", "after the first log-in")
    stored = user.password
    assert edited(user, job_title="Chief").password == stored
    assert edited(user, password=PASSWORD).check_password(PASSWORD)


def test_users_that_were_there_before_roles_may_do_what_they_could(books: Books) -> None:
    """The migration gave everybody without No restrictions the role Admin; the command line and scenarios say which."""
    from relais.records.people.permissions import has_full_access

    assert has_full_access(new_user(books.reseller, interface="backoffice"))
    noc = new_user(books.reseller, interface="backoffice", login="noc", roles=["noc engineer"])
    assert [role.name for role in noc.roles.all()] == ["NOC engineer"] and not has_full_access(noc)
    refused(
        lambda: new_user(books.reseller, interface="backoffice", login="x-y", roles=["Chief"]),
        "roles",
        "no role is called",
    )


def added(company: Any, by: Any, *, roles: Any, **fields: Any) -> Any:
    """A new user, made by `by`."""
    from relais.records.people.actions.save_user import save_user
    from relais.records.people.models import Department, Role, User

    defaults = {"interface": "client_portal", "e_mail": "new@example.com", "first_name": "N", "last_name": "N"}
    values = defaults | fields
    if values["interface"] == "client_portal":
        values.setdefault("department", Department.objects.get(name="Admin"))
    given = list(Role.objects.filter(name__in=roles, interface=values["interface"]))
    return save_user(User(company=company, **values), by=by, roles=given, password=PASSWORD)


def edited(user: Any, *, by: Any = None, roles: Any = None, password: str = "", **fields: Any) -> Any:
    """The user with those columns, through the verb; `user` itself follows when it is taken."""
    from copy import deepcopy

    from relais.records.people.actions.save_user import save_user

    changed = deepcopy(user)
    for name, value in fields.items():
        setattr(changed, name, value)
    save_user(changed, by=by, roles=roles, password=password)
    user.refresh_from_db()
    return user
