"""Import of number prefixes from a CSV file."""

from collections.abc import Iterable

from relais.backoffice.dictionary_import import Dictionary, screen_of
from relais.pages.entity import Menu
from relais.pages.site import Screen
from relais.pages.viewer import MANAGE
from relais.records.catalog.actions.import_number_prefixes import Prefix, apply, preview, read_number_prefixes
from relais.records.catalog.models import Network


def _cells(prefixes: Iterable[Prefix]) -> list[tuple[str, ...]]:
    shown = list(prefixes)
    names = Network.objects.in_bulk({prefix.network_id for prefix in shown if prefix.network_id is not None})
    return [
        (prefix.prefix, prefix.iso, names[prefix.network_id].name if prefix.network_id in names else "")
        for prefix in shown
    ]


NUMBER_PREFIXES = Dictionary(
    name="import-number-prefixes",
    title="number prefixes",
    entity="number-prefixes",
    what=("number prefix", "number prefixes"),
    columns=("Number prefix", "ISO code", "Network"),
    headings="Prefix and ISO code; as far as known Network, by its name or one of its codes",
    read=read_number_prefixes,
    preview=preview,
    apply=apply,
    cells=_cells,
)
IMPORT_NUMBER_PREFIXES = Screen(
    name=NUMBER_PREFIXES.name,
    label="Import number prefixes",
    route="import/number-prefixes/",
    view=screen_of(NUMBER_PREFIXES),
    line="MCCMNC",
    menu=Menu("MCCMNC", 60),
    level=MANAGE,
)
