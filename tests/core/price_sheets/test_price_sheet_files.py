"""Files of price sheets: workbooks, CSV in many encodings, WhatsApp lists; and what a sheet changes in a tree (spec 11)."""

import io
import zipfile
from typing import Any

import pytest
from tests.core.price_sheets.sheet_samples import A, book, context, sheet_of, table

from relais.core.price_sheets.cells import Sheet
from relais.core.price_sheets.difference import Change, counts_of, difference
from relais.core.price_sheets.read import Reading, Record
from relais.core.price_sheets.settings import Format, Settings
from relais.core.price_sheets.tree import replaced_below
from relais.core.price_sheets.whatsapp import SECTIONS, layout_of, read_whatsapp
from relais.core.price_sheets.workbook import UnreadableFile, read_book
from relais.core.rating.problems import problems
from relais.core.rating.tree import compile_tree, lookup
from relais.core.rating.types import NodeRow, Parameter, PriceType, Rate, Resource

BASIC, TIER = Format.WHATSAPP_BASIC, Format.WHATSAPP_TIER
COUNTRY, NETWORK = Parameter.COUNTRY, Parameter.NETWORK
WHATSAPP = ("whatsapp_messaging", "whatsapp_message")


def test_RI_14_RI_97_workbooks_give_their_sheets_with_empty_rows_in_their_places() -> None:
    assert [sheet.name for sheet in book(A).sheets] == ["SMS Prices EUR", "Preise (DE)", "Terms"]
    rows = sheet_of(A, "SMS Prices EUR").rows
    assert rows[3] == [] and rows[4][:3] == ["Country", "Network", "MCCMNC"] and rows[6][2] == 41201.0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1251"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_RI_98_encoding_and_separator_of_a_csv_are_found_out(encoding: str, separator: str) -> None:
    lines = [("Страна", "Сеть", "Цена"), ("Россия", "Мегафон, Москва", "0.05"), ("Италия", "Вымпелком; Вин", "0.06")]
    text = "\r\n".join(separator.join(f'"{cell}"' for cell in line) for line in lines)
    found = read_book(text.encode(encoding))
    assert [tuple(row) for row in found.sheets[0].rows] == lines and found.separator == separator


def test_RI_98_western_letters_are_not_taken_for_cyrillic_and_a_person_may_correct_both() -> None:
    text = (
        "País;Red;Precio\nEspaña;Teléfonos móviles;0,05\nPerú;Compañía Telefónica;0,06\nFrançais;Éire à tout été;0,07\n"
    )
    assert read_book(text.encode("cp1252")).sheets[0].rows[1][0] == "España"
    corrected = read_book("Größe,x;1,5".encode(), encoding="cp1252", separator=";")
    assert corrected.sheets[0].rows == [["GrÃ¶ÃŸe,x", "1,5"]]


def zipped(name: str, content: bytes) -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return octets.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b";;;\n;;", "empty"),
        (b"PK\x03\x04 and then nothing", "damaged"),
        (zipped("xl/workbook.xml", b"<oops"), "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"\x00\x01\x02\x03 octets of no text" * 20, "neither a workbook nor a text"),
        (b"a,b\n" * 60, "more than 50 rows"),
        (b"," * 300 + b"x", "more than 256 columns"),
        (b'a,"' + b"x" * 200_000, "cannot be read"),
    ],
    ids=range(11),
)
def test_RI_16_RI_96_a_file_that_is_no_table_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read_book(content, rows_max=50)


def whatsapp(name: str, sheet: str, kind: Format) -> Reading:
    return of_whatsapp(sheet_of(name, sheet), kind)


def of_whatsapp(sheet: Sheet, kind: Format) -> Reading:
    layout = layout_of(sheet, kind)
    assert layout is not None
    return read_whatsapp(sheet, Settings(format=kind), context(Resource.WHATSAPP_MESSAGE), layout)


def test_RI_7_RI_11_RI_12_the_basic_list_has_a_price_a_region_and_category() -> None:
    reading = whatsapp("vendor_d_whatsapp_list_rates_usd.csv", "", BASIC)
    assert not reading.faults and reading.rows_count == 47
    prices = {record.path: record.price_micros for record in reading.records}
    assert prices["Argentina", "marketing", "regular"] == 87_500
    assert ("Argentina", "authentication_international", "regular") not in prices, "n/a: a market without that rate"
    assert prices["Bangladesh", "authentication_international", "regular"] == 140_400
    assert layout_of(sheet_of(A, "SMS Prices EUR"), BASIC) is None


def test_RI_8_RI_107_tiers_are_scales_whether_flat_or_a_sheet_a_category() -> None:
    flat = whatsapp("vendor_e_whatsapp_volume_tiers_usd.csv", "", TIER)
    by_path = {record.path: record for record in flat.records}
    assert not flat.faults and by_path["Argentina", "utility", "regular"].scale == {
        "type": "tier",
        "steps": [
            {"up_to": 250_000, "price_micros": 5_300}, {"up_to": 1_000_000, "price_micros": 5_035},
            {"up_to": 2_500_000, "price_micros": 4_770}, {"up_to": 5_000_000, "price_micros": 4_505},
            {"up_to": 10_000_000, "price_micros": 4_240}, {"price_micros": 3_975},
        ],
    }  # fmt: skip
    for category in ("Utility", "Authentication"):
        sheet = whatsapp("vendor_e_whatsapp_volume_tiers_usd.xlsx", category, TIER)
        assert not sheet.faults
        for record in sheet.records:
            assert record.path[1] == category.lower() and by_path.pop(record.path).scale == record.scale
    assert not by_path
    assert layout_of(sheet_of("vendor_e_whatsapp_volume_tiers_usd.xlsx", "Matrix"), TIER) is None, "no volumes"


def test_RI_107_gaps_and_overlaps_are_told_and_the_tiers_left_out() -> None:
    head = ("Market", "Category", "From", "To", "Price")
    groups = {
        "Argentina": ((1, 100, 5), (102, None, 4)),
        "Brazil": ((0, 100, 5), (100, None, 4)),
        "Chile": ((1, 100, 5), (101, 200, 4)),
        "Egypt": ((5, None, 4),),
        "France": ((1, None, 4), (2, None, 3)),
        "Germany": ((1, 0, 4), (1, None, 3)),
        "India": ((1, None, 4),),
        "Nowhere": ((1, None, 4),),
        "Italy": ((1, 10, 4), (11, None, "n/a")),
    }
    rows = [
        (market if n == 0 else "", "Utility", *row) for market, some in groups.items() for n, row in enumerate(some)
    ]
    reading = of_whatsapp(table(head, *rows), TIER)
    assert [(record.path[0], record.price_type) for record in reading.records] == [("India", PriceType.FLAT)]
    reasons = {fault.value.partition(" ")[0]: fault.reason for fault in reading.faults}
    assert "ends at 100, the next begins at 102" in reasons["Argentina"] and "begins at 100" in reasons["Brazil"]
    assert "the last tier ends at 200" in reasons["Chile"] and "begins at 5" in reasons["Egypt"]
    assert "gap or an overlap" in reasons["France"] and "before it begins" in reasons["Germany"]
    assert reasons["Nowhere"] == "no match in WhatsApp region" and "cannot be read" in reasons["Italy"]


def node(number: int, parent: int | None, value: str | None = None, **terms: Any) -> NodeRow:
    return NodeRow(
        number, parent, "sms_messaging", "sms_message", terms.pop("price_type", "flat"), value=value, **terms
    )


TREE = [
    node(1, None, price_type="depends_on", split_by="direction", billing_rule="submitted", quantity_rule="segments"),
    node(2, 1, "P2A", price_type="free"),
    node(3, 1, "A2P", price_type="depends_on", split_by="country", billing_rule="delivered"),
    node(4, 3, "ES", price_type="depends_on", split_by="network"),
    node(5, 4, "7", price_micros=100_000),
    node(6, 4, None, is_others=True, price_micros=200_000),
    node(7, 3, "FR", price_micros=50_000),
]


def flat(row: int, path: tuple[str | None, ...], micros: int) -> Record:
    return Record(row, path, PriceType.FLAT, micros)


def test_RI_92_RI_95_RI_104_records_replace_what_is_below_the_target_and_nothing_else() -> None:
    records = [flat(1, ("ES", "7"), 110_000), flat(2, ("ES", None), 200_000), flat(3, ("PT", None), 70_000),
               flat(4, (None, None), 900_000)]  # fmt: skip
    rows = replaced_below(TREE[2], TREE, records, (COUNTRY, NETWORK))
    assert problems(rows) == [] and {row.id for row in rows if row.id <= 7} == {1, 2, 3}
    assert next(row for row in rows if row.id == 3).billing_rule == "delivered", "RI-4: the target's own rules stay"
    tree = compile_tree(rows)

    def price(**known: str) -> Any:
        found = lookup(tree, "sms_messaging", "sms_message", {Parameter(name): value for name, value in known.items()})
        return found.price_micros if isinstance(found, Rate) else found

    assert price(direction="A2P", country="ES", network="7") == 110_000
    assert price(direction="A2P", country="PT") == 70_000 and price(direction="A2P", country="DE") == 900_000
    lines = difference(TREE, rows, (3, 3), lambda parameter, value: value or "Others")
    assert [(line.depth, line.label, line.change.value, line.difference_bp) for line in lines] == [
        (0, "ES", "branch", None), (1, "7", "changed", 1_000), (1, "Others", "same", 0), (0, "FR", "gone", None),
        (0, "PT", "branch", None), (1, "Others", "new", None), (0, "Others", "new", None),
    ]  # fmt: skip
    counts = counts_of(lines)
    assert (counts.new, counts.changed, counts.gone, counts.same) == (2, 1, 1, 1) and counts.changes_anything


def test_a_level_that_is_split_otherwise_is_new_as_a_whole_and_others_go_as_deep_as_needed() -> None:
    records = [flat(1, ("7", None, None), 1), flat(2, (None, None, "21401"), 2), flat(3, (None, None, None), 3)]
    rows = replaced_below(TREE[2], TREE, records, (NETWORK, Parameter.MCC, Parameter.MCCMNC))
    assert problems(rows) == []
    lines = difference(TREE, rows, (3, 3), lambda parameter, value: f"{parameter} {value}")
    changes = [line.change for line in lines]
    assert changes.count(Change.NEW) == 3 and changes.count(Change.GONE) == 3
    assert len(replaced_below(TREE[2], TREE, [flat(1, ("ES", None), 1)], SECTIONS[:2])) == 5
