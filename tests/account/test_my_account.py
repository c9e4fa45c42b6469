"""My account: who the person is, the picture, the name; password, second factor, sessions, deletion. All of it of the person
who asks, and of nobody else."""

import io
import json
import re
from typing import Any

import pyotp
import pytest
from PIL import Image
from tests.account.conftest import PASSWORD, SCRIPTED, is_in, logged_in, person, typed

pytestmark = pytest.mark.usefixtures("spain")


def fresh(user: Any) -> Any:
    from relais.records.people.models import User

    return User.everybody.get(pk=user.pk)


def picture(form: str, size: tuple[int, int] = (300, 200)) -> Any:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 30, 90)).save(file, form)
    file.seek(0)
    file.name = f"anything.{form.lower()}"
    return file


def test_ACC_1_to_ACC_17_ACC_21_ACC_22_ACC_41_the_page_shows_the_person_and_what_is_theirs_to_change() -> None:
    """ACC-1, ACC-2, ACC-3, ACC-4, ACC-5, ACC-6, ACC-7, ACC-8, ACC-11, ACC-12, ACC-13, ACC-14, ACC-15, ACC-16, ACC-17,
    ACC-21, ACC-22, ACC-41, ACC-43."""
    user = person(phone="34612345678", first_name="Morgan", last_name="Freeman")
    client = logged_in(user)
    page = client.get("/bo/account/").content.decode()
    for words in (
        "Morgan Freeman", f"Account ID: {user.pk}", user.login, user.e_mail, "Hornes and Hooves", "34612345678",
        "Basic information", "Full name", "Email", "Role", "Contact information", "Phone number", "Appearance", "Language",
        "About the App", "Log out", "Account settings", "Privacy and Security", "System",
    ):  # fmt: skip
        assert words in page, words
    assert page.count('<span class="ava">MF</span>') == 2, "the initials, in the frame and on the page"
    assert page.count('href="/bo/account/name/"') == 1 and 'name="login"' not in page and 'name="e_mail"' not in page
    about = client.get("/bo/account/about/", headers=SCRIPTED).content.decode()
    assert "About the App" in about and "PostgreSQL" in about
    assert client.get("/bo/account/about/").status_code == 200, "opened by its URL"


def test_ACC_18_ACC_19_ACC_20_ACC_43_ACC_45_the_name_and_nothing_else_is_edited() -> None:
    user = person()
    client = logged_in(user)
    dialog = client.get("/bo/account/name/", headers=SCRIPTED).content.decode()
    assert dialog.count('maxlength="60"') == 2 and "Save" in dialog and "Cancel" in dialog
    for first, last, refused in (("", "B", 1), ("  ", "B", 1), ("A" * 61, "B", 1), ("A\0", "B", 1), ("", "", 2)):
        answer = client.post("/bo/account/name/", {"first_name": first, "last_name": last}, headers=SCRIPTED)
        assert answer.status_code == 422 and answer.content.decode().count('class="err"') == refused, (first, last)
    assert fresh(user).full_name == "Ada Lovelace"
    sent = {"first_name": "\N{GRINNING FACE}" * 60, "last_name": "King", "login": "other", "e_mail": "x@example.com"}
    answer = client.post("/bo/account/name/", sent, headers=SCRIPTED)
    assert answer.status_code == 204 and answer.headers["HX-Redirect"] == "/bo/account/"
    changed = fresh(user)
    assert (len(changed.first_name), changed.last_name) == (60, "King")
    assert (changed.login, changed.e_mail) == (user.login, user.e_mail)


def test_ACC_9_ACC_10_ACC_42_a_picture_is_known_by_its_content_made_anew_shown_in_the_frame_and_removed() -> None:
    user = person()
    client = logged_in(user)
    too_large = io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"0" * 5 * 2**20)
    too_large.name = "a.png"
    gif, script = picture("GIF"), io.BytesIO(b"<svg onload='alert(1)'/>")
    gif.name, script.name = "a.png", "a.png"
    cut = io.BytesIO(picture("PNG").getvalue()[:60])
    cut.name = "a.png"
    for wrong in (too_large, gif, script, cut):
        answer = client.post("/bo/account/picture/", {"picture": wrong})
        assert answer.status_code == 422 and "id_picture_error" in answer.content.decode()
    assert client.post("/bo/account/picture/", {}).status_code == 422 and fresh(user).avatar == ""
    kept = set()
    for form in ("PNG", "JPEG"):
        assert client.post("/bo/account/picture/", {"picture": picture(form)}).status_code == 302
        url = f"/bo/account/picture/{fresh(user).avatar}.png"
        assert client.get("/bo/banks/").content.decode().count(url) == 1, "in every header at once"
        shown = client.get(url)
        made = Image.open(io.BytesIO(shown.content))
        assert (made.format, made.size) == ("PNG", (256, 256))
        assert shown.headers["Content-Type"] == "image/png" and "sandbox" in shown.headers["Content-Security-Policy"]
        kept.add(url)
    assert len(kept) == 2
    assert logged_in(person()).get(url).status_code == 404, "nobody else's"
    assert client.post("/bo/account/picture/", {"remove": "1"}).status_code == 302
    assert fresh(user).avatar == "" and client.get(url).status_code == 404


def test_ACC_4_ACC_5_ACC_57_appearance_and_language_are_kept_with_the_person() -> None:
    user = person()
    client = logged_in(user)
    assert client.post("/bo/theme/", {"theme": "dark"}).status_code == 204
    assert client.post("/bo/account/language/", {"language": "de"}).status_code == 302
    assert (fresh(user).theme, fresh(user).language) == ("dark", "de")
    elsewhere, _ = typed(user)
    page = elsewhere.get("/bo/account/").content.decode()
    assert 'data-bs-theme="dark"' in page and 'lang="de"' in page
    client.post("/bo/account/language/", {"language": "xx"})
    client.post("/bo/theme/", {"theme": "purple"})
    assert (fresh(user).theme, fresh(user).language) == ("", "de")


def test_GEN_36_to_GEN_41_help_leads_to_the_documentation_and_to_who_can_help() -> None:
    """GEN-36, GEN-37, GEN-39, GEN-40: until a portal has a support address, the text of GEN-39 stands for it. GEN-26 to
    GEN-35 are its first page."""
    client = logged_in(person())
    page = client.get("/bo/banks/").content.decode()
    for words in (
        'data-open="help"',
        "Need any help?",
        "Ask the administrator of your platform",
        'href="/bo/documentation/"',
    ):
        assert words in page, words
    steps = client.get("/bo/documentation/").content.decode()
    assert "In which order things are set up" in steps and steps.count("<li><b") == 9


def test_ACC_23_to_ACC_29_ACC_44_ACC_46_ACC_47_ACC_49_PWD_12_PWD_24_the_password_is_changed_by_who_knows_it() -> None:
    """ACC-23, ACC-24, ACC-25, ACC-26, ACC-27, ACC-28, ACC-29, ACC-44, ACC-46, ACC-47, ACC-49, PWD-12, PWD-24."""
    from relais.records.access.passwords import require_fit
    from relais.records.people.models import AuditAction

    user = person()
    client, other = logged_in(user), logged_in(user)
    page = client.get("/bo/account/security/").content.decode()
    assert "Log in to your account" in page and "Change the password from time to time" in page
    dialog = client.get("/bo/account/password/", headers=SCRIPTED).content.decode()
    for words in ("Current password", "New password", "Generate", "Confirm password", "Save", "Cancel"):
        assert words in dialog, words
    assert len(re.findall(r'type="password"[^>]* required', dialog)) == 3 and dialog.count("Show password") == 3
    generated = client.get("/bo/generated-password/").content.decode()
    new, again = re.findall(r'type="text" value="([^"]+)"', generated)
    require_fit(user, new)
    right = {"current_password": PASSWORD, "new_password": new, "confirm_password": again}
    for changes, field in (
        ({"current_password": "wrong"}, "current_password"),
        ({"current_password": ""}, "current_password"),
        ({"confirm_password": f"{new}x"}, "confirm_password"),
        ({"new_password": "short-1A"[:7], "confirm_password": "short-1A"[:7]}, "new_password"),
        ({"new_password": PASSWORD, "confirm_password": PASSWORD}, "new_password"),
    ):
        refused = client.post("/bo/account/password/", right | changes, headers=SCRIPTED)
        assert refused.status_code == 422 and f'id="id_{field}_error"' in refused.content.decode(), changes
        assert PASSWORD not in refused.content.decode() and fresh(user).check_password(PASSWORD)
    assert is_in(other)
    assert client.post("/bo/account/password/", right, headers=SCRIPTED).status_code == 204
    assert fresh(user).check_password(new) and is_in(client) and not is_in(other)
    assert AuditAction.objects.filter(user=user, action="Change password").count() == 1


def firefox() -> Any:
    from django.test import Client

    return Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})


def test_sessions_are_listed_and_ended_by_their_person_alone() -> None:
    user, stranger = person(), person()
    client, other, third = (typed(user, client=firefox())[0] for _ in range(3))
    theirs = logged_in(stranger)
    page = client.get("/bo/account/security/")
    lines = page.context["sessions"]
    assert len(lines) == 3 and [line["is_this"] for line in lines].count(True) == 1
    assert {line["device"] for line in lines} == {"Firefox, Linux"} and {line["ip_address"] for line in lines} == {
        "127.0.0.1"
    }
    assert client.cookies["relais_session"].value not in page.content.decode()
    foreign = theirs.get("/bo/account/security/").context["sessions"][0]["mark"]
    for mark in (foreign, "", "x\0"):
        assert client.post("/bo/account/sessions/", {"mark": mark}).status_code == 302
    assert is_in(theirs)
    marked = next(line for line in other.get("/bo/account/security/").context["sessions"] if line["is_this"])
    client.post("/bo/account/sessions/", {"mark": marked["mark"]})
    assert (is_in(client), is_in(other), is_in(third)) == (True, False, True)
    client.post("/bo/account/sessions/", {"others": "1"})
    assert (is_in(client), is_in(third), is_in(theirs)) == (True, False, True)
    (own,) = client.get("/bo/account/security/").context["sessions"]
    client.post("/bo/account/sessions/", {"mark": own["mark"]})
    assert not is_in(client)


def test_ACC_30_an_authenticator_app_is_switched_on_with_its_first_code_and_off_with_the_password() -> None:
    from relais.records.access.models import Authenticator
    from relais.records.people.models import AuditLine

    user = person()
    client, other = logged_in(user), logged_in(user)
    assert "Disabled" in client.get("/bo/account/security/").content.decode()
    dialog = client.get("/bo/account/app/", headers=SCRIPTED).content.decode()
    secret = re.search(r"<code[^>]*>([A-Z2-7]{32})</code>", dialog).group(1)  # type: ignore[union-attr]  # it is there
    assert "<svg" in dialog and "style=" not in dialog
    assert all(secret not in json.dumps(session.get_decoded()) for session in user.sessions.all()), "sealed"
    assert client.post("/bo/account/app/", {"code": "000000"}, headers=SCRIPTED).status_code == 422
    assert not Authenticator.objects.filter(pk=user.pk).exists() and is_in(other)
    assert client.post("/bo/account/app/", {"code": pyotp.TOTP(secret).now()}, headers=SCRIPTED).status_code == 204
    page = client.get("/bo/account/security/").content.decode()
    codes = re.findall(r"<li>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</li>", page)
    assert len(codes) == 10 and "Enabled" in page and is_in(client) and not is_in(other)
    assert codes[0] not in client.get("/bo/account/security/").content.decode(), "shown once"
    assert secret not in Authenticator.objects.get(pk=user.pk).secret_encrypted
    line = AuditLine.objects.get(table="access_authenticator", object_id=str(user.pk))
    assert line.new["secret_encrypted"] == "•••"
    again = client.post("/bo/account/recovery-codes/", {"current_password": PASSWORD}, headers=SCRIPTED)
    assert again.status_code == 204 and codes[0] not in client.get("/bo/account/security/").content.decode()
    assert client.post("/bo/account/app/remove/", {"current_password": "x"}, headers=SCRIPTED).status_code == 422
    assert client.post("/bo/account/app/remove/", {"current_password": PASSWORD}, headers=SCRIPTED).status_code == 204
    assert not Authenticator.objects.filter(pk=user.pk).exists() and user.recovery_codes.count() == 0
    assert is_in(typed(user)[0])


def test_ACC_38_ACC_39_ACC_40_ACC_55_ACC_58_an_account_is_deleted_with_the_password_and_the_word() -> None:
    from relais.records.people.models import AuditAction

    user = person()
    client, other = logged_in(user), logged_in(user)
    assert "Danger zone" in client.get("/bo/account/security/").content.decode()
    first = client.get("/bo/account/delete/", headers=SCRIPTED).content.decode()
    for words in (
        "Delete your account?",
        "cannot be undone",
        "are cancelled",
        "Enter your current password",
        "Continue",
        "Cancel",
    ):
        assert words in first, words
    assert (
        client.post("/bo/account/delete/sure/", {"word": "delete-account"}).headers["Location"] == "/bo/account/delete/"
    )
    assert client.post("/bo/account/delete/", {"current_password": "wrong"}, headers=SCRIPTED).status_code == 422
    second = client.post("/bo/account/delete/", {"current_password": PASSWORD}, headers=SCRIPTED).content.decode()
    assert "delete-account" in second and "Delete account" in second
    for wrong in ("delete account", "DELETE-ACCOUNT", ""):
        assert client.post("/bo/account/delete/sure/", {"word": wrong}, headers=SCRIPTED).status_code == 422
    assert fresh(user).is_active and is_in(other)
    answer = client.post("/bo/account/delete/sure/", {"word": "delete-account"}, headers=SCRIPTED)
    assert answer.headers["HX-Redirect"] == "/bo/log-in/"
    assert not is_in(client) and not is_in(other) and typed(user)[1].status_code == 401
    assert AuditAction.objects.filter(user_id=user.pk, user_name=f"Ada Lovelace ({user.login})").exists(), (
        "a readable author"
    )


def test_ACC_56_the_last_with_full_access_cannot_delete_the_own_account() -> None:
    from relais.records.people.models import User

    last = User.objects.get(login="reseller")
    client = logged_in(last)
    client.post("/bo/account/delete/", {"current_password": "Rita-demo-2025"})
    refused = client.post("/bo/account/delete/sure/", {"word": "delete-account"}, headers=SCRIPTED)
    assert refused.status_code == 422 and "no user with full access left" in refused.content.decode()
    second = person(no_restrictions=True)
    client = logged_in(second)
    client.post("/bo/account/delete/", {"current_password": PASSWORD})
    assert client.post("/bo/account/delete/sure/", {"word": "delete-account"}).headers["Location"] == "/bo/log-in/"
    assert not fresh(second).is_active and fresh(last).is_active
