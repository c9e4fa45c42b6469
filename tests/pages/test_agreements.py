"""Agreements and their versions as the BackOffice shows and changes them (spec 03)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

ZONE = "Europe/Madrid"


def parties() -> dict[str, Any]:
    """What the owner chooses for an agreement with its reseller."""
    from relais.records.parties.models import BankAccount, Company, LegalEntity

    return {
        "company": Company.objects.get(name="Hornes and Hooves").pk,
        "direction": "client",
        "legal_entity": LegalEntity.objects.get(name="HH Ltd").pk,
        "own_legal_entity": LegalEntity.objects.get(name="System owner LE").pk,
        "own_bank_account": BankAccount.objects.get(name="Owner EUR").pk,
        "agreement_code": "HH-2",
        "agreement_date": "24.11.2025",
        "currency": "EUR",
    }


def terms(**changes: Any) -> dict[str, Any]:
    return {
        "effective_from_0": "01.01.2026, 00:00:00",
        "effective_from_1": ZONE,
        "effective_till_1": ZONE,
        "credit_limit": "1 500.00",
        "billing_timezone": ZONE,
        "billing_period": "weekly",
        "billing_weekday": "1",
        "days_for_payment": "14",
        "tax": "21.00",
        "split_by_month": "on",
        "account_emails": "a@hornes.example",
        **changes,
    }


def the(code: str) -> Any:
    from relais.records.agreements.models import Agreement

    return Agreement.objects.get(agreement_code=code)


def add_version(client: Any, agreement: Any, **changes: Any) -> Any:
    """The version added through the form."""
    sent = terms(agreement=agreement.pk, **changes)
    answer = client.post("/bo/agreement-versions/new/", sent)
    assert answer.status_code == 302, answer.context["drawer"].form.errors
    return agreement.versions.latest("pk")


def page(answer: Any) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def test_AG_18_an_agreement_and_its_first_version_are_added_in_one_form(owner: Any) -> None:
    answer = owner.post("/bo/agreements/new/", parties() | terms())
    assert answer.status_code == 302, answer.context["drawer"].form.errors
    agreement = the("HH-2")
    (version,) = agreement.versions.all()
    assert (agreement.currency, agreement.direction, agreement.balance.balance_micros) == ("EUR", "client", 0)
    assert version.effective_from == datetime(2025, 12, 31, 23, tzinfo=UTC) and version.effective_till is None
    assert (version.credit_limit_micros, version.tax_bp, version.billing_day) == (1_500_000_000, 2100, 1)
    assert version.split_by_month and version.effective_from_timezone == ZONE


def test_AG_22_nothing_but_client_is_taken_as_direction(owner: Any) -> None:
    answer = owner.post("/bo/agreements/new/", parties() | terms() | {"direction": "vendor"})
    assert answer.status_code == 422 and "direction" in answer.context["drawer"].form.errors
    assert owner.post("/bo/agreements/new/", parties() | terms() | {"direction": ""}).status_code == 302
    assert the("HH-2").direction == "client"


def test_AG_26_an_own_bank_account_is_required(owner: Any) -> None:
    sent = parties() | terms()
    del sent["own_bank_account"]
    answer = owner.post("/bo/agreements/new/", sent)
    assert answer.status_code == 422 and "own_bank_account" in answer.context["drawer"].form.errors


def test_AG_33_a_blank_credit_limit_is_unlimited_and_shown_so(owner: Any) -> None:
    owner.post("/bo/agreements/new/", parties() | terms(credit_limit=""))
    agreement = the("HH-2")
    assert agreement.versions.get().credit_limit_micros is None
    assert "unlimited" in page(owner.get(f"/bo/agreements/{agreement.pk}/"))
    row = next(row for row in owner.get("/bo/agreements/").context["list"].table if row.pk == agreement.pk)
    assert "∞" in [str(cell.html) for cell in row.cells]


def test_AG_38_a_daily_period_has_billing_day_1_whatever_is_sent(owner: Any) -> None:
    owner.post("/bo/agreements/new/", parties() | terms(billing_period="daily", billing_day="17"))
    assert the("HH-2").versions.get().billing_day == 1


def test_AG_38_a_weekly_period_has_a_weekday_and_a_monthly_one_a_day(owner: Any) -> None:
    answer = owner.post(
        "/bo/agreements/new/", parties() | terms(billing_period="monthly", billing_weekday="", split_by_month="")
    )
    assert answer.status_code == 422 and "billing_day" in answer.context["drawer"].form.errors
    owner.post("/bo/agreements/new/", parties() | terms(billing_weekday="7"))
    version = the("HH-2").versions.get()
    assert version.billing_day == 7
    assert "Sunday" in page(owner.get(f"/bo/agreements/{version.agreement_id}/"))


def test_AG_80_an_end_before_the_start_is_refused_and_nothing_is_made(owner: Any) -> None:
    answer = owner.post("/bo/agreements/new/", parties() | terms(effective_till_0="31.12.2025, 00:00:00"))
    assert answer.status_code == 422 and "effective_till" in answer.context["drawer"].form.errors
    assert owner.get("/bo/agreements/").context["list"].count.number == 1


def test_AG_83_a_code_is_taken_once_a_company_whatever_its_case(owner: Any) -> None:
    answer = owner.post("/bo/agreements/new/", parties() | terms() | {"agreement_code": "hh-1"})
    assert answer.status_code == 422
    assert answer.context["drawer"].form.errors["agreement_code"] == ["Is taken: choose another"]


def test_AG_84_references_follow_their_parents_and_another_companys_are_refused(owner: Any) -> None:
    from relais.records.parties.models import BankAccount, LegalEntity

    offered = owner.get("/bo/agreements/new/?options=legal_entity").json()["options"]
    assert offered == [], "nothing before a company is chosen"
    company = parties()["company"]
    offered = owner.get(f"/bo/agreements/new/?options=legal_entity&company={company}").json()["options"]
    assert [option["text"] for option in offered] == ["HH Ltd"]
    own = LegalEntity.objects.get(name="System owner LE")
    offered = owner.get(f"/bo/agreements/new/?options=own_bank_account&own_legal_entity={own.pk}").json()["options"]
    assert [option["text"] for option in offered] == ["Owner EUR"]
    assert owner.get("/bo/agreements/new/").context["drawer"].form["own_legal_entity"].value() == own.pk
    foreign = BankAccount.objects.get(name="HH EUR").pk
    answer = owner.post("/bo/agreements/new/", parties() | terms() | {"own_bank_account": foreign})
    assert answer.status_code == 422 and "own_bank_account" in answer.context["drawer"].form.errors


@pytest.mark.parametrize("limit", ["-1", "1.005", "x"])
def test_AG_88_a_credit_limit_is_not_negative_and_fits_the_currency(limit: str, owner: Any) -> None:
    answer = owner.post("/bo/agreements/new/", parties() | terms(credit_limit=limit))
    assert answer.status_code == 422 and "credit_limit" in answer.context["drawer"].form.errors


def test_AG_93_each_address_of_a_list_is_checked(owner: Any) -> None:
    answer = owner.post("/bo/agreements/new/", parties() | terms(invoice_emails="a@b.example, rita@hornes"))
    assert answer.status_code == 422
    assert answer.context["drawer"].form.errors["invoice_emails"] == ["'rita@hornes' is not an e-mail address"]


def test_AG_6_every_column_of_the_list_exists(owner: Any) -> None:
    labels = [choice.label for choice in owner.get("/bo/agreements/").context["list"].column_choices]
    wanted = ("ID", "Company", "Legal entity", "Own legal entity", "Bank account", "Own bank account", "Agreement code",
              "Agreement date", "Direction", "Currency", "Effective from", "Effective till", "Credit limit",
              "Billing time zone", "Billing period", "Services", "Packs", "State", "Balance")  # fmt: skip
    assert not set(wanted) - set(labels)


def test_AG_8_AG_9_AG_10_services_and_packs_link_to_their_page_filtered_to_the_agreement(reseller: Any) -> None:
    agreement = the("TM-1")
    reseller.post("/bo/agreements/columns/", {"columns": ["id", "company", "services", "packs"]})
    body = page(reseller.get("/bo/agreements/"))
    assert f'<a href="/bo/enabled-services/?agreement={agreement.pk}">services 1</a>' in body
    assert "No packs enabled" in body
    listed = reseller.get(f"/bo/enabled-services/?agreement={agreement.pk}").context["list"]
    assert listed.count.number == 1 and listed.chips[0].label == "Agreement"


def test_AG_54_the_drawer_shows_the_parties_and_leads_to_the_company(owner: Any) -> None:
    agreement = the("HH-1")
    body = page(owner.get(f"/bo/agreements/{agreement.pk}/"))
    for text in ("HH-1", "HH Ltd", "System owner LE", "Owner EUR", "01.01.2025", "Client"):
        assert text in body
    assert f"/{agreement.company_id}/" in body


def test_AG_55_AG_56_change_sets_the_credit_limit_alone_and_at_once(owner: Any) -> None:
    agreement = the("HH-1")
    version = agreement.versions.get()
    url = f"/bo/agreement-versions/{version.pk}/do/credit-limit/"
    assert url in page(owner.get(f"/bo/agreements/{agreement.pk}/"))
    assert "500.00" in page(owner.get(url))
    assert owner.post(url, {"credit_limit": "750"}).status_code == 302
    version.refresh_from_db()
    assert (version.credit_limit_micros, version.days_for_payment) == (750_000_000, 14)
    assert owner.post(url, {"credit_limit": "-1"}).status_code in (409, 422)
    version.refresh_from_db()
    assert version.credit_limit_micros == 750_000_000


def test_AG_86_the_strip_shows_balance_reserved_and_what_is_available(owner: Any) -> None:
    from relais.records.agreements.models import Balance

    agreement = the("HH-1")
    Balance.objects.filter(agreement=agreement).update(balance_micros=1_906_670_000, reserved_micros=12_480_000)
    body = page(owner.get(f"/bo/agreements/{agreement.pk}/")).replace("\N{NO-BREAK SPACE}", " ")
    for figure in ("1 906.67", "12.48", "500.00", "2 394.19"):
        assert f"<b>{figure} <span" in body


def test_AG_68_AG_78_a_new_version_ends_its_open_predecessor(owner: Any) -> None:
    agreement = the("HH-1")
    first = agreement.versions.get()
    form = owner.get(f"/bo/agreement-versions/new/?agreement={agreement.pk}").context["drawer"].form
    assert form["days_for_payment"].value() == 14, "the terms in force are what it begins with"
    second = add_version(owner, agreement)
    first.refresh_from_db()
    assert first.effective_till == second.effective_from
    answer = owner.post(
        "/bo/agreement-versions/new/", terms(agreement=agreement.pk, effective_from_0="01.06.2025, 00:00:00")
    )
    assert answer.status_code == 422
    assert f"{first.pk}" in str(answer.context["drawer"].form.errors["effective_from"])
    assert agreement.versions.count() == 2


def test_AG_71_AG_72_a_version_is_picked_by_its_period_id_and_state(owner: Any) -> None:
    agreement = the("HH-1")
    first = agreement.versions.get()
    second = add_version(owner, agreement, effective_from_0="01.01.2087, 00:00:00", version_code="later")
    body = page(owner.get(f"/bo/agreements/{agreement.pk}/"))
    assert f"01.01.2025 - 01.01.2087 (ID {first.pk}) - active</option>" in body
    assert f"01.01.2087 - Indefinitely (ID {second.pk}) - upcoming</option>" in body
    picked = page(owner.get(f"/bo/agreements/{agreement.pk}/versions/?version={second.pk}"))
    assert f'value="{second.pk}" selected' in picked and "21.00 %" in picked
    assert f'value="{second.pk}" selected' in page(owner.get(f"/bo/agreement-versions/{second.pk}/"))
    assert f'value="{first.pk}" selected' in page(owner.get(f"/bo/agreements/{agreement.pk}/versions/?version=x9"))


def test_AG_50_a_blank_list_of_addresses_says_that_account_emails_are_used(owner: Any) -> None:
    agreement = the("HH-1")
    version = add_version(owner, agreement, service_emails="s@hornes.example")
    body = page(owner.get(f"/bo/agreement-versions/{version.pk}/"))
    assert body.count("→ Account emails") == 3 and "s@hornes.example" in body


def test_AG_75_AG_76_why_a_version_cannot_be_deleted_stands_beside_the_button(owner: Any) -> None:
    agreement = the("HH-1")
    first = agreement.versions.get()
    body = page(owner.get(f"/bo/agreements/{agreement.pk}/"))
    assert "the only version of an agreement cannot be deleted" in body
    second = add_version(owner, agreement, effective_from_0="01.01.2087, 00:00:00")
    assert "a version that started before today cannot be deleted" in page(owner.get(f"/bo/agreements/{agreement.pk}/"))
    assert owner.post(f"/bo/agreement-versions/{first.pk}/delete/").status_code == 409
    assert owner.post(f"/bo/agreement-versions/{second.pk}/delete/").status_code == 302
    assert list(agreement.versions.all()) == [first]


def test_AG_79_the_state_of_an_agreement_can_be_filtered_and_sorted(owner: Any) -> None:
    owner.post("/bo/agreements/new/", parties() | terms(effective_from_0="01.01.2087, 00:00:00"))
    upcoming = owner.get("/bo/agreements/?state=upcoming").context["list"].table
    assert [row.label for row in upcoming] == ["HH-2"]
    assert [row.label for row in owner.get("/bo/agreements/?sort=-state").context["list"].table] == ["HH-2", "HH-1"]
    assert [row.label for row in owner.get("/bo/agreements/?state=active").context["list"].table] == ["HH-1"]


def test_AG_81_of_an_expired_version_only_the_code_can_be_changed(owner: Any) -> None:
    from relais.records.agreements.models import AgreementVersion

    version = the("HH-1").versions.get()
    AgreementVersion.objects.filter(pk=version.pk).update(effective_till=datetime.now(UTC) - timedelta(days=1))
    url = f"/bo/agreement-versions/{version.pk}/edit/"
    assert list(owner.get(url).context["drawer"].form.fields) == ["version_code"]
    assert owner.post(url, {"version_code": "old", "days_for_payment": "99"}).status_code == 302
    version.refresh_from_db()
    assert (version.version_code, version.days_for_payment) == ("old", 14)


def test_AG_66_parties_are_text_when_a_version_is_edited(owner: Any) -> None:
    version = the("HH-1").versions.get()
    drawer = owner.get(f"/bo/agreement-versions/{version.pk}/edit/").context["drawer"]
    assert [item.label for item in drawer.sections[0].texts][:3] == ["Company", "Legal entity", "Own legal entity"]
    assert not {"company", "agreement_code", "currency", "direction"} & set(drawer.form.fields)


def test_AG_61_the_window_lists_the_services_of_the_agreement(reseller: Any) -> None:
    agreement = the("TM-1")
    answer = reseller.get(f"/bo/agreements/{agreement.pk}/services/", headers={"HX-Request": "true"})
    body = page(answer)
    assert "<html" not in body
    for text in ("SMS service", "Pay-as-you-go", "01.01.2025, 00:00:00", "∞"):
        assert text in body


def test_AG_95_a_change_of_terms_is_audited_with_old_and_new_values(owner: Any) -> None:
    from relais.records.people.models import AuditLine

    version = the("HH-1").versions.get()
    owner.post(f"/bo/agreement-versions/{version.pk}/do/credit-limit/", {"credit_limit": "1"})
    line = AuditLine.objects.filter(table="agreements_agreementversion", operation="update").latest("pk")
    assert (line.old["credit_limit_micros"], line.new["credit_limit_micros"]) == (500_000_000, 1_000_000)
    assert line.action.user_name == "Olga Owner (owner)"


def test_agreements_of_another_level_do_not_exist_and_what_is_bought_cannot_be_changed(
    owner: Any, reseller: Any
) -> None:
    sold, bought = the("TM-1"), the("HH-1")
    assert owner.get(f"/bo/agreements/{sold.pk}/").status_code == 404
    version = bought.versions.get()
    body = page(reseller.get(f"/bo/agreements/{bought.pk}/"))
    assert "/edit/" not in body and "Add new version" not in body and "Change" not in body
    assert reseller.get(f"/bo/agreement-versions/{version.pk}/edit/").status_code == 404
    assert (
        reseller.post(f"/bo/agreement-versions/{version.pk}/do/credit-limit/", {"credit_limit": "9"}).status_code == 404
    )
