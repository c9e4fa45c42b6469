"""The page of the password policy, and a phone number for log-in: asked for, verified, used, taken out."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.account.conftest import SCRIPTED, is_in, logged_in, person, typed
from tests.conftest import new_database
from tests.pages.conftest import pages_on
from tests.records.hashing import quick_hashes
from tests.records.test_second_factor import CODES, sent_codes


@pytest.fixture(scope="module", autouse=True)
def _codes(server_dsn: str, spain_template: str) -> Iterator[None]:
    """A platform that sends codes."""
    with new_database(server_dsn, spain_template) as dsn, pages_on(dsn), quick_hashes():
        from relais.records.apply import apply_file

        apply_file(CODES)
        yield


def client_of(login: str) -> Any:
    from relais.records.people.models import User

    return logged_in(User.objects.get(login=login))


def test_PWD_11_PWD_29_the_page_of_the_policy_is_the_owners_and_for_a_reseller_only_stricter() -> None:
    from relais.records.access.models import PasswordPolicy
    from relais.records.access.parameters import PARAMETERS
    from relais.records.people.models import AuditLine

    owner, reseller, url = client_of("owner"), client_of("reseller"), "/bo/password-policy/"
    sent = {name: str(parameter.default) for name, parameter in PARAMETERS.items()}
    page = owner.get(url).content.decode()
    for parameter in PARAMETERS.values():
        assert str(parameter.label) in page
    stored = PasswordPolicy.objects.get()
    options = owner.get(url, {"options": "code_sender", "term": "rel"}).json()["options"]
    assert options == [{"value": stored.code_sender_id, "text": "Relais"}]
    sent_by_owner = sent | {"code_sender": str(stored.code_sender_id)}
    for wrong in (
        {"length_min": "7"},
        {"valid_days": "0"},
        {"tries_max": "x"},
        {"idle_minutes": ""},
        {"code_sender": "9\0"},
    ):
        assert owner.post(url, sent_by_owner | wrong).status_code == 422, wrong
    assert owner.post(url, sent_by_owner | {"valid_days": "50"}).status_code == 302
    stored.refresh_from_db()
    assert (stored.valid_days, stored.length_min) == (50, 8)
    line = AuditLine.objects.filter(table="access_passwordpolicy").order_by("-pk")[0]
    assert (line.old, line.new) == ({"valid_days": 60}, {"valid_days": 50})
    assert "Sender ID of log-in codes" not in reseller.get(url).content.decode()
    assert reseller.post(url, sent | {"valid_days": "51"}).status_code == 422
    assert reseller.post(url, sent | {"valid_days": "40", "length_min": "12"}).status_code == 302
    assert {
        (row.company.name, row.valid_days, row.length_min) for row in PasswordPolicy.objects.select_related("company")
    } == {
        ("System owner", 50, 8),
        ("Hornes and Hooves", 40, 12),
    }
    PasswordPolicy.objects.filter(company__name="Hornes and Hooves").delete()


def test_ACC_30_to_ACC_37_ACC_52_ACC_54_ACC_59_USR_18_codes_by_sms_from_the_dialog_to_the_log_in() -> None:
    """ACC-30, ACC-31, ACC-32, ACC-33, ACC-34, ACC-35, ACC-36, ACC-37, ACC-50, ACC-51, ACC-52, ACC-54, ACC-59, USR-18,
    USR-48."""
    from relais.records.access.models import SmsCode
    from relais.records.people.models import User

    user = person()
    client, other = logged_in(user), logged_in(user)
    dialog = client.get("/bo/account/number/", headers=SCRIPTED).content.decode()
    for words in ("Add phone number", "ends all your sessions", "Phone number", "Get verification code", "Cancel"):
        assert words in dialog, words
    assert client.post("/bo/account/number/", {"phone": "12"}, headers=SCRIPTED).status_code == 422
    second = client.post("/bo/account/number/", {"phone": "+34612345678"}, headers=SCRIPTED)
    assert second.status_code == 200 and 'action="/bo/account/number/code/"' in second.content.decode()
    again = client.post("/bo/account/number/", {"phone": "+34612345678"}, headers=SCRIPTED)
    assert again.status_code == 422 and "less than a minute ago" in again.content.decode()
    code = sent_codes()[-1][1]
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert client.post("/bo/account/number/code/", {"code": wrong}, headers=SCRIPTED).status_code == 422
    assert SmsCode.objects.get(user=user).tries_left == 4 and is_in(other)
    done = client.post("/bo/account/number/code/", {"code": code}, headers=SCRIPTED)
    assert done.headers["HX-Redirect"] == "/bo/log-in/" and not is_in(client) and not is_in(other)

    client, answer = typed(user, next="/bo/banks/")
    assert answer.headers["Location"] == "/bo/log-in/code/"
    page = client.get("/bo/log-in/code/").content.decode()
    assert "ending in 78" in page and "34612345678" not in page
    phone, code = sent_codes()[-1]
    assert phone == "34612345678"
    assert "less than a minute ago" in client.post("/bo/log-in/code/", {"way": "sms", "again": "1"}).content.decode()
    SmsCode.objects.filter(user=user).update(sent_at=SmsCode.objects.get(user=user).sent_at - timedelta(seconds=60))
    assert "on its way" in client.post("/bo/log-in/code/", {"way": "sms", "again": "1"}).content.decode()
    assert client.post("/bo/log-in/code/", {"way": "sms", "code": code}).status_code == 401, "a new one has been sent"
    assert (
        client.post("/bo/log-in/code/", {"way": "sms", "code": sent_codes()[-1][1]}).headers["Location"] == "/bo/banks/"
    )
    assert is_in(client)

    edit = client.get("/bo/account/number/", headers=SCRIPTED).content.decode()
    assert "Edit phone number" in edit and "Take it out of log-in" in edit and "34612345678" in edit
    off = client.get("/bo/account/number/disable/", headers=SCRIPTED).content.decode()
    for words in ("Disabling a phone number", "No more codes are sent", "Disable", "Cancel"):
        assert words in off, words
    assert client.post("/bo/account/number/disable/", headers=SCRIPTED).status_code == 204
    user = User.objects.get(pk=user.pk)
    assert (user.two_factor, user.phone) == (False, "34612345678") and is_in(typed(user)[0])


def test_PWD_9_PWD_27_a_block_is_seen_in_the_list_and_taken_back_by_the_system_owner_alone() -> None:
    from django.utils import timezone

    from relais.records.people.models import User

    blocked, other = person(), person()
    User.objects.filter(pk=blocked.pk).update(blocked_at=timezone.now())
    owner, reseller, url = client_of("owner"), client_of("reseller"), f"/bo/users/{blocked.pk}/do/unblock/"
    today = timezone.now().date()
    listed = owner.get("/bo/users/", {"blocked_at_after": today, "blocked_at_before": today}).content.decode()
    assert blocked.login in listed and other.login not in listed
    refused = reseller.post(url, headers=SCRIPTED)
    assert refused.status_code == 409 and "only the System owner unblocks" in refused.content.decode()
    assert not is_in(typed(blocked)[0])
    assert owner.post(f"/bo/users/{other.pk}/do/unblock/", headers=SCRIPTED).status_code == 404
    assert owner.post(url, headers=SCRIPTED).status_code == 204
    assert is_in(typed(blocked)[0])
