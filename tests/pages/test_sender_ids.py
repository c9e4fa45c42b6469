"""Sender IDs in the BackOffice: what the list, the form and the verbs do for the requirements of their page."""

import re
import uuid
from typing import Any

import pytest
from tests.pages.conformance import SCRIPTED
from tests.pages.conftest import log_in
from tests.pages.samples.sender_ids import new
from tests.pages.samples.vendor_smpp_connections import connection_of

URL = "/bo/sender-ids/"


@pytest.fixture
def house(reseller: Any) -> Any:
    """The reseller's company, whose client Telecom Monsters has the sender ID Monsters."""
    from relais.records.parties.models import Company

    return Company.objects.get(name="Hornes and Hooves")


def sender(name: str = "Monsters") -> Any:
    from relais.records.senders.models import SenderId

    return SenderId.objects.get(sender_id=name)


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 422, answer.content.decode()
    found: dict[str, list[str]] = answer.context["drawer"].form.errors
    return found


def added(client: Any, values: dict[str, Any]) -> Any:
    answer = client.post(f"{URL}new/", values)
    assert answer.status_code == 302, answer.context["drawer"].form.errors
    return sender(values["sender_id"])


def edited(record: Any, **changes: Any) -> dict[str, Any]:
    sent = {
        "sender_id": record.sender_id, "name": record.name, "company": record.company_id, "agreement": record.agreement_id,
        "status": record.status, "vendor_type": "smpp", "smpp_connection": record.smpp_connection_id,
    }  # fmt: skip
    return sent | changes


def test_SID_4_SID_5_SID_6_SID_7_the_list_has_the_columns_of_the_guide_in_their_order(reseller: Any) -> None:
    """SID-1: under Account management."""
    answer = reseller.get(URL)
    assert "<li>Account management</li>" in answer.content.decode()
    assert "New sender" in answer.content.decode() and "Columns" in answer.content.decode()
    listed = answer.context["list"]
    assert [header.label for header in listed.headers] == [
        "ID", "Company", "Channel", "Sender ID", "Name", "Status", "Webhook GUID", "Agreement", "Vendor type", "Created",
        "Updated",
    ]  # fmt: skip
    assert [row.label for row in listed.table] == ["Monsters"]
    (row,) = listed.table
    told = [re.sub(r"<[^>]+>", "", cell.html).strip() for cell in row.cells]
    assert told[1:6] + told[7:9] == ["Telecom Monsters", "SMS", "Monsters", "Monsters", "Active", "TM-1", "SMPP"]


def test_SID_8_only_the_system_owners_own_sender_id_may_lack_an_agreement(owner: Any) -> None:
    from relais.records.parties.models import Company

    top = Company.objects.get(parent=None)
    values = {"sender_id": "Self", "name": "Self-registration", "company": top.pk, "status": "active",
              "vendor_type": "smpp", "smpp_connection": connection_of(top).pk}  # fmt: skip
    assert added(owner, values).agreement is None
    child = Company.objects.get(name="Hornes and Hooves")
    refused = owner.post(f"{URL}new/", values | {"sender_id": "Other", "company": child.pk})
    assert list(errors(refused)) == ["agreement"]


def test_SID_9_a_deleted_sender_id_leaves_the_list_and_SID_246_keeps_its_row(reseller: Any) -> None:
    from relais.records.senders.models import SenderId

    """RSL-54: of one that was only handed down to it a company cannot dispose."""
    lent = sender()
    refused = reseller.post(f"{URL}{lent.pk}/delete/", headers=SCRIPTED)
    assert refused.status_code == 409 and "Monsters was handed down to you" in refused.content.decode()
    record = added(reseller, new(sender().company.parent))
    assert reseller.post(f"{URL}{record.pk}/delete/").status_code == 302
    assert [row.label for row in reseller.get(URL).context["list"].table] == ["Monsters"]
    assert reseller.get(f"{URL}{record.pk}/").status_code == 404
    assert SenderId.everything.get(pk=record.pk).deleted_at is not None


def test_SID_34_companies_offered_are_the_own_and_those_directly_below(owner: Any) -> None:
    options = owner.get(f"{URL}new/?options=company").json()["options"]
    assert [option["text"] for option in options] == ["Hornes and Hooves", "System owner"]


def test_SID_35_agreements_offered_are_the_companys_with_their_currency(reseller: Any) -> None:
    company = sender().company_id
    offered = reseller.get(f"{URL}new/?options=agreement&company={company}").json()["options"]
    assert [option["text"] for option in offered] == ["TM-1, EUR"]
    assert reseller.get(f"{URL}new/?options=agreement").json()["options"] == []
    assert reseller.get(f"{URL}new/?options=agreement&company=nonsense").json()["options"] == []


def test_SID_35_an_agreement_of_another_company_is_no_choice(reseller: Any, house: Any) -> None:
    from relais.records.agreements.models import Agreement

    bought = Agreement.objects.get(agreement_code="HH-1")
    refused = reseller.post(f"{URL}new/", new(house) | {"agreement": bought.pk})
    assert list(errors(refused)) == ["agreement"]


def test_SID_36_the_statuses_are_active_blocked_and_draft(reseller: Any) -> None:
    form = reseller.get(f"{URL}new/").context["drawer"].form
    assert form.fields["status"].choices == [("active", "Active"), ("blocked", "Blocked"), ("draft", "Draft")]
    assert form["status"].value() == "draft"


def test_SID_37_the_webhook_guid_is_typed_in_and_its_button_generates_one(reseller: Any, house: Any) -> None:
    page = reseller.get(f"{URL}new/").content.decode()
    assert 'data-make-guid="id_webhook_guid"' in page
    guid = "19fe1ce8-e4f1-4a0b-8c55-2f1b4f1c9a10"
    record = added(reseller, new(house) | {"webhook_guid": guid})
    assert record.webhook_guid == uuid.UUID(guid)
    wrong = reseller.post(f"{URL}new/", new(house) | {"webhook_guid": "not one"})
    assert list(errors(wrong)) == ["webhook_guid"]
    taken = reseller.post(f"{URL}new/", new(house) | {"webhook_guid": guid})
    assert list(errors(taken)) == ["webhook_guid"]


def test_SID_38_connections_are_those_of_the_level_with_their_state(owner: Any) -> None:
    from relais.records.parties.models import Company

    top = Company.objects.get(parent=None)
    options = owner.get(f"{URL}new/?options=smpp_connection&company={top.pk}").json()["options"]
    assert [option["text"] for option in options] == ["Simulator (enabled)"]


def test_SID_3_without_a_connection_there_is_no_sender_id_and_the_form_says_what_to_do_first(
    owner: Any, reseller: Any
) -> None:
    from relais.records.senders.models import SenderId

    values = new(sender().company.parent)
    connection_of(sender().company.parent).delete()
    hint, count = "There is none yet: add one under Settings", SenderId.objects.count()
    assert hint in reseller.get(f"{URL}new/").content.decode() and hint not in owner.get(f"{URL}new/").content.decode()
    for without in (values, {**values, "smpp_connection": ""}):
        assert list(errors(reseller.post(f"{URL}new/", without))) == ["smpp_connection"]
    assert SenderId.objects.count() == count


def test_SID_43_the_notification_numbers_are_needed_only_while_it_is_on(reseller: Any, house: Any) -> None:
    """SID-45, SID-61: with the figures of the guide."""
    values = new(house)
    assert list(errors(reseller.post(f"{URL}new/", values | {"notifications": "on"}))) == ["notifications"]
    block = {"notifications": "on", "trigger_percent": "60", "minimal_message_count": "40", "window_size_minutes": "20"}
    record = added(reseller, values | block)
    assert (record.trigger_percent, record.minimal_message_count, record.window_size_minutes) == (60, 40, 20)
    answer = reseller.post(f"{URL}{record.pk}/edit/", edited(record))
    assert answer.status_code == 302
    record.refresh_from_db()
    assert (record.notifications, record.trigger_percent) == (False, 60), "off, and what was entered stays"


def test_SID_47_the_form_asks_in_the_order_of_the_guide(owner: Any, reseller: Any) -> None:
    """SID-48 to SID-51 (SID-49, SID-50), SID-53 to SID-58 (SID-56, SID-57): what must be given, what may be left out; SID-33: the
    name; SID-46: Save and Cancel."""
    answer = reseller.get(f"{URL}new/")
    fields = [field for section in answer.context["drawer"].sections for field in section.fields]
    assert {field.label for field in fields if field.field.required} == {
        "Sender ID", "Name", "Company", "Agreement", "Status", "Vendor type", "Connection",
    }  # fmt: skip
    form = answer.context["drawer"].form
    assert form.fields["vendor_type"].choices == [("smpp", "SMPP")], "SID-223: of SMS as far as there are connections"
    assert (form.fields["name"].help_text, form.fields["service_type"].help_text) == (
        "Shown in messages", "Without function so far",
    )  # fmt: skip
    assert all(f">{words}" in answer.content.decode() for words in ("Save", "Cancel"))
    sections = owner.get(f"{URL}new/").context["drawer"].sections
    assert [field.label for section in sections for field in section.fields] == [
        "Sender ID", "Name", "Company", "Agreement", "Status", "Default sender", "Webhook GUID", "MCC", "Webhook URL",
        "WebHook SMPPAPI Connection", "Keyword", "Vendor type", "Connection", "Second connection", "Service type",
        "Notification settings", "Trigger percent", "Minimal message count for starting detecting", "Window size",
        "Understands STOP, START and HELP", "Further words for STOP", "Answer to STOP", "Further words for START",
        "Answer to START", "Further words for HELP", "Answer to HELP",
    ]  # fmt: skip


def test_SID_52_a_country_code_has_three_digits(reseller: Any, house: Any) -> None:
    assert added(reseller, new(house) | {"mcc": "214", "keyword": "CASA"}).mcc == "214"
    assert list(errors(reseller.post(f"{URL}new/", new(house) | {"mcc": "21"}))) == ["mcc"]


@pytest.mark.parametrize("text", ["HornesAndHooves", "12", "1234567890123456"])
def test_SID_250_what_most_networks_refuse_is_saved_with_a_warning(text: str, reseller: Any, house: Any) -> None:
    """SID-32: of letters or of digits."""
    record = added(reseller, new(house) | {"sender_id": text})
    assert "Most networks take" in reseller.get(f"{URL}{record.pk}/").content.decode()


def test_SID_250_a_usual_name_has_no_warning_and_one_that_sms_cannot_carry_is_refused(
    reseller: Any, house: Any
) -> None:
    assert "note-warn" not in reseller.get(f"{URL}{sender().pk}/").content.decode()
    for text in ("A" * 21, "Звери"):
        assert list(errors(reseller.post(f"{URL}new/", new(house) | {"sender_id": text}))) == ["sender_id"]


def test_many_are_blocked_and_unblocked_at_once(reseller: Any, house: Any) -> None:
    records = [sender(), added(reseller, new(house))]
    keys = [record.pk for record in records]
    assert reseller.post(f"{URL}bulk/block/", {"ids": keys}).status_code == 200
    assert [type(r).objects.get(pk=r.pk).status for r in records] == ["active", "draft"], "asking changes nothing"
    assert reseller.post(f"{URL}bulk/block/", {"ids": keys, "sure": "1"}).status_code == 302
    assert [type(r).objects.get(pk=r.pk).status for r in records] == ["blocked", "blocked"]
    assert reseller.post(f"{URL}bulk/unblock/", {"ids": keys[:1], "sure": "1"}).status_code == 302
    assert [type(r).objects.get(pk=r.pk).status for r in records] == ["active", "blocked"]


def test_SID_231_the_connection_of_the_level_above_is_neither_shown_nor_lost(reseller: Any) -> None:
    record = sender()
    for url in (f"{URL}{record.pk}/", f"{URL}{record.pk}/edit/", f"{URL}csv/?columns=all"):
        answer = reseller.get(url)
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert b"Simulator" not in text
    sent = edited(record, name="Telecom Monsters")
    del sent["smpp_connection"], sent["vendor_type"]
    assert reseller.post(f"{URL}{record.pk}/edit/", sent).status_code == 302
    assert (sender().name, sender().smpp_connection_id) == ("Telecom Monsters", record.smpp_connection_id)


def test_SID_247_the_audit_has_the_change_without_the_guid(reseller: Any, house: Any) -> None:
    from relais.records.people.models import AuditLine

    record = added(reseller, new(house) | {"webhook_guid": str(uuid.uuid4())})
    line = AuditLine.objects.get(table="senders_senderid", object_id=str(record.pk), operation="insert")
    assert (line.new["sender_id"], line.new["webhook_guid"]) == (record.sender_id, "•••")


def test_a_sender_id_of_a_client_of_a_reseller_does_not_exist_for_the_owner(pages: str) -> None:
    owner = log_in(("owner", "Olga-demo-2025"))
    assert owner.get(f"{URL}{sender().pk}/").status_code == 404
    assert owner.post(f"{URL}{sender().pk}/do/block/").status_code == 404
