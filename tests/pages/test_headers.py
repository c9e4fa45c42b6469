"""What a browser is told and given: over TLS, with cookies, from behind proxies. That every answer has the headers, and that
nothing is taken without a token, is in test_site.py."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SECRET_KEY
from tests.pages.conformance import by_session, urls_of_site, user_of
from tests.pages.conftest import RESELLER, pages_on

from relais.settings import Settings

SERVED = Settings(
    data_dir=Path(), secret_key=SECRET_KEY, web_names=("testserver",), web_tls=True, web_proxies=2
)  # over TLS, behind two proxies
BY_TLS = {"X-Forwarded-Proto": "https"}


@pytest.fixture
def served(spain_db: str) -> Iterator[None]:
    """The pages as they are set up behind proxies that serve TLS."""
    from relais.backoffice.main import configure_pages

    with pages_on(spain_db):
        configure_pages(replace(SERVED, database_url=spain_db))
        yield


def test_GEN_74_over_tls_cookies_are_for_tls_alone_and_browsers_stay_with_it(served: None) -> None:
    from django.test import Client

    client = Client(headers=BY_TLS)
    page = client.get("/bo/log-in/", headers={"X-Request-Id": "mine-7"})
    assert page.headers["X-Request-Id"] == "mine-7"
    assert client.get("/bo/nowhere/", headers={"X-Request-Id": "a b"}).headers["X-Request-Id"] != "a b"
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in Client().get("/bo/log-in/").headers, (
        "not over plain HTTP: nobody would heed it"
    )
    answer = client.post("/bo/log-in/", {"login": RESELLER[0], "password": RESELLER[1]})
    assert answer.status_code == 302
    client.post("/bo/theme/", {"theme": "dark"})
    names = {"relais_session", "relais_csrf", "theme"}
    assert set(client.cookies) == names
    for name in names:
        cookie = client.cookies[name]
        assert (bool(cookie["secure"]), bool(cookie["httponly"]), cookie["samesite"]) == (True, True, "Lax"), name
        assert cookie["domain"] == "" and cookie["path"] == "/", name


def test_AUD_12_an_address_is_believed_from_trusted_proxies_only(served: None) -> None:
    from django.test import Client

    from relais.records.people.models import AuditAction

    def told(forwarded: str, *, proxies: int = 2) -> str | None:
        from django.conf import settings

        settings.TRUSTED_PROXIES_COUNT = proxies
        headers = BY_TLS | ({"X-Forwarded-For": forwarded} if forwarded else {})
        answer = Client(headers=headers).post(
            "/bo/log-in/", {"login": "nobody", "password": ""}, REMOTE_ADDR="192.0.2.9"
        )
        assert answer.status_code == 401
        return AuditAction.objects.latest("pk").ip_address

    assert told("198.51.100.1, 203.0.113.5") == "198.51.100.1"
    assert told("6.6.6.6, 198.51.100.1, 203.0.113.5") == "198.51.100.1", (
        "what the visitor wrote in front is not looked at"
    )
    assert told("203.0.113.5") == "192.0.2.9", "fewer than there are proxies: none of ours"
    assert told("nonsense, 203.0.113.5") is None
    assert told("") == "192.0.2.9"
    assert told("6.6.6.6", proxies=0) == "192.0.2.9"


def test_nobody_can_plant_a_session_and_a_log_out_ends_it_on_the_server(pages: str) -> None:
    from django.test import Client

    from relais.records.access.models import Session

    victim, planted = Client(), by_session("owner").session
    planted["mark"] = "of the attacker"
    planted.save()
    for key in (planted.session_key, "attackers-own-key-0123456789abcdef"):
        victim.cookies["relais_session"] = key
        answer = victim.post("/bo/log-in/", {"login": RESELLER[0], "password": RESELLER[1]})
        assert answer.status_code == 302
        own = victim.cookies["relais_session"].value
        assert own != key and Session.objects.filter(session_key=own).exists()
        assert "mark" not in victim.session, "nothing of the planted session goes on"
        of_key = Session.objects.filter(session_key=key).first()
        assert of_key is None or of_key.get_decoded()["_auth_user_id"] != str(user_of("reseller").pk)
    own = victim.cookies["relais_session"].value
    assert victim.post("/bo/log-out/").status_code == 302
    copy = Client()
    copy.cookies["relais_session"] = own
    assert copy.get("/bo/banks/").status_code == 302
    assert not Session.objects.filter(session_key=own).exists()


def test_a_token_of_another_session_is_no_token(pages: str) -> None:
    from django.test import Client

    own, other = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    for client in (own, other):
        client.force_login(user_of("reseller"))
    page = other.get("/bo/banks/").content.decode()
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    assert len(token) == 64
    own.get("/bo/banks/")
    for url in urls_of_site():
        assert own.post(url, {"csrfmiddlewaretoken": token}).status_code == 403, url
    assert other.post("/bo/theme/", {"theme": "", "csrfmiddlewaretoken": token}).status_code == 204


def test_static_files_are_what_their_type_says_and_for_our_pages_alone() -> None:
    from relais.backoffice.main import with_static_files

    def nothing(environ: Any, start: Any) -> list[bytes]:
        start("404 Not Found", [])
        return []

    files = with_static_files(nothing)
    for name in ("relais.js", "relais.css", "icons.svg"):
        told: dict[str, str] = {}
        status: list[str] = []

        def start(line: str, headers: list[tuple[str, str]], told: Any = told, status: Any = status) -> None:
            status.append(line)
            told.update(headers)

        list(files({"REQUEST_METHOD": "GET", "PATH_INFO": f"/static/relais/{name}"}, start))
        assert status == ["200 OK"], name
        assert told["X-Content-Type-Options"] == "nosniff"
        assert told["Cross-Origin-Resource-Policy"] == "same-origin" and "Access-Control-Allow-Origin" not in told
