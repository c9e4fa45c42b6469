"""Who may sign in, and for how long they stay in."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from tests.records.conftest import Books
from tests.records.test_dictionaries_and_people import new_user

PASSWORD = "Lovelace-1"
BACKEND = "relais.records.people.backends.InterfaceBackend"
cheaply = pytest.mark.usefixtures("cheap_passwords")


def authenticated(login: str = "ada", password: str = PASSWORD, interface: str = "backoffice") -> Any:
    from django.contrib.auth import authenticate

    return authenticate(None, login=login, password=password, interface=interface)


@cheaply
def test_USR_76_a_log_in_holds_for_its_interface_and_is_compared_without_case(books: Books) -> None:
    user = new_user(books.reseller, interface="backoffice")
    portal_user = new_user(books.client, interface="client_portal")
    assert authenticated("ADA") == user
    assert authenticated("Ada", interface="client_portal") == portal_user
    for refused in (
        authenticated(password="Lovelace-2"),
        authenticated(password=""),
        authenticated(password="x" * 129),
        authenticated("nobody"),
        authenticated("a\0da"),
        authenticated("a%"),
        authenticated(interface="elsewhere"),
    ):
        assert refused is None


@pytest.mark.parametrize("login", ["ada", "nobody", "bad\0login"])
def test_PWD_25_a_wrong_guess_costs_one_hash_whether_or_not_the_login_exists(
    books: Books, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    new_user(books.reseller, interface="backoffice")
    hashed = []
    encode = PBKDF2PasswordHasher.encode

    def counted(self: Any, password: str, salt: str, iterations: int | None = None) -> str:
        hashed.append(iterations or self.iterations)
        return str(encode(self, password, salt, iterations))

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", counted)
    assert authenticated(login, "Lovelace-2") is None
    assert hashed == [PBKDF2PasswordHasher.iterations]


@cheaply
def test_USR_64_who_is_not_enabled_is_neither_let_in_nor_left_in(books: Books) -> None:
    from relais.records.people.backends import InterfaceBackend

    user = new_user(books.reseller, interface="backoffice")
    assert InterfaceBackend().get_user(user.pk) == user
    user.is_active = False
    user.save()
    assert (authenticated(), InterfaceBackend().get_user(user.pk)) == (None, None)


@cheaply
@pytest.mark.parametrize("disabled", ["owner", "reseller", "client"])
def test_CO_58_CO_59_USR_65_a_disabled_company_keeps_out_its_users_and_those_of_every_company_below(
    books: Books, disabled: str
) -> None:
    from relais.records.people.backends import InterfaceBackend

    levels = ["owner", "reseller", "client"]
    users = [new_user(getattr(books, name), login=name) for name in levels]
    company = getattr(books, disabled)
    company.enabled = False
    company.save()
    still_in = users[: levels.index(disabled)]
    assert [user for user in users if authenticated(user.login, interface="client_portal")] == still_in
    assert [user for user in users if InterfaceBackend().get_user(user.pk)] == still_in


@cheaply
def test_the_backoffice_is_for_those_who_sell(books: Books) -> None:
    from relais.records.people.models import User

    new_user(books.owner, interface="backoffice", login="owner")
    user = new_user(books.reseller, interface="backoffice")
    assert authenticated("owner") is not None
    User.objects.filter(pk=user.pk).update(company=books.client)
    assert authenticated() is None


@cheaply
def test_a_request_asks_once_who_is_in(books: Books) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from relais.records.people.backends import InterfaceBackend

    user = new_user(books.reseller, interface="backoffice")
    with CaptureQueriesContext(connection) as queries:
        found = InterfaceBackend().get_user(user.pk)
        assert found is not None
        assert found.company.name == "Reseller"
    assert len(queries) == 1


@cheaply
def test_a_session_ends_with_the_next_request_after_its_user_is_blocked(books: Books) -> None:
    user = new_user(books.reseller, interface="backoffice")
    with site() as client:
        client.force_login(user, BACKEND)
        assert client.get("/whoami/").content == b"ada en UTC"
        books.reseller.enabled = False
        books.reseller.save()
        assert client.get("/whoami/").content == b"nobody en UTC"


@cheaply
def test_a_changed_password_ends_the_sessions_begun_with_the_former(books: Books) -> None:
    user = new_user(books.reseller, interface="backoffice")
    with site() as client:
        client.force_login(user, BACKEND)
        user.set_password("Lovelace-2")
        user.save()
        assert client.get("/whoami/").content == b"nobody en UTC"


@cheaply
def test_GEN_64_language_and_zone_are_the_persons(books: Books) -> None:
    user = new_user(books.reseller, interface="backoffice", language="es", timezone="Europe/Madrid")
    with site() as client:
        client.force_login(user, BACKEND)
        assert client.get("/whoami/").content == b"ada es Europe/Madrid"
        client.logout()
        assert client.get("/whoami/").content == b"nobody en UTC"


@cheaply
def test_PWD_10_a_session_ends_after_60_minutes_without_a_request(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = new_user(books.reseller, interface="backoffice")
    clock = Clock(monkeypatch)
    with site() as client:
        client.force_login(user, BACKEND)
        for _ in range(3):  # each request begins the hour anew
            assert client.get("/whoami/").content == b"ada en UTC"
            clock.forward(minutes=60)
        assert client.get("/whoami/").content == b"ada en UTC"
        clock.forward(minutes=61, seconds=1)
        assert client.get("/whoami/").content == b"nobody en UTC"


@cheaply
def test_a_session_is_written_at_most_once_a_minute(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    user = new_user(books.reseller, interface="backoffice")
    clock = Clock(monkeypatch)
    with site() as client:
        client.force_login(user, BACKEND)
        client.get("/whoami/")
        assert writes(client) == 0
        clock.forward(seconds=59)
        assert writes(client) == 0
        clock.forward(seconds=1)
        assert writes(client) == 1


@cheaply
def test_PWD_26_what_a_page_asks_by_itself_is_no_activity(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    user = new_user(books.reseller, interface="backoffice")
    clock = Clock(monkeypatch)
    with site() as client:
        client.force_login(user, BACKEND)
        client.get("/whoami/")
        for _ in range(2):
            clock.forward(minutes=30)
            assert client.get("/whoami/", headers={"Relais-Background": "1"}).content == b"ada en UTC"
        clock.forward(minutes=1, seconds=1)
        assert client.get("/whoami/").content == b"nobody en UTC"


@cheaply
def test_cookies_are_kept_from_scripts_and_from_other_sites(books: Books) -> None:
    user = new_user(books.reseller, interface="backoffice")
    with site() as client:
        client.force_login(user, BACKEND)
        cookie = client.get("/whoami/").cookies["relais_session"]
        assert (bool(cookie["httponly"]), cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert client.get("/whoami/").headers["X-Frame-Options"] == "DENY"


@cheaply
def test_a_form_without_its_token_is_refused(books: Books) -> None:
    with site(enforce_csrf_checks=True) as client:
        assert client.post("/whoami/").status_code == 403


def test_what_serves_pages_keeps_cookies_to_https_and_connections_open(db: str) -> None:
    program = """if True:
        import json, sys
        from relais.records.django_settings import configure, configure_web
        configure(sys.argv[1], "key")
        configure_web(sys.argv[1], "key", allowed_hosts=["relais.example"], secure_cookies=True, middleware=["its.own"],
                      trusted_origins=["https://relais.example"], LOGIN_URL="/elsewhere/")
        from django.conf import settings
        from django.core import checks
        from django.db import connection
        names = ["DEBUG", "ALLOWED_HOSTS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "CSRF_TRUSTED_ORIGINS", "LOGIN_URL"]
        print(json.dumps([[getattr(settings, name) for name in names], settings.MIDDLEWARE[:2],
                          [connection.settings_dict[name] for name in ("CONN_MAX_AGE", "CONN_HEALTH_CHECKS")],
                          [error.id for error in checks.run_checks(tags=["models", "templates"]) if not error.is_silenced()]]))
    """
    done = subprocess.run(
        [sys.executable, "-c", program, db], capture_output=True, text=True, timeout=60, check=False, env={}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == [
        [False, ["relais.example"], True, True, ["https://relais.example"], "/elsewhere/"],
        ["django.middleware.security.SecurityMiddleware", "its.own"],
        [None, True],
        [],
    ]


def test_names_for_people_where_there_is_room_for_them_and_where_not() -> None:
    from relais.records.people.models import User

    ada = User(login="ada", first_name="ada", middle_name="King", last_name=" lovelace ")
    assert (ada.full_name, ada.initials, str(ada)) == ("ada King lovelace", "AL", "ada")
    assert (User(login="x1", first_name=" ").full_name, User(login="x1").initials) == ("x1", "X")


class Clock:
    """What the time is for the sessions of Django and for ours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from datetime import UTC, datetime

        from relais.records.people import middleware

        self.now = datetime.now(UTC)
        monkeypatch.setattr("django.utils.timezone.now", lambda: self.now)
        monkeypatch.setattr(middleware, "time", lambda: self.now.timestamp())

    def forward(self, **duration: int) -> None:
        from datetime import timedelta

        self.now += timedelta(**duration)


def writes(client: Any) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        assert client.get("/whoami/").content == b"ada en UTC"
    return sum(query["sql"].startswith("UPDATE") for query in queries)


@contextmanager
def site(**options: Any) -> Iterator[Any]:
    """A browser on a site of one page, which says who asks, and in which language and zone."""
    from django.http import HttpRequest, HttpResponse
    from django.test import Client, override_settings
    from django.urls import path
    from django.utils import timezone, translation

    def whoami(request: HttpRequest) -> HttpResponse:
        user: Any = request.user  # type: ignore[attr-defined]  # the middleware's
        name = user.login if user.is_authenticated else "nobody"
        return HttpResponse(f"{name} {translation.get_language()} {timezone.get_current_timezone_name()}")

    urls = ModuleType("urls_of_this_test")
    urls.urlpatterns = [path("whoami/", whoami)]  # type: ignore[attr-defined]  # a module made here
    with override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"]):
        yield Client(**options)
