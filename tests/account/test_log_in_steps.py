"""Log-in in steps: the password, the second factor, a new password where one is demanded; nobody is in before the last."""

from datetime import timedelta
from typing import Any

import pyotp
import pytest
from tests.account.conftest import PASSWORD, is_in, person, typed
from tests.conftest import relais

pytestmark = pytest.mark.usefixtures("spain")
SOON = {"new_password": "Babbage-1871", "confirm_password": "Babbage-1871"}


def app_of(user: Any) -> pyotp.TOTP:
    """An authenticator app that the person has switched on a while ago."""
    from django.utils import timezone

    from relais.records.access.actions.change_second_factor import add_authenticator

    app, now = pyotp.TOTP(pyotp.random_base32()), timezone.now() - timedelta(minutes=5)
    add_authenticator(user, app.secret, app.at(now), now, "")
    return app


def test_PWD_5_PWD_8_PWD_20_PWD_21_a_default_or_expired_password_is_changed_before_anything_else() -> None:
    from relais.records.access.models import Access
    from relais.records.people.models import AuditAction

    for why, user in (("default", person(must_change_password=True)), ("expired", person())):
        if why == "expired":
            changed = Access.objects.get(pk=user.pk).password_changed_at - timedelta(days=61)
            Access.objects.filter(pk=user.pk).update(password_changed_at=changed)
        client, answer = typed(user, next="/bo/banks/")
        assert answer.headers["Location"] == "/bo/log-in/password/" and not is_in(client), why
        page = client.get("/bo/log-in/password/")
        assert page.context["why"] == why and not AuditAction.objects.filter(user=user, action="Log in").exists()
        for sent, field in (
            ({"new_password": PASSWORD, "confirm_password": PASSWORD}, "new_password"),
            ({"new_password": "abcd1234", "confirm_password": "abcd1234"}, "new_password"),
            ({"new_password": "Babbage-1871", "confirm_password": "Babbage-1872"}, "confirm_password"),
            ({}, "new_password"),
        ):
            refused = client.post("/bo/log-in/password/", sent)
            assert refused.status_code == 422 and refused.context["form"].errors[field], sent
        assert not is_in(client)
        former = client.cookies["relais_session"].value
        answer = client.post("/bo/log-in/password/", SOON)
        assert answer.status_code == 302 and answer.headers["Location"] == "/bo/banks/"
        assert is_in(client) and client.cookies["relais_session"].value != former
        assert AuditAction.objects.filter(user=user, action="Log in").exists()
        assert client.get("/bo/log-in/password/").headers["Location"] == "/bo/log-in/", "there is nothing left to do"
        assert typed(user)[1].status_code == 401 and is_in(typed(user, "Babbage-1871")[0])


def test_ACC_52_USR_18_CO_26_with_two_factor_on_a_code_is_asked_after_the_password() -> None:
    from relais.records.people.models import AuditAction

    user = person()
    app = app_of(user)
    client, answer = typed(user, next="/bo/banks/")
    assert answer.headers["Location"] == "/bo/log-in/code/" and not is_in(client)
    assert client.get("/bo/log-in/password/").headers["Location"] == "/bo/log-in/"
    assert client.get("/bo/log-in/code/").context["way"] == "app"
    for wrong in ("000000", "", "x" * 40, "1\0", PASSWORD):
        assert client.post("/bo/log-in/code/", {"code": wrong}).status_code == 401, wrong
    assert AuditAction.objects.filter(user=user, action="Failed second factor").exists() and not is_in(client)
    former, code = client.cookies["relais_session"].value, app.now()
    assert client.post("/bo/log-in/code/", {"code": f"{code[:3]} {code[3:]}"}).headers["Location"] == "/bo/banks/"
    assert is_in(client) and client.cookies["relais_session"].value != former
    other, _ = typed(user)
    assert other.post("/bo/log-in/code/", {"code": code}).status_code == 401, "a code is taken once"
    assert not is_in(other)


def test_a_recovery_code_stands_in_once_for_the_app_that_is_lost() -> None:
    from relais.records.access.second_factor import new_recovery_codes

    user = person()
    app_of(user)
    codes = new_recovery_codes(user)
    assert len(set(codes)) == 10
    for code, status in ((codes[0].upper(), 302), (codes[0], 401), (codes[1], 302)):
        client, _ = typed(user)
        assert client.post("/bo/log-in/code/", {"code": code, "way": "recovery"}).status_code == status, code
        assert is_in(client) == (status == 302)
    assert user.recovery_codes.count() == 8
    assert all(not set(codes) & {row.code_hash} for row in user.recovery_codes.all())


def test_PWD_25_guesses_of_the_second_factor_are_limited() -> None:
    user = person()
    app = app_of(user)
    client, _ = typed(user)
    for _ in range(10):
        assert "not the code" in str(client.post("/bo/log-in/code/", {"code": "000000"}).context["form"].errors)
    assert "too often" in str(client.post("/bo/log-in/code/", {"code": app.now()}).context["form"].errors)
    assert not is_in(client)


def test_USR_74_CO_24_CO_25_ACC_53_who_must_have_a_second_factor_and_has_none_does_not_get_in() -> None:
    from relais.records.parties.models import Company

    user = person()
    Company.objects.filter(name="Hornes and Hooves").update(two_factor_required=True)
    try:
        client, answer = typed(user)
        assert (
            answer.status_code == 401 and "you have no way to pass it" in answer.context["error"] and not is_in(client)
        )
        app = app_of(user)
        client, answer = typed(user)
        assert answer.headers["Location"] == "/bo/log-in/code/"
        assert client.post("/bo/log-in/code/", {"code": app.now()}).status_code == 302
        page = client.post("/bo/account/app/remove/", {"current_password": PASSWORD})
        assert page.status_code == 422 and "your only one" in page.content.decode().replace("&#x27;", "'")
        page = client.post("/bo/account/number/disable/")
        assert "cannot be switched off" in page.content.decode()
    finally:
        Company.objects.filter(name="Hornes and Hooves").update(two_factor_required=False)


def test_what_was_shown_is_forgotten_when_the_password_changes_or_the_person_may_not_be_in_any_more() -> None:
    from relais.records.access.passwords import store_password
    from relais.records.people.models import User

    for change in (
        lambda user: store_password(user, "Other-1234", user.created_at, by_the_person=True),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    ):
        user = person()
        app = app_of(user)
        client, _ = typed(user)
        change(user)
        assert client.post("/bo/log-in/code/", {"code": app.now()}).headers["Location"] == "/bo/log-in/"
        assert not is_in(client)


def test_PWD_25_USR_75_one_answer_for_who_is_known_and_who_is_not_also_when_there_were_too_many() -> None:
    from django.test import Client

    user, answers = person(), []
    for login in (user.login, "nobody-at-all"):
        client = Client(REMOTE_ADDR=f"10.0.0.{len(answers)}")
        told = [client.post("/bo/log-in/", {"login": login, "password": "wrong"}) for _ in range(11)]
        answers.append([(answer.status_code, answer.context["error"]) for answer in told])
        right = client.post("/bo/log-in/", {"login": login, "password": PASSWORD})
        assert right.status_code == 429 and not is_in(client)
    assert answers[0] == answers[1]
    assert [status for status, _ in answers[0]] == [401] * 10 + [429]
    user.refresh_from_db()
    assert user.last_login is None


def test_USR_75_PWD_9_a_log_in_is_the_last_access_and_a_blocked_person_gets_the_same_answer_as_a_wrong_one() -> None:
    from relais.records.access.models import Access

    user = person()
    assert is_in(typed(user)[0])
    user.refresh_from_db()
    assert user.last_login is not None
    Access.objects.filter(pk=user.pk).update(last_access_at=user.created_at - timedelta(days=182))
    client, blocked = typed(user)
    _, wrong = typed(user, "wrong")
    assert (blocked.status_code, blocked.context["error"]) == (wrong.status_code, wrong.context["error"])
    user.refresh_from_db()
    assert user.blocked_at is not None and not is_in(client)


def test_PWD_10_the_policys_minutes_of_idleness_end_a_session() -> None:
    from relais.records.access.actions.save_password_policy import save_password_policy
    from relais.records.access.models import PasswordPolicy, Session

    user = person()
    client, _ = typed(user)
    client.get("/bo/account/")
    session = Session.objects.get(user=user)
    assert round((session.expire_date - session.seen_at) / timedelta(minutes=1)) == 61
    policy = save_password_policy(PasswordPolicy(company=user.company, idle_minutes=20))
    try:
        client, _ = typed(user)
        client.get("/bo/account/")
        session = Session.objects.filter(user=user).order_by("-started_at")[0]
        assert round((session.expire_date - session.seen_at) / timedelta(minutes=1)) == 21
    finally:
        policy.delete()


def test_PWD_9_the_operator_makes_people_and_unblocks_them_from_the_command_line(spain: str) -> None:
    from django.utils import timezone

    from relais.records.access.passwords import Demanded, demanded_change
    from relais.records.people.models import User

    about = ("--company", "Hornes and Hooves", "--e-mail", "x@example.com", "--password", PASSWORD)
    for login, further, demanded in (("made", (), Demanded.DEFAULT), ("own", ("--own-password",), Demanded.NOTHING)):
        assert relais("user", "add", "--login", login, *about, *further, dsn=spain).returncode == 0
        assert demanded_change(User.objects.get(login=login), timezone.now()) == demanded
    weak = relais("user", "add", "--login", "weak", *about[:-1], "Weak-1852", dsn=spain)
    assert weak.returncode == 1 and weak.stderr == "password: must not contain the login\n"
    User.objects.filter(login="made").update(blocked_at=timezone.now())
    done = [relais("user", "unblock", "--login", login, dsn=spain) for login in ("made", "made", "nobody")]
    assert [each.returncode for each in done] == [0, 1, 1]
    assert "made is not blocked" in done[1].stderr and "has the login 'nobody'" in done[2].stderr
    assert User.objects.get(login="made").blocked_at is None
