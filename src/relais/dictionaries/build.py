"""Makes `countries.csv`, `calling_codes.csv` and `number_prefixes.csv.gz`: `python -m relais.dictionaries.build`.

For maintainers, after a new phonenumbers or Babel; the product never runs it. `network_codes.csv` (which networks there
are) and `carriers.csv` (which of them phonenumbers means by a carrier's name) are edited by hand and only read here.
Countries that share a calling code are told apart by plain prefixes, expanded from the regular expressions of the
library's metadata, in its own order of precedence.
"""

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from babel import Locale
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata
from phonenumbers.carrierdata import CARRIER_DATA

from relais.dictionaries.patterns import starts

FOLDER = Path(__file__).parent
NO_COUNTRY = "001"  # the library's region of satellite and other calling codes without a country
NOT_COUNTRIES = {"CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "UN", "XA", "XB", "ZZ"}  # CLDR's own and parts
NAMES = {  # the short names of ISO 3166 (BK-27), where CLDR's, which are written for lists of other kinds, are others
    "AE": "United Arab Emirates (the)", "BN": "Brunei Darussalam", "BO": "Bolivia (Plurinational State of)",
    "BQ": "Bonaire, Sint Eustatius and Saba", "BS": "Bahamas (the)", "CC": "Cocos (Keeling) Islands (the)",
    "CD": "Congo (the Democratic Republic of the)", "CF": "Central African Republic (the)", "CG": "Congo (the)",
    "CI": "Côte d'Ivoire", "CK": "Cook Islands (the)", "CV": "Cabo Verde", "DO": "Dominican Republic (the)",
    "FK": "Falkland Islands (the) [Malvinas]", "FM": "Micronesia (Federated States of)", "FO": "Faroe Islands (the)",
    "GB": "United Kingdom of Great Britain and Northern Ireland (the)", "GM": "Gambia (the)",
    "GS": "South Georgia and the South Sandwich Islands", "HK": "Hong Kong",
    "HM": "Heard Island and McDonald Islands", "IO": "British Indian Ocean Territory (the)",
    "IR": "Iran (Islamic Republic of)", "KM": "Comoros (the)", "KP": "Korea (the Democratic People's Republic of)",
    "KR": "Korea (the Republic of)", "KY": "Cayman Islands (the)", "LA": "Lao People's Democratic Republic (the)",
    "MD": "Moldova (the Republic of)", "MF": "Saint Martin (French part)", "MH": "Marshall Islands (the)",
    "MM": "Myanmar", "MO": "Macao", "MP": "Northern Mariana Islands (the)", "NE": "Niger (the)",
    "NL": "Netherlands (Kingdom of the)", "PH": "Philippines (the)", "PN": "Pitcairn", "PS": "Palestine, State of",
    "RU": "Russian Federation (the)", "SD": "Sudan (the)", "SH": "Saint Helena, Ascension and Tristan da Cunha",
    "ST": "Sao Tome and Principe", "SX": "Sint Maarten (Dutch part)", "SY": "Syrian Arab Republic (the)",
    "TC": "Turks and Caicos Islands (the)", "TF": "French Southern Territories (the)",
    "TW": "Taiwan (Province of China)", "TZ": "Tanzania, the United Republic of",
    "UM": "United States Minor Outlying Islands (the)", "US": "United States of America (the)",
    "VA": "Holy See (the)", "VC": "Saint Vincent and the Grenadines", "VE": "Venezuela (Bolivarian Republic of)",
    "VG": "Virgin Islands (British)", "VI": "Virgin Islands (U.S.)", "VN": "Viet Nam",
}  # fmt: skip
RESERVED = {"76": "KZ"}  # kept for Kazakhstan by the +7 numbering plan, without numbers yet
NUMBER_TYPES = (
    "fixed_line", "mobile", "pager", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "uan",
    "voicemail",
)  # fmt: skip
NANP, AREA_CODE_DIGITS = 1, 3


def main() -> None:
    countries = sorted(
        (iso, NAMES.get(iso) or name.replace(" & ", " and ").replace("St. ", "Saint "))
        for iso, name in Locale("en").territories.items()
        if len(iso) == 2 and iso.isalpha() and iso not in NOT_COUNTRIES
    )
    _write("countries.csv", ("iso", "name"), countries)
    codes = {code: regions for code, regions in COUNTRY_CODE_TO_REGION_CODE.items() if regions[0] != NO_COUNTRY}
    _write(
        "calling_codes.csv",
        ("calling_code", "country", "main", "national_lengths"),
        sorted((str(code), *row) for code, regions in codes.items() for row in _calling_code_rows(regions)),
    )
    _write("number_prefixes.csv.gz", ("prefix", "country", "mccmnc"), _prefix_rows(codes))


def _calling_code_rows(regions: Sequence[str]) -> Iterable[tuple[str, str, str]]:
    """Country, main, lengths; the main country's lengths bound the others', which list local forms too (CA: 7)."""
    lengths_of_main = _possible_lengths(regions[0])
    for region in regions:
        lengths = sorted(lengths_of_main & _possible_lengths(region))
        yield region, "1" if region == regions[0] else "0", "|".join(map(str, lengths))


def _prefix_rows(codes: dict[int, tuple[str, ...]]) -> list[tuple[str, str, str]]:
    """Ranges of carriers, and whatever else is needed to give every number its country; by prefix."""
    country_of = {str(code): regions[0] for code, regions in codes.items()} | RESERVED
    for code, regions in codes.items():
        country_of.update(_region_starts(code, regions))
    with (FOLDER / "carriers.csv").open(encoding="utf-8", newline="") as lines:
        mccmnc_of = {(row["country"], row["carrier"]): row["mccmnc"] for row in csv.DictReader(lines)}
    rows: dict[str, tuple[str, str]] = {}
    for prefix, carriers in CARRIER_DATA.items():
        country = _longest(country_of, prefix)
        carrier = carriers.get("en") or next(iter(carriers.values()))
        if country is not None:
            rows[prefix] = (country, mccmnc_of.get((country, carrier), ""))
    main_of = {str(code): regions[0] for code, regions in codes.items()}
    for prefix in sorted(country_of, key=len):
        above = _longest({start: row[0] for start, row in _above(rows, prefix)} or main_of, prefix)
        if prefix not in main_of and prefix not in rows and above != country_of[prefix]:
            rows[prefix] = (country_of[prefix], "")
    return sorted((prefix, *row) for prefix, row in rows.items())


def _region_starts(code: int, regions: Sequence[str]) -> dict[str, str]:
    """What numbers of the countries beside the main one begin with, as far as the library would say so too."""
    found: dict[str, str] = {}
    taken = _own_starts(regions[0])
    for region in regions[1:]:
        leading = _metadata(region).leading_digits
        if leading is not None:
            own = starts(leading)
        else:
            own = {start for start in _own_starts(region) if not _overlaps(start, taken)}
            own = {_shortest(start, taken, AREA_CODE_DIGITS if code == NANP else 1) for start in own}
        found.update({f"{code}{start}": region for start in own})
        taken |= own
    return found


def _own_starts(region: str) -> set[str]:
    metadata = _metadata(region)
    if metadata.leading_digits is not None:
        return starts(metadata.leading_digits)
    patterns = [getattr(metadata, number_type) for number_type in NUMBER_TYPES]
    return {
        start
        for pattern in patterns
        if pattern is not None and pattern.national_number_pattern
        for start in starts(pattern.national_number_pattern)
    }


def _overlaps(start: str, others: Iterable[str]) -> bool:
    return any(start.startswith(other) or other.startswith(start) for other in others)


def _shortest(start: str, taken: set[str], digits_min: int) -> str:
    """The shortest beginning of `start` that no number of another country shares."""
    for length in range(digits_min, len(start)):
        if not _overlaps(start[:length], taken):
            return start[:length]
    return start


def _longest(values: dict[str, str], digits: str) -> str | None:
    return next((values[digits[:n]] for n in range(len(digits), 0, -1) if digits[:n] in values), None)


def _above(rows: dict[str, tuple[str, str]], prefix: str) -> list[tuple[str, tuple[str, str]]]:
    return [(prefix[:n], rows[prefix[:n]]) for n in range(1, len(prefix)) if prefix[:n] in rows]


def _possible_lengths(region: str) -> set[int]:
    description = _metadata(region).general_desc
    assert description is not None, region
    return set(description.possible_length)


def _metadata(region: str) -> PhoneMetadata:
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None, region
    return metadata


def _write(file_name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    octets = text.getvalue().encode("utf-8")
    if file_name.endswith(".gz"):
        octets = gzip.compress(octets, mtime=0)  # the same file from the same content
    (FOLDER / file_name).write_bytes(octets)


if __name__ == "__main__":
    main()
