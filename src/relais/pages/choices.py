"""Choices that several forms share, out of the dictionaries."""

import time
from collections.abc import Iterator, Mapping

from babel.numbers import list_currencies

from relais.records.catalog.models import Country

KEPT_S = 60.0


class _CountryNames(Mapping[str, str]):
    """ISO 3166 code → short name. Read from the dictionary once a minute at most: it changes a few times a year."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._read_s = float("-inf")

    def __getitem__(self, iso: str) -> str:
        return self._fresh()[iso]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fresh())

    def __len__(self) -> int:
        return len(self._fresh())

    def _fresh(self) -> dict[str, str]:
        if time.monotonic() - self._read_s > KEPT_S:
            self._names = dict(Country.objects.order_by("name").values_list("iso", "name"))
            self._read_s = time.monotonic()
        return self._names


COUNTRY_NAMES = _CountryNames()


def country_choices() -> list[tuple[str, str]]:
    """For a required choice: blank first, then by name."""
    return [("", ""), *COUNTRY_NAMES.items()]


def currency_choices() -> list[tuple[str, str]]:
    return [("", ""), *((code, code) for code in sorted(list_currencies()) if len(code) == 3)]
