"""The Client portal as its people use it: who is let in, what each permission opens, and whose records there are."""

from typing import Any

import pytest
from tests.portal.conftest import ABOVE, CLIENT, PASSWORD, SCRIPTED, entered, person, sent

pytestmark = pytest.mark.usefixtures("portal")
PAGES = {  # permission line → (menu group, pages)
    "Dashboard": ("Dashboard", ("overview",)),
    "Balance and payments": ("Finance", ("balances",)),
    "Services and packs": ("Finance", ("services",)),
    "Messages": ("Statistics", ("messages",)),
    "Sender IDs": ("Assets", ("sender-ids",)),
    "Users and departments": ("Users", ("users", "departments")),
}


def menu_of(answer: Any) -> dict[str, list[str]]:
    return {group.label: [line.label for line in group.lines] for group in answer.context["menu"]}


def key_of(name: str, login: str) -> Any:
    """A record that the person of that login sees."""
    from tests.pages.conformance import user_of

    from relais.portal.site import PORTAL
    from relais.records.visibility import visible

    return visible(PORTAL.entities[name].model, user_of(login)).order_by("-pk").first().pk


def test_USR_76_nobody_gets_into_the_interface_that_is_not_theirs() -> None:
    from django.test import Client

    log_ins = {"/bo/log-in/": ("owner", "Olga-demo-2025"), "/portal/log-in/": ("client", "Carla-demo-2025")}
    (inside, owner), (outside, client) = log_ins.items()
    for url, (login, password) in ((inside, client), (outside, owner)):
        answer = Client().post(url, {"login": login, "password": password})
        assert answer.status_code == 401 and "relais_session" not in answer.cookies, login
    browser = Client()
    page = browser.get("/portal/log-in/").content.decode()
    assert 'class="rl-portal"' in page and "Relais <small>Client portal</small>" in page
    assert browser.get("/").headers["Location"] == "/bo/"
    answer = browser.post("/portal/log-in/", {"login": client[0], "password": client[1]})
    assert answer.status_code == 302 and answer.headers["Location"] == "/portal/"
    assert browser.get("/").headers["Location"] == "/portal/"
    assert browser.get("/portal").headers["Location"] == "/portal/"
    assert browser.get("/bo/messages/").headers["Location"].startswith("/bo/log-in/")
    assert browser.post("/portal/log-out/").headers["Location"] == "/portal/log-in/"
    assert browser.get("/portal/users/").headers["Location"] == "/portal/log-in/?next=%2Fportal%2Fusers%2F"
    owner_browser = Client()
    owner_browser.post(inside, {"login": owner[0], "password": owner[1]})
    assert owner_browser.get("/portal/overview/").headers["Location"].startswith("/portal/log-in/")
    script = owner_browser.get("/portal/users/", headers=SCRIPTED)
    assert script.status_code == 401 and "/portal/log-in/" in script.content.decode()


def test_one_browser_is_in_both_sites_side_by_side(portal: str) -> None:
    """GEN-24: a session, a form token and a log-out of its own each; every cookie over TLS alone."""
    from django.conf import settings
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    doors = {"/bo/": ("owner", "Olga-demo-2025"), "/portal/": ("client", "Carla-demo-2025")}
    first = {"/bo/": "banks/", "/portal/": "users/"}

    def token_on(url: str) -> str:
        page = browser.get(url)
        assert page.status_code == 200, url
        return page.content.decode().partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]

    def send(url: str, token: str, **fields: str) -> int:
        return browser.post(url, fields | {"csrfmiddlewaretoken": token}).status_code

    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    try:
        for door, (login, password) in doors.items():
            token = token_on(f"{door}log-in/")
            assert send(f"{door}log-in/", token, login=login, password=password) == 302, door
        tokens = {door: token_on(f"{door}{first[door]}") for door in doors}
    finally:
        settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    names = ("relais_session", "relais_csrf", "relais_portal_session", "relais_portal_csrf")
    assert {*names} <= {*browser.cookies}
    assert len({browser.cookies[name].value for name in names}) == 4
    for name in names:
        cookie = browser.cookies[name]
        assert (bool(cookie["secure"]), bool(cookie["httponly"]), cookie["samesite"]) == (True, True, "Lax"), name
    assert "Olga" in browser.get("/bo/account/").content.decode()
    assert "Carla" in browser.get("/portal/account/").content.decode()
    assert send("/bo/theme/", tokens["/bo/"], theme="") == 204, "the later log-in has not taken the earlier one's token"
    assert send("/portal/theme/", tokens["/bo/"], theme="") == 403, "nor is one site's token good on the other"
    assert browser.get("/").headers["Location"] == "/bo/"
    assert send("/bo/log-out/", tokens["/bo/"]) == 302
    assert browser.get("/bo/banks/").status_code == 302
    assert browser.get("/portal/users/").status_code == 200, "the other goes on"
    assert browser.get("/").headers["Location"] == "/portal/"


def test_CP_17_CP_72_CP_73_USR_72_a_line_opens_its_pages_and_no_others() -> None:
    """Levels None, View and Manage; menu and server say the same."""
    from relais.records.people.models import User

    walker = person(roles=("NOC engineer",))
    client, every = entered(walker), {page for _, pages in PAGES.values() for page in pages}
    closed = dict.fromkeys(
        ("Dashboard", "Broadcasts", "Messages", "Conversations and chatbots", "Reports", "Sender IDs")
    )
    nothing = dict.fromkeys(closed, "none")
    assert len(client.get("/portal/overview/").context["menu"]) == 3
    for line, (group, pages) in PAGES.items():
        for level in ("view", "manage"):
            User.objects.filter(pk=walker.pk).update(deviations=nothing | {line: level})
            first = client.get("/portal/", follow=True)
            assert [*menu_of(first)] == [group], line
            for page in every:
                answer = client.get(f"/portal/{page}/")
                assert answer.status_code == (200 if page in pages else 403), (line, level, page)
            for page in ("users", "departments"):
                wanted = 200 if page in pages and level == "manage" else 403
                assert client.get(f"/portal/{page}/new/").status_code == wanted, (line, level, page)
            csv = client.get(f"/portal/{pages[0]}/csv/")
            assert csv.status_code == (404 if pages[0] == "overview" else 403), "Export is a line of its own"
    User.objects.filter(pk=walker.pk).update(deviations=nothing)
    answer = client.get("/portal/")
    assert answer.status_code == 403 and "There is nothing here for you yet" in answer.content.decode()
    assert client.get("/portal/find/?q=a").status_code == 200


def test_CP_15_CP_20_CP_57_CP_62_CP_76_the_admin_sees_what_the_company_has_and_what_it_costs_it() -> None:
    from relais.records.traffic.models import Message

    client = entered(person())
    page = client.get("/portal/", follow=True)
    assert menu_of(page) == {
        "Dashboard": ["Dashboard"], "Statistics": ["Messages"], "Assets": ["Sender IDs"],
        "Finance": ["Balances", "Services and packs"], "Users": ["Users", "Departments"],
    }  # fmt: skip
    text = page.content.decode()
    for words in ("TM-1", "SMS service", "Monsters", f"Client of {ABOVE}", CLIENT, "Today", "7 days", "30 days"):
        assert words in text, words
    assert "100.00\xa0<span" in text and "0.00\xa0<span" in text, "the balance and the limit of TM-1"
    for words in ("Nobody&#x27;s business", "HH-1", "SMS wholesale", "Strange"):
        assert words not in text and words not in client.get("/portal/services/").content.decode(), words
    message = Message.objects.get(company__name=CLIENT)
    listed = client.get("/portal/messages/").content.decode()
    view = client.get(f"/portal/messages/{message.pk}/", headers=SCRIPTED).content.decode()
    for shown in (listed, view):
        assert "0.0400\xa0<span" in shown and "0.0300" not in shown, "its own price, never its seller's"
    assert "Simulator" not in view, "nor by which vendor"
    lines = b"".join(client.get("/portal/messages/csv/?columns=all").streaming_content).decode()
    assert len(lines.splitlines()) == 2 and "0.0400" in lines
    for name in ("balances", "services", "sender-ids", "users", "departments"):
        drawer = client.get(f"/portal/{name}/{key_of(name, 'client')}/", headers=SCRIPTED)
        assert drawer.status_code == 200, name
        assert ("Edit" in drawer.content.decode()) == (name in ("users", "departments")), name
    found = client.get("/portal/find/?q=Monsters").content.decode()
    assert "/portal/sender-ids/" in found and "/bo/" not in found


def test_CP_72_CP_81_the_head_shows_the_balances_and_what_keeps_the_company_from_sending() -> None:
    """To whom its lines show them, in two queries at most."""
    from django.db import connection
    from django.test import RequestFactory
    from django.test.utils import CaptureQueriesContext
    from django.urls import set_urlconf

    from relais.pages.viewer import Viewer
    from relais.portal.header import header_of
    from relais.records.agreements.models import Balance
    from relais.records.senders.models import SenderId

    admin, engineer = person(), person(roles=("NOC engineer",))
    wallet, calm = 'aria-label="Balance of agreement TM-1"', "Nothing keeps your company from sending."
    page = entered(admin).get("/portal/users/").content.decode()
    head = page.partition("<header")[2].partition("</header>")[0]
    assert wallet in head and "100.00\xa0<span" in head and calm in head and 'data-open="help"' in head
    page = entered(engineer).get("/portal/overview/").content.decode()
    assert wallet not in page and calm in page
    senders, balance = (
        SenderId.objects.filter(company__name=CLIENT),
        Balance.objects.filter(agreement__agreement_code="TM-1"),
    )
    was = balance.get().balance_micros
    senders.update(status="blocked")
    balance.update(balance_micros=0)
    try:
        page = entered(admin).get("/portal/users/").content.decode()
        assert "Agreement TM-1 has nothing left to spend" in page and calm not in page
        assert "Sender ID Monsters is blocked" in page and 'class="cnt">2<' in page
        page = entered(engineer).get("/portal/overview/").content.decode()
        assert "TM-1 has nothing left" not in page and "Sender ID Monsters is blocked" in page
        assert "Monsters" not in entered(person("Strange Client")).get("/portal/overview/").content.decode()
        request = RequestFactory().get("/")
        request.user, request.session = admin, {}
        viewer = Viewer(request)
        assert viewer.may("Sender IDs")
        set_urlconf("relais.portal.urls")
        with CaptureQueriesContext(connection) as asked:
            assert len(header_of(viewer).notices) == 2
        assert len(asked) == 2
    finally:
        set_urlconf(None)
        senders.update(status="active")
        balance.update(balance_micros=was)


def test_CP_27_My_account_and_the_pages_that_say_no_are_those_of_the_portal() -> None:
    client = entered(person())
    for url in ("account/", "account/security/", "account/about/", "documentation/"):
        answer = client.get(f"/portal/{url}")
        assert answer.status_code == 200, url
        assert "/bo/" not in answer.content.decode(), url
    assert client.post("/portal/theme/", {"theme": "dark"}).cookies["theme"].value == "dark"
    for url in ("/portal/nowhere/", "/portal/users/999999/"):
        answer = client.get(url)
        page = answer.content.decode()
        assert answer.status_code == 404 and 'href="/portal/users/"' in page and "/bo/" not in page, url
    assert client.get("/bo/nowhere/").status_code == 404


def test_GEN_63_records_of_others_do_not_exist() -> None:
    """Those of another branch; those of clients, to a reseller's people; those of the BackOffice."""
    from tests.pages.conformance import user_of

    theirs = {"client": person(), "reseller": person(ABOVE)}
    strange = person("Strange Client")
    strange_keys = {name: key_of(name, strange.login) for name in ("balances", "services", "messages", "sender-ids")}
    strange_keys |= {"users": strange.pk, "departments": key_of("departments", strange.login)}
    for name, key in strange_keys.items():
        for who, user in theirs.items():
            assert entered(user).get(f"/portal/{name}/{key}/", headers=SCRIPTED).status_code == 404, (who, name)
        assert entered(strange).get(f"/portal/{name}/{key}/", headers=SCRIPTED).status_code == 200, name
    reseller = entered(theirs["reseller"])
    for name in ("balances", "services", "messages", "sender-ids"):
        key = key_of(name, theirs["client"].login)
        assert reseller.get(f"/portal/{name}/{key}/", headers=SCRIPTED).status_code == 404, name
    own = reseller.get("/portal/balances/").content.decode()
    assert "HH-1" in own and "TM-1" not in own, "what it buys under, not what it sells"
    for other in (theirs["client"], user_of("reseller")):
        for verb in ("", "edit/", "delete/"):
            for method in ("get", "post"):
                answer = getattr(reseller, method)(f"/portal/users/{other.pk}/{verb}", headers=SCRIPTED)
                assert answer.status_code in ((404,) if verb or method == "get" else (404, 405)), (other, verb)
    assert type(strange).objects.filter(pk__in=[theirs["client"].pk, user_of("reseller").pk]).count() == 2


def test_CP_14_CP_18_CP_19_CP_25_USR_44_USR_61_an_admin_adds_a_broadcast_manager_who_begins_to_work() -> None:
    """The story of a client's company, through the doors of the portal."""
    from django.test import Client

    from relais.records.people.models import AuditAction, User

    carla, form = Client(), sent(login="bruno")
    carla.post("/portal/log-in/", {"login": "client", "password": "Carla-demo-2025"})
    answer = carla.post("/portal/users/new/", form, headers=SCRIPTED)
    assert answer.status_code == 204, answer.content.decode()
    bruno = User.objects.get(login="bruno")
    assert (bruno.company.name, bruno.interface) == (CLIENT, "client_portal")
    assert [role.name for role in bruno.roles.all()] == ["Broadcast manager"]
    added = AuditAction.objects.filter(action="Add User").latest("pk")
    assert added.user_name.startswith("Carla Client") and added.interface == "client_portal"

    browser = Client()
    answer = browser.post("/portal/log-in/", {"login": "bruno", "password": PASSWORD})
    assert answer.headers["Location"] == "/portal/log-in/password/"
    assert browser.get("/portal/overview/").status_code == 302, "not in yet"
    chosen = {"new_password": "Campaigns-1861", "confirm_password": "Campaigns-1861"}
    answer = browser.post("/portal/log-in/password/", chosen)
    assert answer.status_code == 302 and answer.headers["Location"] == "/portal/"
    page = browser.get("/portal/", follow=True)
    assert menu_of(page) == {
        "Dashboard": ["Dashboard"], "Statistics": ["Messages"], "Assets": ["Sender IDs"], "Finance": ["Services and packs"],
    }  # fmt: skip
    assert "Balance of agreement" not in page.content.decode() and "SMS service" in page.content.decode()
    for closed in ("users/", "users/new/", "departments/", "balances/"):
        assert browser.get(f"/portal/{closed}").status_code == 403, closed

    edit = f"/portal/users/{bruno.pk}/edit/"
    disabled = sent(login="bruno", password="", password_again="", is_active="")
    assert carla.post(edit, disabled, headers=SCRIPTED).status_code == 204
    assert browser.get("/portal/overview/").status_code == 302, "out with the next request"
    assert carla.post(f"/portal/users/{bruno.pk}/delete/", headers=SCRIPTED).status_code == 204
    assert not User.objects.filter(login="bruno").exists()
    assert "bruno" not in carla.get("/portal/users/").content.decode()


def test_ROLE_27_USR_46_USR_67_USR_68_what_an_admin_cannot_give_or_take_is_refused_with_a_reason() -> None:
    from relais.records.people.models import Role, User

    admin = person()
    client, before = entered(admin), User.everybody.count()
    offered = client.get("/portal/users/new/?options=roles", headers=SCRIPTED).content.decode()
    for name in ("Admin", "Broadcast manager", "Finance manager", "NOC engineer", "Campaign editor"):
        assert name in offered, name
    assert "Rate manager" not in offered and "Client manager" not in offered
    inside = Role.objects.get(interface="backoffice", key="rate_manager")
    wrong = {
        "roles": sent(roles=inside.pk),
        "no_restrictions": sent(no_restrictions="on"),
        "department": sent(department=""),
        "phone": sent(two_factor="on"),
        "password_again": sent(password_again="Another-1852"),
        "login": sent(login="CLIENT"),
        "e_mail": sent(e_mail="nowhere"),
    }
    for field, form in wrong.items():
        answer = client.post("/portal/users/new/", form, headers=SCRIPTED)
        assert answer.status_code == 422, field
        assert [*answer.context["drawer"].form.errors] == [field], answer.context["drawer"].form.errors
    assert User.everybody.count() == before
    own = sent(login=admin.login, password="", password_again="", is_active="", roles=admin.roles.get().pk)
    answer = client.post(f"/portal/users/{admin.pk}/edit/", own, headers=SCRIPTED)
    assert answer.status_code == 422 and "is_active" in answer.context["drawer"].form.errors
    answer = client.post(f"/portal/users/{admin.pk}/delete/", headers=SCRIPTED)
    assert answer.status_code == 409 and "your own account" in answer.content.decode()
    above = User.objects.get(login="client")  # without restrictions
    answer = client.post(f"/portal/users/{above.pk}/delete/", headers=SCRIPTED)
    assert answer.status_code == 409 and "may do more than you" in answer.content.decode()
    assert User.objects.filter(pk__in=[admin.pk, above.pk], is_active=True).count() == 2


def test_CP_29_USR_50_USR_51_USR_78_departments_are_the_companys_own_beside_two_that_always_exist() -> None:
    from relais.records.people.models import Department

    client = entered(person())
    assert client.post("/portal/departments/new/", {"name": "Night shift"}, headers=SCRIPTED).status_code == 204
    made = Department.objects.get(name="Night shift")
    assert made.company.name == CLIENT
    for name in ("night SHIFT", "Admin", ""):
        answer = client.post("/portal/departments/new/", {"name": name}, headers=SCRIPTED)
        assert answer.status_code == 422 and "name" in answer.context["drawer"].form.errors, name
    listed = client.get("/portal/departments/").content.decode()
    for name in ("Night shift", "Delivery questions", "Admin", "First line support"):
        assert name in listed, name
    assert "Strange questions" not in listed
    predefined = Department.objects.get(company=None, name="Admin")
    assert client.get(f"/portal/departments/{predefined.pk}/edit/", headers=SCRIPTED).status_code == 404
    assert client.post(f"/portal/departments/{predefined.pk}/delete/", headers=SCRIPTED).status_code == 404
    assert client.post("/portal/users/new/", sent(department=made.pk), headers=SCRIPTED).status_code == 204
    answer = client.post(f"/portal/departments/{made.pk}/delete/", headers=SCRIPTED)
    assert answer.status_code == 409 and Department.objects.filter(pk=made.pk).exists()


def test_PWD_13_a_link_to_set_a_password_leads_to_the_portal() -> None:
    from django.core import mail
    from django.test import override_settings

    from relais.records.access.mails import send_reset_mails

    user = person()
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        assert send_reset_mails("client_portal", user.login, "http://testserver/", "Client portal") == 1
        assert "http://testserver/portal/reset/" in mail.outbox[-1].body
        link = mail.outbox[-1].body.split("http://testserver")[1].split()[0]
    from django.test import Client

    browser = Client()
    form = browser.get(link, follow=True)
    assert form.status_code == 200 and form.redirect_chain[0][0].startswith("/portal/reset/")
    chosen = {"new_password": "Another-one-1852", "confirm_password": "Another-one-1852"}
    answer = browser.post(form.redirect_chain[0][0], chosen)
    assert answer.status_code == 302 and answer.headers["Location"] == "/portal/log-in/"
    assert browser.post("/portal/log-in/", {"login": user.login, "password": "Another-one-1852"}).status_code == 302
