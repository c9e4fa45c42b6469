"""The shipped dictionaries: their own rules, and agreement with phonenumbers about every country."""

import csv
import random
from collections import Counter
from functools import cache
from pathlib import Path

import phonenumbers
import pytest

from relais.core.numbers import CallingCode, NumberPlan, Range, normalise
from relais.dictionaries import read
from relais.dictionaries.patterns import starts

networks = cache(read.networks)


@cache
def network_of_code() -> dict[str, int]:
    """MCC-MNC → place in `networks`."""
    return {code: position for position, network in enumerate(networks()) for code in network.codes}


@cache
def plan() -> NumberPlan:
    ranges = network_of_code()
    return NumberPlan(
        {row.prefix: Range(row.country, ranges[row.mccmnc] if row.mccmnc else None) for row in read.prefixes()},
        [CallingCode(*row) for row in read.calling_codes()],
    )


# Ranges that these share with the main country of their calling code, which phonenumbers too takes them for.
SHARED_WITH_MAIN = {"AX": "FI", "BL": "GP", "CC": "AU", "CX": "AU", "EH": "MA", "MF": "GP", "SJ": "NO", "VA": "IT"}
SHARED_WITH_MAIN["IM"] = "GB"  # its example, +44 7924, is valid in both; 7624 and the rest are the island's
with (Path(__file__).parent / "dial_examples.csv").open(encoding="utf-8", newline="") as lines:
    EXAMPLES = [(row["iso"], row["example_mobile_e164"]) for row in csv.DictReader(lines) if row["example_mobile_e164"]]


def country_of(number: str) -> str | None:
    digits = normalise(number)
    found = plan().resolve(digits) if digits else None
    return found.country if found else None


def network_of(number: str) -> read.NetworkRow | None:
    digits = normalise(number)
    found = plan().resolve(digits) if digits else None
    return None if found is None or found.network_id is None else networks()[found.network_id]


def test_keys_are_unique_and_nothing_dangles() -> None:
    countries = {row.iso for row in read.countries()}
    codes = read.network_codes()
    assert len(countries) == len(read.countries()) == 252
    assert len({row.mccmnc for row in codes}) == len(codes) == 3191
    assert {row.country for row in codes} <= countries
    assert {row.country for row in read.calling_codes()} <= countries
    for row in read.prefixes():
        assert row.country in countries
        assert row.mccmnc is None or networks()[network_of_code()[row.mccmnc]].iso == row.country
    assert len({row.prefix for row in read.prefixes()}) == len(read.prefixes())
    assert len({(row.calling_code, row.country) for row in read.calling_codes()}) == len(read.calling_codes())


def test_a_calling_code_has_one_main_country_and_none_begins_another() -> None:
    mains = Counter(row.calling_code for row in read.calling_codes() if row.main)
    assert set(mains.values()) == {1}
    codes = {row.calling_code for row in read.calling_codes()}
    assert codes == set(mains)
    assert not any(code[:length] in codes for code in codes for length in range(1, len(code)))


def test_SV_284_a_network_is_found_by_any_of_its_codes() -> None:
    spain = {network.name: network for network in networks() if network.iso == "ES"}
    assert spain["Vodafone"].codes == ("21401", "21406")
    assert spain["DIGI mobil"].codes == ("21422",)
    assert len({(network.iso, network.name.casefold()) for network in networks()}) == len(networks())
    assert sorted(code for network in networks() for code in network.codes) == [r.mccmnc for r in read.network_codes()]


def test_the_length_of_an_mnc_tells_codes_apart() -> None:
    codes = {row.mccmnc: row for row in read.network_codes()}
    assert (codes["20826"].mnc, codes["208700"].mnc) == ("26", "700")
    assert all(row.mcc + row.mnc == row.mccmnc for row in codes.values())


@pytest.mark.parametrize(("iso", "number"), EXAMPLES, ids=lambda each: each)
def test_every_example_number_is_of_its_country(iso: str, number: str) -> None:
    assert country_of(number) == SHARED_WITH_MAIN.get(iso, iso)


@pytest.mark.parametrize(
    ("number", "iso"),
    [
        ("+7 701 234 5678", "KZ"),
        ("+7 903 123 4567", "RU"),
        ("+7 600 123 4567", "KZ"),
        ("+1 809 234 5678", "DO"),
        ("+1 416 234 5678", "CA"),
        ("+1 212 234 5678", "US"),
        ("+44 7624 123456", "IM"),
        ("+44 7797 712345", "JE"),
        ("+44 7781 123456", "GG"),
        ("+44 7400 123456", "GB"),
        ("+39 06 698 12345", "VA"),
        ("+47 79 12 34 56", "SJ"),
        ("+61 8 9162 1234", "CC"),
        ("+262 639 012345", "YT"),
        ("+599 318 1234", "BQ"),
    ],
)
def test_countries_of_one_calling_code_are_told_apart(number: str, iso: str) -> None:
    assert country_of(number) == iso


@pytest.mark.parametrize("number", ["+1 416 2345", "+34 600 00 00", "+800 1234 5678", "+999 1234 5678"])
def test_numbers_that_cannot_be_have_no_country(number: str) -> None:
    assert country_of(number) is None


def test_numbers_that_phonenumbers_holds_valid_are_of_the_country_it_says() -> None:
    drawn = random.Random(20)
    checked = 0
    for calling_code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        if regions[0] == "001":
            continue
        lengths = sorted({row.national_lengths for row in read.calling_codes() if row.country == regions[0]})[0]
        for _ in range(1500 if len(regions) > 1 else 20):
            national = "".join(drawn.choices("0123456789", k=drawn.choice(lengths)))
            number = phonenumbers.parse(f"+{calling_code}{national}", None)
            digits = f"{calling_code}{phonenumbers.national_significant_number(number)}"
            if normalise(digits) and phonenumbers.is_valid_number(number):
                checked += 1
                assert country_of(digits) == phonenumbers.region_code_for_number(number), digits
    assert checked > 2000


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+34 600 000 000", "21401"),
        ("+34 641 234 567", "21422"),
        ("+34 616 234 567", "21407"),
        ("+39 333 123 4567", "22201"),
        ("+33 6 12 34 56 78", "20810"),
        ("+7 903 123 4567", "25099"),
    ],
)
def test_a_number_is_of_the_network_its_range_was_allocated_to(number: str, code: str) -> None:
    network = network_of(number)
    assert network is not None
    assert code in network.codes


def test_a_range_of_no_known_network_keeps_its_country() -> None:
    assert network_of("+34 711 000 000") is None
    assert country_of("+34 711 000 000") == "ES"


def test_a_pattern_begins_with_its_fixed_digits() -> None:
    assert starts(r"7(?:(?:78|8[1-3])\d|9117)\d{5}") == {"778", "781", "782", "783", "79117"}
    assert starts("06?98|1{2}[03-5]") == {"098", "0698", "110", "113", "114", "115"}
    assert starts(r"5\d{4,7}|[6-8]?9{1,3}") == {"5", *(h + t for h in ("", "6", "7", "8") for t in ("9", "99", "999"))}


@pytest.mark.parametrize("pattern", ["1(?!2)", "(?:1", "1)", "a", "1+"])
def test_a_pattern_of_another_form_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="not a numbering pattern"):
        starts(pattern)
