"""Companies: what their list, form, verbs and page do beyond what every page does."""

from datetime import UTC
from typing import Any

from tests.pages.conformance import errors_of

FORM = {"enabled": "on", "type": "client"}


def ids(answer: Any) -> list[str]:
    """Names in the list, in its order."""
    return [row.label for row in answer.context["list"].table]


def company(name: str) -> Any:
    from relais.records.parties.models import Company

    return Company.objects.get(name=name)


def own_entity(name: str) -> int:
    from relais.records.parties.models import LegalEntity

    key: int = LegalEntity.objects.get(name=name).pk
    return key


def added(client: Any, name: str, **fields: Any) -> Any:
    """A company made through the form; the answer when it was refused."""
    answer = client.post("/bo/companies/new/", FORM | {"name": name} | fields)
    return company(name) if answer.status_code == 302 else answer


def choices(form: Any, field: str) -> list[str]:
    return [value for value, _ in form.fields[field].choices]


def test_CO_1_CO_2_CO_3_CO_4_the_list_has_the_clients_of_the_level_with_their_columns(owner: Any) -> None:
    answer = owner.get("/bo/companies/")
    assert ids(answer) == ["Hornes and Hooves"]
    listed = answer.context["list"]
    assert [header.label for header in listed.headers] == [
        "ID", "Company", "Own legal entity", "Portal", "Is reseller", "Creator of resellers", "Moderation", "Created",
        "Updated",
    ]  # fmt: skip
    kinds = {header.key: cell.html for header, cell in zip(listed.headers, listed.table[0].cells, strict=True)}
    created = f"{company('Hornes and Hooves').created_at.astimezone(UTC):%d.%m.%Y}"
    assert (kinds["is_reseller"], kinds["creator_of_resellers"]) == ("true", "true")
    assert ">false<" in kinds["moderation"] and kinds["created_at"] == created


def test_CO_8_a_row_leads_to_the_page_of_the_company(owner: Any) -> None:
    listed = owner.get("/bo/companies/").context["list"]
    assert listed.table[0].url == f"/bo/companies/{company('Hornes and Hooves').pk}/"


def test_CO_63_the_own_legal_entity_is_of_the_level_with_the_default_chosen(owner: Any, reseller: Any) -> None:
    form = owner.get("/bo/companies/new/").context["drawer"].form
    assert form["own_legal_entity"].value() == own_entity("System owner LE")
    offered = reseller.get("/bo/companies/new/?options=own_legal_entity").json()["options"]
    assert [option["text"] for option in offered] == ["HH Ltd"]
    answer = added(reseller, "Casa Verde", own_legal_entity=own_entity("System owner LE"))
    assert answer.status_code == 422 and "own_legal_entity" in answer.context["drawer"].form.errors


def test_CO_57_a_new_company_is_an_enabled_client_with_nothing_else_on(reseller: Any) -> None:
    form = reseller.get("/bo/companies/new/").context["drawer"].form
    assert (form["enabled"].value(), form["type"].value()) == (True, "client")
    assert not any(form[name].value() for name in ("creator_of_resellers", "moderation", "two_factor_required"))
    made = added(reseller, "Casa Verde", own_legal_entity=own_entity("HH Ltd"))
    assert (made.parent.name, made.enabled, made.type) == ("Hornes and Hooves", True, "client")


def test_CO_56_a_name_is_taken_once_a_level_without_regard_to_case(reseller: Any) -> None:
    answer = added(reseller, "telecom MONSTERS ", own_legal_entity=own_entity("HH Ltd"))
    assert answer.status_code == 422 and list(answer.context["drawer"].form.errors) == ["name"]


def test_CO_62_only_a_creator_of_resellers_is_offered_the_type(reseller: Any) -> None:
    from relais.records.parties.models import Company

    form = reseller.get("/bo/companies/new/").context["drawer"].form
    assert choices(form, "type") == ["client", "reseller"]
    Company.objects.filter(name="Hornes and Hooves").update(creator_of_resellers=False)
    form = reseller.get("/bo/companies/new/").context["drawer"].form
    assert choices(form, "type") == ["client"]
    answer = added(reseller, "Casa Verde", own_legal_entity=own_entity("HH Ltd"), type="reseller")
    assert answer.status_code == 422 and not Company.objects.filter(name="Casa Verde").exists()


def test_RSL_7_a_company_marked_as_reseller_is_one_in_the_list(owner: Any) -> None:
    added(owner, "Casa Verde", own_legal_entity=own_entity("System owner LE"), type="reseller")
    listed = owner.get("/bo/companies/").context["list"]
    assert ids(owner.get("/bo/companies/")) == ["Casa Verde", "Hornes and Hooves"]
    assert listed.table[0].cells[4].html == "true"


def default_mnp() -> int:
    from relais.records.connections.models import MnpConnection

    key: int = MnpConnection.objects.get(name="DEFAULT").pk
    return key


def test_CO_17_CO_18_CO_64_RSL_37_MNP_is_the_tenants_alone(owner: Any, reseller: Any) -> None:
    mnp = {"mnp_requests", "mnp_connection", "mnp_channels"}
    assert mnp <= set(owner.get("/bo/companies/new/").context["drawer"].form.fields)
    assert not mnp & set(reseller.get("/bo/companies/new/").context["drawer"].form.fields)
    made = added(reseller, "Casa Verde", own_legal_entity=own_entity("HH Ltd"), mnp_requests="on", mnp_channels=["sms"])
    assert (made.mnp_requests, made.mnp_channels) == (False, [])


def test_CO_19_CO_20_with_MNP_requests_on_a_connection_and_channels_are_needed(owner: Any) -> None:
    common = {"own_legal_entity": own_entity("System owner LE"), "mnp_requests": "on", "mnp_connection": default_mnp()}
    answer = added(owner, "Casa Verde", **common)
    assert answer.status_code == 422 and list(answer.context["drawer"].form.errors) == ["mnp_channels"]
    answer = added(owner, "Casa Verde", **common | {"mnp_connection": "", "mnp_channels": ["sms"]})
    assert answer.status_code == 422 and list(answer.context["drawer"].form.errors) == ["mnp_connection"]
    made = added(owner, "Casa Verde", **common, mnp_channels=["sms", "rcs"])
    assert (made.mnp_requests, made.mnp_connection_id, made.mnp_channels) == (True, default_mnp(), ["sms", "rcs"])
    begun = owner.get("/bo/companies/new/").context["drawer"].form
    assert begun.initial["mnp_connection"] == default_mnp()
    offered = owner.get("/bo/companies/new/?options=mnp_connection&term=").json()["options"]
    assert offered == [{"value": default_mnp(), "text": "DEFAULT (switched off)"}]


def test_CO_21_what_MNP_held_is_kept_while_the_requests_are_off(owner: Any) -> None:
    made = added(owner, "Casa Verde", own_legal_entity=own_entity("System owner LE"), mnp_requests="on",
                 mnp_connection=default_mnp(), mnp_channels=["sms", "rcs"])  # fmt: skip
    drawer = owner.get(f"/bo/companies/{made.pk}/edit/").context["drawer"]
    assert drawer.form.fields["mnp_channels"].show_when == "mnp_requests=true"
    answer = owner.post(f"/bo/companies/{made.pk}/edit/", FORM | {"name": "Casa Verde"})
    assert answer.status_code == 302, errors_of(answer)
    made.refresh_from_db()
    assert (made.mnp_requests, made.mnp_connection_id, made.mnp_channels) == (False, default_mnp(), ["sms", "rcs"])


def test_CO_55_the_own_legal_entity_is_text_once_the_company_exists(reseller: Any) -> None:
    made = added(reseller, "Casa Verde", own_legal_entity=own_entity("HH Ltd"))
    drawer = reseller.get(f"/bo/companies/{made.pk}/edit/").context["drawer"]
    assert "own_legal_entity" not in drawer.form.fields
    assert [item.label for item in drawer.sections[0].texts] == ["Own legal entity"]


def test_CO_24_CO_25_CO_65_two_factor_names_whom_it_locks_out_and_waits_for_a_yes(reseller: Any) -> None:
    client = company("Telecom Monsters")
    form = reseller.get(f"/bo/companies/{client.pk}/edit/").context["drawer"].form
    asked = form.fields["lockout_intended"]
    assert (asked.label, asked.help_text) == ("Lock out 1 without a phone number", "client")
    assert asked.show_when == "two_factor_required=true"
    sent = FORM | {"name": "Telecom Monsters", "own_legal_entity": own_entity("HH Ltd"), "two_factor_required": "on"}
    answer = reseller.post(f"/bo/companies/{client.pk}/edit/", sent)
    assert answer.status_code == 422 and "(client)" in str(answer.context["drawer"].form.errors["two_factor_required"])
    client.refresh_from_db()
    assert not client.two_factor_required
    answer = reseller.post(f"/bo/companies/{client.pk}/edit/", sent | {"lockout_intended": "on"})
    assert answer.status_code == 302, errors_of(answer)
    client.refresh_from_db()
    assert client.two_factor_required
    assert "lockout_intended" not in reseller.get(f"/bo/companies/{client.pk}/edit/").context["drawer"].form.fields


def test_CO_31_CO_32_block_withdraws_access_and_unblock_gives_it_back(reseller: Any) -> None:
    from relais.records.people.models import AuditAction

    client = company("Telecom Monsters")
    for action, enabled in (("block", False), ("unblock", True)):
        page = reseller.get(f"/bo/companies/{client.pk}/")
        assert [each.key for each in page.context["drawer"].actions] == [action]
        asked = reseller.get(f"/bo/companies/{client.pk}/do/{action}/")
        assert asked.context["action"].confirm
        assert reseller.post(f"/bo/companies/{client.pk}/do/{action}/").status_code == 302
        client.refresh_from_db()
        assert client.enabled is enabled
        assert reseller.post(f"/bo/companies/{client.pk}/do/{action}/").status_code == 404, "it is so already"
    said = AuditAction.objects.filter(action__endswith="lock Company").order_by("pk")
    assert [each.action for each in said] == ["Block Company", "Unblock Company"]


def test_CO_53_CO_60_a_company_with_something_on_it_is_not_deleted_and_the_dialog_names_it(reseller: Any) -> None:
    client = company("Telecom Monsters")
    hanging = dict(reseller.get(f"/bo/companies/{client.pk}/delete/").context["drawer"].hanging)
    assert {label: hanging[label] for label in ("legal entity", "agreement", "payment", "sender ID", "user")} == {
        "legal entity": 1, "agreement": 1, "payment": 1, "sender ID": 1, "user": 1,
    }  # fmt: skip
    answer = reseller.post(f"/bo/companies/{client.pk}/delete/")
    assert answer.status_code == 409 and "1 agreement" in answer.context["reasons"][0]
    assert company("Telecom Monsters").pk == client.pk


def test_a_level_does_not_change_its_own_company_nor_see_those_two_levels_down(owner: Any) -> None:
    own, grandchild = company("System owner").pk, company("Telecom Monsters").pk
    page = owner.get(f"/bo/companies/{own}/")
    assert page.status_code == 200 and not page.context["drawer"].may_edit and page.context["drawer"].actions == []
    for url in (f"{own}/edit/", f"{own}/delete/", f"{own}/do/block/", f"{grandchild}/", f"{grandchild}/edit/"):
        assert owner.get(f"/bo/companies/{url}").status_code == 404
    assert owner.get("/bo/companies/99999999999999999999/").status_code == 404
