"""The numbering dictionaries: import with a preview, and single entries."""

from typing import Any

import pytest
from tests.records.test_parties import copy_of, reasons_of

TABLE = """MCC,MNC,ISO,Country,Network,Operator
214,1,ES,,Vodafone,Vodafone Espana
214,07,,ES,Movistar,Telefonica
268,3,PT,,NOS,
"""


def previewed(text: str, encoding: str = "utf-8") -> Any:
    from relais.records.catalog.actions.import_network_codes import preview, read_network_codes

    return preview(read_network_codes(text.encode(encoding)))


def imported(text: str, **options: Any) -> Any:
    from relais.records.catalog.actions.import_network_codes import apply

    return apply(previewed(text), **options)


def dictionary() -> list[tuple[str, str, str, str]]:
    from relais.records.catalog.models import NetworkCode

    rows = NetworkCode.objects.order_by("pk").values_list(
        "mccmnc", "network__country_id", "network__name", "network__operator"
    )
    return list(rows)


def prefixes() -> list[tuple[str, str, str | None, str]]:
    from relais.records.catalog.models import NumberPrefix

    rows = NumberPrefix.objects.order_by("pk").values_list("prefix", "country_id", "network__name", "source")
    return list(rows)


@pytest.mark.usefixtures("records")
def test_an_import_shows_first_and_then_does_what_it_showed() -> None:
    seen = previewed(TABLE)
    assert [code.mccmnc for code in seen.new] == ["21401", "21407", "26803"]
    assert (seen.changed, seen.gone, seen.errors, dictionary()) == ((), (), (), [])
    imported(TABLE)
    assert dictionary() == [
        ("21401", "ES", "Vodafone", "Vodafone Espana"),
        ("21407", "ES", "Movistar", "Telefonica"),
        ("26803", "PT", "NOS", ""),
    ]
    again = previewed(TABLE)
    assert (again.changes_anything, again.unchanged_count) == (False, 3)


@pytest.mark.usefixtures("records")
def test_a_change_is_shown_with_its_old_value_and_a_renamed_network_keeps_its_id() -> None:
    from relais.records.catalog.models import Network

    imported(TABLE)
    vodafone = Network.objects.get(name="Vodafone").pk
    table = "mcc;mnc;iso;network\n214;01;ES;Zegona\n214;15;ES;Movistar\n"
    seen = previewed(table)
    assert [(before.network, after.network) for before, after in seen.changed] == [("Vodafone", "Zegona")]
    assert [code.mccmnc for code in seen.new] == ["21415"]
    assert [code.mccmnc for code in seen.gone] == ["21407"]  # Portugal is not in the file
    imported(table)
    assert Network.objects.get(pk=vodafone).name == "Zegona"
    assert [row[0] for row in dictionary()] == ["21401", "21407", "21415", "26803"]
    imported(table, remove_gone=True)
    assert [row[0] for row in dictionary()] == ["21401", "21415", "26803"]


@pytest.mark.usefixtures("records")
def test_a_code_that_moves_to_another_network_leaves_the_others_where_they_are() -> None:
    imported(TABLE + "214,08,ES,,Vodafone,Vodafone Espana\n")
    imported("MCC,MNC,ISO,Network\n214,08,ES,Movistar\n")
    assert dictionary()[:3] == [
        ("21401", "ES", "Vodafone", "Vodafone Espana"),
        ("21407", "ES", "Movistar", "Telefonica"),
        ("21408", "ES", "Movistar", "Telefonica"),
    ]


@pytest.mark.usefixtures("records")
def test_wrong_lines_are_told_by_number_and_nothing_is_imported() -> None:
    wrong = TABLE + "21x,01,ES,,A,\n214,0001,ES,,A,\n214,05,XX,,A,\n214,05,ES,,,\n214,01,ES,,Other,\n"
    assert previewed(wrong).errors == (
        (5, "'21x' is not an MCC of three digits"),
        (6, "'0001' is not an MNC of two or three digits"),
        (7, "no country 'XX' in the dictionary: add it first, or give its ISO code"),
        (8, "the network's name is missing or longer than 200 characters"),
        (9, "21401 stands in line 2 already, with other values"),
    )
    assert reasons_of(imported, wrong) == {
        "": ("5 lines are wrong, the first is line 5: '21x' is not an MCC of three digits",)
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_of_spreadsheets_are_read(encoding: str, delimiter: str) -> None:
    from relais.records.catalog.sheets import Line, read_lines

    columns = {"code": ("MCC code", "MCC"), "network": ("Network", "Operator")}
    table = '\r\nmcc,X,OPERATOR \r\n214,,"Водафон\r\nES"\r\n,,\r\n215\r\n'.replace(",", delimiter)
    assert list(read_lines(table.encode(encoding), columns, ("code",))) == [
        Line(4, {"code": "214", "network": "Водафон\r\nES"}),
        Line(6, {"code": "215", "network": ""}),
    ]


@pytest.mark.usefixtures("records")
def test_a_file_that_is_no_such_table_is_refused_in_words() -> None:
    from relais.records.catalog.actions.import_network_codes import read_network_codes

    for content, reason in (
        (b"", "the file is empty"),
        (b"MCC,Name\n1,2\n", "the heading lacks MNC, Network"),
        (b"\x89PNG\0\0", "The file is neither a workbook nor a text. Save it as XLSX or CSV."),
    ):
        assert reasons_of(read_network_codes, content) == {"": (reason,)}


@pytest.mark.usefixtures("records")
def test_a_lost_zero_comes_back_as_the_dictionary_has_it() -> None:
    from relais.records.catalog.models import Country

    Country.objects.create(iso="US", name="United States")
    imported("MCC,MNC,ISO,Network\n310,012,US,Verizon\n")
    assert previewed("MCC,MNC,ISO,Network\n310,12,US,Verizon\n").unchanged_count == 1
    assert [code.mccmnc for code in previewed("MCC,MNC,ISO,Network\n2,1,ES,Early\n").new] == ["00201"]


@pytest.mark.usefixtures("records")
def test_a_preview_that_is_out_of_date_is_refused() -> None:
    from relais.records.catalog.actions.import_network_codes import apply

    first, second = previewed(TABLE), previewed(TABLE)
    apply(first)
    assert reasons_of(apply, second) == {"": ("the dictionary was changed meanwhile: preview the file again",)}


@pytest.mark.usefixtures("records")
def test_number_prefixes_are_imported_in_the_same_way() -> None:
    from relais.records.catalog.actions.import_number_prefixes import apply, preview, read_number_prefixes

    def seen(text: str) -> Any:
        return preview(read_number_prefixes(text.encode()))

    imported(TABLE)
    apply(seen("prefix,iso,network\n+34 6,ES,21401\n351,pt,\n"))
    assert prefixes() == [("346", "ES", "Vodafone", "imported"), ("351", "PT", None, "imported")]
    wrong = seen("prefix,iso,network\n34x,ES,\n3460,XX,\n3461,ES,Nobody\n")
    assert [line for line, _ in wrong.errors] == [2, 3, 4]
    assert list(reasons_of(apply, wrong)) == [""]
    change = seen("prefix,iso,network\n346,ES,movistar\n347,ES,\n")
    assert (len(change.new), len(change.changed), change.gone) == (1, 1, ())
    apply(change)
    only = seen("prefix,iso\n347,ES\n")
    assert [row.prefix for row in only.gone] == ["346"]
    apply(only, remove_gone=True)
    assert [row[0] for row in prefixes()] == ["347", "351"]
    assert reasons_of(apply, change) == {"": ("the dictionary was changed meanwhile: preview the file again",)}


@pytest.mark.usefixtures("records")
def test_single_entries_are_checked_and_those_in_use_stay() -> None:
    from relais.records.catalog.actions.edit_dictionaries import (
        delete_dictionary_entry,
        save_country,
        save_network,
        save_network_code,
        save_number_prefix,
    )
    from relais.records.catalog.models import Country, Network, NetworkCode, NumberPrefix

    country = save_country(Country(iso=" de ", name=" Germany "))
    assert (country.iso, country.name) == ("DE", "Germany")
    assert reasons_of(save_country, Country(iso="DD", name="GERMANY")) == {"name": ("another country has it",)}
    network = save_network(Network(country=country, name="Telekom"))
    assert list(reasons_of(save_network, Network(country=country, name="telekom "))) == ["name"]
    code = save_network_code(NetworkCode(mcc="262", mnc="01", network=network))
    assert code.mccmnc == "26201"
    assert list(reasons_of(save_network_code, NetworkCode(mcc="262", mnc="01", network=network))) == ["mnc"]
    assert "mnc" in reasons_of(save_network_code, copy_of(code, mnc="02"))
    prefix = save_number_prefix(NumberPrefix(prefix="+49151", country=country, network=network))
    assert (prefix.prefix, prefix.source) == ("49151", "manual")
    spain = Country.objects.get(iso="ES")
    assert list(reasons_of(save_number_prefix, copy_of(prefix, country=spain))) == ["network"]
    assert list(reasons_of(save_network, copy_of(network, country=spain))) == ["country"]
    assert reasons_of(delete_dictionary_entry, country) == {
        "": ("Germany cannot be deleted: it has 1 network, 1 number prefix",)
    }
    assert reasons_of(delete_dictionary_entry, network) == {
        "": ("Telekom cannot be deleted: it has 1 network code, 1 number prefix",)
    }
    for entry in (prefix, code, network, country):
        delete_dictionary_entry(entry)
