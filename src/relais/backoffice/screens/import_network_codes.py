"""Import of network codes from a CSV file."""

from collections.abc import Iterable

from relais.backoffice.dictionary_import import Dictionary, screen_of
from relais.pages.entity import Menu
from relais.pages.site import Screen
from relais.pages.viewer import MANAGE
from relais.records.catalog.actions.import_network_codes import Code, apply, preview, read_network_codes


def _cells(codes: Iterable[Code]) -> list[tuple[str, ...]]:
    return [(code.mccmnc, code.mcc, code.mnc, code.iso, code.network, code.operator) for code in codes]


NETWORK_CODES = Dictionary(
    name="import-network-codes",
    title="network codes",
    entity="network-codes",
    what=("network code", "network codes"),
    columns=("MCCMNC", "MCC", "MNC", "ISO code", "Network", "MNO"),
    headings="MCC, MNC and Network; as far as known ISO code or Country, and MNO",
    read=read_network_codes,
    preview=preview,
    apply=apply,
    cells=_cells,
)
IMPORT_NETWORK_CODES = Screen(
    name=NETWORK_CODES.name,
    label="Import network codes",
    route="import/network-codes/",
    view=screen_of(NETWORK_CODES),
    line="MCCMNC",
    menu=Menu("MCCMNC", 50),
    level=MANAGE,
)
