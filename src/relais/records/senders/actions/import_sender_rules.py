"""Import of sender rules of countries, with a preview of what would change, then all of it or nothing."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection, transaction

from relais.records.catalog.dictionary_import import Preview, compared, require_as_seen, require_sound
from relais.records.catalog.models import Country
from relais.records.catalog.sheets import Line, read_lines
from relais.records.senders.models import SenderRule, SenderUse

COLUMNS = {
    "iso": ("ISO", "Country code", "ISO code"),
    "names": ("Names", "Alphanumeric"),
    "numbers": ("Numbers", "Numeric"),
    "documents": ("Documents", "Documents asked for"),
}
_WORDS = {use.value: use.value for use in SenderUse} | {
    "": SenderUse.ALLOWED.value,
    "yes": "allowed",
    "no": "not_allowed",
}
_DOCUMENTS_MAX = 500


class Rule(NamedTuple):
    """A country, and what it takes."""

    iso: str
    names: str
    numbers: str
    documents: str


def read_sender_rules(content: bytes) -> list[Line]:
    """The rows of an uploaded file, for `preview`; `Invalid` for a file that is no such table."""
    return list(read_lines(content, COLUMNS, ("iso", "names")))


def preview(rows: Iterable[Line]) -> Preview[Rule]:
    """Differences to the rules that there are. Changes nothing. Rules of countries that the file does not name stay."""
    known = set(Country.objects.values_list("iso", flat=True))
    return compared(rows, lambda line: _read(line, known), _present())


@transaction.atomic
def apply(seen: Preview[Rule], *, remove_gone: bool = False) -> Preview[Rule]:
    """Do what the preview shows, all or nothing. `Invalid` while it has errors, and when the rules changed since."""
    require_sound(seen)
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE senders_senderrule IN SHARE ROW EXCLUSIVE MODE")
    require_as_seen(seen, _present())
    SenderRule.objects.bulk_create(
        [
            SenderRule(country_id=row.iso, names=row.names, numbers=row.numbers, documents=row.documents)
            for row in seen.stored
        ],
        update_conflicts=True,
        unique_fields=["country"],
        update_fields=["names", "numbers", "documents", "updated_at"],
    )
    return seen


def _read(line: Line, known: set[str]) -> Rule:
    iso = line.cells["iso"].upper()
    if iso not in known:
        raise ValueError(f"no country {iso!r} in the dictionary: add it first")
    documents = line.cells.get("documents", "")
    if len(documents) > _DOCUMENTS_MAX or not documents.isprintable():
        raise ValueError(f"the documents take up to {_DOCUMENTS_MAX} characters of one line")
    return Rule(iso, _use(line.cells["names"]), _use(line.cells.get("numbers", "")), documents)


def _use(text: str) -> str:
    found = _WORDS.get(text.lower().replace(" ", "_"))
    if found is None:
        raise ValueError(f"{text!r} is none of {', '.join(SenderUse.values)}")
    return found


def _present() -> dict[str, Rule]:
    return {row[0]: Rule(*row) for row in SenderRule.objects.values_list("country_id", "names", "numbers", "documents")}
