"""The pages in every language: whose it is, and that nothing of frame, lists, log-in and My account is left in English."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from tests.account.conftest import person, typed
from tests.conftest import PROJECT
from tests.pages.conformance import SCRIPTED
from tests.records.hashing import quick_hashes

LANGUAGES = ("es", "de", "ru")
LOG_IN = {"en": "Log in", "es": "Iniciar sesión", "de": "Anmelden", "ru": "Войти"}
OF_EVERY_SITE = ("src/relais/pages/", "src/relais/account/", "src/relais/records/access/")  # what every site has
OF_THE_PERSON = (
    "", "security/", "name/", "about/", "password/", "app/", "app/remove/", "recovery-codes/", "number/", "number/code/",
    "number/disable/", "delete/",
)  # fmt: skip
PLACEHOLDER = re.compile(r"%%|%\(\w+\)[sd]|%[sd]")


def catalogue(language: str) -> Catalog:
    path = PROJECT / "src/relais/pages/locale" / language / "LC_MESSAGES/django.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


def texts(message: Any) -> list[tuple[str, str]]:
    """(text, translation) of a message, for each of its plural forms."""
    if not isinstance(message.id, tuple):
        return [(message.id, message.string)]
    return [(message.id[min(number, 1)], form) for number, form in enumerate(message.string)]


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


class Words(HTMLParser):
    """Texts of a page and of its attributes that are read out or shown."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.values: dict[str, str] = {}
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.found.add(" ".join(data.split()))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.found |= {told[name] or "" for name in ("aria-label", "placeholder", "title") if name in told}
        if tag == "input" and told.get("type") != "hidden":
            self.values[told.get("name") or ""] = told.get("value") or ""


def said(user: str, language: str) -> None:
    from relais.records.people.models import User

    User.objects.filter(login=user).update(language=language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_complete_for_every_page_and_keeps_every_placeholder(language: str) -> None:
    missing, broken = [], []
    for message in catalogue(language):
        assert not message.id or not message.fuzzy
        allowed = [placeholders(text) for text in (message.id if isinstance(message.id, tuple) else (message.id,))]
        for text, translation in texts(message) if message.id else []:
            if not translation and any(place.startswith(OF_EVERY_SITE) for place, _ in message.locations):
                missing.append(text)
            elif (
                translation and placeholders(translation) not in allowed
            ):  # a form of the plural may say 1 in a word, or as any number
                broken.append((text, translation))
    assert missing == [] and broken == []


def pages_of(client: Any) -> Iterator[str]:
    """Frame, list, menus, drawers, a form that was refused, a question, what is found, and a page that does not exist."""
    from relais.records.parties.models import Bank

    bank = Bank.objects.filter(company__users__login="reseller").first() or Bank.objects.get()
    for url in ("/bo/banks/", "/bo/banks/?q=nothing-like-this", "/bo/banks/?page=9&sort=none", "/bo/nowhere/"):
        yield client.get(url).content.decode()
    for url in (f"/bo/banks/{bank.pk}/", "/bo/banks/new/", f"/bo/banks/{bank.pk}/delete/", "/bo/find/?q=xyzzy"):
        yield client.get(url, headers=SCRIPTED).content.decode()
    yield client.post("/bo/banks/new/", {"name": ""}, headers=SCRIPTED).content.decode()


def english_of(language: str) -> set[str]:
    """What no page may say in that language."""
    pairs = [pair for message in catalogue(language) if message.id for pair in texts(message)]
    return {text for text, _ in pairs} - {translation for _, translation in pairs}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_log_in_frame_lists_and_drawers_is_left_in_english(language: str, pages: str, owner: Any) -> None:
    from django.test import Client

    english = english_of(language)
    visitor = Client(headers={"Accept-Language": f"{language},en;q=0.5"})
    wrong = visitor.post("/bo/log-in/", {"login": "nobody", "password": ""})
    seen = [visitor.get("/bo/log-in/").content.decode(), wrong.content.decode()]
    said("owner", language)
    seen += pages_of(owner)
    for page in seen:
        words = Words(page)
        assert len(words.found) > 1
        assert words.found & english == set()
    assert all(f'<html lang="{language}"' in page for page in seen[:3])
    assert "<button" in seen[0] and LOG_IN[language] in Words(seen[0]).found


def steps_of(language: str) -> Iterator[str]:
    """Log-in after the password, in the browser's language: a code, a demanded password, a forgotten one."""
    import pyotp
    from django.test import Client
    from django.utils import timezone

    from relais.records.access.actions.change_second_factor import add_authenticator
    from relais.records.access.resets import parts_of_link

    def browser() -> Any:
        return Client(headers={"Accept-Language": language})

    user, app, now = person(), pyotp.TOTP(pyotp.random_base32()), timezone.now()
    add_authenticator(user, app.secret, app.at(now), now, "")
    client, _ = typed(user, client=browser())
    yield client.get("/bo/log-in/code/").content.decode()
    yield client.get("/bo/log-in/code/?way=recovery").content.decode()
    yield client.post("/bo/log-in/code/", {"code": "000000"}).content.decode()
    client, _ = typed(person(must_change_password=True), client=browser())
    yield client.get("/bo/log-in/password/").content.decode()
    yield client.post("/bo/log-in/password/", {"new_password": "a", "confirm_password": "b"}).content.decode()
    yield client.get("/bo/generated-password/").content.decode()
    for link in (parts_of_link(person(), "http://testserver/"), ("MQ", "x")):
        yield client.get(f"/bo/reset/{link[0]}/{link[1]}/", follow=True).content.decode()
    yield client.get("/bo/reset/").content.decode()
    yield client.post("/bo/reset/", {"asked_for": f"nobody-{language}"}).content.decode()


def own_pages_of(language: str, owner: Any) -> Iterator[str]:
    """My account of who has a second factor and of who has none, its dialogs, the documentation, the password policy."""
    import pyotp
    from django.test import Client
    from django.utils import timezone

    from relais.records.access.actions.change_second_factor import add_authenticator

    user, app, now = person(language=language), pyotp.TOTP(pyotp.random_base32()), timezone.now()
    client = Client()
    client.force_login(user)
    for route in OF_THE_PERSON:
        yield client.get(f"/bo/account/{route}").content.decode()
    add_authenticator(user, app.secret, app.at(now), now, client.session.session_key)
    yield client.get("/bo/account/security/").content.decode()
    yield client.post("/bo/account/password/", {"new_password": "a", "confirm_password": "b"}).content.decode()
    yield client.get("/bo/documentation/").content.decode()
    said("owner", language)
    yield owner.get("/bo/password-policy/?saved=1").content.decode()
    yield owner.post("/bo/password-policy/", {}).content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_the_steps_of_log_in_and_my_account_is_left_in_english(
    language: str, pages: str, owner: Any
) -> None:
    english = english_of(language)
    with quick_hashes():
        steps, own = [*steps_of(language)], [*own_pages_of(language, owner)]
    for page in (*steps, *own):
        words = Words(page)
        assert len(words.found) > 1
        assert words.found & english == set()
    assert len({*steps, *own}) == len(steps) + len(own), "none of them led elsewhere"
    assert all(f'<html lang="{language}"' in page for page in (*steps[:5], *own))


def test_the_language_is_the_persons_and_before_the_log_in_the_browsers(pages: str, owner: Any) -> None:
    from django.test import Client

    browsers = {"ru": "ru", "de-AT, en;q=0.3": "de", "es-MX": "es", "fr, de;q=0.5": "de", "ja": "en", "": "en"}
    for asked, got in browsers.items():
        page = Client().get("/bo/log-in/", headers={"Accept-Language": asked} if asked else {})
        assert page.headers["Content-Language"] == got, asked
        assert LOG_IN[got] in Words(page.content.decode()).found, asked
    for language in ("en", *LANGUAGES):
        said("owner", language)
        page = owner.get("/bo/banks/", headers={"Accept-Language": "es" if language != "es" else "ru"})
        assert page.headers["Content-Language"] == language
        assert f'<html lang="{language}"' in page.content.decode()


def test_why_a_verb_refuses_is_told_in_the_persons_language_with_its_values(pages: str, owner: Any) -> None:
    from html import unescape

    from django.forms import CharField, Form
    from django.utils.translation import override

    from relais.pages.forms import tell, told
    from relais.records.errors import Invalid, Reason
    from relais.records.parties.models import BankAccount

    class Roles(Form):
        roles = CharField()

    takes = Reason("takes %(least)s to %(most)s characters", least=12, most=128)
    refusal = Invalid({"roles": ("you cannot lower your own rights", takes), "": ("Ada is not known",)})
    assert str(refusal).splitlines()[1] == "roles: takes 12 to 128 characters", "the audit and the log are in English"
    with override("de"):
        form = Roles({"roles": "none"})
        tell(form, refusal)
        german = ["Sie können Ihre eigenen Rechte nicht verringern", "braucht 12 bis 128 Zeichen"]
        assert form.errors["roles"] == [german[0], "Braucht 12 bis 128 Zeichen"]
        assert told(refusal) == [*(f"roles: {each}" for each in german), "Ada is not known"]
    said("owner", "es")
    bank = BankAccount.objects.filter(bank__company__users__login="owner").first().bank
    count = bank.accounts.count()
    what = f"{count} {'cuenta bancaria' if count == 1 else 'cuentas bancarias'}"
    page = owner.post(f"/bo/banks/{bank.pk}/delete/", headers=SCRIPTED)
    assert page.status_code == 409 and f"{bank} no se puede eliminar: tiene {what}" in unescape(page.content.decode())


def test_russian_has_three_plural_forms_and_the_others_two() -> None:
    from django.utils.translation import ngettext, override

    def told(language: str, *counts: int) -> list[str]:
        with override(language):
            return [ngettext("%d record deleted.", "%d records deleted.", count) % count for count in counts]

    assert told("ru", 1, 21, 101) == ["Удалена 1 запись.", "Удалена 21 запись.", "Удалена 101 запись."]
    assert told("ru", 2, 4, 33) == ["Удалены 2 записи.", "Удалены 4 записи.", "Удалены 33 записи."]
    assert told("ru", 0, 5, 11, 12, 112) == [f"Удалено {count} записей." for count in (0, 5, 11, 12, 112)]
    assert told("de", 1, 2) == ["1 Datensatz gelöscht.", "2 Datensätze gelöscht."]
    assert told("es", 1, 0) == ["1 registro eliminado.", "0 registros eliminados."]


def test_values_in_forms_and_the_audit_are_the_same_in_every_language(pages: str, owner: Any) -> None:
    from relais.backoffice.site import BACKOFFICE
    from relais.records.parties.models import Bank
    from relais.records.people.models import AuditAction

    def forms() -> dict[str, dict[str, str]]:
        found = {}
        for name, entity in BACKOFFICE.entities.items():
            record = entity.queryset(user, "manage").first() if entity.form else None
            if record is not None:
                found[name] = Words(
                    owner.get(f"/bo/{name}/{record.pk}/edit/", headers=SCRIPTED).content.decode()
                ).values
        return found

    from relais.pages.viewer import viewer_of

    user = viewer_of(owner.get("/bo/banks/").wsgi_request)
    before = forms()
    assert len(before) > 8 and any("2025" in value for values in before.values() for value in values.values())
    for language in LANGUAGES:
        said("owner", language)
        assert forms() == before, language
    bank = Bank.objects.filter(company=user.company).first()
    values = {"name": "Neu", "country": "ES", "swift_code": "IFNPESMM", "branch_code": "987", "address": "Madrid"}
    added = owner.post("/bo/banks/new/", values, headers=SCRIPTED)
    assert added.status_code == 204 and "Банк Neu: добавлено." in _unescaped(added.headers["HX-Trigger"]), bank
    assert AuditAction.objects.latest("pk").action == "Add Bank", "the audit is in one language"


def _unescaped(json_text: str) -> str:
    import json

    return str(json.loads(json_text)["record-stored"]["message"])
