"""Import of number prefixes, with a preview of what would change, then all of it or nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from django.db import connection, transaction

from relais.records.catalog.models import Country, Network, NetworkCode, NumberPrefix
from relais.records.catalog.sheets import Line, read_lines
from relais.records.catalog.whole import as_a_whole
from relais.records.errors import WHOLE, Invalid

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


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do. `gone`: in the dictionary, of a country the file names, and not in the file."""

    new: tuple[Prefix, ...]
    changed: tuple[tuple[Prefix, Prefix], ...]  # before, after
    gone: tuple[Prefix, ...]
    unchanged_count: int
    errors: tuple[tuple[int, str], ...]  # line of the file, what is wrong


def read_number_prefixes(content: bytes) -> list[Line]:
    """The rows of an uploaded file, for `preview`; `Invalid` for a file that is no such table."""
    return list(read_lines(content, COLUMNS, ("prefix", "iso")))


def preview(rows: Iterable[Line]) -> Preview:
    """Differences to the dictionary. Changes nothing. A network is written by its MCCMNC or its name; blank = not known."""
    present = _dictionary()
    known = set(Country.objects.values_list("iso", flat=True))
    networks = _networks()
    wanted: dict[str, tuple[int, Prefix]] = {}
    errors: list[tuple[int, str]] = []
    for line in rows:
        try:
            row = _read(line, known, networks)
        except ValueError as error:
            errors.append((line.number, str(error)))
            continue
        first_line, first = wanted.setdefault(row.prefix, (line.number, row))
        if first != row:
            errors.append((line.number, f"{row.prefix} stands in line {first_line} already, with other values"))
    found = _sorted(row for _, row in wanted.values())
    covered = {row.iso for row in found}
    return Preview(
        new=tuple(row for row in found if row.prefix not in present),
        changed=tuple(
            (present[row.prefix], row) for row in found if row.prefix in present and present[row.prefix] != row
        ),
        gone=_sorted(row for row in present.values() if row.iso in covered and row.prefix not in wanted),
        unchanged_count=sum(present.get(row.prefix) == row for row in found),
        errors=tuple(errors),
    )


@transaction.atomic
def apply(seen: Preview, *, remove_gone: bool = False) -> Preview:
    """Do what the preview shows, all or nothing; prefixes that are gone only when told to. `Invalid` while it has errors,
    and when the dictionary changed since."""
    if seen.errors:
        line, reason = seen.errors[0]
        raise Invalid.of(WHOLE, f"{len(seen.errors)} lines are wrong, the first is line {line}: {reason}")
    as_a_whole()
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE catalog_numberprefix IN SHARE ROW EXCLUSIVE MODE")
    present = _dictionary()
    foreseen = {before.prefix: before for before, _ in seen.changed} | {row.prefix: row for row in seen.gone}
    moved = any(present.get(prefix) != before for prefix, before in foreseen.items())
    if moved or any(row.prefix in present for row in seen.new):
        raise Invalid.of(WHOLE, "the dictionary was changed meanwhile: preview the file again")
    NumberPrefix.objects.bulk_create(
        [
            NumberPrefix(prefix=row.prefix, country_id=row.iso, network_id=row.network_id, source=IMPORTED)
            for row in [*seen.new, *(after for _, after in seen.changed)]
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


def _sorted(rows: Iterable[Prefix]) -> tuple[Prefix, ...]:
    return tuple(sorted(rows, key=attrgetter("prefix")))
