"""Rows of figures that other tests leave out, and how pages write what stands in them."""

import re
from datetime import UTC, date, datetime
from typing import Any

from tests.pages.conformance import SCRIPTED
from tests.pages.test_agreements_and_accounts import body, cells, entity, lines_of, owner_company, plain

COMPANIES = """51 Telecom Monsters | Hornes&Hooves | false | false | false | 10.07.2024
49 neww brand | System owner | false | false | true | 14.06.2024
43 asap | System owner | false | false | false | 19.01.2024
40 Hornes and Hooves | System owner | true | false | false | 20.11.2023
38 Hornes and Hooves 2 | System owner | true | true | false | 19.09.2023
36 Show_case2023 | LE 4 test company | false | false | false | 17.05.2023"""
BANKS = """410 Prague Financial House | Czechia | PFHBCZPP | 888
409 Vienna Credit Union | Austria | VCUBAUWW | 777
407 Mumbai Mercantile Bank | India | MMBKINBB | 555
406 Johannesburg Capital | South Africa | JCBKZAJJ | 444
405 Shanghai Far East Bank | China | SFBKCNBJ | 333
402 Southern Cross Bank | New Zealand | SCBNZAZA | 880
401 Gulf States Banking Corp. | Saudi Arabia | GSBCSAJE | 770
400 Asia Pacific Commerce Bank | Hong Kong | APCBKHHK | 660
399 Iberian Financial Network | Portugal | IFNPPTTP | 440
398 Nordic Capital Partners | Norway | NCRKNOKK | 330
397 Danube International Bank | Hungary | DBHKLHUB | 220
396 Baltic Commerce Bank | Sweden | BCBSSESS | 110
395 InterAlliance Bank | Australia | IBAKAUZS | 990
394 WorldTrust Banking | Japan | WTBKJPUT | 800"""
ENTITIES = """41767752 alex_k_b2f_2 | alex_k_b2f_2 | American Samoa | alex_k_b2f_2 | - | - | false
41767767 kiwi_lab | kiwi | Bosnia and Herzegovina | kiwi ab eff | 55665 | 556 | false
41767732 test_edrR | test_edrR | Brunei Darussalam | test_edrR | - | - | false
41768601 anbe_test | anbe_test | Canada | anbe_test | - | - | false
41767771 alex_k_b2f_4 | alex_k_b2f_4 | Cabo Verde | alex_k_b2f_4 | - | - | false
41768597 countryids test 1 | hr test123 | Spain | 123 | - | - | false"""
COUNTRIES = {
    "American Samoa": "AS", "Bosnia and Herzegovina": "BA", "Brunei Darussalam": "BN", "Canada": "CA", "Cabo Verde": "CV",
    "Spain": "ES",
    "Czechia": "CZ", "Austria": "AT", "India": "IN", "South Africa": "ZA", "China": "CN",
    "New Zealand": "NZ", "Saudi Arabia": "SA", "Hong Kong": "HK", "Portugal": "PT", "Norway": "NO", "Hungary": "HU",
    "Sweden": "SE", "Australia": "AU", "Japan": "JP",
}  # fmt: skip


def test_CO_9_the_rows_of_the_companies_figure(owner: Any) -> None:
    """GEN-55: a day in a table is dd.mm.yyyy."""
    from relais.records.parties.models import Company

    for line in reversed(lines_of(COMPANIES)):
        key, name, own, reseller, creator, moderation, made_on = line
        made = Company.objects.create(
            pk=10_000 + int(key), name=f"{name} of {key}", parent=owner_company(), own_legal_entity=entity(own),
            type="reseller" if reseller == "true" else "client", creator_of_resellers=creator == "true",
            moderation=moderation == "true",
        )  # fmt: skip
        created = datetime.strptime(made_on, "%d.%m.%Y").replace(tzinfo=UTC)
        Company.objects.filter(pk=made.pk).update(created_at=created)
    shown = cells(
        owner,
        "companies",
        "name",
        "own_legal_entity",
        "is_reseller",
        "creator_of_resellers",
        "moderation",
        "created_at",
    )
    said = [
        [str(int(key) - 10_000), name.rpartition(" of ")[0], *rest] for key, name, *rest in shown if int(key) > 10_000
    ]
    assert [[*line[:-1], line[-1][:10]] for line in said] == lines_of(COMPANIES)


def test_LE_7_BK_27_the_rows_of_the_legal_entities_figure(owner: Any) -> None:
    """Countries by their names of ISO 3166; the columns are LE-4's. The figure's Is Default is false: each has another one."""
    from relais.pages.choices import country_choices
    from relais.records.parties.models import Company, LegalEntity

    for key, name, company, country, legal, tax, legal_id, _ in lines_of(ENTITIES):
        made = Company.objects.get_or_create(name=company, parent=owner_company(), defaults={"type": "client"})[0]
        LegalEntity.objects.create(
            pk=int(key), company=made, name=name, country=COUNTRIES[country], legal_company_name=legal,
            tax_id_number=tax.strip("-"), legal_id_number=legal_id.strip("-"),
        )  # fmt: skip
    columns = ("name", "company", "country", "legal_company_name", "tax_id_number", "legal_id_number", "is_default")
    shown = cells(owner, "legal-entities", *columns)
    rows = [[cell.replace("\N{EN DASH}", "-") for cell in row] for row in shown if int(row[0]) > 41_000_000]
    assert sorted(rows) == sorted(lines_of(ENTITIES))
    assert ("BS", "Bahamas (the)") in country_choices()


def test_BK_6_the_rows_of_the_banks_figure(reseller: Any) -> None:
    """All but Alpine Private Bank, whose code has seven letters there: no SWIFT code has."""
    from relais.records.parties.models import Bank, Company

    level = Company.objects.get(name="Hornes and Hooves")
    for key, name, country, swift, branch in reversed(lines_of(BANKS)):
        Bank.objects.create(
            pk=10_000 + int(key), company=level, name=name, country=COUNTRIES[country], address="a",
            swift_code=swift, branch_code=branch,
        )  # fmt: skip
    shown = cells(reseller, "banks", "name", "country", "swift_code", "branch_code")
    assert [[str(int(key) - 10_000), *rest] for key, *rest in shown if int(key) > 10_000] == lines_of(BANKS)


def test_GEN_55_days_in_tables_and_moments_in_forms_and_heads(owner: Any) -> None:
    from relais.records.agreements.models import Agreement

    made = Agreement.objects.order_by("pk").first()
    assert made is not None
    Agreement.objects.filter(pk=made.pk).update(agreement_date=date(2025, 8, 15))
    [shown] = [row for row in cells(owner, "agreements", "agreement_date") if row[0] == str(made.pk)]
    assert shown[1] == "15.08.2025"
    form = owner.get("/bo/enabled-services/new/", headers=SCRIPTED).context["drawer"].form
    assert form.fields["effective_from"].widget.widgets[0].attrs["placeholder"] == "dd.mm.yyyy, hh:mm:ss"
    head = body(owner.get(f"/bo/agreements/{made.pk}/", headers=SCRIPTED))
    assert re.search(r"Created \d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d", plain(head))


def test_GEN_57_a_limited_text_says_how_much_of_it_is_used(owner: Any) -> None:
    """The script writes "used / maximum" where the template leaves a place for it (`assets/js/components.js`)."""
    form = body(owner.get("/bo/banks/new/", headers=SCRIPTED))
    for name, most in (("swift_code", 8), ("branch_code", 3)):
        field = form.partition(f'name="{name}"')
        assert f'maxlength="{most}"' in field[2][:200], name
        assert 'x-data="counter"' in field[0].rpartition('<div class="fld')[2] and 'x-text="said"' in field[2][:600]
