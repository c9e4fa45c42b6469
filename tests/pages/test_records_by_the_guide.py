"""Forms, windows and lists of companies, legal entities and what every page shares, read as the guide draws them."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.pages.conformance import (
    NEWCOMER,
    SCRIPTED,
    World,
    by_session,
    csv_of,
    entity,
    entity_names,
    filled,
    keeper_of,
    made,
    of_form,
    url_of,
    user_of,
)
from tests.pages.samples.api_keys import KEY

LIST_PART = {"HX-Request": "true", "HX-Target": "list"}
NOT_BY_AGE = ("countries", "networks", "network-codes", "number-prefixes")  # dictionaries: by name or number
FOOT = ("Close (Esc)", "Cancel", "Save")


def form_of(client: Any, url: str) -> tuple[list[str], str]:
    """The fields of a form in their order, a star before those required; and its page."""
    answer = client.get(url, headers=SCRIPTED)
    assert answer.status_code == 200, url
    fields = [field for section in answer.context["drawer"].sections for field in section.fields]
    page = html.unescape(answer.content.decode())
    for field in fields:
        if type(field.field.widget).__name__ != "CheckboxInput":
            star = '<span class="req" aria-hidden="true">*</span>' if field.field.required else ""
            assert f">{star}{field.label}</l" in page, f"{field.label} of {url}"
    return [f"{'*' if field.field.required else ''}{field.label}" for field in fields], page


def window_of(client: Any, url: str) -> tuple[dict[str, str], str]:
    """What a window of text says, by label; and its page."""
    answer = client.get(url, headers=SCRIPTED)
    assert answer.status_code == 200, url
    items = [item for section in answer.context["drawer"].sections for item in section.items]
    return {item.label: words(item.html) for item in items}, html.unescape(answer.content.decode())


def words(of: Any) -> str:
    """What is read of a piece of HTML."""
    return re.sub(r"[ \N{NO-BREAK SPACE}]+", " ", html.unescape(re.sub(r"<[^>]+>", " ", str(of)))).strip()


def company_of(login: str) -> Any:
    return user_of(login).company


def added(world: World, of: str, login: str = "", **changes: Any) -> Any:
    """The key of a record made through its form by that user or whoever keeps such records."""
    login = login or keeper_of(of)
    sent = of_form(of).new(company_of(login)) | changes
    return made(world.client(login).post(f"/bo/{of}/new/", sent, headers=SCRIPTED))


def test_CO_10_to_CO_16_CO_27_CO_54_the_form_of_a_company(world: World) -> None:
    """CO-11, CO-13, CO-14, CO-15: its fields. GEN-48, GEN-49, GEN-50: titles, buttons and stars.
    CO-7: the button that opens it."""
    client, key = world.client("reseller"), added(world, "companies")
    listed = world.client("reseller").get("/bo/companies/").content.decode()
    assert 'href="/bo/companies/new/"' in listed and "New company" in listed
    new, page = form_of(client, "/bo/companies/new/")
    assert new == ["*Company", "Enabled", "*Own legal entity", "Description", "*Type", "Creator of resellers", "Moderation",
                   "Two Factor Authentication"]  # fmt: skip
    assert ">Add Company</h2>" in page and all(word in page for word in FOOT) and "Delete…" not in page
    types = re.search(r'<select name="type".*?</select>', page, re.DOTALL)
    assert types and re.findall(r">(\w+)</option>", types.group()) == ["Client", "Reseller"]
    edit, page = form_of(client, f"/bo/companies/{key}/edit/")
    assert edit == [label for label in new if label != "*Own legal entity"]
    assert ">Edit Company</h2>" in page and f"ID {key}<" in page and all(word in page for word in (*FOOT, "Delete…"))
    sent = filled(client.get(f"/bo/companies/{key}/edit/", headers=SCRIPTED))
    answer = client.post(f"/bo/companies/{key}/edit/", sent | {"name": "Brisa", "description": "Hotels", "enabled": ""})
    assert answer.status_code == 302
    text, _ = window_of(client, f"/bo/companies/{key}/")
    assert (text["Company"], text["Description"], text["Enabled"]) == ("Brisa", "Hotels", "Blocked")
    assert client.post(f"/bo/companies/{key}/delete/").status_code == 302
    assert client.get(f"/bo/companies/{key}/").status_code == 404


def test_CO_16_creator_of_resellers_takes_effect_only_for_a_reseller(world: World) -> None:
    from relais.records.errors import Invalid
    from relais.records.parties.actions.save_company import save_company
    from relais.records.parties.models import Company

    key = added(world, "companies", type="client", creator_of_resellers="on")
    client = Company.objects.get(pk=key)
    assert client.creator_of_resellers and client.type == "client"
    for kind in ("client", "reseller"):
        with pytest.raises(Invalid, match="is a client: it has no companies below it"):
            save_company(Company(name="Below", parent=client, type=kind), entity_follows=True)
    assert not Company.objects.filter(parent=client).exists()


def test_GEN_23_the_eleven_channels(world: World) -> None:
    """GEN-4: those that pages offer."""
    form = world.client("owner").get("/bo/companies/new/", headers=SCRIPTED).context["drawer"].form
    assert [label for _, label in form.fields["mnp_channels"].choices] == [
        "SMS", "RCS", "Viber", "WhatsApp", "WeChat", "Email", "Telegram Gateway", "Push", "TTS", "Voice", "Mobile Push",
    ]  # fmt: skip


CLIENTS_ENTITY = ["*Name", "*Company", "*Legal company name", "*Country", "Is Default", "Tax ID number", "Legal ID number",
                  "VAT ID number", "Legal address", "Billing address"]  # fmt: skip
FIGURE = {"name": "kiwi_lab", "legal_company_name": "kiwi ab eff", "country": "BA", "tax_id_number": "55665",
          "legal_id_number": "556"}  # fmt: skip


def test_LE_8_to_LE_23_legal_entities_of_clients_are_added_shown_and_edited(world: World) -> None:
    """LE-8, LE-10, LE-11, LE-13, LE-15, LE-16, LE-17, LE-18: the form. LE-6, LE-19, LE-20, LE-21, LE-23, GEN-47, GEN-52: its
    windows. LE-2: several of one company."""
    client, kiwi = world.client("reseller"), added(world, "companies", name="kiwi")
    assert 'href="/bo/legal-entities/new/"' in client.get("/bo/legal-entities/").content.decode()
    new, page = form_of(client, "/bo/legal-entities/new/")
    assert new == CLIENTS_ENTITY and ">Add Legal entity</h2>" in page and all(word in page for word in FOOT)
    key = added(world, "legal-entities", company=kiwi, **FIGURE)
    for name, country in (("alex_k_b2f_2", "AS"), ("anbe_test", "CA")):
        added(world, "legal-entities", company=kiwi, name=name, legal_company_name=name, country=country)
    heads, *lines = csv_of(client, f"/bo/legal-entities/csv/?company={kiwi}&columns=all&sort=country")
    shown = ("Name", "Company", "Country", "Legal company name", "Tax ID number", "Legal ID number", "Is Default")
    assert [[line[heads.index(label)] for label in shown] for line in lines] == [
        ["alex_k_b2f_2", "kiwi", "American Samoa", "alex_k_b2f_2", "", "", "false"],
        ["kiwi_lab", "kiwi", "Bosnia and Herzegovina", "kiwi ab eff", "55665", "556", "false"],
        ["anbe_test", "kiwi", "Canada", "anbe_test", "", "", "false"],
    ]  # fmt: skip
    addresses = {"vat_id_number": "7777777", "legal_address": "77 Barn str. NowHere", "billing_address": "PO Box 7"}
    url = f"/bo/legal-entities/{key}/"
    sent = filled(client.get(f"{url}edit/", headers=SCRIPTED)) | addresses | {"is_default": "on"}
    assert client.post(f"{url}edit/", sent).status_code == 302
    text, page = window_of(client, url)
    assert text == {
        "Name": "kiwi_lab", "Company": "kiwi", "Legal company name": "kiwi ab eff", "Country": "Bosnia and Herzegovina",
        "Is Default": "true", "Tax ID number": "55665", "Legal ID number": "556", "VAT ID number": "7777777",
        "Legal address": "77 Barn str. NowHere", "Billing address": "PO Box 7",
    }  # fmt: skip
    assert "<input" not in page and ">View Legal entity</h2>" in page and f"ID {key}</button>" in page
    about = words(page.partition('id="about-record"')[2].partition("</div>\n<div class")[0])
    record = entity("legal-entities").model.objects.get(pk=key)
    for told in (
        "Company: kiwi",
        f"Created {record.created_at:%d.%m.%Y %H:%M:%S}",
        f"Updated {record.updated_at:%d.%m.%Y %H:%M:%S}",
    ):
        assert told in about, told
    assert f'data-copy="{key}"' in page
    assert all(word in page for word in ("Delete…", "Edit", 'data-close aria-label="Close (Esc)"', "data-close>Close<"))
    assert client.post(f"{url}delete/").status_code == 302 and client.get(url).status_code == 404


OWN_ENTITY = ["*Name", "*Legal company name", "*Country", "Is Default", "Tax ID number", "*Legal ID number",
              "VAT ID number", "Legal address", "Billing address"]  # fmt: skip


def test_OLE_5_to_OLE_28_own_legal_entities_are_added_shown_and_deleted(world: World) -> None:
    """OLE-5, OLE-6, OLE-7, OLE-8, OLE-10, OLE-12, OLE-13, OLE-14, OLE-17: list and form. OLE-4: what may be empty. OLE-19:
    several of one company. OLE-27: windows as on other pages. OLE-28: its permission line, and the audit."""
    from relais.records.people.models import AuditLine, User

    client = world.client("reseller")
    new, page = form_of(client, "/bo/own-legal-entities/new/")
    assert new == OWN_ENTITY and ">Add Own legal entity</h2>" in page and all(word in page for word in FOOT)
    keys = [added(world, "own-legal-entities", name=name) for name in ("Branch", "Second branch")]
    url = f"/bo/own-legal-entities/{keys[0]}/"
    text, page = window_of(client, url)
    assert (text["Name"], text["Company"]) == ("Branch", "Hornes and Hooves")
    empty = ("Tax ID number", "VAT ID number", "Legal address", "Billing address")
    assert {text[label] for label in empty} == {"not set"}
    assert "Edit" in page and "Delete…" in page
    body = client.get("/bo/own-legal-entities/?size=100").content.decode()
    assert (
        "Page 1 of 1" in body
        and "<option selected>100</option>" in body
        and re.search(r"Rows 1\N{EN DASH}\d+ of \d+", body)
    )
    assert 'popovertarget="columns-menu"' in body and 'href="/bo/own-legal-entities/new/"' in body
    assert "Delete record" in client.get(f"{url}delete/", headers=SCRIPTED).content.decode()
    assert client.post(f"{url}delete/").status_code == 302 and client.get(url).status_code == 404
    told = AuditLine.objects.filter(table="parties_legalentity", object_id=keys[0]).order_by("pk")
    assert [line.operation for line in told] == ["insert", "delete"]
    try:
        User.objects.filter(login="reseller").update(
            no_restrictions=False, deviations={"Own legal entities": "none", "Companies": "view"}
        )
        refused = by_session("reseller").get("/bo/own-legal-entities/")
        assert refused.status_code == 403 and "Own legal entities (view)" in refused.content.decode()
    finally:
        User.objects.filter(login="reseller").update(no_restrictions=True, deviations={})


def test_LE_18_LE_26_OLE_16_the_default_legal_entity_is_preselected_within_its_company(world: World) -> None:
    """For the own company at once, for another as soon as it is chosen, whether a page or its script asks."""
    client, kiwi = world.client("reseller"), added(world, "companies")
    own = added(world, "own-legal-entities", is_default="on")
    _, second = [added(world, "legal-entities", company=kiwi, is_default=mark) for mark in ("", "on")]
    for page in ("agreements", "companies"):
        form = client.get(f"/bo/{page}/new/", headers=SCRIPTED).context["drawer"].form
        assert str(form["own_legal_entity"].value()) == own, page
    for page in ("agreements", "bank-accounts"):
        url = f"/bo/{page}/new/"
        assert not client.get(url, headers=SCRIPTED).context["drawer"].form["legal_entity"].value()
        form = client.get(url, {"company": kiwi}, headers=SCRIPTED).context["drawer"].form
        assert str(form["legal_entity"].value()) == second, page
        answer = client.get(url, {"options": "legal_entity", "company": kiwi, "term": "nothing like it"}).json()
        assert (answer["options"], str(answer["preselected"]["value"])) == ([], second), page
        assert "preselected" not in client.get(url, {"options": "legal_entity"}).json(), "no company, no default"
        strange = company_of("stranger").children.first().pk
        assert "preselected" not in client.get(url, {"options": "legal_entity", "company": strange}).json()
        assert "data-preselects" in client.get(url, headers=SCRIPTED).content.decode()


@pytest.mark.parametrize("name", entity_names())
def test_GEN_43_GEN_44_GEN_69_GEN_76_every_list_has_columns_filters_sorting_and_pages_newest_first(
    name: str, world: World
) -> None:
    """AUD-3, CO-6, LE-5: of the audit, of companies, of legal entities."""
    answer = world.reader(name).get(f"/bo/{name}/?size=25", headers=LIST_PART)
    page, listed = html.unescape(answer.content.decode()), answer.context["list"]
    assert 'popovertarget="columns-menu"' in page and 'popovertarget="filter-menu"' in page
    assert any(header.sort_url for header in listed.headers)
    assert re.search(r"Page 1 of \d+", page) and re.search(r"Rows 1\N{EN DASH}\d+ of \d+", page)
    assert "Rows per page" in page and len(listed.table) <= 25
    assert listed.paging.next_url or listed.paging.pages == 1
    keys = [row.pk for row in listed.table]
    if name not in NOT_BY_AGE:
        assert keys == sorted(keys, reverse=True), "the newest first"
    filter = entity(name).filters[0]
    narrowed = world.reader(name).get(f"/bo/{name}/?q=no+such+text", headers=LIST_PART)
    assert filter.label and (not entity(name).search or ">Clear<" in narrowed.content.decode())


def test_GEN_26_to_GEN_35_a_level_is_set_up_in_the_order_of_the_guide(world: World) -> None:
    """GEN-26, GEN-27, GEN-28, GEN-29, GEN-30, GEN-31, GEN-33, GEN-34, GEN-35: each step through its form. GEN-61: without the
    steps before it a step is refused. An empty list names them in this order."""
    client, company = world.client(NEWCOMER), company_of(NEWCOMER)
    steps = client.get("/bo/agreements/").context["setup"]
    assert [step.label for step in steps] == [
        "Own legal entity", "Company", "Legal entity of the company", "Agreement", "Service with its rates",
        "Service enabled on the agreement", "Sender ID, tied to the agreement",
    ]  # fmt: skip

    def refused(of: str, *missing: str, **sent: Any) -> None:
        answer = client.post(f"/bo/{of}/new/", sent, headers=SCRIPTED)
        assert answer.status_code == 422 and set(missing) <= set(answer.context["drawer"].form.errors), of

    refused("companies", "own_legal_entity", name="Early", type="client")
    added(world, "own-legal-entities", NEWCOMER)
    refused("legal-entities", "company", name="Early", legal_company_name="Early", country="ES")
    client_key = added(world, "companies", NEWCOMER)
    refused("agreements", "legal_entity", "own_bank_account", company=client_key)
    added(world, "legal-entities", NEWCOMER)
    refused("enabled-services", "service", "agreement")
    agreement = added(world, "agreements", NEWCOMER)
    service = added(world, "services", NEWCOMER)
    sent = of_form("enabled-services").new(company) | {"service": service}
    assert made(client.post("/bo/enabled-services/new/", sent, headers=SCRIPTED))
    refused("sender-ids", "company", "agreement", sender_id="Early", name="Early")
    sender = added(world, "sender-ids", NEWCOMER, status="active")
    text, _ = window_of(client, f"/bo/sender-ids/{sender}/")
    stored = entity("sender-ids").model.objects.get(pk=sender)
    assert text["Status"] == "Active" and stored.agreement_id == int(agreement)
    added(world, "users", NEWCOMER)
    person = added(world, "portal-users", NEWCOMER, company=client_key)
    assert entity("portal-users").model.objects.get(pk=person).company_id == int(client_key)


def test_CO_39_CO_40_CO_44_GEN_53_GEN_58_cards_of_agreements_and_services_of_a_company(world: World) -> None:
    from relais.records.agreements.models import Agreement, AgreementVersion, LedgerKind
    from relais.records.agreements.posting import post
    from relais.records.catalog.models import EnabledService, Service

    client, key = world.client("reseller"), added(world, "companies")
    added(world, "legal-entities", company=key)
    figures = (
        ("emul_Agreement", 452_928_480_000, "21.09.2023", ""),
        ("ACC_FOR_NN", -19_906_670_000, "31.10.2021", "30.12.2025"),
    )
    for code, balance_micros, starts, ends in figures:
        sent = of_form("agreements").new(company_of("reseller"))
        chosen = {"company": key, "legal_entity": entity("legal-entities").model.objects.get(company=key).pk}
        dates = {"effective_from_0": starts, "effective_till_0": ends}
        terms = chosen | dates | {"agreement_code": code, "credit_limit": "", "bank_account": ""}
        made_key = made(client.post("/bo/agreements/new/", sent | terms, headers=SCRIPTED))
        post(int(made_key), LedgerKind.CORRECTION, balance_micros, datetime.now(tz=UTC))
    agreement = Agreement.objects.get(agreement_code="emul_Agreement")
    for name in ("WhatsApp default", "WhatsApp CBP default"):
        service = Service.objects.create(
            company=company_of("reseller"), name=name, type="pay_as_you_go", currency="EUR"
        )
        since = datetime(2024, 12, 25, 11, 30, tzinfo=UTC)
        EnabledService.objects.create(agreement=agreement, service=service, effective_from=since)
    page = client.get(f"/bo/companies/{key}/?tab=finance")
    told = {
        card.agreement.agreement_code: (words(card.balance), words(card.credit_limit), card.starts, card.ends)
        for card in page.context["cards"]
    }
    assert told == {
        "emul_Agreement": ("452 928.48 EUR", "Unlimited", "21.09.2023", "∞ (indefinitely)"),
        "ACC_FOR_NN": ("-19 906.67 EUR", "Unlimited", "31.10.2021", "30.12.2025"),
    }
    for name in ("WhatsApp default", "WhatsApp CBP default"):
        row = words(page.content.decode().partition(f">{name}<")[2].partition("</tr>")[0])
        assert re.sub(r"\s+", " ", row) == "/td> 25.12.2024 11:30 ∞", name
    text, _ = window_of(client, f"/bo/enabled-services/{EnabledService.objects.get(service__name=name).pk}/")
    assert re.sub(r"\s+", " ", text["Effective till"]) == "∞ (indefinitely) Etc/UTC"
    assert AgreementVersion.objects.get(agreement=agreement).effective_till is None


def test_GEN_51_GEN_54_GEN_65_a_moment_is_given_in_a_zone_and_shown_in_it_again(world: World) -> None:
    """The marks behind the labels of dates say what they mean."""
    client = world.client("reseller")
    _, page = form_of(client, "/bo/enabled-services/new/")
    for name, label in (("from", "Effective from"), ("till", "Effective till")):
        assert f'popovertarget="id_effective_{name}_about" aria-label="About {label}"' in page
        assert f'id="id_effective_{name}_about" popover><div class="menu-b">The first moment at which it holds' in page
    for zone in ("Asia/Tomsk +07:00", "Etc/GMT+3 -03:00", "Etc/UTC +00:00", "Africa/Abidjan +00:00"):
        assert f">{zone}</option>" in page, zone
    at = {"effective_from_0": "25.12.2039, 11:30:16", "effective_from_1": "Asia/Tomsk"}
    key = added(world, "enabled-services", **at)
    stored = entity("enabled-services").model.objects.get(pk=key)
    assert stored.effective_from == datetime(2039, 12, 25, 4, 30, 16, tzinfo=UTC)
    sent = filled(client.get(f"/bo/enabled-services/{key}/edit/", headers=SCRIPTED))
    assert {name: sent[name] for name in at} == at
    text, _ = window_of(client, f"/bo/enabled-services/{key}/")
    assert re.sub(r"\s+", " ", text["Effective from"]) == "25.12.2039, 11:30:16 Asia/Tomsk"
    _, page = form_of(client, "/bo/sender-ids/new/")
    for label in ("Minimal message count for starting detecting", "Window size"):
        assert f'aria-label="About {label}"' in page


def test_GEN_60_how_forms_and_tables_name_an_agreement(world: World) -> None:
    from relais.records.agreements.models import Agreement

    client, agreement = world.client("reseller"), Agreement.objects.get(agreement_code="TM-1")
    service = entity("services").model.objects.get(name="SMS service").pk
    url = f"/bo/enabled-services/new/?options=agreement&service={service}&term=TM-1"
    assert [option["text"] for option in client.get(url).json()["options"]] == ["Telecom Monsters - TM-1, EUR"]
    url = f"/bo/sender-ids/new/?options=agreement&company={agreement.company_id}&term=TM-1"
    assert [option["text"] for option in client.get(url).json()["options"]] == ["TM-1, EUR"]
    heads, *lines = csv_of(client, f"/bo/enabled-services/csv/?agreement={agreement.pk}")
    assert "TM-1 (EUR)" in {line[heads.index("Agreement")] for line in lines}


@pytest.mark.parametrize("name", ["banks", "bank-accounts"])
def test_GEN_59_deletion_asks_with_two_buttons(name: str, world: World) -> None:
    asked = world.client("reseller").get(url_of(name, world.own[name][0], "delete"), headers=SCRIPTED).content.decode()
    assert ">Delete record</button>" in asked and "data-close autofocus>Cancel</button>" in asked
    assert "is deleted for good" in asked


def test_GEN_67_GEN_70_a_form_that_is_refused_keeps_what_was_typed_and_the_clock_is_the_servers(world: World) -> None:
    client, banks = world.client("reseller"), entity("banks").model
    before, sent = banks.objects.count(), of_form("banks").new(company_of("reseller")) | {"swift_code": "SHORT"}
    answer = client.post("/bo/banks/new/", sent, headers=SCRIPTED)
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422 and list(answer.context["drawer"].form.errors) == ["swift_code"]
    assert f'value="{sent["name"]}"' in page and 'value="SHORT"' in page and 'id="id_swift_code_error"' in page
    assert banks.objects.count() == before
    typed = {"created_at": "2001-01-01 00:00:00", "updated_at": "2001-01-01 00:00:00", "name": "  Trimmed  "}
    key = made(client.post("/bo/banks/new/", of_form("banks").new(company_of("reseller")) | typed, headers=SCRIPTED))
    bank = banks.objects.get(pk=key)
    for instant in (bank.created_at, bank.updated_at):
        assert abs(datetime.now(tz=UTC) - instant) < timedelta(minutes=5)
    assert bank.name == "Trimmed"


def test_GEN_75_secrets_are_sealed_hidden_and_left_out_of_files_and_the_audit(world: World) -> None:
    from django.db import connection

    from relais.records.people.models import AuditLine

    client, secret = world.client("reseller"), "Xq7-zZ9k"
    key = added(world, "vendor-smpp-connections", password=secret)
    url = f"/bo/vendor-smpp-connections/{key}/"
    seen = [
        client.get(each, headers=SCRIPTED).content.decode()
        for each in (url, f"{url}edit/", "/bo/vendor-smpp-connections/")
    ]
    seen += [str(csv_of(client, "/bo/vendor-smpp-connections/csv/?columns=all"))]
    lines = AuditLine.objects.filter(table="connections_vendorsmppconnection", object_id=key)
    told = [str((line.old, line.new)) for line in lines]
    assert told and any("password" in each for each in told), "that there is one is told"
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM connections_vendorsmppconnection c WHERE id = %s", [key])
        stored = cursor.fetchone()[0]
    assert not [text for text in (*seen, *told, stored) if secret in text]
    assert '<input type="password"' in seen[1]
    shown = client.get(f"/bo/api-keys/{added(world, 'api-keys')}/", headers=SCRIPTED).content.decode()
    (shown_once,) = set(KEY.findall(shown))
    told_of_keys = str(list(AuditLine.objects.filter(table__contains="apikey").values()))
    assert told_of_keys != "[]"
    for text in (str(csv_of(client, "/bo/api-keys/csv/?columns=all")), told_of_keys):
        assert shown_once not in text


def test_USR_38_USR_61_USR_63_passwords_that_are_set_for_others_and_zones(world: World) -> None:
    from django.test import Client

    from relais.records.people.models import User

    client, password = world.client("reseller"), "Person-demo-2025"
    key = added(world, "users")
    edit = client.get(f"/bo/users/{key}/edit/", headers=SCRIPTED).content.decode()
    for name in ("password", "password_again"):
        field = edit.partition(f'name="{name}"')[2].partition("</div>")[0]
        assert " value=" not in field.partition(">")[0] and 'aria-label="Show password"' in field, name
    login = User.objects.get(pk=key).login
    answer = Client().post("/bo/log-in/", {"login": login, "password": password})
    assert answer.status_code == 302 and answer.headers["Location"] == "/bo/log-in/password/"
    bank = entity("banks").model.objects.get(pk=world.own["banks"][0])
    zones = {"": bank.created_at, "Asia/Tomsk": bank.created_at + timedelta(hours=7)}
    try:
        for zone, at in zones.items():
            User.objects.filter(login="reseller").update(timezone=zone)
            heads, line = csv_of(client, f"/bo/banks/csv/?ids={bank.pk}&columns=all")
            assert line[heads.index("Created")] == f"{at:%d.%m.%Y %H:%M}", zone
    finally:
        User.objects.filter(login="reseller").update(timezone="")
