"""Price sheets without a database: prices, codes, likeness, and every row of the sheets of three vendors (spec 11)."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.core.price_sheets.sheet_samples import A, B, C, context, expected, sheet_of, table

from relais.core.money import format_micros, parse_micros
from relais.core.price_sheets.cells import folded, letters_of, text_of
from relais.core.price_sheets.headings import proposed
from relais.core.price_sheets.matching import Dictionary, Entry, likeness_of, trigrams
from relais.core.price_sheets.prices import decimal_mark, read_micros
from relais.core.price_sheets.read import Reading, read_sheet
from relais.core.price_sheets.settings import Column, Duplicates, Replacement, Settings, blocking
from relais.core.rating.types import Parameter, PriceType

COUNTRY, MCC, MCCMNC, NETWORK = Parameter.COUNTRY, Parameter.MCC, Parameter.MCCMNC, Parameter.NETWORK
FIXTURE = (  # RI-51 to RI-53
    ("country", "network", "code", "price", "Billing rule"),
    ("Netherlands", "All networks", 204, 0.077),
    ("Netherlands", "Telfort", 204012, 0.046),
    ("Norway", "All networks", 242, 0.032),
    ("Norway", "eRate AS", 242015, 0.032),
    ("Poland", "All networks", 260, 0.013),
    ("Poland", "T-Mobile", 260002, 0.013),
    ("Poland", "Orange", 260003, 0.013, "Submitted"),
    ("Portugal", "All networks", 268, 0.0095, "Submitted"),
    ("Portugal", "Vodafone Portugal", 268001, 0.0095, "Submitted"),
    ("Sweden", "All networks", 240, 0.042, "Submitted"),
    ("Sweden", "Sweden 3g", 240005, 0.037, "Submitted"),
    ("Sweden", "Spring Mobil AB", 240010, 0.025, "Submitted"),
    ("Sweden", "Com Hem", 240011, 0.0355, "Submitted"),
    ("Sweden", "42 Telecom", 240016, 0.0355, "Submitted"),
    ("Sweden", "Gotanet MVNO", 240017, 0.0355, "Submitted"),
    ("Sweden", "Vectone Mobile MVNO", 240019, 0.0355, "Submitted"),
    ("Sweden", "EuTel AB", 240022, 0.0355, "Submitted"),
    ("Sweden", "Twilio Sweden", 240026, 0.0355, "Submitted"),
)


@pytest.mark.parametrize(
    ("written", "micros"),
    [("0.077", 77_000), ("0,0375", 37_500), ("€ 0.05", 50_000), ("0.05 EUR", 50_000), ("$US0.1", 100_000), ("-0.04", 40_000),
     ("\N{MINUS SIGN}0,04", 40_000), ("1.234,56", 1_234_560_000), ("1,234.56", 1_234_560_000), ("1 234,5", 1_234_500_000),
     ("1\N{NARROW NO-BREAK SPACE}234,5", 1_234_500_000), ("1\N{THIN SPACE}234 €", 1_234_000_000), ("0.0143*", 14_300),
     (".05", 50_000), ("1,234,567", 1_234_567_000_000), ("0", 0), (0.1 + 0.2, 300_000), (-0.0355, 35_500), (5.0, 5_000_000)],
)  # fmt: skip
def test_RI_87_RI_88_a_price_is_read_as_people_write_it(written: Any, micros: int) -> None:
    assert read_micros(written) == micros


@pytest.mark.parametrize("written", ["n/a", "-", "blocked", "", None, "free", "0.05/0.06", "1.2.3", "0.1234567", 0.1234567, ".",
                                     "0 .05", "12,34,567", "1 23,5", "call us 0.05 or 0.06", "9" * 30])  # fmt: skip
def test_RI_88_RI_111_what_is_no_price_is_refused_and_never_rounded(written: Any) -> None:
    with pytest.raises(ValueError, match=r"is not|has more|is too large|too large"):
        read_micros(written)


def test_RI_111_a_mark_that_could_be_either_is_told_by_the_rest_of_the_column_or_not_at_all() -> None:
    with pytest.raises(ValueError, match="decimals or thousands"):
        read_micros("1,234")
    assert decimal_mark(["1,234", "0,05", 0.5]) == "," and read_micros("1,234", ",") == 1_234_000
    assert decimal_mark(["1,234", "0.05"]) == "." and read_micros("1,234", ".") == 1_234_000_000
    assert decimal_mark(["0,05", "0.05", "1,234"]) == "" == decimal_mark(["1,234", "n/a"])


@given(st.integers(0, 10**15))
def test_a_plain_decimal_is_what_it_says(micros: int) -> None:
    plain = format_micros(micros)
    assert read_micros(plain, ".") == parse_micros(plain) == micros
    assert read_micros(plain.replace(".", ","), ",") == micros


def test_RI_72_a_number_of_a_spreadsheet_is_the_digits_it_displays() -> None:
    assert [text_of(cell) for cell in (204012.0, 2.04012e5, 208.01, 0.00005, None, " x ")] == [
        "204012", "204012", "208.01", "0.00005", "", "x",
    ]  # fmt: skip
    assert [letters_of(at) for at in (0, 25, 26, 255)] == ["A", "Z", "AA", "IV"]


def test_RI_68_RI_69_RI_70_RI_71_codes_are_compared_as_mcc_and_a_number() -> None:
    codes = context().codes
    for written in ("20412", "204-12", "204 12", "204/12", "204.12", "204012"):
        assert codes.read(written).mccmnc == "20412", written
    assert (codes.read("204").mcc, codes.read("204").mccmnc) == ("204", None)
    for written, reason in (("722034", "722-034 or 722-34"), ("204199", "no code"), ("999999", "no MCC"), ("20", "three digits"),
                            ("A1", "three digits"), ("20499999", "three digits")):  # fmt: skip
        with pytest.raises(ValueError, match=reason):
            codes.read(written)
    lost = codes.read("4121")
    assert (lost.mccmnc, lost.completed) == ("41201", True), "RI-72: what was lost is told"


def test_RI_73_RI_76_RI_77_RI_78_RI_79_full_match_comes_first_and_the_smallest_key_wins() -> None:
    assert trigrams("cat") == {"  c", " ca", "cat", "at "} and round(likeness_of("word", "two words"), 6) == 0.363636
    assert folded("  Türkiye \N{NO-BREAK SPACE} X") == "turkiye x"
    names = {"10": "Orange", "9": "ORANGE ", "2": "Vodafone Spain", "3": "Vodafone Spain"}
    dictionary = Dictionary("Network", (Entry(key, {"name": name}) for key, name in names.items()), {"name": "Name"})
    assert dictionary.by_attribute("name", "orange", best=False) == "9", "numbers by their size"
    assert dictionary.by_attribute("name", "vodafone españa", best=False) is None
    assert dictionary.by_attribute("name", "vodafone spian", best=True) == "2"
    assert dictionary.by_attribute("name", "xyz", best=True) is None
    assert dictionary.by_key("ORANGE") is None, "RI-74: keys match in full"


def imported(rows: tuple[tuple[Any, ...], ...], columns: dict[int, Any], **options: Any) -> Reading:
    settings = Settings(start_row=2, **options)
    for at, meaning in columns.items():
        settings = settings.declared(meaning if isinstance(meaning, Column) else Column(at, meaning))
    assert not blocking(settings, context())
    return read_sheet(table(*rows), settings, context())


def test_RI_51_RI_52_RI_53_RI_54_RI_55_RI_84_the_fixture_by_country_and_code() -> None:
    reading = imported(FIXTURE, {0: Column(0, COUNTRY, "name"), 2: MCCMNC, 3: "price", 4: "billing_rule"})
    assert not reading.faults and len(reading.records) == 18 and 1 not in reading.met, (
        "RI-37: what is undeclared is ignored"
    )
    assert not any(reading.unmatched(at) for at in reading.met), "RI-56, RI-58, RI-60: all values matched"
    paths = {record.path: (record.price_micros, record.billing_rule) for record in reading.records}
    assert paths["NL", None] == (77_000, None) and paths["NL", "20412"] == (46_000, None)
    assert paths["SE", "24010"] == (25_000, "submitted") and paths["PT", "26801"] == (9_500, "submitted")


def test_RI_59_RI_61_networks_by_name_are_those_of_their_country() -> None:
    reading = imported(FIXTURE, {0: Column(0, COUNTRY, "name"), 1: Column(1, NETWORK, "name", True), 3: "price"})
    codes = context().codes
    found = {record.path for record in reading.records}
    assert ("NL", None) in found and ("PT", codes.network_of["26801"].id) in found, "Vodafone Portugal, of Portugal"
    assert ("PL", codes.network_of["26003"].id) in found, "Orange of Poland, not of another country"
    left = {(met.within, met.value) for met in reading.unmatched(1)}
    assert left == {("SE", "Com Hem")} and {fault.reason for fault in reading.faults} == {"no match in Network"}
    mapped = imported(
        FIXTURE,
        {0: Column(0, COUNTRY, "name"), 1: Column(1, NETWORK, "name", True), 3: "price"},
        replacements=(Replacement("network", "com hem", codes.network_of["24011"].id, "SE"),),
    )
    assert len(mapped.records) == len(reading.records) + 1, "RI-63: mapped by hand"


def test_RI_28_RI_29_RI_94_sections_are_derived_from_a_code() -> None:
    settings = Settings(start_row=2).declared(Column(2, MCCMNC)).declared(Column(3, "price"))
    assert set(context().addable(settings)) == {COUNTRY, MCC, NETWORK, Parameter.NETWORK_NAME, Parameter.MNO}
    assert Settings().sections == () == tuple(context().addable(Settings()))
    settings = settings.ordered((COUNTRY, NETWORK, MCC, MCCMNC))
    reading = read_sheet(table(*FIXTURE), settings, context())
    telfort = context().codes.network_of["20412"].id
    assert [record.path for record in reading.records[:2]] == [
        ("NL", None, "204", None),
        ("NL", telfort, "204", "20412"),
    ]
    assert settings.derived == (COUNTRY, NETWORK, MCC) and settings.undeclared(2).sections == ()


def test_RI_93_the_sample_result_has_three_levels_from_one_column() -> None:
    rows = (("code", "price"), (41280, 0.045), (41250, 0.045), (27602, 0.039), (276, 0.052))
    settings = Settings(start_row=2).declared(Column(0, MCCMNC)).declared(Column(1, "price"))
    reading = read_sheet(table(*rows), settings.ordered((COUNTRY, NETWORK, MCC, MCCMNC)), context())
    names = {network.id: network.name for network in context().codes.networks.values()}
    found = [(path[0], names.get(path[1] or ""), path[2], micros) for path, micros in
             ((record.path, record.price_micros) for record in reading.records)]  # fmt: skip
    assert found == [
        ("AF", "Salaam", "412", 45_000), ("AF", "Etisalat", "412", 45_000), ("AL", "Vodafone", "276", 39_000),
        ("AL", None, "276", 52_000),
    ]  # fmt: skip


def test_RI_38_RI_81_RI_82_RI_83_rules_are_found_by_likeness_and_leave_the_tree_as_it_is() -> None:
    rows = (("c", "p", "b", "q"), ("ES", 1, "Submited", "segment"), ("FR", 1, "DELIVERED", "Message"), ("PT", 1, "later", ""),
            ("IT", 1, "", "calls"))  # fmt: skip
    reading = imported(rows, {0: COUNTRY, 1: "price", 2: "billing_rule", 3: "quantity_rule"})
    assert [(record.path, record.billing_rule, record.quantity_rule) for record in reading.records] == [
        (("ES",), "submitted", "segments"), (("FR",), "delivered", "messages"),
    ]  # fmt: skip
    assert [(fault.value, fault.reason) for fault in reading.faults] == [
        ("later", "is no billing rule"), ("calls", "is no quantity rule"),
    ]  # fmt: skip


def test_RI_20_RI_21_RI_22_RI_23_duplicates() -> None:
    rows = (("c", "p"), ("ES", 1), ("FR", 2), ("es ", 3), ("PT", 4))
    by = {each: imported(rows, {0: COUNTRY, 1: "price"}, duplicates=each) for each in Duplicates}
    prices = {each: [record.price_micros // 1_000_000 for record in reading.records] for each, reading in by.items()}
    assert prices == {Duplicates.FIRST: [1, 2, 4], Duplicates.LAST: [2, 3, 4], Duplicates.ERROR: [2, 4]}
    assert [(fault.row, fault.reason) for fault in by[Duplicates.ERROR].faults] == [
        (2, "is a duplicate of row 4"), (4, "is a duplicate of row 2"),
    ]  # fmt: skip


def test_RI_85_RI_86_price_types_need_no_price_and_a_value_may_be_replaced() -> None:
    rows = (("c", "type", "p"), ("ES", "Blocked", "x"), ("FR", "", 2), ("PT", "free", ""), ("DE", "Flat rate", "n/a"),
            ("IT", "not included", "n/a"), ("PL", "closed", 1))  # fmt: skip
    columns = {0: COUNTRY, 1: "price_type", 2: "price"}
    reading = imported(rows, columns)
    assert [(record.path[0], record.price_type) for record in reading.records] == [
        ("ES", PriceType.BLOCKED), ("FR", PriceType.FLAT), ("PT", PriceType.FREE), ("IT", PriceType.NOT_INCLUDED),
    ]  # fmt: skip
    assert [(fault.row, fault.value, fault.reason) for fault in reading.faults] == [
        (5, "n/a", "is not a price"), (7, "closed", "is no price type"),
    ]  # fmt: skip
    replacements = (Replacement("price", "n/a", "not included"), Replacement("price_type", "closed", "blocked"))
    again = imported(rows, columns, replacements=replacements)
    assert not again.faults and again.records[3].price_type is PriceType.NOT_INCLUDED
    dear = imported(rows, columns, replacements=(Replacement("price", "n/a", "0.5"),))
    assert dear.records[3].price_micros == 500_000


def test_RI_26_RI_32_RI_33_RI_49_RI_50_a_meaning_has_one_column_and_sections_follow_the_columns() -> None:
    assert [warning.text for warning in blocking(Settings(), context())] == [
        "Declare at least one column as an attribute of the resource.", "Declare the column that holds the price.",
    ]  # fmt: skip
    settings = Settings().declared(Column(3, MCC)).declared(Column(1, COUNTRY)).declared(Column(4, "price"))
    assert settings.sections == (MCC, COUNTRY)
    settings = settings.declared(Column(2, MCC))
    assert {column.at for column in settings.columns} == {1, 2, 4} and settings.sections == (MCC, COUNTRY)
    assert settings.undeclared(1).sections == (MCC,)
    assert context(direction="A2P").offered[0] is not Parameter.DIRECTION, "RI-105: fixed above"


def test_RI_57_every_row_of_vendor_a_is_what_it_should_be() -> None:
    sheet = sheet_of(A, "SMS Prices EUR")
    settings = proposed(sheet, context())
    assert settings.start_row == 7 and settings.sections == (COUNTRY, MCC, MCCMNC)
    taken = read_sheet(sheet, replace(settings, duplicates=Duplicates.FIRST), context())
    rows = list(expected(A, "SMS Prices EUR"))
    assert Counter(row["kind"] for row in rows if row["kind"] in ("network", "mcc_default", "duplicate", "unavailable")) == {
        "network": 1486, "mcc_default": 175, "duplicate": 39, "unavailable": 40,
    }  # fmt: skip
    faulty = {fault.row: fault.reason for fault in taken.faults}
    by_row = {record.row: record for record in taken.records}
    for row in rows:
        number, kind = int(row["row"]), row["kind"]
        if kind == "unavailable":
            assert faulty.pop(number) == "is not a price"
        elif row["note"].startswith("ambiguous"):
            assert "may be" in faulty.pop(number)
        elif kind in ("network", "mcc_default"):
            assert seen(by_row.pop(number)) == wanted(row), row
    assert not by_row and not faulty and taken.dropped_count == 39
    told = read_sheet(sheet, settings, context())
    assert sum("duplicate" in fault.reason for fault in told.faults) == 2 * 39


def test_vendor_a_in_german_expands_cells_with_several_mncs_and_leaves_the_total_out() -> None:
    sheet = sheet_of(A, "Preise (DE)")
    reading = read_sheet(sheet, proposed(sheet, context()), context())
    rows = [row for row in expected(A, "Preise (DE)") if row["kind"] == "network"]
    assert sorted(map(seen, reading.records)) == sorted(map(wanted, rows)) and len(rows) == 265
    assert [(fault.row, fault.value) for fault in reading.faults] == [(230, "Gesamt")]
    assert blocking(proposed(sheet_of(A, "Terms"), context()), context()), "a sheet without a table"


def test_vendor_b_with_mcc_and_mnc_apart_and_billing_rules_in_words_of_its_own() -> None:
    sheet = sheet_of(B)
    settings = proposed(sheet, context()).replaced([Replacement("billing_rule", "first_attempt", "submitted")])
    assert [(column.at, column.meaning) for column in settings.columns] == [
        (0, "country"), (4, "mcc"), (5, "mnc"), (6, "price"), (9, "billing_rule"),
    ]  # fmt: skip
    reading = read_sheet(sheet, settings, context())
    rows = [row for row in expected(B) if row["kind"] in ("network", "mcc_default")]
    unsure = {int(row["row"]) for row in rows if row["note"].startswith("ambiguous")}
    by_row = {record.row: record for record in reading.records}
    for row in rows:
        if int(row["row"]) not in unsure:
            record = by_row.pop(int(row["row"]))
            assert seen(record)[1:] == wanted(row)[1:]
            rule = "delivered" if "rule=delivered" in row["note"] else "submitted"
            assert record.billing_rule == rule, "RI-81: delivered_or_unknown is likest to Delivered"
    assert not by_row
    assert {fault.row for fault in reading.faults} == {*unsure, 1097}, "and Nowhere, which no dictionary has"


def test_vendor_c_lost_its_zeros_and_closes_routes_in_a_column_of_status() -> None:
    sheet = sheet_of(C, "Rates")
    flat = [Replacement("price_type", word, "flat") for word in ("increase", "decrease", "no change", "new")]
    settings = proposed(sheet, context()).replaced(flat)
    assert settings.sections == (MCC, MCCMNC) and settings.start_row == 5
    reading = read_sheet(sheet, settings, context())
    rows = [row for row in expected(C, "Rates") if row["kind"] in ("network", "mcc_default", "blocked")]
    assert not reading.faults and len(rows) == 217 + 55 + 42
    assert reading.notes == ["116 codes had lost zeros, which were taken from the dictionary: compare them."]
    for row, record in zip(rows, reading.records, strict=True):
        blocked = row["kind"] == "blocked"
        assert record.price_type is (PriceType.BLOCKED if blocked else PriceType.FLAT)
        price = None if blocked else parse_micros(row["price"])
        assert (record.path, record.price_micros) == (
            (row["mcc"], row["mcc"] + row["mnc"] if row["mnc"] else None),
            price,
        )


def seen(record: Any) -> tuple[str, str, str, int]:
    country, mcc, mccmnc = record.path
    return country, mcc, mccmnc or "", record.price_micros


def wanted(row: dict[str, Any]) -> tuple[str, str, str, int]:
    noted = row["note"].partition("country in sheet is ")[2]
    return noted or row["iso"], row["mcc"], row["mcc"] + row["mnc"] if row["mnc"] else "", parse_micros(row["price"])


def test_a_heading_in_two_rows_and_two_hundred_columns() -> None:
    filler = tuple(f"x{n}" for n in range(197))
    sheet = table(
        ("Rates of December",),
        (),
        ("Destination", "", "Price", *filler),
        ("Country", "MCC-MNC", "EUR", *filler),
        ("Spain", 21401, "0,05", *filler),
        ("- P -",),
        ("Portugal", "268-01", "0,06", *filler),
    )
    settings = proposed(sheet, context())
    assert [(column.at, column.meaning) for column in settings.columns] == [(0, "country"), (1, "mccmnc"), (2, "price")]
    reading = read_sheet(sheet, settings, context())
    assert [(record.path, record.price_micros) for record in reading.records] == [
        (("ES", "21401"), 50_000),
        (("PT", "26801"), 60_000),
    ]
    assert reading.rows_count == 2 and not reading.faults
