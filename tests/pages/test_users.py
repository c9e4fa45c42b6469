"""Users, roles and departments in the BackOffice, and what a person with few permissions meets there."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.pages.conformance import SCRIPTED, by_session, csv_of, made, urls_of_site, user_of

PERSON = {
    "login": "petra", "password": "Person-demo-2025", "password_again": "Person-demo-2025", "first_name": "Petra",
    "last_name": "Person", "e_mail": "p@example.com", "language": "en", "is_active": "on",
}  # fmt: skip


@pytest.fixture(autouse=True)
def cheap_passwords(pages: str) -> Iterator[None]:
    from django.test import override_settings

    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


def role(name: str, interface: str = "backoffice") -> Any:
    from relais.records.people.models import Role

    return Role.objects.get(name=name, interface=interface)


def person(*roles: str, company: str = "Hornes and Hooves", login: str = "petra", **fields: Any) -> Any:
    from relais.records.people.actions.create_user import create_user

    return create_user(
        company=company, login=login, password="Person-demo-2025", e_mail="p@example.com", roles=roles, **fields
    )


def labels(client: Any, url: str) -> list[str]:
    return [header.label for header in client.get(url).context["list"].headers]


def menu(client: Any, url: str) -> set[str]:
    return {line.label for group in client.get(url).context["menu"] for line in group.lines}


def test_USR_1_to_7_USR_43_the_lists_of_both_interfaces(owner: Any, reseller: Any) -> None:
    """USR-2, USR-3, USR-4: columns, view, sorting and filters; USR-6: dates; USR-7 and USR-69: no restrictions, and yet only
    the own company and those directly below; USR-60: no password anywhere."""
    expected = [
        "ID", "Company", "Login", "First name", "Middle name", "Last name", "Created", "Job title", "Phone number",
        "E-mail", "Last login", "Enabled",
    ]  # fmt: skip
    assert labels(owner, "/bo/users/") == labels(owner, "/bo/portal-users/") == expected
    names = {
        (who, page): [row.label for row in client.get(f"/bo/{page}/").context["list"].table]
        for who, client in (("owner", owner), ("reseller", reseller))
        for page in ("users", "portal-users")
    }
    assert names == {
        ("owner", "users"): ["reseller", "owner"],
        ("owner", "portal-users"): [],
        ("reseller", "users"): ["reseller"],
        ("reseller", "portal-users"): ["client"],
    }
    listed = owner.get("/bo/users/?is_active=true&sort=-login").context["list"]
    assert [row.label for row in listed.table] == ["reseller", "owner"] and not listed.problems
    heads, *lines = csv_of(owner, "/bo/users/csv/?columns=all")
    assert "Password" not in heads and user_of("owner").password not in str(lines)
    assert len(dict(zip(heads, lines[0], strict=True))["Created"]) == len("01.01.2025")
    assert user_of("owner").password not in owner.get(f"/bo/users/{user_of('owner').pk}/").content.decode()


def test_USR_8_to_42_a_user_is_added_and_edited(reseller: Any) -> None:
    """The form: USR-5, USR-9, USR-10, USR-11, USR-12, USR-14, USR-15, USR-16, USR-17, USR-19, USR-20, USR-46. The block of
    permissions: USR-22, USR-23, USR-24, USR-26, USR-33, USR-34. View and edit: USR-36, USR-37, USR-39, USR-40, USR-42, USR-57."""
    form = reseller.get("/bo/portal-users/new/", headers=SCRIPTED).context["drawer"].form
    required = {name for name, field in form.fields.items() if field.required}
    assert required == {
        "company", "department", "login", "password", "password_again", "first_name", "last_name", "e_mail", "language",
    }  # fmt: skip
    sections = reseller.get("/bo/portal-users/new/", headers=SCRIPTED).context["drawer"].sections
    assert [section.title for section in sections] == ["General", "Role"]
    client, editor = user_of("client").company, role("Campaign editor", "client_portal")
    admin = role("Admin", "client_portal")
    query = {"options": "roles", "company": client.pk, "term": "campaign"}  # USR-22, USR-23
    options = reseller.get("/bo/portal-users/new/", query).json()["options"]
    assert [option["text"] for option in options] == ["Campaign editor"]
    departments = reseller.get("/bo/portal-users/new/", {"options": "department", "company": client.pk}).json()[
        "options"
    ]
    assert [option["text"] for option in departments] == ["Admin", "Delivery questions", "First line support"]
    sent = PERSON | {"company": client.pk, "department": departments[0]["value"], "roles": editor.pk}
    block = reseller.post("/bo/permission-levels/?client_portal=", sent | {"levels-of": ""}).content.decode()
    assert checked(block) == {"Dashboard": "view", "Broadcast": "manage", "Contacts": "view", "Broadcasts": "view"}
    assert f'name="levels-of" value="{editor.pk}"' in block and "petra" not in block
    levels = {"levels-of": str(editor.pk), "levels-level-Broadcast": "none", "levels-level-Chatbots": "view"}
    wrong = reseller.post("/bo/portal-users/new/", sent | {"password_again": "Another-2025"}, headers=SCRIPTED)
    assert wrong.status_code == 422 and "two passwords differ" in str(wrong.context["drawer"].form.errors)
    key = made(reseller.post("/bo/portal-users/new/", sent | shown(block) | levels, headers=SCRIPTED))
    user = user_of("petra")
    assert user.deviations == {"Broadcast": "none", "Chatbots": "view"} and str(user.pk) == key
    view = reseller.get(f"/bo/portal-users/{key}/", headers=SCRIPTED).content.decode()
    assert view.count("For this user only") == 2 and "Campaign editor" in view and "Delete" in view
    edit = reseller.get(f"/bo/portal-users/{key}/edit/", headers=SCRIPTED)
    assert 'placeholder="Create a password"' in edit.content.decode()
    assert 'placeholder="Type password again"' in edit.content.decode()
    assert not edit.context["drawer"].form.fields["password"].required
    again = {**sent, "password": "", "password_again": "", "roles": [editor.pk, admin.pk]}
    refilled = reseller.post(
        f"/bo/permission-levels/?client_portal={key}", again | shown(edit.content.decode()) | {"levels-of": editor.pk}
    ).content.decode()
    assert "Broadcast" not in checked(refilled) and checked(refilled)["Chatbots"] == "view"
    assert (checked(refilled)["Dashboard"], checked(refilled)["Export"]) == ("manage", "view")
    stored = user.password
    answer = reseller.post(f"/bo/portal-users/{key}/edit/", again | shown(refilled), headers=SCRIPTED)
    assert answer.status_code == 204
    user.refresh_from_db()
    assert user.password == stored and user.deviations == {"Broadcast": "none", "Chatbots": "view"}
    assert {each.name for each in user.roles.all()} == {"Campaign editor", "Admin"}


def test_USR_51_a_department_is_made_by_its_name_with_the_user_who_is_put_into_it(reseller: Any) -> None:
    from relais.records.people.models import Department

    client = user_of("client").company
    sent = PERSON | {
        "company": client.pk, "department": "new: Night shift ", "roles": role("Admin", "client_portal").pk,
    }  # fmt: skip
    weak = reseller.post(
        "/bo/portal-users/new/", sent | {"password": "weak", "password_again": "weak"}, headers=SCRIPTED
    )
    assert weak.status_code == 422 and not Department.objects.filter(name="Night shift").exists()
    assert '<option value="new: Night shift " selected>Night shift</option>' in weak.content.decode(), (
        "what was typed stays"
    )
    for name in ("ADMIN", "delivery questions", "x" * 300):
        refused = reseller.post("/bo/portal-users/new/", sent | {"department": f"new:{name}"}, headers=SCRIPTED)
        assert refused.status_code == 422 and list(refused.context["drawer"].form.errors) == ["department"], name
    empty = reseller.post("/bo/portal-users/new/", sent | {"department": "new:  "}, headers=SCRIPTED)
    assert list(empty.context["drawer"].form.errors) == ["department"]
    assert Department.objects.filter(company=client).count() == 1
    made(reseller.post("/bo/portal-users/new/", sent, headers=SCRIPTED))
    department = user_of("petra").department
    assert department is not None and (department.name, department.company) == ("Night shift", client)
    person("Client manager", deviations={"Users": "view"}, login="looker")
    assert by_session("looker").post("/bo/portal-users/new/", sent | {"login": "other"}).status_code == 403


def test_USR_70_after_the_first_log_in_the_company_is_text(owner: Any) -> None:
    from django.utils import timezone

    user = person("Admin")
    user.last_login = timezone.now()
    user.save()
    form = owner.get(f"/bo/users/{user.pk}/edit/", headers=SCRIPTED).context["drawer"].form
    assert "company" not in form.fields
    options = owner.get(f"/bo/users/{user.pk}/edit/?options=roles&term=").json()["options"]
    assert [option["text"] for option in options] == [
        "Admin", "Client manager", "Finance manager", "NOC engineer", "Rate manager",
    ]  # fmt: skip


def test_ROLE_1_to_25_roles_are_listed_made_from_a_template_and_kept_apart(owner: Any, reseller: Any) -> None:
    """ROLE-2, ROLE-5, ROLE-6, ROLE-7, ROLE-8, ROLE-10, ROLE-11, ROLE-12, ROLE-13, ROLE-14, ROLE-19, ROLE-20, ROLE-22, ROLE-25,
    ROLE-26."""
    listed = reseller.get("/bo/roles/").context["list"]
    assert [header.label for header in listed.headers] == ["ID", "Name", "Group", "Company", "Description"]
    rows = {(cells[1], cells[2]) for cells in ([str(cell.html) for cell in row.cells] for row in listed.table)}
    assert ('Rate manager <span class="tag">SYSTEM</span>', "BackOffice") in rows and len(rows) == 10
    assert ("Campaign editor", "Client portal") in rows
    assert len(owner.get("/bo/roles/").context["list"].table) == 9, "what a reseller makes for its clients is its own"
    query = {"options": "template", "interface": "client_portal"}
    names = [option["text"] for option in reseller.get("/bo/roles/new/", query).json()["options"]]
    assert names == ["Admin", "Broadcast manager", "Campaign editor", "Finance manager", "NOC engineer"]
    editor = role("Campaign editor", "client_portal")
    sent = {"name": "Copy", "interface": "client_portal", "template": editor.pk}
    assert 'id="id_levels-broadcast-manage"' in reseller.post("/bo/permission-levels/?role=", sent).content.decode()
    block = reseller.post("/bo/permission-levels/?role=", sent | {"levels-of": ""}).content.decode()
    assert checked(block)["Broadcast"] == "manage"
    key = made(reseller.post("/bo/roles/new/", sent | shown(block) | {"levels-level-Groups": "view"}, headers=SCRIPTED))
    copy = role("Copy", "client_portal")
    assert copy.levels == editor.levels | {"Groups": "view"} and copy.company.name == "Hornes and Hooves"
    editor.levels = {"Broadcast": "view"}
    editor.save()
    edit = reseller.get(f"/bo/roles/{key}/edit/", headers=SCRIPTED)
    assert "interface" not in edit.context["drawer"].form.fields and checked(edit.content.decode())["Groups"] == "view"
    empty = reseller.post(
        "/bo/roles/new/", {"name": "Nothing", "interface": "backoffice", "levels-of": ""}, headers=SCRIPTED
    )
    assert empty.status_code == 422 and "llow at least one" in str(empty.context["drawer"].form.errors["levels"])
    admin = role("Admin")
    assert reseller.get(f"/bo/roles/{admin.pk}/").status_code == 200
    assert reseller.get(f"/bo/roles/{admin.pk}/edit/").status_code == 404
    assert reseller.post(f"/bo/roles/{admin.pk}/delete/").status_code == 404
    assert owner.get(f"/bo/roles/{key}/").status_code == 404


def test_USR_72_menu_buttons_and_urls_follow_the_permissions_of_the_request(owner: Any, reseller: Any) -> None:
    """USR-73: Export governs files; ROLE-24, USR-64: what is withdrawn is gone with the next request."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    user = person("NOC engineer")
    client = by_session("petra")
    assert menu(client, "/bo/sender-ids/") == {
        "Live traffic", "Messages", "Incoming messages", "EDRs", "Guard rails", "Webhook deliveries", "Stop list", "Sender IDs",
        "Audit", "Handed-down sender IDs", "Vendors SMPP connections", "Client SMPP connections",
    }  # fmt: skip
    page = client.get("/bo/sender-ids/")
    assert "New SMS sender ID" not in page.content.decode() and not page.context["list"].may_add
    assert "CSV" in page.content.decode() and client.get("/bo/sender-ids/csv/").status_code == 200
    assert client.get("/bo/vendor-smpp-connections/").context["list"].may_add
    for url, missing in (
        ("/bo/banks/", "Banks (view)"),
        ("/bo/sender-ids/new/", "Sender IDs (manage)"),
        ("/bo/users/", "Users (view)"),
        ("/bo/network-codes/", "MCCMNC (view)"),
    ):
        answer = client.get(url)
        assert answer.status_code == 403 and f"You need the permission {missing}" in answer.content.decode()
        assert client.post(url).status_code == 403
    assert client.post("/bo/permission-levels/?backoffice=").status_code == 404
    told = {group.label for group in client.get("/bo/find/?q=a").context["groups"]}
    assert told <= {
        "Pages",
        "Messages",
        "EDRs",
        "Sender IDs",
        "Sender registrations",
        "SMS sender IDs",
        "Handed-down sender IDs",
        "Vendors SMPP connections",
        "Client SMPP connections",
        "Audit",
    }

    def queries(visitor: Any) -> int:
        visitor.get("/bo/sender-ids/")
        with CaptureQueriesContext(connection) as seen:
            visitor.get("/bo/sender-ids/")
        return len(seen)

    assert queries(client) == queries(reseller) + 1  # for her roles
    assert "CSV<" in client.get("/bo/sender-ids/").content.decode()
    user.deviations = {"Export": "none"}
    user.save()
    page = client.get("/bo/sender-ids/")
    assert "CSV<" not in page.content.decode()
    for url in ("/bo/sender-ids/csv/", "/bo/audit/csv/", "/bo/audit/1/csv/"):
        answer = client.get(url)
        assert answer.status_code == 403 and "You need the permission Export (view)" in answer.content.decode()
    user.deviations = {"Sender IDs": "none"}
    user.save()
    assert client.get("/bo/sender-ids/").status_code == 403
    assert owner.post(f"/bo/users/{user.pk}/delete/").status_code == 302  # the reseller's parent manages its users
    assert client.get("/bo/messages/").headers["Location"].startswith("/bo/log-in/")


def test_a_person_without_any_permission_breaks_nothing(reseller: Any) -> None:
    """USR-72: every list and form of the site answers with a plain no."""
    person("Rate manager", deviations={name: "none" for name in full_levels()})
    client = by_session("petra")
    assert "Ask an administrator" in client.get("/bo/").content.decode()
    open_to_all = ("find", "log-in", "log-out", "theme", "reset", "generated-password", "documentation", "account")
    open_to_all += ("permission-levels", "pack-cost")  # parts of forms: they tell nothing without the line
    urls = [each for each in urls_of_site() if each.split("/")[2] not in (*open_to_all, "") and each.count("/") < 5]
    assert len(urls) > 40
    for url in urls:
        assert client.post(url).status_code == 403, url


def test_MCCMNC_is_managed_by_the_system_owner_alone(owner: Any, reseller: Any) -> None:
    assert owner.get("/bo/networks/").context["list"].may_add
    assert not reseller.get("/bo/networks/").context["list"].may_add


def test_a_page_with_an_unknown_permission_line_keeps_the_site_from_starting(pages: str) -> None:
    from relais.backoffice.entities.banks import BANKS
    from relais.backoffice.site import BACKOFFICE
    from relais.pages.site import Screen, Site

    site = Site("backoffice", "BackOffice", BACKOFFICE.groups)
    site._add(site.entities, BANKS)
    with pytest.raises(ValueError, match="'Bnaks', which backoffice does not have"):
        site._add(site.screens, Screen("x", "X", "x/", lambda request: None, "Bnaks"))


def full_levels() -> dict[str, str]:
    from relais.records.people.permissions import SYSTEM_ROLES

    return dict(SYSTEM_ROLES["backoffice"]["admin"])


def shown(html: str) -> dict[str, str]:
    """What the block of permissions sends as it stands."""
    import re

    of = re.search(r'name="levels-of" value="([^"]*)"', html)
    assert of
    lines = re.findall(r'name="levels-level-([^"]+)" id="[^"]+" value="(\w+)" checked', html)
    assert lines
    return {"levels-of": of.group(1)} | {f"levels-level-{line}": level for line, level in lines}


def checked(html: str) -> dict[str, str]:
    """Line → level, of those that are not None."""
    sent = shown(html)
    prefix = "levels-level-"
    return {
        name.removeprefix(prefix): level for name, level in sent.items() if name.startswith(prefix) and level != "none"
    }
