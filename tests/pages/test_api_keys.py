"""API keys in the BackOffice: shown once, changed, revoked."""

from typing import Any

from tests.pages.conftest import log_in
from tests.pages.samples.api_keys import KEY, new

URL = "/bo/api-keys/"


def key_called(name: str = "demo") -> Any:
    from relais.records.people.models import ApiKey

    return ApiKey.objects.get(name=name)


def made(client: Any) -> tuple[Any, str]:
    """A new key's record, and the page that follows."""
    from relais.records.parties.models import Company

    values = new(Company.objects.get(name="Hornes and Hooves"))
    answer = client.post(f"{URL}new/", values, follow=True)
    assert answer.status_code == 200
    return key_called(values["name"]), answer.content.decode()


def test_a_new_key_is_shown_once_with_a_warning_and_only_its_digest_is_kept(reseller: Any) -> None:
    from relais.records.access.models import Session
    from relais.records.people.actions.create_api_key import digest

    record, page = made(reseller)
    (key,) = set(KEY.findall(page))
    assert "It is not shown again" in page and f'data-copy="{key}"' in page
    assert bytes(record.key_hash) == digest(key)
    assert key not in reseller.get(f"{URL}{record.pk}/").content.decode()
    assert all(key not in str(session.get_decoded()) for session in Session.objects.all())


def test_a_new_key_waits_sealed_until_its_page_is_opened(reseller: Any) -> None:
    from relais.records.access.models import Session
    from relais.records.parties.models import Company

    values = new(Company.objects.get(name="Hornes and Hooves"))
    assert reseller.post(f"{URL}new/", values).status_code == 302
    waiting = [str(session.get_decoded()) for session in Session.objects.all()]
    (key,) = set(KEY.findall(reseller.get(f"{URL}{key_called(values['name']).pk}/").content.decode()))
    assert waiting and all(key not in each for each in waiting)


def test_rights_are_ticked_and_told_in_words(reseller: Any) -> None:
    record, page = made(reseller)
    assert record.rights == 1 | 2
    assert "Send messages, Read statuses" in page
    values = {"name": "shop", "rights": ["4"], "webhook_events": "every"}
    assert reseller.post(f"{URL}{record.pk}/edit/", values).status_code == 302
    assert (key_called("shop").rights, key_called("shop").pk) == (4, record.pk)


def test_a_key_without_rights_is_refused(reseller: Any) -> None:
    answer = reseller.post(f"{URL}{key_called().pk}/edit/", {"name": "demo", "webhook_events": "every"})
    assert answer.status_code == 422 and list(answer.context["drawer"].form.errors) == ["rights"]
    assert key_called().rights == 7


def test_revoking_says_what_stops_and_is_final(reseller: Any) -> None:
    record = key_called()
    asked = reseller.get(f"{URL}{record.pk}/do/revoke/").content.decode()
    assert "what sends with it stops" in asked and key_called().revoked_at is None
    assert reseller.post(f"{URL}{record.pk}/do/revoke/").status_code == 302
    assert key_called().revoked_at is not None
    assert "Revoked" in str(reseller.get(URL).context["list"].table[0].cells[4].html)
    assert reseller.get(f"{URL}{record.pk}/do/revoke/").status_code == 404
    refused = reseller.post(f"{URL}{record.pk}/edit/", {"name": "again", "rights": ["1"], "webhook_events": "every"})
    assert refused.status_code == 422 and "revoked" in str(refused.context["drawer"].form.errors)


def test_the_audit_tells_who_made_a_key_and_not_the_key(reseller: Any) -> None:
    from relais.records.people.models import AuditLine

    record, _ = made(reseller)
    line = AuditLine.objects.get(table="people_apikey", object_id=str(record.pk), operation="insert")
    assert (line.action.action, line.new["key_hash"]) == ("Add API key", "•••")


def test_a_key_of_a_resellers_client_does_not_exist_for_the_owner(pages: str) -> None:
    owner = log_in(("owner", "Olga-demo-2025"))
    assert owner.get(URL).context["list"].table == []
    assert owner.get(f"{URL}{key_called().pk}/").status_code == 404
    assert owner.post(f"{URL}{key_called().pk}/do/revoke/").status_code == 404
