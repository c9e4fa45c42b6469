"""Permission lines, the roles that carry them, and who may make, give and take them."""

from collections import Counter
from typing import Any

import pytest
from tests.records.conftest import Books
from tests.records.test_dictionaries_and_people import new_user

pytestmark = pytest.mark.usefixtures("cheap_passwords")
BACKOFFICE_COUNTS = {
    "Export": 1, "Account management": 13, "Finance": 5, "MCCMNC": 1, "Users": 2, "Reports and Analytics": 1,
    "Notifications settings": 1, "Settings": 11, "Audit": 1, "Pre-moderation": 1, "Portals": 1, "Traffic": 5,
}  # fmt: skip
PORTAL_COUNTS = {
    "Export": 1, "Dashboard": 1, "Broadcast": 1, "Contacts": 3, "Conversations": 2, "Finance": 3, "Statistics": 4,
    "Assets": 5, "Users": 1,
}  # fmt: skip


def allowed(interface: str, key: str) -> dict[str, int]:
    """Group → lines with a permission other than None, as the head of each group tells it."""
    from relais.records.people.permissions import GROUPS, SYSTEM_ROLES

    levels = SYSTEM_ROLES[interface][key]
    return {group.name: sum(line.name in levels for line in group.lines) for group in GROUPS[interface]}


def test_USR_25_to_32_and_CP_73_lines_stand_in_groups_in_the_order_of_the_guide(books: Books) -> None:
    """USR-25, USR-26, USR-29, USR-30, USR-31, USR-54, CP-17: how many each group has; USR-27, USR-32 by name. What nobody changes
    by hand has no Manage."""
    from relais.records.people.permissions import GROUPS, LINES

    counts = {i: {group.name: len(group.lines) for group in groups} for i, groups in GROUPS.items()}
    assert counts == {"backoffice": BACKOFFICE_COUNTS, "client_portal": PORTAL_COUNTS}
    assert [list(each.items()) for each in counts.values()] == [
        list(BACKOFFICE_COUNTS.items()),
        list(PORTAL_COUNTS.items()),
    ]
    named = {group.name: [line.name for line in group.lines] for group in GROUPS["backoffice"]}
    assert named["Finance"] == ["Payments", "Invoices and charges", "Services", "Additional fees", "EDR Rerate"]
    assert (named["Users"], named["Account management"][-1]) == (["Users", "Roles"], "Bank accounts")
    for interface, groups in GROUPS.items():
        names = Counter(line.name for group in groups for line in group.lines)
        assert set(names.values()) == {1} and set(names) == set(LINES[interface])
    looked_at = {name for name, line in LINES["backoffice"].items() if "manage" not in line.levels}
    assert looked_at == {"Export", "Audit", "Live traffic", "Messages", "EDRs"}


def test_ROLE_28_and_ROLE_30_system_roles_have_the_levels_of_the_guide(books: Books) -> None:
    """USR-28, USR-55, USR-56, CP-19, CP-74, CP-75."""
    from relais.records.people.permissions import LINES, SYSTEM_ROLES

    bo, cp = SYSTEM_ROLES["backoffice"], SYSTEM_ROLES["client_portal"]
    for interface, roles in SYSTEM_ROLES.items():
        assert roles["admin"] == {name: line.levels[-1] for name, line in LINES[interface].items()}
    manager = allowed("backoffice", "client_manager")
    assert [manager[name] for name in ("Export", "Account management", "Finance", "MCCMNC", "Users")] == [
        1,
        13,
        1,
        1,
        0,
    ]
    assert (bo["client_manager"]["Services"], bo["client_manager"]["Banks"]) == ("view", "manage")
    finance = bo["finance_manager"]
    assert (finance["Payments"], finance["Companies"], finance["Payment systems"]) == ("manage", "view", "manage")
    assert (finance["Reports"], "MCCMNC" in finance, "Audit" in finance) == ("view", False, False)
    noc = bo["noc_engineer"]
    assert (noc["HTTP connections"], noc["2FA SMS"], noc["Sender IDs"], noc["Audit"]) == (
        "manage",
        "manage",
        "view",
        "view",
    )
    assert bo["rate_manager"] == {
        "Export": "view", "Agreements": "view", "Services": "manage", "Additional fees": "manage", "EDR Rerate": "manage",
        "Enabled services": "manage", "MCCMNC": "manage",
    }  # fmt: skip
    assert allowed("client_portal", "broadcast_manager") == {
        "Export": 0, "Dashboard": 1, "Broadcast": 1, "Contacts": 3, "Conversations": 2, "Finance": 1, "Statistics": 2,
        "Assets": 5, "Users": 0,
    }  # fmt: skip
    assert (cp["broadcast_manager"]["Broadcast"], cp["broadcast_manager"]["Services and packs"]) == ("manage", "view")
    assert allowed("client_portal", "admin") == PORTAL_COUNTS
    assert (cp["finance_manager"]["Dashboard"], cp["finance_manager"]["Invoices"]) == ("view", "manage")
    assert set(cp["noc_engineer"].values()) == {"view"} and "Conversations" not in cp["noc_engineer"]


def test_ROLE_3_ROLE_4_system_roles_are_there_and_stay_as_they_are(books: Books) -> None:
    """ROLE-14, ROLE-21: nobody edits, deletes or imitates them; ROLE-29: their levels come from code."""
    from relais.records.people.actions.delete_role import delete_role
    from relais.records.people.models import Role
    from relais.records.people.permissions import SYSTEM_ROLES, role_levels

    there = {(role.interface, role.key): role for role in Role.objects.all()}
    assert set(there) == {(interface, key) for interface, roles in SYSTEM_ROLES.items() for key in roles}
    assert [role.name for (interface, _), role in sorted(there.items()) if interface == "client_portal"] == [
        "Admin", "Broadcast manager", "Finance manager", "NOC engineer",
    ]  # fmt: skip
    admin = there["backoffice", "admin"]
    assert admin.levels == {} and role_levels(admin)["Companies"] == "manage"
    refused(lambda: saved(admin, name="Chief"), "", "a system role cannot be edited")
    refused(lambda: delete_role(admin.pk), "", "cannot be deleted")
    refused(lambda: new_role(books.reseller, name=" ADMIN "), "name", "is that of a system role")
    assert list(Role.objects.values_list("name", flat=True).filter(pk=admin.pk)) == ["Admin"]


def test_ROLE_9_to_23_a_custom_role_is_made_changed_and_deleted(books: Books) -> None:
    from relais.records.people.actions.delete_role import delete_role
    from relais.records.people.actions.save_user import save_user
    from relais.records.people.models import Role
    from relais.records.people.permissions import effective_levels

    role = new_role(books.reseller, name="  Desk ", levels={"Companies": "view", "Banks": "none"})
    assert (role.name, role.levels) == ("Desk", {"Companies": "view"})
    refused(lambda: new_role(books.reseller, name="DESK"), "name", "is taken")  # ROLE-21
    new_role(books.owner, name="desk")  # within its company
    new_role(books.reseller, name="desk", interface="client_portal", levels={"Broadcast": "view"})
    refused(lambda: new_role(books.reseller, name="N" * 41), "name", "at most 40")
    refused(lambda: new_role(books.reseller, levels={}), "levels", "at least one")  # ROLE-17, ROLE-18
    refused(lambda: new_role(books.reseller, levels={"Banks": "none"}), "levels", "at least one")
    refused(lambda: new_role(books.reseller, levels={"Audit": "manage"}), "levels", "no such permission")
    refused(lambda: new_role(books.reseller, levels={"Broadcast": "view"}), "levels", "no such permission")
    refused(
        lambda: saved(role, interface="client_portal", levels={"Broadcast": "view"}), "interface", "cannot be changed"
    )
    user = new_user(books.reseller, interface="backoffice", roles=[role])
    assert effective_levels(user) == {"Companies": "view"}
    saved(role, levels={"Companies": "manage"})  # ROLE-24
    assert effective_levels(user) == {"Companies": "manage"}
    refused(lambda: delete_role(role.pk), "", "ada")  # ROLE-23
    other = new_role(books.reseller, name="Other")
    save_user(user, by=None, roles=[other])
    delete_role(role.pk)
    assert not Role.objects.filter(pk=role.pk).exists()


def test_ROLE_15_ROLE_16_a_role_is_for_the_own_company_and_those_directly_below_or_for_some_of_them(
    books: Books,
) -> None:
    """ROLE-26, ROLE-27: who sees it; CP-18: clients get custom roles beside the system's."""
    from relais.records.people.models import Role
    from relais.records.people.roles import roles_for
    from relais.records.visibility import visible

    for_all = new_role(books.reseller, name="All", interface="client_portal", levels={"Broadcast": "view"})
    for_one = new_role(
        books.reseller, [books.client], name="One", interface="client_portal", levels={"Broadcast": "view"}
    )
    above = new_role(books.owner, name="Above", interface="client_portal", levels={"Broadcast": "view"})
    desk = new_role(books.reseller, name="Desk")

    def custom(rows: Any) -> set[str]:
        return set(rows.exclude(company=None).values_list("name", flat=True))

    assert custom(roles_for(books.client, "client_portal")) == {"All", "One"}
    assert custom(roles_for(books.reseller, "client_portal")) == {"All", "Above"}
    assert custom(roles_for(books.owner, "client_portal")) == {"Above"}
    clients, resellers = new_user(books.client), new_user(books.reseller, login="rita", interface="backoffice")
    assert custom(visible(Role, clients)) == {"All", "One"} and not visible(Role, clients, "manage").exists()
    assert visible(Role, clients).filter(interface="backoffice").count() == 0  # ROLE-27
    assert custom(visible(Role, resellers)) == {"All", "One", "Above", "Desk"}
    assert set(visible(Role, resellers, "manage")) == {for_all, for_one, desk}
    refused(lambda: saved(for_all, [books.owner]), "companies", "neither the own company nor directly below")
    refused(lambda: new_user(books.reseller, login="eve", roles=[for_one]), "roles", "One: not for users of Reseller")
    new_user(books.reseller, login="bob", roles=[for_all])
    refused(lambda: saved(for_all, [books.client]), "companies", "users of other companies have it: bob")
    refused(lambda: new_user(books.reseller, login="eve", roles=[desk]), "roles", "Desk: not for users")
    assert above.company == books.owner


def test_USR_68_nobody_makes_a_role_that_allows_more_than_they_hold(books: Books) -> None:
    desk = new_role(books.reseller, name="Desk", levels={"Roles": "manage", "Companies": "view", "Banks": "manage"})
    by = new_user(books.reseller, interface="backoffice", roles=[desk])
    refused(lambda: new_role(books.reseller, by=by, levels={"Companies": "manage"}), "levels", "Companies (Manage)")
    refused(lambda: new_role(books.reseller, by=by, levels={"Payments": "view"}), "levels", "Payments (View)")
    role = new_role(books.reseller, by=by, name="Below", levels={"Companies": "view"})
    saved(role, by=by, levels={"Companies": "view", "Banks": "manage"})
    new_role(books.reseller, by=by, interface="client_portal", levels={"Broadcast": "manage"})  # of the other interface


def test_USR_67_no_change_of_a_role_takes_the_last_full_access_of_a_company(books: Books) -> None:
    from relais.records.people.permissions import LINES

    everything = {name: line.levels[-1] for name, line in LINES["backoffice"].items()}
    role = new_role(books.reseller, name="Everything", levels=everything)
    new_user(books.reseller, interface="backoffice", roles=[role])
    lower = everything | {"Banks": "view"}
    refused(lambda: saved(role, levels=lower), "", "Reseller would have no user with full access left")
    role.refresh_from_db()
    assert role.levels == everything
    new_user(books.reseller, interface="backoffice", login="bob")
    assert saved(role, levels=lower).levels == lower


def new_role(company: Any, companies: Any = (), *, by: Any = None, **fields: Any) -> Any:
    from relais.records.people.actions.save_role import save_role
    from relais.records.people.models import Role

    defaults = {"name": "New", "interface": "backoffice", "levels": {"Companies": "view"}}
    return save_role(Role(company=company, **(defaults | fields)), by=by, companies=companies)


def saved(role: Any, companies: Any = None, *, by: Any = None, **fields: Any) -> Any:
    """The role with those columns, through its verb; `role` itself stays as it is when that refuses."""
    from copy import copy

    from relais.records.people.actions.save_role import save_role

    changed = copy(role)
    for name, value in fields.items():
        setattr(changed, name, value)
    return save_role(changed, by=by, companies=companies)


def refused(deed: Any, field: str, reason: str) -> None:
    """It is refused, with that reason at that field, and no row of people is another than before."""
    from relais.records.errors import Invalid

    before = rows()
    with pytest.raises(Invalid) as refusal:
        deed()
    assert any(reason in words for words in refusal.value.reasons.get(field, ())), refusal.value.reasons
    assert rows() == before


def rows() -> list[Any]:
    from relais.records.people.models import Department, Role, User, UserRole

    return [list(model.objects.order_by("pk").values()) for model in (User, Role, UserRole, Department)]
