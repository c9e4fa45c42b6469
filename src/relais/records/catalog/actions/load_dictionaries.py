"""Load the shipped dictionaries: countries, networks with their codes, calling codes, number prefixes.

Ids stay: rows are found by their natural keys. What operators added or renamed stays too; only rows this loader owns
(calling codes, and prefixes whose source is `SHIPPED`) follow the shipped files when those change.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models, transaction

from relais.dictionaries import read
from relais.records.audit import note
from relais.records.catalog.models import CallingCode, Country, Network, NetworkCode, NumberPrefix
from relais.records.catalog.whole import as_a_whole

SHIPPED = "shipped"
_ROWS_A_STATEMENT = 5_000


@dataclass(frozen=True, slots=True)
class DictionariesLoaded:
    """Rows added or changed, by table."""

    countries_count: int
    networks_count: int
    network_codes_count: int
    calling_codes_count: int
    prefixes_count: int

    @property
    def changed(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)

    def __str__(self) -> str:
        if not self.changed:
            return "unchanged"
        return (
            f"{self.countries_count} countries, {self.networks_count} networks, {self.network_codes_count} network "
            f"codes, {self.calling_codes_count} calling codes, {self.prefixes_count} number prefixes added or changed"
        )


@transaction.atomic
def load_dictionaries() -> DictionariesLoaded:
    """Idempotent; writes only what differs. One action of the audit, when anything did."""
    as_a_whole()
    countries_count = _add_countries()
    networks_count = _add_networks()
    network_codes_count = _add_network_codes()
    loaded = DictionariesLoaded(
        countries_count, networks_count, network_codes_count, _follow_calling_codes(), _follow_prefixes()
    )
    if loaded.changed:
        note(f"Load dictionaries: {loaded}", user=None, ip_address=None)
    return loaded


def _add_countries() -> int:
    known = set(Country.objects.values_list("iso", flat=True))
    return _add(Country, [Country(iso=row.iso, name=row.name) for row in read.countries() if row.iso not in known])


def _add_networks() -> int:
    """A network is known by its name, or, when an operator renamed it, by any of its codes."""
    names = set(Network.objects.values_list("country_id", "name"))
    codes = set(NetworkCode.objects.values_list("mccmnc", flat=True))
    return _add(
        Network,
        [
            Network(country_id=row.iso, name=row.name, operator=row.operator)
            for row in read.networks()
            if (row.iso, row.name) not in names and codes.isdisjoint(row.codes)
        ],
    )


def _add_network_codes() -> int:
    by_code = dict(NetworkCode.objects.values_list("mccmnc", "network_id"))
    by_name = {(country, name): pk for pk, country, name in Network.objects.values_list("pk", "country_id", "name")}
    fresh = []
    for row in read.networks():
        siblings = [by_code[code] for code in row.codes if code in by_code]
        network_id = by_name.get((row.iso, row.name)) or siblings[0]
        fresh += [
            NetworkCode(mccmnc=code, mcc=code[:3], mnc=code[3:], network_id=network_id)
            for code in row.codes
            if code not in by_code
        ]
    return _add(NetworkCode, fresh)


def _follow_calling_codes() -> int:
    known = {
        (code, country): (main, tuple(lengths))
        for code, country, main, lengths in CallingCode.objects.values_list(
            "calling_code", "country_id", "main", "national_lengths"
        )
    }
    differing = [
        CallingCode(
            calling_code=row.calling_code,
            country_id=row.country,
            main=row.main,
            national_lengths=list(row.national_lengths),
        )
        for row in read.calling_codes()
        if known.get((row.calling_code, row.country)) != (row.main, row.national_lengths)
    ]
    # those that cease to be main first: a calling code has one main country at every moment
    differing.sort(key=lambda row: row.main)
    return _add(CallingCode, differing, ["calling_code", "country"], ["main", "national_lengths"])


def _follow_prefixes() -> int:
    networks = dict(NetworkCode.objects.values_list("mccmnc", "network_id"))
    known = {
        prefix: (source, country, network)
        for prefix, country, network, source in NumberPrefix.objects.values_list(
            "prefix", "country_id", "network_id", "source"
        )
    }
    differing = []
    for row in read.prefixes():
        network_id = networks[row.mccmnc] if row.mccmnc else None
        source, *place = known.get(row.prefix, (SHIPPED,))
        if source == SHIPPED and tuple(place) != (row.country, network_id):
            differing.append(
                NumberPrefix(prefix=row.prefix, country_id=row.country, network_id=network_id, source=SHIPPED)
            )
    return _add(NumberPrefix, differing, ["prefix"], ["country", "network"])


def _add(
    model: type[models.Model],
    rows: Iterable[models.Model],
    unique_fields: list[str] | None = None,
    update_fields: list[str] | None = None,
) -> int:
    """Insert, or where told change, the rows; how many. No statement at all when there are none."""
    fresh = list(rows)
    if fresh:
        model._default_manager.bulk_create(
            fresh,
            batch_size=_ROWS_A_STATEMENT,
            update_conflicts=update_fields is not None,
            unique_fields=unique_fields,
            update_fields=update_fields,
        )
    return len(fresh)
