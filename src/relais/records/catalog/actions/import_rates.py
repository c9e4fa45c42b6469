"""Import of rates from a file into a service's tree: upload, settings, preview, confirmation (RI-13).

Nothing of the tree changes before the confirmation, which does what the preview showed or refuses (RI-100 to RI-102).
"""

import hashlib
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from django.db import connection, transaction

from relais.core.price_sheets.cells import Book, Sheet
from relais.core.price_sheets.difference import Counts, Line, counts_of, difference
from relais.core.price_sheets.headings import heading_of, proposed
from relais.core.price_sheets.read import Fault, Reading, Record, read_sheet
from relais.core.price_sheets.settings import Context, Format, Settings, Warning, blocking
from relais.core.price_sheets.tree import replaced_below
from relais.core.price_sheets.whatsapp import SECTIONS, layout_of, read_whatsapp
from relais.core.rating.types import Domain, NodeRow, Parameter
from relais.records.audit import audited
from relais.records.catalog.actions.replace_rate_tree import replace_rate_tree
from relais.records.catalog.kept_readings import kept_reading
from relais.records.catalog.models import ImportState, RateImport, RateImportFile, RateNode, Scope, ServiceType
from relais.records.catalog.price_sheet_context import context_of, node_at, place_of
from relais.records.catalog.price_sheet_process import read_file
from relais.records.catalog.rows import node_rows, path_to
from relais.records.errors import WHOLE, Invalid
from relais.records.people.models import Actor, User
from relais.records.saving import find

FORGOTTEN_AFTER = timedelta(days=7)
_HEADING_WITHIN = 40  # rows of a new file in which the headings of the former one are looked for
_STAMP = """
    SELECT md5(%s || coalesce(string_agg(id::text, ',' ORDER BY id), '')) FROM catalog_ratenode
    WHERE scope_id = %s AND retired_at IS NULL
"""


class Preview(msgspec.Struct, frozen=True):
    """What a confirmation would do. `stamp` is of the settings and the tree it was made with; `headings` are the sheet's."""

    lines: list[Line]
    faults: list[Fault]
    records: list[Record]
    sections: tuple[Parameter, ...]
    counts: Counts
    notes: list[str]
    rows_count: int
    dropped_count: int
    stamp: str
    headings: list[str] = msgspec.field(default_factory=list)

    @property
    def left_out_count(self) -> int:
        """Rows that give no rate."""
        return len({fault.row for fault in self.faults})


@transaction.atomic
def start_import(
    node: RateNode,
    file_name: str,
    content: bytes,
    kind: Format,
    *,
    user: User | None,
    encoding: str = "",
    separator: str = "",
) -> RateImport:
    """An open import into the tree below `node`, with settings proposed by the sheet, or those of the last file with such
    headings (RI-106). It takes the place of an open one of the same person and scope. `Invalid` for a file that cannot be
    read, and a node that takes no import (RI-3, RI-4)."""
    require_importable(node, kind)
    book = read_file(content, encoding=encoding, separator=separator)
    place = place_of(node)
    for former in RateImport.objects.filter(scope=node.scope, user=user, state=ImportState.OPEN):
        cancel_import(former)
    last = _last_confirmed(node, place, kind)
    started = RateImport.objects.create(
        service=node.scope.service,
        scope=node.scope,
        node=node,
        place=place,
        user=user,
        file_name=file_name[-200:],
        checksum=hashlib.sha256(content).hexdigest(),
        octets=len(content),
        settings=msgspec.to_builtins(_begun(book, 0, kind, last, context_of(node))),
    )
    RateImportFile.objects.create(rate_import=started, content=content, book=_packed(book))
    return started


def require_importable(node: RateNode, kind: Format) -> None:
    """`Invalid` with the reason why rates cannot be imported below that record."""
    if node.retired_at is not None:
        raise Invalid.of(WHOLE, "The tree was changed meanwhile: choose the place again.")
    if node.scope.service.type != ServiceType.PAY_AS_YOU_GO:
        raise Invalid.of(WHOLE, "Only pay-as-you-go services have prices.")
    line = path_to(node)
    if not any(each.billing_rule for each in line) or not any(each.quantity_rule for each in line):
        raise Invalid.of(WHOLE, "Set the billing rule and the quantity rule of this record first.")
    if kind is Format.STANDARD:
        return
    used = {each.split_by for each in line[:-1]}
    if node.domain != Domain.WHATSAPP_MESSAGING or not used.isdisjoint(SECTIONS):
        raise Invalid.of("format", "WhatsApp rates go below a resource of WhatsApp messaging.")


def settings_of(rate_import: RateImport) -> Settings:
    return msgspec.convert(rate_import.settings, Settings)


def book_of(rate_import: RateImport) -> Book:
    """`Invalid` when the import has ended."""
    packed = RateImportFile.objects.filter(rate_import=rate_import).values_list("book", flat=True).first()
    if packed is None:
        raise Invalid.of(WHOLE, "The file is gone: choose it again.")
    return msgspec.msgpack.decode(zlib.decompress(packed), type=Book)


def sheet_of(book: Book, settings: Settings) -> Sheet:
    return book.sheets[min(settings.sheet, len(book.sheets) - 1)]


def change_settings(rate_import: RateImport, settings: Settings) -> None:
    """Kept with the import; what was previewed before is no longer (RI-90)."""
    rate_import.settings = msgspec.to_builtins(settings)
    rate_import.save()
    RateImportFile.objects.filter(rate_import=rate_import).update(preview=None, trouble="")


def choose_sheet(rate_import: RateImport, number: int) -> None:
    """Another sheet of the workbook, with settings proposed anew (RI-97)."""
    settings, book = settings_of(rate_import), book_of(rate_import)
    if not 0 <= number < len(book.sheets):
        raise Invalid.of("sheet", "The workbook has no such sheet.")
    last = _last_confirmed(rate_import.node, rate_import.place, settings.format)
    change_settings(rate_import, _begun(book, number, settings.format, last, context_of(rate_import.node)))


@transaction.atomic
def read_again(rate_import: RateImport, encoding: str, separator: str) -> None:
    """A CSV file whose encoding or separator was taken for another (RI-98)."""
    content = bytes(RateImportFile.objects.values_list("content", flat=True).get(rate_import=rate_import))
    book = read_file(content, encoding=encoding, separator=separator)
    settings = settings_of(rate_import)
    last = _last_confirmed(rate_import.node, rate_import.place, settings.format)
    change_settings(rate_import, _begun(book, 0, settings.format, last, context_of(rate_import.node)))
    RateImportFile.objects.filter(rate_import=rate_import).update(book=_packed(book))


def warnings_of(sheet: Sheet, settings: Settings, context: Context) -> list[Warning]:
    """What keeps the settings from being previewed."""
    if settings.format is Format.STANDARD:
        return blocking(settings, context)
    if layout_of(sheet, settings.format) is not None:
        return []
    wanted = (
        "Market, and a column for each category: Marketing, Utility, Authentication …"
        if settings.format is Format.WHATSAPP_BASIC
        else "Market, Category (or a sheet named after it), From and To or Tier, and Rate"
    )
    return [Warning(f"This sheet lacks the headings of such a list: {wanted}.")]


def read_with(
    sheet: Sheet, settings: Settings, context: Context, progress: Callable[[int], None] = lambda row: None
) -> Reading:
    """`Invalid` while warnings block."""
    if warnings := warnings_of(sheet, settings, context):
        raise Invalid({WHOLE: [warning.text for warning in warnings]})
    if settings.format is Format.STANDARD:
        return read_sheet(sheet, settings, context, progress)
    layout = layout_of(sheet, settings.format)
    assert layout is not None  # a warning has said so
    return read_whatsapp(sheet, settings, context, layout)


def reading_of(
    rate_import: RateImport, sheet: Sheet, context: Context, progress: Callable[[int], None] = lambda row: None
) -> Reading:
    """`read_with` the settings of the import as they are; of the last ones it is kept."""
    return kept_reading(rate_import, lambda: read_with(sheet, settings_of(rate_import), context, progress))


def kept_preview(rate_import: RateImport) -> Preview | None:
    """The one that was made last, while settings and tree are what they were."""
    packed = RateImportFile.objects.filter(rate_import=rate_import).values_list("preview", flat=True).first()
    kept = msgspec.msgpack.decode(zlib.decompress(packed), type=Preview) if packed is not None else None
    return kept if kept is not None and kept.stamp == _stamp(rate_import) else None


def preview_import(rate_import: RateImport, progress: Callable[[int], None] = lambda row: None) -> Preview:
    """What the confirmation would change, as the tree is now; kept with the import, so that it is made once. `Invalid` while
    warnings block, and when the place is gone. `progress` is told the row now and then."""
    node = _target(rate_import)
    if (kept := kept_preview(rate_import)) is not None:
        return kept
    stamp = _stamp(rate_import)
    settings, context = settings_of(rate_import), context_of(node)
    sheet = sheet_of(book_of(rate_import), settings)
    reading = reading_of(rate_import, sheet, context, progress)
    sections = settings.sections if settings.format is Format.STANDARD else SECTIONS
    rows = _live_rows(rate_import.scope_id)
    target = next(row for row in rows if row.id == node.pk)
    lines: list[Line] = []
    if reading.records:
        later = replaced_below(target, rows, reading.records, sections)

        def label(parameter: str | None, value: str | None) -> str:
            return "Others" if value is None else context.label_of(parameter, value)

        lines = difference(rows, later, (target.id, target.id), label)
    made = Preview(
        lines, reading.faults, reading.records, tuple(sections), counts_of(lines), reading.notes, reading.rows_count,
        reading.dropped_count, stamp, _headings(sheet, settings.start_row),
    )  # fmt: skip
    RateImportFile.objects.filter(rate_import=rate_import).update(preview=_packed(made))
    return made


@transaction.atomic
def confirm_import(rate_import: RateImport, stamp: str, now: datetime) -> Preview:
    """Does what the preview with that stamp showed, as one transaction. `Invalid` when the tree was changed since, when nothing
    can be imported, and when the tree would break a rule (RI-104)."""
    find(Scope, rate_import.scope_id)
    locked = find(RateImport, rate_import.pk)
    if locked.state != ImportState.OPEN:
        raise Invalid.of(WHOLE, "This import has ended already.")
    seen = preview_import(locked)
    if seen.stamp != stamp:
        raise Invalid.of(WHOLE, "The tree or the settings were changed meanwhile: look at the preview again.")
    if not seen.records:
        raise Invalid.of(WHOLE, "No row gives a rate: nothing can be imported.")
    rows = _live_rows(locked.scope_id)
    target = next(row for row in rows if row.id == _target(locked).pk)
    replace_rate_tree(locked.scope_id, replaced_below(target, rows, seen.records, seen.sections), now, live=rows)
    locked.counts = msgspec.to_builtins(seen.counts) | {
        "rows": seen.rows_count,
        "records": len(seen.records),
        "left_out": seen.left_out_count,
    }
    locked.headings = seen.headings
    locked.state, locked.confirmed_at = ImportState.CONFIRMED, now
    locked.save()
    RateImportFile.objects.filter(rate_import=locked).delete()
    return seen


def cancel_import(rate_import: RateImport) -> None:
    """The file goes; the tree is what it was (RI-100)."""
    with transaction.atomic():
        RateImport.objects.filter(pk=rate_import.pk, state=ImportState.OPEN).update(state=ImportState.CANCELED)
        RateImportFile.objects.filter(rate_import=rate_import).delete()


def cancel_forgotten(now: datetime) -> int:
    """How many open imports that nobody has touched for `FORGOTTEN_AFTER` were canceled."""
    forgotten = RateImport.objects.filter(state=ImportState.OPEN, updated_at__lte=now - FORGOTTEN_AFTER).order_by("pk")
    for rate_import in forgotten:
        with audited(
            f"Cancel forgotten import of rates from {rate_import.file_name}",
            user=None,
            ip_address=None,
            actor=Actor.JOB,
        ):
            cancel_import(rate_import)
    return len(forgotten)


def _target(rate_import: RateImport) -> RateNode:
    """The record at the import's place, which an edit may have made anew since."""
    node = node_at(rate_import.scope, rate_import.place)
    if node is None:
        raise Invalid.of(WHOLE, "The record that rates were to go below is gone: begin the import again.")
    require_importable(node, settings_of(rate_import).format)
    return node


def _begun(book: Book, number: int, kind: Format, last: RateImport | None, context: Context) -> Settings:
    """Settings to begin with: those of the last file with the same headings, else proposed ones with what was mapped by hand."""
    sheet = book.sheets[number]
    former = settings_of(last) if last is not None else Settings()
    if kind is not Format.STANDARD:
        layout = layout_of(sheet, kind)
        start_row = layout.start_row if layout is not None else 1
        return Settings(kind, number, start_row, former.duplicates, replacements=former.replacements)
    if last is not None and (row := _row_with(sheet, last.headings)) is not None:
        return msgspec.structs.replace(former, sheet=number, start_row=row + 1)
    return msgspec.structs.replace(proposed(sheet, context), sheet=number, replacements=former.replacements)


def _last_confirmed(node: RateNode, place: str, kind: Format) -> RateImport | None:
    found = RateImport.objects.filter(
        service=node.scope.service, place=place, state=ImportState.CONFIRMED, settings__format=kind.value
    )
    return found.order_by("-confirmed_at").first()


def _headings(sheet: Sheet, start_row: int) -> list[str]:
    """Of the row above the first with data; none when there is no such row."""
    return [heading_of(cell) for cell in sheet.rows[start_row - 2]] if 2 <= start_row <= len(sheet.rows) else []


def _row_with(sheet: Sheet, headings: list[str]) -> int | None:
    """Number of the row that holds those headings."""
    wanted = [each for each in headings if each]
    for number in range(1, min(_HEADING_WITHIN, len(sheet.rows)) + 1):
        if wanted and _headings(sheet, number + 1) == headings:
            return number
    return None


def _stamp(rate_import: RateImport) -> str:
    """Of the settings and the tree."""
    with connection.cursor() as cursor:
        cursor.execute(
            _STAMP, [msgspec.json.encode(rate_import.settings, order="sorted").decode(), rate_import.scope_id]
        )
        return str(cursor.fetchone()[0])


def _live_rows(scope_id: int) -> list[NodeRow]:
    return node_rows(RateNode.objects.filter(scope_id=scope_id, retired_at=None).order_by("pk"))


def _packed(value: object) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(value), 1)
