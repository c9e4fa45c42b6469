"""Legal entities of clients, own ones, and under which agreements a reseller's entity sells."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.pages.conformance import errors_of
from tests.pages.test_companies import company, ids

OWN = {"legal_company_name": "Madrid SA", "country": "ES"}


def entity(name: str) -> Any:
    from relais.records.parties.models import LegalEntity

    return LegalEntity.objects.get(name=name)


def add(client: Any, page: str, **fields: Any) -> Any:
    return client.post(f"/bo/{page}/new/", OWN | fields)


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 422
    return {name: list(words) for name, words in answer.context["drawer"].form.errors.items()}


def labels(client: Any, page: str) -> list[str]:
    return [choice.label for choice in client.get(f"/bo/{page}/").context["list"].column_choices]


def test_LE_1_OLE_1_clients_entities_and_own_ones_stand_apart(owner: Any, reseller: Any) -> None:
    assert ids(owner.get("/bo/legal-entities/")) == ["HH Ltd"]
    assert ids(owner.get("/bo/own-legal-entities/")) == ["System owner LE"]
    assert ids(reseller.get("/bo/legal-entities/")) == ["TM SL"]
    own, client = entity("HH Ltd").pk, entity("TM SL").pk
    for url in (f"own-legal-entities/{client}/", f"legal-entities/{own}/", f"own-legal-entities/{client}/edit/"):
        assert reseller.get(f"/bo/{url}").status_code == 404


def test_OLE_26_RSL_22_RSL_53_a_reseller_finds_the_entity_its_tenant_made_among_its_own(
    owner: Any, reseller: Any
) -> None:
    assert ids(reseller.get("/bo/own-legal-entities/")) == ["HH Ltd"]
    key = entity("HH Ltd").pk
    assert owner.get(f"/bo/legal-entities/{key}/").status_code == 200
    assert reseller.get(f"/bo/own-legal-entities/{key}/edit/").status_code == 200


def test_LE_3_LE_4_OLE_2_OLE_3_the_columns_of_both_lists(owner: Any) -> None:
    assert set(labels(owner, "legal-entities")) == set(labels(owner, "own-legal-entities")) == {
        "ID", "Name", "Company", "Country", "Portal", "Legal address", "Billing address", "Legal company name",
        "Tax ID number", "Legal ID number", "VAT ID number", "Is Default", "Created", "Updated",
    }  # fmt: skip
    shown = [header.label for header in owner.get("/bo/own-legal-entities/").context["list"].headers]
    assert shown == ["ID", "Name", "Company", "Country", "Legal address", "Legal company name", "Tax ID number",
                     "Legal ID number", "VAT ID number", "Is Default"]  # fmt: skip


def test_LE_9_the_company_is_one_of_the_levels_clients(reseller: Any) -> None:
    offered = reseller.get("/bo/legal-entities/new/?options=company").json()["options"]
    assert [option["text"] for option in offered] == ["Telecom Monsters"]
    answer = add(reseller, "legal-entities", name="Mine", company=company("Hornes and Hooves").pk)
    assert list(errors(answer)) == ["company"]


def test_LE_14_a_clients_entity_may_lack_numbers_and_its_name_is_taken_once_a_company(reseller: Any) -> None:
    client = company("Telecom Monsters").pk
    assert errors(add(reseller, "legal-entities", name=" tm sl ", company=client)) == {
        "name": ["Is taken: choose another"]
    }
    assert add(reseller, "legal-entities", name="Branch", company=client).status_code == 302
    assert (entity("Branch").legal_id_number, entity("Branch").is_default) == ("", False)


def test_LE_25_a_new_default_takes_the_mark_from_the_former(reseller: Any) -> None:
    client = company("Telecom Monsters").pk
    for name in ("First", "Second"):
        answer = add(reseller, "legal-entities", name=name, company=client, is_default="on")
        assert answer.status_code == 302, errors_of(answer)
    assert (entity("First").is_default, entity("Second").is_default, entity("TM SL").is_default) == (False, True, False)


def test_LE_27_company_is_text_once_something_refers_to_the_entity(reseller: Any) -> None:
    drawer = reseller.get(f"/bo/legal-entities/{entity('TM SL').pk}/edit/").context["drawer"]
    assert "company" not in drawer.form.fields and [item.label for item in drawer.sections[0].texts] == ["Company"]
    add(reseller, "legal-entities", name="Free", company=company("Telecom Monsters").pk)
    drawer = reseller.get(f"/bo/legal-entities/{entity('Free').pk}/edit/").context["drawer"]
    assert "company" in drawer.form.fields


def test_LE_30_country_is_one_of_the_dictionary(reseller: Any) -> None:
    client = company("Telecom Monsters").pk
    assert list(errors(add(reseller, "legal-entities", name="X", company=client, country="QQ"))) == ["country"]


def test_LE_31_OLE_25_an_entity_that_is_referred_to_is_not_deleted(reseller: Any) -> None:
    for page, name, words in (
        ("legal-entities", "TM SL", "1 agreement"),
        ("own-legal-entities", "HH Ltd", "1 agreement sold"),
    ):
        key = entity(name).pk
        assert reseller.get(f"/bo/{page}/{key}/delete/").context["drawer"].hanging
        answer = reseller.post(f"/bo/{page}/{key}/delete/")
        assert answer.status_code == 409 and words in answer.context["reasons"][0]
        assert entity(name).pk == key


def test_OLE_11_OLE_21_an_own_entity_has_a_legal_id_number_of_its_own_in_the_country(reseller: Any) -> None:
    assert list(errors(add(reseller, "own-legal-entities", name="Madrid"))) == ["legal_id_number"]
    assert add(reseller, "own-legal-entities", name="Madrid", legal_id_number="A-1").status_code == 302
    answer = add(reseller, "own-legal-entities", name="Sevilla", legal_id_number="a-1")
    assert list(errors(answer)) == ["legal_id_number"]
    assert add(reseller, "own-legal-entities", name="Lisboa", legal_id_number="A-1", country="PT").status_code == 302


def test_OLE_18_an_own_entity_is_of_the_acting_company(reseller: Any) -> None:
    assert "company" not in reseller.get("/bo/own-legal-entities/new/").context["drawer"].form.fields
    add(reseller, "own-legal-entities", name="Madrid", legal_id_number="A-1", company=company("Telecom Monsters").pk)
    assert entity("Madrid").company.name == "Hornes and Hooves"


def test_OLE_20_there_is_always_one_default_among_own_entities(reseller: Any) -> None:
    add(reseller, "own-legal-entities", name="Madrid", legal_id_number="A-1")
    assert entity("Madrid").is_default, "the company had none"
    add(reseller, "own-legal-entities", name="Sevilla", legal_id_number="A-2", is_default="on")
    assert (entity("Madrid").is_default, entity("Sevilla").is_default) == (False, True)
    sent = OWN | {"name": "Sevilla", "legal_id_number": "A-2"}
    answer = reseller.post(f"/bo/own-legal-entities/{entity('Sevilla').pk}/edit/", sent)
    assert list(errors(answer)) == ["is_default"]


def test_OLE_22_VAT_numbers_of_the_union_are_checked(reseller: Any) -> None:
    answer = add(reseller, "own-legal-entities", name="Madrid", legal_id_number="A-1", vat_id_number="ES1")
    assert list(errors(answer)) == ["vat_id_number"]


def test_LE_22_LE_29_RSL_11_reselling_agreements_stand_with_a_resellers_entity_only(owner: Any, reseller: Any) -> None:
    shown = owner.get(f"/bo/legal-entities/{entity('HH Ltd').pk}/")
    assert "Manage reselling agreements" in shown.content.decode()
    [block] = shown.context["drawer"].blocks_after
    [link] = block.context["links"]
    assert (link.record.agreement.agreement_code, link.status, link.overlaps) == ("HH-1", "Active", False)
    assert reseller.get(f"/bo/legal-entities/{entity('TM SL').pk}/").context["drawer"].blocks_after == []


def link_form(**fields: Any) -> dict[str, Any]:
    from relais.records.agreements.models import Agreement

    agreement = Agreement.objects.get(agreement_code="HH-1").pk
    return {
        "legal_entity": entity("HH Ltd").pk,
        "agreement": agreement,
        "effective_from": "21.11.2023, 00:00:00",
    } | fields


def test_RSL_12_a_link_takes_an_agreement_of_that_reseller_and_its_dates(owner: Any) -> None:
    from relais.records.agreements.models import ResellingAgreement
    from relais.records.people.models import User

    User.objects.filter(login="owner").update(timezone="Europe/Madrid")
    hh = entity("HH Ltd").pk
    offered = owner.get(f"/bo/reselling-agreements/new/?options=agreement&legal_entity={hh}").json()["options"]
    assert [option["text"] for option in offered] == ["HH-1, EUR"]
    drawer = owner.get(f"/bo/reselling-agreements/new/?legal_entity={hh}").context["drawer"]
    assert str(drawer.form["legal_entity"].value()) == str(hh)
    answer = owner.post("/bo/reselling-agreements/new/", link_form())
    assert answer.status_code == 302, errors_of(answer)
    made = ResellingAgreement.objects.latest("pk")
    assert (made.effective_from, made.effective_till) == (datetime(2023, 11, 20, 23, tzinfo=UTC), None)


def test_RSL_45_overlapping_links_are_taken_and_warned_of(owner: Any) -> None:
    owner.post("/bo/reselling-agreements/new/", link_form())
    answer = owner.get(f"/bo/legal-entities/{entity('HH Ltd').pk}/")
    [block] = answer.context["drawer"].blocks_after
    assert block.context["overlap"] and [link.overlaps for link in block.context["links"]] == [True, True]
    assert "Some of them hold at the same time" in answer.content.decode()


@pytest.mark.parametrize("fields", [{"effective_till": "21.11.2023, 00:00:00"}, {"effective_from": "yesterday"}])
def test_a_link_with_wrong_dates_is_refused(owner: Any, fields: dict[str, str]) -> None:
    from relais.records.agreements.models import ResellingAgreement

    before = ResellingAgreement.objects.count()
    assert list(errors(owner.post("/bo/reselling-agreements/new/", link_form(**fields)))) == list(fields)
    assert ResellingAgreement.objects.count() == before


def test_RSL_51_a_reseller_does_not_change_what_it_buys_under(reseller: Any) -> None:
    from relais.records.agreements.models import ResellingAgreement

    key = ResellingAgreement.objects.get().pk
    for verb in ("edit", "delete"):
        assert reseller.post(f"/bo/reselling-agreements/{key}/{verb}/").status_code == 404
    answer = reseller.post("/bo/reselling-agreements/new/", link_form())
    assert set(errors(answer)) == {"legal_entity", "agreement"}
    assert ResellingAgreement.objects.count() == 1
