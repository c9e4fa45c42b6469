"""Banks: codes, and whose they are to use, edit and delete."""

from typing import Any

from tests.pages.conformance import errors_of
from tests.pages.test_companies import company, ids
from tests.pages.test_legal_entities import errors, labels

FORM = {"name": "Gulf States", "country": "SA", "address": "Riyadh", "swift_code": "gsbcsaje", "branch_code": "77a"}


def bank(name: str) -> Any:
    from relais.records.parties.models import Bank

    return Bank.objects.get(name=name)


def add(client: Any, **fields: Any) -> Any:
    return client.post("/bo/banks/new/", FORM | fields)


def test_BK_4_the_columns_of_the_list(owner: Any) -> None:
    assert labels(owner, "banks")[:5] == ["ID", "Name", "Country", "SWIFT code", "Branch code"]


def test_BK_9_to_BK_17_what_is_asked_for_and_what_may_be_blank(owner: Any) -> None:
    """BK-10, BK-11, BK-12; both codes are to be filled in (BK-15)."""
    answer = owner.post("/bo/banks/new/", {})
    assert list(answer.context["drawer"].form.fields) == [
        "name", "description", "country", "address", "swift_code", "branch_code", "bank_code",
    ]  # fmt: skip
    assert set(errors(answer)) == {"name", "country", "address", "swift_code", "branch_code"}


def test_BK_13_BK_14_BK_16_codes_have_exactly_eight_and_three_characters(owner: Any) -> None:
    for field, value in (
        ("swift_code", "GSBCSAJ"),
        ("swift_code", "GSBCSAJEX"),
        ("branch_code", "77"),
        ("branch_code", "7701"),
    ):
        assert list(errors(add(owner, **{field: value}))) == [field]
    form = owner.get("/bo/banks/new/").context["drawer"].form
    assert (form.fields["swift_code"].max_length, form.fields["branch_code"].max_length) == (8, 3)


def test_BK_24_codes_are_stored_in_capitals_and_taken_once_a_level(owner: Any, reseller: Any) -> None:
    assert add(owner).status_code == 302
    assert (bank("Gulf States").swift_code, bank("Gulf States").branch_code) == ("GSBCSAJE", "77A")
    answer = add(owner, name="Twice")
    assert answer.status_code == 422 and set(errors(answer)) & {"swift_code", "branch_code"}
    assert list(errors(add(owner, swift_code="GSBC-AJE"))) == ["swift_code"]
    assert add(reseller, name="Its own").status_code == 302, "another level has its own"


def test_BK_8_branch_codes_repeat_over_banks(owner: Any) -> None:
    assert add(owner).status_code == 302
    assert add(owner, name="Alpine", swift_code="APRFLILI").status_code == 302


def test_BK_2_BK_25_banks_of_the_levels_above_are_there_to_use_and_ones_own_to_change(
    owner: Any, reseller: Any
) -> None:
    from relais.records.parties.models import Bank

    add(reseller)
    Bank.objects.create(company=company("Telecom Monsters"), name="Below", country="ES", address="a",
                        swift_code="BELOESMM", branch_code="001")  # fmt: skip
    assert ids(reseller.get("/bo/banks/")) == ["Gulf States", "Iberian Financial Network"]
    assert ids(owner.get("/bo/banks/")) == ["Iberian Financial Network"]
    above, own = bank("Iberian Financial Network").pk, bank("Gulf States").pk
    assert reseller.get(f"/bo/banks/{above}/").context["drawer"].may_edit is False
    assert reseller.get(f"/bo/banks/{own}/").context["drawer"].may_edit is True
    for verb in ("edit", "delete"):
        assert reseller.post(f"/bo/banks/{above}/{verb}/").status_code == 404
    assert owner.get(f"/bo/banks/{own}/").status_code == 404


def test_BK_20_BK_26_a_bank_with_accounts_of_any_level_is_not_deleted(owner: Any) -> None:
    key = bank("Iberian Financial Network").pk
    assert owner.get(f"/bo/banks/{key}/delete/").context["drawer"].hanging == [("bank accounts", 2)]
    answer = owner.post(f"/bo/banks/{key}/delete/")
    assert answer.status_code == 409 and "2 bank accounts" in answer.context["reasons"][0]
    assert bank("Iberian Financial Network").pk == key


def test_BK_11_a_country_is_chosen_among_those_of_ISO_3166(owner: Any) -> None:
    offered = dict(owner.get("/bo/banks/new/").context["drawer"].form.fields["country"].choices)
    assert offered["ES"] == "Spain" and len(offered) > 240
    assert list(errors(add(owner, country="QQ"))) == ["country"]


def test_BK_7_the_country_need_not_match_the_code(owner: Any) -> None:
    answer = add(owner, country="NZ")
    assert answer.status_code == 302, errors_of(answer)


def test_BK_29_adding_changing_and_deleting_are_audited(owner: Any) -> None:
    from relais.records.people.models import AuditAction

    add(owner)
    key = bank("Gulf States").pk
    owner.post(f"/bo/banks/{key}/edit/", FORM | {"bank_code": "17"})
    owner.post(f"/bo/banks/{key}/delete/")
    said = AuditAction.objects.filter(action__endswith=" Bank").order_by("pk")
    assert [each.action for each in said] == ["Add Bank", "Edit Bank", "Delete Bank"]
