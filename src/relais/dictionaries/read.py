"""The shipped dictionaries as typed rows, in the order of their keys, for whoever loads them into the database.

Reads the CSV files of this folder and checks nothing: `build.py` made them and tests hold them to their rules (unique
keys, no dangling country or code). Loading order: countries, networks with their codes, calling codes, prefixes.
"""

import csv
import gzip
import io
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple


class CountryRow(NamedTuple):
    iso: str  # ISO 3166-1 alpha-2; XK, AC and TA are the usual codes of Kosovo, Ascension and Tristan da Cunha
    name: str  # English short name


class NetworkRow(NamedTuple):
    """One network: everything one brand runs in one country, found by any of its codes (SV-284)."""

    iso: str  # its country
    name: str  # unique within the country, whatever the case
    operator: str  # company behind the brand; may be empty
    codes: tuple[str, ...]  # its MCCMNCs, at least one; each code belongs to one network


class NetworkCodeRow(NamedTuple):
    mccmnc: str  # 5 or 6 digits; the MNC's length is part of its identity (208-26 is not 208-260)
    mcc: str
    mnc: str
    country: str
    network_name: str


class CallingCodeRow(NamedTuple):
    calling_code: str
    country: str
    main: bool  # the country that a number of a shared calling code belongs to when no prefix says otherwise
    national_lengths: tuple[int, ...]  # possible digits after the calling code, ascending


class PrefixRow(NamedTuple):
    prefix: str  # leading E.164 digits, without "+"
    country: str
    mccmnc: str | None  # a code of the network the range was allocated to, of the same country; None = not known


def countries() -> tuple[CountryRow, ...]:
    return tuple(CountryRow(row["iso"], row["name"]) for row in _rows("countries.csv"))


def country_spellings() -> dict[str, tuple[str, ...]]:
    """Names by which price sheets call a country besides its own in the dictionary, by ISO code."""
    found: dict[str, list[str]] = {}
    for row in _rows("country_spellings.csv"):
        found.setdefault(row["iso"], []).append(row["spelling"])
    return {iso: tuple(spellings) for iso, spellings in found.items()}


def network_codes() -> tuple[NetworkCodeRow, ...]:
    """Every MCCMNC, by code. International and test networks (MCC 901, 999, 001) have no country and are left out."""
    return tuple(
        NetworkCodeRow(row["mcc"] + row["mnc"], row["mcc"], row["mnc"], row["country"], row["network"])
        for row in _rows("network_codes.csv")
    )


def networks() -> tuple[NetworkRow, ...]:
    """Every network once, by country and name."""
    operators: dict[tuple[str, str], str] = {}
    codes: dict[tuple[str, str], list[str]] = {}
    for row in _rows("network_codes.csv"):
        key = (row["country"], row["network"])
        operators[key] = operators.get(key) or row["operator"]
        codes.setdefault(key, []).append(row["mcc"] + row["mnc"])
    return tuple(NetworkRow(*key, operators[key], tuple(codes[key])) for key in sorted(codes))


def calling_codes() -> tuple[CallingCodeRow, ...]:
    """Every (calling code, country); exactly one row of a calling code is `main`."""
    return tuple(
        CallingCodeRow(
            row["calling_code"],
            row["country"],
            row["main"] == "1",
            tuple(int(length) for length in row["national_lengths"].split("|")),
        )
        for row in _rows("calling_codes.csv")
    )


def prefixes() -> tuple[PrefixRow, ...]:
    """Every known range, by prefix: operators' ranges, and what tells the countries of a shared calling code apart."""
    return tuple(
        PrefixRow(row["prefix"], row["country"], row["mccmnc"] or None) for row in _rows("number_prefixes.csv.gz")
    )


def _rows(file_name: str) -> Iterator[dict[str, str]]:
    octets = (files(__package__) / file_name).read_bytes()
    if file_name.endswith(".gz"):
        octets = gzip.decompress(octets)
    return csv.DictReader(io.StringIO(octets.decode("utf-8"), newline=""))
