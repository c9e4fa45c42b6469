"""The shipped dictionaries and the sheets of vendors, as the import sees them, without a database."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from relais.core.price_sheets.cells import Book, Sheet
from relais.core.price_sheets.codes import Codes, Network
from relais.core.price_sheets.matching import Dictionary, Entry
from relais.core.price_sheets.settings import Context
from relais.core.price_sheets.workbook import read_book
from relais.core.rating.attributes.whatsapp_region import REGIONS
from relais.core.rating.catalogue import RULES
from relais.core.rating.types import Parameter, Resource
from relais.dictionaries import read

SHEETS = Path(__file__).resolve().parents[2] / "price_sheets"
A, B, C = "vendor_a_wholesale_eur.xlsx", "vendor_b_iso_rules_usd.csv", "vendor_c_legacy.xls"
NAMED = {"name": "Name"}


@cache
def context(resource: Resource = Resource.SMS_MESSAGE, **fixed: str) -> Context:
    networks = read.networks()
    codes = Codes(Network(str(n), row.iso, row.name, row.operator, row.codes) for n, row in enumerate(networks, 1))
    of_networks = (Entry(network.id, {"name": network.name}, network.iso) for network in codes.networks.values())
    dictionaries = {
        Parameter.COUNTRY: Dictionary("Country", _countries(), NAMED),
        Parameter.NETWORK: Dictionary("Network", of_networks, NAMED | {"mccmnc": "MCCMNC"}),
        Parameter.MCC: Dictionary("MCC", (Entry(mcc) for mcc in {code[:3] for code in codes.network_of})),
        Parameter.MCCMNC: Dictionary("MCCMNC", (Entry(code) for code in codes.network_of)),
        Parameter.WHATSAPP_REGION: Dictionary("WhatsApp region", (Entry(region) for region in REGIONS)),
        Parameter.PRICING_CATEGORY: Dictionary(
            "Pricing category", (Entry(each) for each in ("authentication", "utility", "marketing", "service"))
        ),
    }
    return Context(RULES[resource], {Parameter(k): v for k, v in fixed.items()}, dictionaries, codes)


def _countries() -> Iterator[Entry]:
    spellings = read.country_spellings()
    return (Entry(row.iso, {"name": row.name}, "", spellings.get(row.iso, ())) for row in read.countries())


@cache
def book(name: str) -> Book:
    return read_book((SHEETS / name).read_bytes())


def sheet_of(name: str, sheet: str = "") -> Sheet:
    return next(each for each in book(name).sheets if each.name == sheet)


def expected(name: str, sheet: str = "") -> Iterator[dict[str, Any]]:
    with (SHEETS / "expected_rows.csv").open(encoding="utf-8", newline="") as file:
        yield from (row for row in csv.DictReader(file) if (row["file"], row["sheet"]) == (name, sheet))


def table(*rows: tuple[Any, ...]) -> Sheet:
    """A sheet of these rows; whole numbers are numbers of a spreadsheet."""
    return Sheet("", [[float(cell) if isinstance(cell, int) else cell or None for cell in row] for row in rows])
