"""What holds for every URL and every form of the BackOffice: nobody gets in without a session, nothing is sent from elsewhere,
every answer says what a browser may do with it, and whatever is typed breaks nothing."""

from typing import Any

import pytest
from tests.pages.conformance import (
    SCRIPTED,
    STRANGER,
    World,
    by_session,
    csv_of,
    entity,
    entity_names,
    is_added,
    keeper_of,
    of_form,
    typed_everywhere,
    url_of,
    urls_of_site,
    user_of,
)
from tests.pages.conftest import RESELLER

PUBLIC = {
    "/bo/log-in/",
    "/bo/log-in/code/",
    "/bo/log-in/password/",
    "/bo/log-out/",
    "/bo/theme/",
    "/bo/reset/",
    "/bo/generated-password/",
}
PARTS = {"rates-level"}  # of a page, which says of what
each_entity = pytest.mark.parametrize("name", entity_names())
TEXT = "=<script>alert(1)</script> \N{ARABIC LETTER MEEM}\N{ARABIC LETTER REH} e\N{COMBINING ACUTE ACCENT}"
SHORT_TEXT = "=<b>e\N{COMBINING ACUTE ACCENT}"
LONG_COUNT = 5_000
METHODS = ("get", "post")


def behind_the_log_in() -> list[str]:
    return sorted(url for url in set(urls_of_site()) - PUBLIC if not url.startswith("/bo/reset/"))


@pytest.fixture
def visitor(world: World) -> Any:
    from tests.pages.minding import MindingClient

    return MindingClient()


def test_one_record_is_called_by_a_singular_on_both_sites(world: World) -> None:
    from relais.backoffice.site import BACKOFFICE
    from relais.portal.site import PORTAL

    for site in (BACKOFFICE, PORTAL):
        for each in site.entities.values():
            noun = each.label.partition(" of ")[0]
            assert not noun.endswith("s") or noun.endswith("ss"), each.name


def test_nobody_gets_anywhere_without_a_session(visitor: Any) -> None:
    urls = behind_the_log_in()
    assert len(urls) > 100
    for url in urls:
        for method in METHODS:
            answer = getattr(visitor, method)(url)
            assert answer.status_code == 302, (method, url)
            assert answer.headers["Location"] == f"/bo/log-in/?next={url.replace('/', '%2F')}", (method, url)
            script = getattr(visitor, method)(url, headers=SCRIPTED)
            assert script.status_code == 401 and "Your session has ended" in script.content.decode(), (method, url)


def test_a_person_of_the_client_portal_gets_nowhere(world: World) -> None:
    client = by_session("client")
    for url in ("/bo/", "/bo/banks/", "/bo/messages/", "/bo/find/?q=a"):
        answer = client.get(url)
        assert answer.status_code == 302 and answer.headers["Location"].startswith("/bo/log-in/"), url


def test_nothing_is_sent_from_another_site(world: World) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(user_of("reseller"))
    for url in urls_of_site():
        assert client.post(url, {"sure": "1"}).status_code == 403, url
    elsewhere = client.post("/bo/theme/", {"theme": "dark"}, headers={"Origin": "https://elsewhere.example"})
    assert elsewhere.status_code == 403


def test_every_answer_says_what_a_browser_may_do_with_it(visitor: Any, world: World) -> None:
    """Asked of every answer that these tests get: here of pages that no other test has, and that a silent one is found out."""
    from django.http import HttpResponse
    from tests.pages.minding import SAID_ALWAYS, mind

    urls, statuses = ["/", "/bo/nowhere/", "/bo/log-in/?next=/bo/banks/", *sorted(PUBLIC - {"/bo/log-out/"})], set()
    for client in (world.client("reseller"), visitor):
        statuses |= {getattr(client, method)(url).status_code for url in urls for method in METHODS}
    assert {200, 302, 404, 405} <= statuses and 500 not in statuses
    for name in (*SAID_ALWAYS, "Content-Security-Policy", "Cache-Control", "Permissions-Policy"):
        told = visitor.get("/bo/log-in/")
        del told.headers[name]
        with pytest.raises((AssertionError, KeyError)):
            mind(told, name)
    with pytest.raises(AssertionError):
        mind(HttpResponse(b"<p style='color: red'>", headers=dict(visitor.get("/bo/log-in/").headers)), "inline")


def test_a_page_of_a_record_of_another_branch_does_not_exist(world: World) -> None:
    from django.urls import reverse

    from relais.backoffice.site import BACKOFFICE
    from relais.records.senders.models import SenderRegistration

    with_document = SenderRegistration.objects.filter(pk=world.strange["sender-registrations"])
    with_document.update(document=b"%PDF-1.7", document_name="paper.pdf")
    tried = []
    for screen in BACKOFFICE.screens.values():
        name = screen.route.partition("/")[0]
        if "<" not in screen.route or name not in world.strange:
            continue
        if screen.route.count("<") > 1:
            continue  # of a record within the record: its own tests go there
        url = reverse(screen.name, args=[world.strange[name]])
        assert world.client("reseller").get(url).status_code == 404, url
        if screen.name not in PARTS:
            assert world.client(STRANGER).get(url).status_code == 200, url
        tried.append(screen.name)
    assert len(tried) > 5


def test_a_session_that_ended_goes_on_where_it_was_after_the_log_in(world: World) -> None:
    client = by_session("reseller")
    assert client.get("/bo/banks/?q=a&sort=name").status_code == 200
    client.session.flush()
    asked = client.get("/bo/banks/?q=a&sort=name")
    assert asked.status_code == 302
    page = client.get(asked.headers["Location"])
    assert page.status_code == 200
    sent = {"login": RESELLER[0], "password": RESELLER[1], "next": page.context["next"]}
    answer = client.post("/bo/log-in/", sent)
    assert answer.status_code == 302 and answer.headers["Location"] == "/bo/banks/?q=a&sort=name"
    assert client.get("/bo/log-in/").status_code == 302, "who is in need not log in"
    assert client.post("/bo/log-out/").status_code == 302
    assert client.get("/bo/banks/").status_code == 302


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", "\0", "/\\e.example"]
)
def test_a_log_in_leads_to_no_other_site(target: str, visitor: Any) -> None:
    sent = {"login": RESELLER[0], "password": RESELLER[1], "next": target}
    assert visitor.get("/bo/log-in/", {"next": target}).context["next"] == "/bo/"
    answer = visitor.post("/bo/log-in/", sent)
    assert answer.status_code == 302 and answer.headers["Location"] == "/bo/"


def test_a_wrong_log_in_tells_nothing_and_breaks_nothing(visitor: Any) -> None:
    told = set()
    for login, password in (
        ("reseller", "wrong"), ("nobody", "wrong"), ("", ""), ("a\0b", "\0"), ("x" * 5_000, "y" * 5_000),
        ("client", "Carla-demo-2025"),
    ):  # fmt: skip
        answer = visitor.post("/bo/log-in/", {"login": login, "password": password})
        assert answer.status_code == 401, login
        told.add(answer.context["error"])
    assert len(told) == 1
    assert visitor.get("/bo/").status_code == 302


@each_entity
def test_a_text_that_is_too_long_is_refused_beside_its_field(name: str, world: World) -> None:
    if not is_added(name):
        return
    typed = typed_everywhere(world, name, "x" * LONG_COUNT)
    assert typed.kept == {}, "no column takes as much"
    for field, words in typed.refused.items():
        assert words and all(len(word) < 300 for word in words), f"{field}: {words}"


@each_entity
def test_what_can_be_no_value_is_refused_beside_its_field(name: str, world: World) -> None:
    if not is_added(name):
        return
    client, values = world.keeper(name), of_form(name).new(user_of(keeper_of(name)).company)
    assert typed_everywhere(world, name, "a\0b").kept == {}
    for wrong in ("1\0", "x", "9" * 30):
        everywhere = client.post(f"/bo/{name}/new/", {key: wrong for key in values}, headers=SCRIPTED)
        assert everywhere.status_code == 422, wrong
        for key in values:
            options = client.get(f"/bo/{name}/new/", {key: wrong, "options": key, "term": wrong}, headers=SCRIPTED)
            assert options.status_code in (200, 404), (key, wrong)
        assert client.get(f"/bo/{name}/new/", {key: wrong for key in values}, headers=SCRIPTED).status_code == 200, (
            wrong
        )


@each_entity
def test_any_text_is_kept_as_typed_shown_as_text_and_harmless_in_csv(name: str, world: World) -> None:
    if not is_added(name):
        return
    client, declared = world.keeper(name), entity(name)
    typed = typed_everywhere(world, name, TEXT, SHORT_TEXT)
    record = declared.model.objects.get(pk=typed.key)
    for field, text in typed.kept.items():
        assert getattr(record, field, text) == text, f"{field} is not as it was typed"
    pages = [client.get(url_of(name, typed.key)).content.decode()]
    if declared.form:
        pages.append(client.get(url_of(name, typed.key, "edit"), headers=SCRIPTED).content.decode())
    if declared.deletes:
        pages.append(client.get(url_of(name, typed.key, "delete"), headers=SCRIPTED).content.decode())
    try:
        client.post(f"/bo/{name}/columns/", {"columns": [column.key for column in declared.columns]})
        listed = client.get(f"/bo/{name}/")
        pages.append(listed.content.decode())
    finally:
        client.post(f"/bo/{name}/columns/", {"columns": []})
    pages.append(client.get("/bo/find/", {"q": "alert(1)"}).content.decode())
    on_page = str(typed.key) in [str(row.pk) for row in listed.context["list"].table]
    for page in (*pages, *typed.answers):
        assert "<script>alert(1)" not in page and "<b>e\N{COMBINING ACUTE ACCENT}" not in page
    heading, line = csv_of(client, f"/bo/{name}/csv/?ids={typed.key}&columns=all")
    assert not [cell for cell in line if cell.startswith(("=", "+", "@", "\t", "\r"))]
    columns = [column.key for column in declared.columns]
    for field, text in typed.kept.items():
        if field in columns:
            assert line[columns.index(field)] == f"'{text}", heading[columns.index(field)]
            assert "&lt;" in pages[-2] or not on_page, "and the list shows it"
