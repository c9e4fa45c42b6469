"""Banks, bank accounts and agreements as the figures of specs 03, 07 and 19 draw them: rows, forms, windows and their buttons."""

import re
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest
from tests.pages.conformance import errors_of
from tests.pages.test_agreements import parties, terms

START = datetime(2025, 1, 1, tzinfo=UTC)
ACCOUNTS = """613 Canada Timber | RVV | RVV_2 | InterAlliance Bank
612 UK Research | ssa_client | ssa_client_1a | Confidential Trust Group
611 Chicago Investments | test_resell | test_resell | Baltic Commerce Bank
610 SV Tech | alex_k_bundle_1 | alex_k_bundle_1 | Gulf States Banking Corp.
609 USA Legal | RVV | RVV_2 | Alpine Private Bank
608 Spain Properties | RVV | RVV_2 | EuroUnited Bank
607 Vienna Business | m-partner | m-account | Seoul Metropolitan Bank
606 Dutch Trading | VA_payment | LE_VA_payment | Baltic Commerce Bank
605 Swiss Private | RVV | RVV_2 | Vienna Credit Union
604 Main EUR Account | Mercedes_Spain | MERsedes_LTD Spain | Prague Financial House"""
OF_AGREEMENTS = ("company", "legal_entity", "own_legal_entity", "bank_account", "own_bank_account", "agreement_code",
                 "agreement_date", "direction", "currency", "version_from", "version_till", "credit_limit_of_version",
                 "version_zone", "version_period", "services", "packs")  # fmt: skip
AGREEMENTS = """\
357 Telecom Monst | Telecom Monste | Hornes&Hooves | 58 | 57 | 12345 | 31.08.2025 | 04.09.2025 | 333 | Abidjan | Monthly | 0 | 0
62 Telecom Monst | Telecom Monste | Hornes&Hooves | 58 | 57 | NC-12345 | 01.07.2024 | 01.07.2024 | ∞ | GMT+3 | Monthly | 3 | 1
56 asap | asap | System owner | 53 | 1 | 123123 | 15.05.2024 | 15.05.2024 | ∞ | Abidjan | Monthly | 0 | 0
52 Hornes and H | Cats and dogs | System owner | 49 | 55 | 12345 | 29.01.2024 | 29.01.2024 | ∞ | Abidjan | Daily | 1 | 0
51 Hornes and H | Reseller for Hor | System owner | 47 | 1 | 6666 | 18.01.2024 | 18.01.2024 | 5 | Abidjan | Monthly | 2 | 0
50 Hornes and H | Reseller for Hor | System owner | 47 | 1 | 1009 | 21.11.2023 | 21.11.2023 | ∞ | Abidjan | Monthly | 2 | 0
46 Hornes and H | Hornes and Ho | System owner | 46 | 1 | 0987 | 21.11.2023 | 21.11.2023 | 100 | Abidjan | Monthly | 0 | 0
44 Demo AY | Acc_For_NN | System owner | 6 | 1 | 4321 | 13.11.2023 | 13.11.2023 | ∞ | Abidjan | Weekly | 3 | 1
42 Show_case20 | Show_case 1 leg | LE 4 test company | 41 | 1 | 1234 | 20.09.2023 | 20.09.2023 | 500 | Abidjan | Daily | 4 | 2"""


def lines_of(figure: str) -> list[list[str]]:
    """ID and cells of each row of a figure."""
    return [re.split(r" \| ", line.replace(" ", " | ", 1)) for line in figure.splitlines()]


def day(text: str) -> date:
    return datetime.strptime(text, "%d.%m.%Y").date()


def plain(html: Any) -> str:
    """What is read of it."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", str(html))).split())


def cells(client: Any, name: str, *keys: str, **asked: Any) -> list[list[str]]:
    """The list's rows with those columns, as they are read."""
    client.post(f"/bo/{name}/columns/", {"columns": ["id", *keys]})
    listed = client.get(f"/bo/{name}/", {"size": 100} | asked).context["list"]
    order = [header.key for header in listed.headers]
    at = [order.index(key) for key in ("id", *keys)]
    return [[plain(row.cells[i].html) for i in at] for row in listed.table]


def items(html: str) -> dict[str, str]:
    """Labels and values of a window."""
    drawer = html.partition('id="drawer-title"')[2].partition("</footer>")[0]
    return {
        plain(label): plain(value) for label, value in re.findall(r"<dt>(.*?)</dt><dd[^>]*>(.*?)</dd>", drawer, re.S)
    }


def body(answer: Any) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def form_of(client: Any, url: str) -> Any:
    return client.get(url).context["drawer"].form


def starred(form: Any) -> list[str]:
    return [name for name, field in form.fields.items() if field.required]


def labels(form: Any) -> list[str]:
    return [str(field.label) for field in form]


def owner_company() -> Any:
    from relais.records.parties.models import Company

    return Company.objects.get(parent=None)


def entity(name: str, of: str | None = None) -> Any:
    """That legal entity of a company below the System owner, or of the System owner itself; made where it is not there."""
    from relais.records.parties.models import Company, LegalEntity

    top = owner_company()
    company = Company.objects.get_or_create(name=of, parent=top)[0] if of else top
    return LegalEntity.objects.get_or_create(
        company=company, name=name, defaults={"legal_company_name": name, "country": "ES"}
    )[0]


def bank(name: str, **columns: Any) -> Any:
    from relais.records.parties.models import Bank

    count = Bank.objects.count()
    defaults = {"country": "ES", "address": "a", "swift_code": "BANKESMM", "branch_code": f"{count:03}"}
    return Bank.objects.get_or_create(company=owner_company(), name=name, defaults=defaults | columns)[0]


def account(name: str, of: Any, **columns: Any) -> Any:
    from relais.records.parties.models import BankAccount

    defaults = {"bank": bank("House bank"), "level": owner_company(), "account_holder": "H"}
    number = f"No {BankAccount.objects.count()}"
    return BankAccount.objects.get_or_create(
        name=name, legal_entity=of, defaults=defaults | {"account_number": number} | columns
    )[0]


def agreement(key: int, of: Any, own: Any, **columns: Any) -> Any:
    from relais.records.agreements.models import Agreement

    defaults = {"agreement_code": f"A-{key}", "agreement_date": date(2025, 1, 1), "currency": "EUR"}
    return Agreement.objects.create(
        pk=key, company=of.company, legal_entity=of, own_legal_entity=own, **(defaults | columns)
    )


def version(of: Any, **columns: Any) -> Any:
    from relais.records.agreements.models import AgreementVersion

    defaults = {"effective_from": START, "billing_timezone": "Africa/Abidjan", "billing_period": "monthly"}
    return AgreementVersion.objects.create(agreement=of, **(defaults | columns))


def test_BA_5_BA_6_the_rows_of_the_accounts_figure(owner: Any) -> None:
    """Newest first; a legal entity may have several accounts."""
    for key, name, company, legal_entity, kept_at in reversed(lines_of(ACCOUNTS)):
        account(name, entity(legal_entity, of=company), pk=int(key), bank=bank(kept_at))
    shown = cells(owner, "bank-accounts", "name", "company", "legal_entity", "bank")
    assert shown[:-1] == lines_of(ACCOUNTS)
    assert [row[0] for row in shown if row[3] == "RVV_2"] == ["613", "609", "608", "605"]


def test_AG_13_AG_14_AG_15_AG_16_AG_17_AG_97_BA_23_the_rows_of_the_agreements_figure(owner: Any) -> None:
    """A code may stand on agreements of two companies, an agreement may be effective after its date, older ones may be those of a
    vendor (AG-22), and an account called UNKNOWN is one like any other."""
    from relais.records.catalog.models import EnabledService, Service

    top = owner_company()
    service = Service.objects.create(company=top, name="Plan", type="pay_as_you_go", currency="EUR")
    pack = Service.objects.create(company=top, name="Pack", type="unit_pack", size=1000)
    expected = []
    for line in reversed(lines_of(AGREEMENTS)):
        key, company, of, own, theirs, ours, code, dated, since, limit, zone, period, services, packs = line
        zone = {"Abidjan": "Africa/Abidjan", "GMT+3": "Etc/GMT+3"}[zone]
        client, seller = entity(of, of=company), entity(own)
        direction = "vendor" if key == "56" else "client"
        made = agreement(
            int(key), client, seller, bank_account=account(f"UNKNOWN-{theirs}", client), agreement_code=code,
            own_bank_account=account(f"UNKNOWN-{ours}", seller), agreement_date=day(dated), direction=direction,
        )  # fmt: skip
        version(
            made, effective_from=datetime.combine(day(since), datetime.min.time(), UTC), billing_timezone=zone,
            billing_period=period.lower(), credit_limit_micros=None if limit == "∞" else int(limit) * 1_000_000,
        )  # fmt: skip
        for bought, count in ((service, services), (pack, packs)):
            for _ in range(int(count)):
                EnabledService.objects.create(agreement=made, service=bought, effective_from=START)
        expected.insert(0, [
            key, company, of, own, f"UNKNOWN-{theirs}", f"UNKNOWN-{ours}", code, dated, direction.title(), "EUR", since,
            "∞", limit if limit == "∞" else f"{limit}.00 EUR", zone, period,
            f"services {services}" if services != "0" else "No enabled services",
            f"packs {packs}" if packs != "0" else "No packs enabled",
        ])  # fmt: skip
    shown = {row[0]: row for row in cells(owner, "agreements", *OF_AGREEMENTS)}
    assert [shown[row[0]] for row in expected] == expected

    unknown = account("UNKNOWN-99", entity("asap", of="asap"))
    changed = {"name": "Main", "company": unknown.legal_entity.company_id, "legal_entity": unknown.legal_entity_id,
               "bank": unknown.bank_id, "account_holder": "asap", "account_number": "17"}  # fmt: skip
    answer = owner.post(f"/bo/bank-accounts/{unknown.pk}/edit/", changed)
    assert answer.status_code == 302, errors_of(answer)
    assert owner.post(f"/bo/bank-accounts/{unknown.pk}/delete/").status_code == 302
    used = account("UNKNOWN-53", entity("asap", of="asap"))
    assert owner.post(f"/bo/bank-accounts/{used.pk}/delete/").status_code == 409


@pytest.mark.parametrize(
    ("name", "label"),
    [("banks", "Bank"), ("bank-accounts", "Bank account"), ("own-bank-accounts", "Own bank account")],
)
def test_BK_5_BA_4_OBA_6_lists_and_BK_19_BA_15_OBA_15_windows_and_BK_22_BA_16_OBA_16_OBA_17_their_buttons(
    name: str, label: str, owner: Any
) -> None:
    """Also BK-21: Edit has the fields of the add form; BK-23, BA-18 and OBA-18 are those of the levels, below."""
    made = account("Main EUR Account", entity("MERsedes_LTD Spain", of="Mercedes_Spain"))
    key = {"banks": made.bank_id, "bank-accounts": made.pk}.get(name) or account("Own", entity("Own LE")).pk
    page = body(owner.get(f"/bo/{name}/"))
    assert f'href="/bo/{name}/new/"' in page and 'popovertarget="columns-menu"' in page
    assert 'popovertarget="filter-menu"' in page and f'<tr data-href="/bo/{name}/{key}/"' in page
    url = f"/bo/{name}/{key}"
    window = body(owner.get(f"{url}/"))
    assert f">View {label}</h2>" in window and f"ID {key}</button>" in window and "data-close" in window
    assert f'href="{url}/edit/"' in window and f'href="{url}/delete/"' in window
    edit = body(owner.get(f"{url}/edit/"))
    assert f">Edit {label}</h2>" in edit and f">ID {key}</span>" in edit and "data-save" in edit
    assert f'href="{url}/"' in edit and f'href="{url}/delete/"' in edit and 'aria-label="Close (Esc)"' in edit
    assert list(form_of(owner, f"{url}/edit/").fields) == list(form_of(owner, f"/bo/{name}/new/").fields)
    asked = body(owner.get(f"/bo/{name}/{key}/delete/"))
    assert "Delete record</button>" in asked or "cannot be deleted" in asked
    if "Delete record" in asked:
        assert "is deleted for good" in asked and ">Cancel</button>" in asked
        assert owner.post(f"{url}/delete/").status_code == 302 and owner.get(f"{url}/").status_code == 404


def test_BA_7_BA_11_BA_12_BA_13_BA_21_OBA_2_OBA_7_OBA_12_OBA_13_the_forms_of_accounts(
    owner: Any, reseller: Any
) -> None:
    """And BK-23, BA-18, OBA-18: each level has all three pages with everything they can do."""
    form = form_of(owner, "/bo/bank-accounts/new/")
    wanted = ["Name", "Company", "Legal entity", "Bank", "Account holder", "Account number"]
    assert labels(form) == wanted and starred(form) == list(form.fields), "neither a currency nor a default mark"
    form = form_of(owner, "/bo/own-bank-accounts/new/")
    wanted = ["Name", "Legal entity", "Parent bank", "Account holder", "Account number"]
    assert labels(form) == wanted and starred(form) == list(form.fields)

    alpine = account("Swiss Private", entity("RVV_2", of="RVV"), account_holder="Alpine Wealth Management AG",
                     account_number="CH56 0483 5012 3456 7800", bank=bank("Vienna Credit Union"))  # fmt: skip
    assert items(body(owner.get(f"/bo/bank-accounts/{alpine.pk}/"))) == {
        "Name": "Swiss Private", "Company": "RVV", "Legal entity": "RVV_2", "Bank": "Vienna Credit Union",
        "Account holder": "Alpine Wealth Management AG", "Account number": "CH56 0483 5012 3456 7800",
    }  # fmt: skip
    sent = {"name": "Tenant", "legal_entity": entity("Own LE").pk, "bank": bank("House bank").pk,
            "account_holder": "S", "account_number": "ES 1"}  # fmt: skip
    answer = owner.post("/bo/own-bank-accounts/new/", sent)
    assert answer.status_code == 302, errors_of(answer)
    url = answer.headers["Location"]
    assert items(body(owner.get(url)))["Account number"] == "ES 1" and reseller.get(url).status_code == 404
    assert owner.post(f"{url}edit/", sent | {"account_holder": "T"}).status_code == 302
    assert items(body(owner.get(url)))["Account holder"] == "T"
    for name in ("banks", "bank-accounts", "own-bank-accounts"):
        for client in (owner, reseller):
            listed = client.get(f"/bo/{name}/").context["list"]
            assert listed.may_add and listed.may_delete and client.get(f"/bo/{name}/new/").status_code == 200


def test_BK_21_the_codes_are_counted_and_the_form_shows_what_is_stored(owner: Any) -> None:
    caribbean = bank("Caribbean Commerce Bank", country="BS", address="Nassau, Bay Street 50", swift_code="CCBBBBBS",
                     branch_code="111")  # fmt: skip
    form = form_of(owner, f"/bo/banks/{caribbean.pk}/edit/")
    assert {name: form[name].value() for name in form.fields} == {
        "name": "Caribbean Commerce Bank", "description": "", "country": "BS", "address": "Nassau, Bay Street 50",
        "swift_code": "CCBBBBBS", "branch_code": "111", "bank_code": "",
    }  # fmt: skip
    assert body(owner.get(f"/bo/banks/{caribbean.pk}/edit/")).count('x-data="counter"') >= 2
    assert form.fields["swift_code"].counted and form.fields["branch_code"].counted


def test_OBA_23_an_account_number_is_shown_in_the_audit_by_its_end_only(owner: Any) -> None:
    """BA-25 all the same: both the old and the new one."""
    from relais.records.people.models import AuditAction

    own = account("Own", entity("Own LE"), account_number="PT50 0002 0123 1234 5678 9015 4")
    sent = {"name": "Own", "legal_entity": own.legal_entity_id, "bank": own.bank_id, "account_holder": "H",
            "account_number": "No 2222"}  # fmt: skip
    answer = owner.post(f"/bo/own-bank-accounts/{own.pk}/edit/", sent)
    assert answer.status_code == 302, errors_of(answer)
    action = AuditAction.objects.filter(action="Edit Own bank account").latest("pk")
    window = body(owner.get(f"/bo/audit/{action.pk}/"))
    told = b"".join(owner.get(f"/bo/audit/{action.pk}/csv/")).decode()
    assert "<del>••••15 4</del>" in window and "<ins>••••2222</ins>" in window
    assert "account_number: ••••15 4" in told
    for whole in ("PT50", "No 2222"):
        assert whole not in window and whole not in told


def test_AG_19_AG_23_to_AG_37_the_form_of_an_agreement(owner: Any) -> None:
    """Field by field: AG-21, AG-24, AG-25, AG-28, AG-29, AG-30, AG-31, AG-32, AG-35, AG-36; AG-27: whose the accounts are."""
    form = form_of(owner, "/bo/agreements/new/")
    assert labels(form)[:9] == ["Company", "Direction", "Legal entity", "Own legal entity", "Bank account", "Own bank account",
                                "Agreement code", "Agreement date", "Currency"]  # fmt: skip
    assert starred(form) == ["company", "legal_entity", "own_legal_entity", "own_bank_account", "agreement_code",
                             "agreement_date", "currency", "effective_from", "billing_timezone", "billing_period",
                             "days_for_payment"]  # fmt: skip
    assert form.fields["direction"].choices == [("client", "Client")]
    assert [label for _, label in form.fields["billing_period"].choices][1:] == [
        "Daily",
        "Weekly",
        "Monthly",
        "Quarterly",
    ]
    assert form.fields["effective_till"].help_text == "Blank: ∞ (indefinitely)"
    assert form.initial["effective_till"] == (None, "Etc/UTC"), "a zone, and no end"

    client, own = entity("zxcasd", of="DB"), entity("AT_OLE1")
    theirs, ours = account("Client's", client), account("Seller's", own)
    for field, parent, expected in (
        ("bank_account", f"legal_entity={client.pk}", ["Client's"]),
        ("bank_account", f"legal_entity={own.pk}", ["Seller's"]),
        ("own_bank_account", f"own_legal_entity={own.pk}", ["Seller's"]),
    ):
        offered = owner.get(f"/bo/agreements/new/?options={field}&{parent}").json()["options"]
        assert [option["text"] for option in offered] == expected
    figure = {"company": client.company_id, "direction": "client", "legal_entity": client.pk, "own_legal_entity": own.pk,
              "agreement_code": "123", "agreement_date": "06.06.2023", "currency": "EUR",
              "effective_from_0": "06.06.2023, 00:00:00", "effective_from_1": "Europe/Zagreb",
              "effective_till_1": "Europe/Zagreb", "billing_timezone": "Europe/Zagreb", "billing_period": "monthly",
              "billing_day": "1", "days_for_payment": "5"}  # fmt: skip
    answer = owner.post("/bo/agreements/new/", figure)
    assert list(answer.context["drawer"].form.errors) == ["own_bank_account"], "both accounts are still to be chosen"
    for wrong in (
        {"days_for_payment": "-1"},
        {"days_for_payment": "2.5"},
        {"days_for_payment": ""},
        {"billing_day": ""},
    ):
        answer = owner.post("/bo/agreements/new/", figure | {"own_bank_account": ours.pk} | wrong)
        assert list(answer.context["drawer"].form.errors) == list(wrong), "AG-35, AG-37"
    answer = owner.post("/bo/agreements/new/", figure | {"own_bank_account": ours.pk})
    assert answer.status_code == 302, errors_of(answer)
    made = client.agreements.get()
    assert (made.bank_account, made.own_bank_account) == (None, ours), f"{theirs} is optional"
    shown = items(body(owner.get(f"/bo/agreements/{made.pk}/")))
    assert shown["Effective from"] == "06.06.2023, 00:00:00 Europe/Zagreb"
    assert shown["Effective till"] == "∞ (indefinitely) Europe/Zagreb"
    assert (shown["Days for payment"], shown["Billing period"], shown["Billing day"]) == ("5", "Monthly", "1")


def test_AG_43_AG_44_AG_45_AG_47_AG_48_AG_51_AG_69_addresses_are_the_versions_and_no_list_has_a_star(
    owner: Any,
) -> None:
    """Each kind of notice has its list, which says what comes there; a version has its own, with its code and dates."""
    lists = {"invoice_emails": "Where invoices are sent", "account_emails": "Registration and activation of the account",
             "rate_change_emails": "Notices of rate changes", "service_emails": "Technical notices",
             "payment_alert_emails": "Alerts about payments"}  # fmt: skip
    for url in ("/bo/agreements/new/", "/bo/agreement-versions/new/"):
        drawer = owner.get(url).context["drawer"]
        sections = {section.title: [field.name for field in section.fields] for section in drawer.sections}
        assert sections["Emails"] == list(lists) and not set(lists) & set(starred(drawer.form))
        assert all(drawer.form.fields[name].help_text.startswith(hint) for name, hint in lists.items())
        assert {"version_code", "effective_from", "effective_till"} < set(sections["Version"])
        page = body(owner.get(url))
        assert "data-save" in page and ">Cancel</button>" in page and 'aria-label="Close (Esc)"' in page
    answer = owner.post("/bo/agreements/new/", parties() | terms(invoice_emails="a@x.example, b@x.example"))
    assert answer.status_code == 302, errors_of(answer)
    stored = agreement_of("HH-2").versions.get()
    assert stored.invoice_emails.replace(" ", "") == "a@x.example,b@x.example" and stored.service_emails == ""


def agreement_of(code: str) -> Any:
    from relais.records.agreements.models import Agreement

    return Agreement.objects.get(agreement_code=code)


def test_AG_52_to_AG_60_the_window_of_an_agreement(owner: Any) -> None:
    """AG-52, AG-57, AG-58, AG-59, AG-60, AG-70, AG-73; and AG-7, AG-11, AG-12, AG-65 on the way there."""
    client, own = entity("VA_LE_did", of="DID_company"), entity("System owner")
    made = agreement(
        789, client, own, agreement_code="VA_DID_agreement", agreement_date=date(2025, 1, 20),
        bank_account=account("VA_bank", client), own_bank_account=account("System owner", own),
    )  # fmt: skip
    expired = version(
        made, pk=666, version_code="wkl", effective_from=datetime(2025, 1, 5, tzinfo=UTC), days_for_payment=5,
        effective_till=datetime(2025, 1, 6, tzinfo=UTC), effective_from_timezone="Africa/Abidjan", billing_timezone="UTC",
    )  # fmt: skip
    page = body(owner.get("/bo/agreements/"))
    assert 'href="/bo/agreements/new/"' in page and "New agreement</a>" in page
    assert 'popovertarget="columns-menu"' in page and '<tr data-href="/bo/agreements/789/"' in page
    window = body(owner.get("/bo/agreements/789/"))
    assert ">View Agreement</h2>" in window and 'popovertarget="about-record">ID 789</button>' in window
    assert re.search(r">Created \d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d<", window) and re.search(r">Updated \d\d\.", window)
    shown = items(window)
    assert list(shown.items())[:9] == [
        ("Company", "DID_company"), ("Agreement code", "VA_DID_agreement"), ("Direction", "Client"),
        ("Legal entity", "VA_LE_did"), ("Agreement date", "20.01.2025"), ("Currency", "€ EUR"),
        ("Own legal entity", "System owner"), ("Bank account", "VA_bank"), ("Own bank account", "System owner"),
    ]  # fmt: skip
    assert "05.01.2025 - 06.01.2025 (ID 666) - expired</option>" in window and "Add new version</a>" in window
    assert shown["Version code"] == "wkl"
    assert shown["Effective from"] == "05.01.2025, 00:00:00 Africa/Abidjan"
    assert shown["Effective till"] == "06.01.2025, 00:00:00 Etc/UTC"
    assert [shown[label] for label in ("Billing timezone", "Days for payment", "Billing period", "Billing day")] == [
        "UTC", "5", "Monthly", "1",
    ]  # fmt: skip
    assert "Delete this version</button>" in window and 'href="/bo/agreement-versions/666/edit/"' in window
    assert ">Close</button>" in window and 'aria-label="Close (Esc)"' in window

    far = version(made, pk=962, effective_from=datetime(2087, 4, 30, tzinfo=UTC), version_code="far")
    picked = body(owner.get(f"/bo/agreements/789/versions/?version={far.pk}"))
    assert ">30.04.2087 - Indefinitely (ID 962) - upcoming</option>" in picked
    assert items(picked)["Version code"] == "far"
    assert 'href="/bo/agreement-versions/962/edit/"' in picked
    assert 'href="/bo/agreement-versions/962/delete/"' in picked
    assert form_of(owner, "/bo/agreement-versions/962/edit/")["version_code"].value() == "far"
    assert owner.post("/bo/agreement-versions/962/delete/").status_code == 302
    assert [each.pk for each in made.versions.all()] == [expired.pk], "AG-74"


def test_AG_4_AG_5_AG_67_AG_82_AG_85_balances_versions_and_what_never_goes(owner: Any) -> None:
    """Also AG-1: services are sold, on the terms of a version, to whom the agreement is with."""
    from django.db.models import ProtectedError

    from relais.records.agreements.models import Balance
    from relais.records.catalog.models import EnabledService, Service

    first = agreement_of("HH-1")
    owner.post("/bo/agreements/new/", parties() | terms())
    second = agreement_of("HH-2")
    paid = {"company": second.company_id, "agreement": second.pk, "payment_date": "24.11.2025", "reference_code": "1",
            "payment_amount": "7", "payment_currency": "EUR", "confirmed": "on"}  # fmt: skip
    assert owner.post("/bo/payments/new/", paid).status_code == 302
    shown = {row[1]: row[2] for row in cells(owner, "agreements", "agreement_code", "balance")}
    assert shown == {"HH-1": "1 000.00 EUR", "HH-2": "7.00 EUR"}, "each is a balance of its own"

    later = terms(agreement=second.pk, effective_from_0="01.01.2087, 00:00:00", credit_limit="2", days_for_payment="30")
    assert owner.post("/bo/agreement-versions/new/", later).status_code == 302
    told = list(second.versions.order_by("effective_from").values_list("credit_limit_micros", "days_for_payment"))
    assert told == [(1_500_000_000, 14), (2_000_000, 30)]

    page = body(owner.get(f"/bo/agreements/{second.pk}/"))
    assert f'href="/bo/agreements/{second.pk}/delete/"' not in page
    for url in ("delete", "edit"):
        assert owner.post(f"/bo/agreements/{second.pk}/{url}/", {"currency": "USD"}).status_code == 404
    assert owner.post("/bo/agreements/bulk/delete/", {"ids": [second.pk]}).status_code == 404
    with pytest.raises(ProtectedError):
        first.delete()
    assert Balance.objects.filter(agreement__in=(first, second)).count() == 2

    top = owner_company()
    dates = {"effective_from_0": "01.01.2086, 00:00:00", "effective_from_1": "Etc/UTC", "effective_till_1": "Etc/UTC"}
    dollars = Service.objects.create(company=top, name="Dollars", type="pay_as_you_go", currency="USD")
    answer = owner.post("/bo/enabled-services/new/", dates | {"service": dollars.pk, "agreement": second.pk})
    assert answer.status_code == 422 and list(answer.context["drawer"].form.errors) == ["agreement"]
    euros = Service.objects.create(company=top, name="Euros", type="pay_as_you_go", currency="EUR")
    units = Service.objects.create(company=top, name="Units", type="unit_pack", size=100)
    for page, service in (("enabled-services", euros), ("enabled-packs", units)):
        answer = owner.post(
            f"/bo/{page}/new/", dates | {"service": service.pk, "agreement": second.pk, "billing": "free"}
        )
        assert answer.status_code == 302, errors_of(answer)
    assert EnabledService.objects.filter(agreement=second).count() == 2 and units.currency is None


def test_AG_53_AG_62_AG_63_AG_64_the_window_of_enabled_services(owner: Any) -> None:
    """Pay-as-you-go only, each date in the zone given with it, while the page Enabled services uses the viewer's zone."""
    from relais.records.catalog.models import EnabledService, Service
    from relais.records.people.models import User

    made = agreement(62, entity("Telecom Monste", of="Telecom Monsters"), entity("Hornes&Hooves"))
    version(made)
    top = owner_company()

    def enabled(key: int, name: str, connected: str, since: str, till: str = "", kind: str = "pay_as_you_go") -> None:
        currency = {"currency": "EUR"} if kind == "pay_as_you_go" else {"size": 100}
        service = Service.objects.create(company=top, name=name, type=kind, **currency)
        row = EnabledService.objects.create(
            pk=key, agreement=made, service=service, effective_from=instant(since),
            effective_till=instant(till) if till else None,
        )  # fmt: skip
        EnabledService.objects.filter(pk=row.pk).update(created_at=instant(connected))

    def instant(text: str) -> datetime:
        return datetime.strptime(text, "%d.%m.%Y %H:%M:%S").replace(tzinfo=UTC)

    enabled(58, "RCS default", "10.07.2024 16:19:54", "10.07.2024 16:19:54")
    enabled(59, "Training pay-as-you-go", "10.07.2024 16:34:10", "10.07.2024 16:34:10")
    enabled(143, "Additional services", "04.12.2024 18:30:50", "05.12.2024 00:31:24", "31.12.2024 06:00:00")
    enabled(60, "Training pack", "10.07.2024 16:34:10", "10.07.2024 16:34:10", kind="unit_pack")
    assert 'href="/bo/agreements/62/services/"' in body(owner.get("/bo/agreements/62/"))
    window = body(owner.get("/bo/agreements/62/services/", headers={"HX-Request": "true"}))
    head, rows = window.partition("</thead>")[::2]
    assert [plain(cell) for cell in re.findall(r"<th.*?</th>", head)] == [
        "ID", "Service", "Service type", "Connection date", "Effective from", "Effective till",
    ]  # fmt: skip
    assert [[plain(cell) for cell in re.findall(r"<td.*?</td>", row)] for row in re.findall(r"<tr>.*?</tr>", rows)] == [
        ["143", "Additional services", "Pay-as-you-go", "04.12.2024, 18:30:50", "05.12.2024, 00:31:24", "31.12.2024, 06:00:00"],
        ["59", "Training pay-as-you-go", "Pay-as-you-go", "10.07.2024, 16:34:10", "10.07.2024, 16:34:10", "∞"],
        ["58", "RCS default", "Pay-as-you-go", "10.07.2024, 16:19:54", "10.07.2024, 16:19:54", "∞"],
    ]  # fmt: skip
    assert "data-close" in window
    User.objects.filter(login="owner").update(timezone="Europe/Moscow")
    shown = {
        row[0]: row[1:] for row in cells(owner, "enabled-services", "effective_from", "effective_till", agreement=62)
    }
    assert shown["143"] == ["05.12.2024 03:31", "31.12.2024 09:00"] and "60" not in shown
