"""Import of number prefixes, with a preview of what would change, then all of it or nothing."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection, transaction

from relais.records.catalog.dictionary_import import Preview, compared, require_as_seen, require_sound
from relais.records.catalog.models import Country, Network, NetworkCode, NumberPrefix
from relais.records.catalog.sheets import Line, read_lines
from relais.records.catalog.whole import as_a_whole

COLUMNS = {
    "prefix": ("Prefix", "Number prefix", "Range"),
    "iso": ("ISO", "Country code", "ISO code"),
    "network": ("Network", "MCCMNC", "Operator"),
}
IMPORTED = "imported"  # the loader of shipped dictionaries leaves these alone
PREFIX_DIGITS_MAX = 15
_ROWS_A_STATEMENT = 5_000


class Prefix(NamedTuple):
    """Leading digits, their country, and the id of the network they belong to where one is known."""

    prefix: str
    iso: str
    network_id: int | None


def read_number_prefixes(content: bytes) -> list[Line]:
    """The rows of an uploaded file, for `preview`; `Invalid` for a file that is no such table."""
    return list(read_lines(content, COLUMNS, ("prefix", "iso")))


def preview(rows: Iterable[Line]) -> Preview[Prefix]:
    """Differences to the dictionary. Changes nothing. A network is written by its MCCMNC or its name; blank = not known."""
    known = set(Country.objects.values_list("iso", flat=True))
    networks = _networks()
    return compared(rows, lambda line: _read(line, known, networks), _dictionary())


@transaction.atomic
def apply(seen: Preview[Prefix], *, remove_gone: bool = False) -> Preview[Prefix]:
    """Do what the preview shows, all or nothing; prefixes that are gone only when told to. `Invalid` while it has errors,
    and when the dictionary changed since."""
    require_sound(seen)
    as_a_whole()
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE catalog_numberprefix IN SHARE ROW EXCLUSIVE MODE")
    require_as_seen(seen, _dictionary())
    NumberPrefix.objects.bulk_create(
        [
            NumberPrefix(prefix=row.prefix, country_id=row.iso, network_id=row.network_id, source=IMPORTED)
            for row in seen.stored
        ],
        batch_size=_ROWS_A_STATEMENT,
        update_conflicts=True,
        unique_fields=["prefix"],
        update_fields=["country", "network", "source"],
    )
    if remove_gone:
        NumberPrefix.objects.filter(pk__in=[row.prefix for row in seen.gone]).delete()
    return seen


def _read(line: Line, known: set[str], networks: dict[tuple[str, str], int]) -> Prefix:
    prefix = line.cells["prefix"].removeprefix("+").replace(" ", "")
    if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= PREFIX_DIGITS_MAX and prefix[0] != "0"):
        raise ValueError(f"{line.cells['prefix']!r} is not the beginning of an international number: 1 to 15 digits")
    iso = line.cells["iso"].upper()
    if iso not in known:
        raise ValueError(f"no country {iso!r} in the dictionary: add it first")
    name = line.cells.get("network", "")
    network_id = networks.get((iso, name.casefold())) if name else None
    if name and network_id is None:
        raise ValueError(f"no network {name!r} in {iso}: add it first, or leave the column blank")
    return Prefix(prefix, iso, network_id)


def _networks() -> dict[tuple[str, str], int]:
    """By country, and by name without case or by code."""
    by_name = {(iso, name.casefold()): pk for pk, iso, name in Network.objects.values_list("pk", "country_id", "name")}
    codes = NetworkCode.objects.values_list("network_id", "network__country_id", "mccmnc")
    return by_name | {(iso, mccmnc): pk for pk, iso, mccmnc in codes}


def _dictionary() -> dict[str, Prefix]:
    return {row[0]: Prefix(*row) for row in NumberPrefix.objects.values_list("prefix", "country_id", "network_id")}
