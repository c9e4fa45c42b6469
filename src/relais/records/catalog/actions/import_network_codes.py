"""Import of the MCC-MNC dictionary, with a preview of what would change, then all of it or nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection, transaction

from relais.records.catalog.dictionary_import import Preview, compared, require_as_seen, require_sound
from relais.records.catalog.models import Country, Network, NetworkCode
from relais.records.catalog.sheets import Line, read_lines
from relais.records.catalog.whole import as_a_whole
from relais.records.columns import NAME_LENGTH_MAX

COLUMNS = {
    "mcc": ("MCC",),
    "mnc": ("MNC",),
    "iso": ("ISO", "Country code", "ISO code"),
    "country": ("Country", "Country name"),
    "network": ("Network", "Network name", "Brand", "Operator"),
    "operator": ("Operator", "Operator name", "MNO"),
}
_ROWS_A_STATEMENT = 5_000


class Code(NamedTuple):
    """A network code as the file gives it, or as the dictionary has it."""

    mccmnc: str
    mcc: str
    mnc: str
    iso: str
    network: str
    operator: str


def read_network_codes(content: bytes) -> list[Line]:
    """The rows of an uploaded file, for `preview`; `Invalid` for a file that is no such table."""
    return list(read_lines(content, COLUMNS, ("mcc", "mnc", "network")))


def preview(rows: Iterable[Line]) -> Preview[Code]:
    """Differences to the dictionary. Changes nothing. An MNC that lost its leading zero gets it back; a code without a
    country keeps the one it has, or gets that of its MCC."""
    known = _known()
    return compared(rows, lambda line: _read(line, known), known.codes)


@transaction.atomic
def apply(seen: Preview[Code], *, remove_gone: bool = False) -> Preview[Code]:
    """Do what the preview shows, all or nothing; codes that are gone only when told to. `Invalid` while it has errors, and
    when the dictionary changed since. A network stays, for rates name it; it is renamed when all its codes agree."""
    require_sound(seen)
    as_a_whole()
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE catalog_network, catalog_networkcode IN SHARE ROW EXCLUSIVE MODE")
    require_as_seen(seen, _dictionary())
    _store(seen.stored)
    if remove_gone:
        NetworkCode.objects.filter(pk__in=[code.mccmnc for code in seen.gone]).delete()
    return seen


@dataclass(frozen=True, slots=True)
class _Known:
    """What the dictionary holds before the import."""

    codes: dict[str, Code]
    isos: frozenset[str]
    iso_by_name: dict[str, str]
    iso_by_mcc: dict[str, str]
    operators: dict[tuple[str, str], str]  # by country and network


def _known() -> _Known:
    codes = _dictionary()
    countries = list(Country.objects.values_list("iso", "name"))
    return _Known(
        codes=codes,
        isos=frozenset(iso for iso, _ in countries),
        iso_by_name={name.casefold(): iso for iso, name in countries},
        iso_by_mcc=_countries_by_mcc(codes.values()),
        operators={(iso, name): operator for _, iso, name, operator in _networks()},
    )


def _read(line: Line, known: _Known) -> Code:
    mcc, mnc = line.cells["mcc"], line.cells["mnc"]
    if not (mcc.isascii() and mcc.isdigit() and len(mcc) <= 3):
        raise ValueError(f"{mcc!r} is not an MCC of three digits")
    if not (mnc.isascii() and mnc.isdigit() and len(mnc) <= 3):
        raise ValueError(f"{mnc!r} is not an MNC of two or three digits")
    mcc = mcc.zfill(3)
    mnc = _with_lost_zeros(mcc, mnc, known.codes)
    before = known.codes.get(mcc + mnc)
    name = line.cells.get("country", "")
    iso = line.cells.get("iso", "").upper() or known.iso_by_name.get(name.casefold(), "")
    if not iso and not name:
        iso = before.iso if before else known.iso_by_mcc.get(mcc, "")
    if iso not in known.isos:
        raise ValueError(f"no country {iso or name or mcc!r} in the dictionary: add it first, or give its ISO code")
    network = line.cells["network"]
    if not network or len(network) > NAME_LENGTH_MAX:
        raise ValueError(f"the network's name is missing or longer than {NAME_LENGTH_MAX} characters")
    # blank = as it is: the network's own, or of one that is only renamed the former one's
    operator = line.cells.get("operator") or known.operators.get((iso, network), before.operator if before else "")
    if len(operator) > NAME_LENGTH_MAX:
        raise ValueError(f"the operator's name is longer than {NAME_LENGTH_MAX} characters")
    return Code(mcc + mnc, mcc, mnc, iso, network, operator)


def _with_lost_zeros(mcc: str, mnc: str, present: dict[str, Code]) -> str:
    """A spreadsheet makes 1 of 01 or 001, and 12 of 012. The dictionary says which is meant; else two digits are usual."""
    if len(mnc) == 3:
        return mnc
    two, three = mnc.zfill(2), mnc.zfill(3)
    return three if mcc + three in present and mcc + two not in present else two


def _dictionary() -> dict[str, Code]:
    rows = NetworkCode.objects.values_list(
        "mccmnc", "mcc", "mnc", "network__country_id", "network__name", "network__operator"
    )
    return {row[0]: Code(*row) for row in rows}


def _countries_by_mcc(codes: Iterable[Code]) -> dict[str, str]:
    """Of each MCC that is one country's alone."""
    found: dict[str, set[str]] = {}
    for code in codes:
        found.setdefault(code.mcc, set()).add(code.iso)
    return {mcc: next(iter(isos)) for mcc, isos in found.items() if len(isos) == 1}


def _store(codes: Sequence[Code]) -> None:
    if not codes:
        return
    _rename_networks(codes)
    networks = {(iso, name): (pk, operator) for pk, iso, name, operator in _networks()}
    missing = {(code.iso, code.network): code.operator for code in codes if (code.iso, code.network) not in networks}
    Network.objects.bulk_create(
        [Network(country_id=iso, name=name, operator=operator) for (iso, name), operator in missing.items()],
        batch_size=_ROWS_A_STATEMENT,
    )
    operators = {(code.iso, code.network): code.operator for code in codes}
    for place, (pk, operator) in networks.items():
        if operators.get(place, operator) != operator:
            Network.objects.filter(pk=pk).update(operator=operators[place])
    ids = {(iso, name): pk for pk, iso, name, _ in _networks()}
    NetworkCode.objects.bulk_create(
        [NetworkCode(code.mccmnc, code.mcc, code.mnc, ids[code.iso, code.network]) for code in codes],
        batch_size=_ROWS_A_STATEMENT,
        update_conflicts=True,
        unique_fields=["mccmnc"],
        update_fields=["mcc", "mnc", "network"],
    )


def _rename_networks(codes: Sequence[Code]) -> None:
    """A network whose every code gets one new name in the same country is renamed and keeps its id, which rates name."""
    new_names = {code.mccmnc: (code.iso, code.network) for code in codes}
    members: dict[int, list[str]] = {}
    for mccmnc, network_id in NetworkCode.objects.values_list("mccmnc", "network_id"):
        members.setdefault(network_id, []).append(mccmnc)
    taken = {(iso, name) for _, iso, name, _ in _networks()}
    for pk, iso, name, _ in _networks():
        wanted = {new_names.get(mccmnc, (iso, name)) for mccmnc in members.get(pk, [])}
        if len(wanted) == 1 and (new := wanted.pop()) not in taken and new[0] == iso:
            Network.objects.filter(pk=pk).update(name=new[1])
            taken.add(new)


def _networks() -> list[tuple[int, str, str, str]]:
    return list(Network.objects.order_by("pk").values_list("pk", "country_id", "name", "operator"))
