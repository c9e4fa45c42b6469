"""Bank accounts of clients and own ones."""

from typing import Any

from tests.pages.conformance import errors_of
from tests.pages.test_companies import company, ids
from tests.pages.test_legal_entities import entity, errors, labels

DETAILS = {"account_holder": "Alpine AG", "account_number": "CH56 0483 5012 3456 7800"}


def bank() -> Any:
    from relais.records.parties.models import Bank

    return Bank.objects.get(name="Iberian Financial Network")


def account(name: str) -> Any:
    from relais.records.parties.models import BankAccount

    return BankAccount.objects.get(name=name)


def client_form(**fields: Any) -> dict[str, Any]:
    tm = entity("TM SL")
    own = {"name": "Swiss Private", "company": tm.company_id, "legal_entity": tm.pk, "bank": bank().pk}
    return own | DETAILS | fields


def add(client: Any, **fields: Any) -> Any:
    return client.post("/bo/bank-accounts/new/", client_form(**fields))


def add_own(client: Any, **fields: Any) -> Any:
    own = {"name": "Main", "legal_entity": entity("HH Ltd").pk, "bank": bank().pk}
    return client.post("/bo/own-bank-accounts/new/", own | DETAILS | {"account_number": "No 1"} | fields)


def test_BA_3_OBA_5_the_columns_of_both_lists(owner: Any) -> None:
    assert labels(owner, "bank-accounts")[:5] == ["ID", "Name", "Company", "Legal entity", "Bank"]
    assert labels(owner, "own-bank-accounts")[:4] == ["ID", "Name", "Legal entity", "Parent bank"]


def test_BA_1_accounts_of_clients_are_those_kept_for_companies_below(owner: Any, reseller: Any) -> None:
    assert ids(owner.get("/bo/bank-accounts/")) == ["HH EUR"]
    assert ids(reseller.get("/bo/bank-accounts/")) == []
    assert add(reseller).status_code == 302
    assert ids(reseller.get("/bo/bank-accounts/")) == ["Swiss Private"]
    assert ids(owner.get("/bo/bank-accounts/")) == ["HH EUR"]


def test_BA_8_BA_9_BA_19_the_legal_entity_is_one_of_the_chosen_company(reseller: Any) -> None:
    tm = company("Telecom Monsters")
    url = "/bo/bank-accounts/new/?options=legal_entity"
    assert reseller.get(url).json()["options"] == [], "no company is chosen yet"
    offered = reseller.get(f"{url}&company={tm.pk}").json()["options"]
    assert [option["text"] for option in offered] == ["TM SL"]
    assert reseller.get(f"{url}&company={company('Hornes and Hooves').pk}").json()["options"] == []
    assert list(errors(add(reseller, legal_entity=entity("HH Ltd").pk))) == ["legal_entity"]


def test_BA_10_BK_3_OBA_9_OBA_10_OBA_11_BK_25_banks_are_those_of_the_level_and_above(owner: Any, reseller: Any) -> None:
    from relais.records.parties.models import Bank

    below = Bank.objects.create(company=company("Telecom Monsters"), name="Below", country="ES", address="a",
                                swift_code="BELOESMM", branch_code="001")  # fmt: skip
    for page in ("bank-accounts", "own-bank-accounts"):
        offered = reseller.get(f"/bo/{page}/new/?options=bank").json()["options"]
        assert [option["text"] for option in offered] == ["Iberian Financial Network"]
    assert list(errors(add(reseller, bank=below.pk))) == ["bank"]


def test_BA_17_every_field_is_required(reseller: Any) -> None:
    answer = reseller.post("/bo/bank-accounts/new/", {})
    assert set(errors(answer)) == {"name", "company", "legal_entity", "bank", "account_holder", "account_number"}


def test_BA_20_a_number_is_taken_once_a_bank_and_level_and_no_checksum_is_asked_for(reseller: Any) -> None:
    assert add(reseller, account_number="ES00 1234 5678").status_code == 302
    answer = add(reseller, name="Twice", account_number="es0012345678")
    assert list(errors(answer)) == ["account_number"]


def test_BA_22_company_and_legal_entity_are_text_once_an_agreement_refers_to_the_account(reseller: Any) -> None:
    from relais.records.agreements.models import Agreement

    add(reseller)
    key = account("Swiss Private").pk
    assert "company" in reseller.get(f"/bo/bank-accounts/{key}/edit/").context["drawer"].form.fields
    Agreement.objects.filter(agreement_code="TM-1").update(bank_account=key)
    drawer = reseller.get(f"/bo/bank-accounts/{key}/edit/").context["drawer"]
    assert list(drawer.form.fields) == ["name", "bank", "account_holder", "account_number"]
    assert [item.label for item in drawer.sections[0].texts] == ["Company", "Legal entity"]
    answer = reseller.post(f"/bo/bank-accounts/{key}/delete/")
    assert answer.status_code == 409 and "1 agreement" in answer.context["reasons"][0]
    assert account("Swiss Private").pk == key


def test_BA_25_changes_of_a_number_are_audited(reseller: Any) -> None:
    from relais.records.people.models import AuditLine

    add(reseller)
    key = account("Swiss Private").pk
    answer = reseller.post(f"/bo/bank-accounts/{key}/edit/", client_form(account_number="CH11"))
    assert answer.status_code == 302, errors_of(answer)
    line = AuditLine.objects.filter(table="parties_bankaccount", operation="update").latest("pk")
    assert "account_number" in line.old and line.old["account_number"] != line.new["account_number"]


def test_OBA_3_OBA_21_a_reseller_sees_what_is_assigned_to_it_and_changes_only_its_own(reseller: Any) -> None:
    add_own(reseller)
    assert ids(reseller.get("/bo/own-bank-accounts/")) == ["Main", "HH EUR"]
    assigned = account("HH EUR").pk
    assert reseller.get(f"/bo/own-bank-accounts/{assigned}/").context["drawer"].may_edit is False
    for verb in ("edit", "delete"):
        assert reseller.post(f"/bo/own-bank-accounts/{assigned}/{verb}/").status_code == 404
    assert reseller.get(f"/bo/own-bank-accounts/{account('Main').pk}/").context["drawer"].may_edit is True


def test_OBA_1_OBA_8_OBA_24_own_entities_and_those_of_resellers_below_are_offered(owner: Any, reseller: Any) -> None:
    url = "/bo/own-bank-accounts/new/?options=legal_entity"
    assert [option["text"] for option in owner.get(url).json()["options"]] == ["HH Ltd", "System owner LE"]
    assert [option["text"] for option in reseller.get(url).json()["options"]] == ["HH Ltd"]
    add_own(owner, name="For HH")
    assert account("For HH").level.name == "System owner"
    assert ids(owner.get("/bo/own-bank-accounts/")) == ["For HH", "HH EUR", "Owner EUR"]
    assert "For HH" in ids(reseller.get("/bo/own-bank-accounts/"))


def test_an_account_that_a_reseller_keeps_itself_is_not_its_tenants_to_see(owner: Any, reseller: Any) -> None:
    add_own(reseller)
    assert account("Main").level.name == "Hornes and Hooves"
    for page in ("bank-accounts", "own-bank-accounts"):
        assert "Main" not in ids(owner.get(f"/bo/{page}/"))
        assert owner.get(f"/bo/{page}/{account('Main').pk}/").status_code == 404


def test_OBA_19_an_own_IBAN_has_right_check_digits_and_other_numbers_are_text(reseller: Any) -> None:
    assert list(errors(add_own(reseller, account_number="DE88 3704 0044 0532 0130 00"))) == ["account_number"]
    assert add_own(reseller, account_number="DE89 3704 0044 0532 0130 00").status_code == 302
    assert add_own(reseller, name="Text", account_number="No 17").status_code == 302


def test_OBA_20_an_own_account_that_an_agreement_uses_is_not_deleted(owner: Any) -> None:
    key = account("Owner EUR").pk
    answer = owner.post(f"/bo/own-bank-accounts/{key}/delete/")
    assert answer.status_code == 409 and "1 agreement" in answer.context["reasons"][0]


def test_OBA_22_a_name_is_taken_once_a_legal_entity(reseller: Any) -> None:
    assert errors(add_own(reseller, name="hh eur"))["name"] == ["Is taken: choose another"]
