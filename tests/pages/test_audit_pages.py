"""The audit in the BackOffice: list, details, CSV, who reads what."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.pages.conftest import log_in

URL = "/bo/audit/"


def actions(client: Any, **query: Any) -> list[str]:
    """Logged actions as the list shows them, the newest first."""
    listed = client.get(URL, query).context["list"]
    assert listed.problems == []
    return [row.label for row in listed.table]


def bank(client: Any, name: str, branch: str) -> Any:
    from relais.records.parties.models import Bank

    values = {"name": name, "country": "ES", "swift_code": "IFNPESMM", "branch_code": branch, "address": "Madrid"}
    assert client.post("/bo/banks/new/", values).status_code == 302
    return Bank.objects.get(name=name)


@pytest.fixture
def changed(reseller: Any) -> Any:
    """A bank of the reseller's that was added, and then changed."""
    made = bank(reseller, "Casa Verde", "001")
    sent = {"name": "Casa Azul", "country": "ES", "swift_code": "IFNPESMM", "branch_code": "001", "address": "Madrid"}
    assert reseller.post(f"/bo/banks/{made.pk}/edit/", sent).status_code == 302
    return made


def entry(action: str) -> Any:
    from relais.records.people.models import AuditAction

    return AuditAction.objects.filter(action=action).latest("pk")


def test_AUD_1_AUD_2_the_columns_are_time_user_address_and_action_AUD_7_the_newest_first(
    reseller: Any, changed: Any
) -> None:
    listed = reseller.get(URL).context["list"]
    assert [header.label for header in listed.headers] == ["Date & Time", "User", "IP Address", "Logged Action"]
    assert [row.label for row in listed.table[:3]] == ["Edit Bank", "Add Bank", "Log in"]
    cells = [str(cell.html) for cell in listed.table[0].cells]
    assert cells[1:] == ["Rita Reseller (reseller)", "127.0.0.1", "Edit Bank"]


def test_AUD_5_the_details_show_changed_fields_with_old_and_new_value(reseller: Any, changed: Any) -> None:
    page = reseller.get(f"{URL}{entry('Edit Bank').pk}/").content.decode()
    for text in ("parties_bank", "Update", f">{changed.pk}<", "<del>Casa Verde</del>", "<ins>Casa Azul</ins>"):
        assert text in page, text
    assert "Madrid" not in page, "what did not change is not told"
    assert "Hornes and Hooves" in page


def test_AUD_4_an_entry_is_downloaded_as_csv_with_its_zone(reseller: Any, changed: Any) -> None:
    from relais.records.people.models import User

    User.objects.filter(login="reseller").update(timezone="Europe/Madrid")
    done = entry("Edit Bank")
    answer = reseller.get(f"{URL}{done.pk}/csv/")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    head, *lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert head == ["Date & Time (Europe/Madrid)", "User", "IP Address", "Logged Action", "Table", "Operation",
                    "Object ID", "Old value", "New value", "Company ID"]  # fmt: skip
    company = str(User.objects.get(login="reseller").company_id)
    assert [line[1:] for line in lines] == [
        ["Rita Reseller (reseller)", "127.0.0.1", "Edit Bank", "parties_bank", "update", str(changed.pk),
         "name: Casa Verde", "name: Casa Azul", company]
    ]  # fmt: skip


def test_AUD_4_formulas_in_values_stay_text(reseller: Any) -> None:
    from relais.records import audit

    done = audit.note("=cmd", user=None, ip_address=None, user_name="@reseller", company=None)
    owner = log_in(("owner", "Olga-demo-2025"))
    (_, line) = csv.reader(io.StringIO(owner.get(f"{URL}{done.pk}/csv/").content.decode("utf-8-sig")))
    assert line[1] == "'@reseller" and line[3] == "'=cmd"


def test_AUD_13_times_are_in_the_readers_zone(reseller: Any, changed: Any) -> None:
    from relais.records.people.models import AuditAction, User

    User.objects.filter(login="reseller").update(timezone="Asia/Tokyo")
    listed = reseller.get(URL, {"action": "Add Bank"}).context["list"]
    at = AuditAction.objects.get(action="Add Bank").at
    told = (at + timedelta(hours=9)).strftime("%d.%m.%Y %H:%M:%S")
    assert str(listed.table[0].cells[0].html) == told
    answer = b"".join(reseller.get(f"{URL}csv/", {"action": "Add Bank"}).streaming_content).decode("utf-8-sig")
    head, line = csv.reader(io.StringIO(answer))
    assert (head[0], line[0]) == ("Date & Time (Asia/Tokyo)", told)


def test_AUD_12_what_is_done_on_behalf_of_another_company_says_so(owner: Any) -> None:
    from relais.records.audit import audited
    from relais.records.parties.models import Company
    from relais.records.people.models import User

    client = Company.objects.filter(parent__parent=None).exclude(parent=None).first()
    assert client is not None
    user = User.objects.get(login="owner")
    with audited("Correct it", user=user, ip_address="192.0.2.1", on_behalf_of=client):
        client.description = "corrected"
        client.save()
    told = f"{user.full_name} (owner), on behalf of {client}"
    assert [str(c.html) for c in owner.get(URL, {"action": "Correct"}).context["list"].table[0].cells][1] == told
    assert told in owner.get(f"{URL}{entry('Correct it').pk}/").content.decode()
    _, line = csv.reader(io.StringIO(owner.get(f"{URL}{entry('Correct it').pk}/csv/").content.decode()))
    assert line[1] == told


def test_AUD_14_filters_cover_user_address_action_table_object_and_company(reseller: Any, changed: Any) -> None:
    from relais.records.people.models import User

    company = User.objects.get(login="reseller").company_id
    assert actions(reseller, user_name="rita", action="bank") == ["Edit Bank", "Add Bank"]
    assert actions(reseller, ip_address="127.0.0", action="Edit") == ["Edit Bank"]
    assert actions(reseller, ip_address="10.0.0.1") == []
    assert actions(reseller, table="parties_bank", object_id=str(changed.pk)) == ["Edit Bank", "Add Bank"]
    assert actions(reseller, table="parties_bank", object_id="no such") == []
    assert "Edit Bank" in actions(reseller, company=company)
    assert actions(reseller, actor="job") == []


def test_AUD_14_table_and_object_are_asked_of_the_same_record_and_an_entry_is_found_once(owner: Any) -> None:
    from relais.records import audit
    from relais.records.parties.models import Bank, Company

    top = Company.objects.get(parent=None)
    fields = {"country": "ES", "address": "Madrid", "swift_code": "IFNPESMM", "company": top}
    with audit.audited("Two banks", user=None, ip_address=None):
        banks = [Bank.objects.create(name=f"B{n}", branch_code=f"00{n}", **fields) for n in range(2)]
        top.description = "changed"
        top.save()
    assert actions(owner, table="parties_bank", action="Two banks") == ["Two banks"]
    assert actions(owner, table="parties_company", object_id=str(top.pk), action="Two") == ["Two banks"]
    assert banks[0].pk != top.pk
    assert actions(owner, table="parties_company", object_id=str(banks[0].pk), action="Two") == []


def test_AUD_14_the_period_is_of_days_in_the_readers_zone(reseller: Any, changed: Any) -> None:
    today = datetime.now(tz=UTC).date()
    assert "Edit Bank" in actions(reseller, at_after=today.isoformat(), at_before=today.isoformat())
    assert actions(reseller, at_before=(today - timedelta(days=1)).isoformat(), action="Edit Bank") == []


def test_AUD_9_there_is_no_way_to_change_or_delete_an_entry(owner: Any) -> None:
    done = entry("Log in")
    drawer = owner.get(f"{URL}{done.pk}/").context["drawer"]
    assert (drawer.may_edit, drawer.may_delete, drawer.actions) == (False, False, [])
    for url in (f"{URL}new/", f"{URL}{done.pk}/edit/", f"{URL}{done.pk}/delete/", f"{URL}bulk/delete/"):
        assert owner.post(url, {"ids": [done.pk], "sure": "1"}).status_code in (404, 405)


def test_AUD_11_a_reader_sees_the_own_company_and_those_directly_below_only(reseller: Any, changed: Any) -> None:
    owner = log_in(("owner", "Olga-demo-2025"))
    done = bank(owner, "Top", "002")
    top = entry("Add Bank")
    assert top.lines.get().object_id == str(done.pk)
    assert reseller.get(f"{URL}{top.pk}/").status_code == 404
    assert reseller.get(f"{URL}{top.pk}/csv/").status_code == 404
    assert owner.get(f"{URL}{entry('Edit Bank').pk}/").status_code == 200, "the reseller is directly below the owner"


def test_AUD_12_what_the_system_did_is_marked_as_such(owner: Any) -> None:
    from relais.records import audit
    from relais.records.people.models import Actor

    audit.note("Lapse payments", user=None, ip_address=None, actor=Actor.JOB)
    listed = owner.get(URL, {"action": "Lapse"}).context["list"]
    assert [str(cell.html) for cell in listed.table[0].cells][1] == "Job"


def test_AUD_16_a_users_name_stays_when_the_user_is_gone(reseller: Any, changed: Any) -> None:
    from relais.records.people.models import User

    User.objects.filter(login="reseller").update(login="gone", first_name="Somebody", last_name="Else")
    assert [str(c.html) for c in reseller.get(URL, {"action": "Edit Bank"}).context["list"].table[0].cells][1] == (
        "Rita Reseller (reseller)"
    )


def test_AUD_8_an_export_is_logged(reseller: Any) -> None:
    b"".join(reseller.get("/bo/banks/csv/").streaming_content)
    assert actions(reseller)[0] == "Export Banks"
