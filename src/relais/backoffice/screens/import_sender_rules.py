"""Import of sender rules from a CSV file."""

from collections.abc import Iterable

from relais.backoffice.dictionary_import import Dictionary, screen_of
from relais.pages.choices import COUNTRY_NAMES
from relais.pages.entity import Menu
from relais.pages.site import Screen
from relais.pages.viewer import MANAGE
from relais.records.senders.actions.import_sender_rules import Rule, apply, preview, read_sender_rules
from relais.records.senders.models import SenderUse


def _cells(rules: Iterable[Rule]) -> list[tuple[str, ...]]:
    return [
        (
            str(COUNTRY_NAMES.get(rule.iso, rule.iso)),
            str(SenderUse(rule.names).label),
            str(SenderUse(rule.numbers).label),
            rule.documents,
        )
        for rule in rules
    ]


SENDER_RULES = Dictionary(
    name="import-sender-rules",
    title="sender rules",
    entity="sender-rules",
    what=("sender rule", "sender rules"),
    columns=("Country", "Names", "Numbers", "Documents asked for"),
    headings="ISO code and Names (allowed, not_allowed, registration or document); as needed Numbers, likewise, and Documents",
    read=read_sender_rules,
    preview=preview,
    apply=apply,
    cells=_cells,
)
IMPORT_SENDER_RULES = Screen(
    name=SENDER_RULES.name,
    label="Import sender rules",
    route="import/sender-rules/",
    view=screen_of(SENDER_RULES),
    line="MCCMNC",
    menu=Menu("MCCMNC", 70),
    level=MANAGE,
)
