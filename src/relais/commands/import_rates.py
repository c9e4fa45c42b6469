"""`relais import-rates FILE`: rates from a price sheet into the tree of a service, as the page does it."""

import csv
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from relais.core.price_sheets.settings import Settings
    from relais.records.catalog.actions.import_rates import Preview
    from relais.records.catalog.models import RateImport, RateNode

FAULTS_SHOWN_MAX = 20


@click.command("import-rates")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--service", required=True, help="Name of the service.")
@click.option("--company", help="Seller of the service; the System owner when not given.")
@click.option(
    "--scope", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]), help="Start of the scope; the newest one."
)
@click.option(
    "--into", required=True, help="Where the rates go: sms_messaging/sms_message/A2P. All below it is replaced."
)
@click.option(
    "--format", "kind", default="standard", type=click.Choice(["standard", "whatsapp_basic", "whatsapp_tier"])
)
@click.option("--sheet", default="", help="Name of the sheet; the first one.")
@click.option("--start-row", type=click.IntRange(1), help="First row with rates; found by the heading.")
@click.option("--duplicates", default=None, type=click.Choice(["first", "last", "error"]), help="Which one is taken.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="COLUMN=MEANING[:VALUES]",
    help="A column by its letter or heading: C=mccmnc, Country=country:name, Operator=network:name~ (by likeness), X= (none).",
)
@click.option("--sections", help="The levels of the tree: country,mcc,mccmnc.")
@click.option(
    "--map", "mapped", multiple=True, metavar="MEANING:VALUE=KEY", help="What a value means: price:N/A=blocked."
)
@click.option("--leave-out-faulty", is_flag=True, help="Import the other rows when some cannot be.")
@click.option(
    "--faults",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all rows that cannot be imported there, as CSV.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def import_rates(file: Path, **options: object) -> None:
    """Replace the rates of a part of a service's tree by those of FILE: XLSX, XLS or CSV.

    Columns and settings are those of the last file with the same headings, else found by heading and value; what is given
    wins. One transaction: all of it or nothing.
    """
    from relais.commands.surroundings import any_database, dsn_of
    from relais.settings import load

    with any_database(load()) as settings:
        from relais.records.django_settings import configure

        configure(dsn_of(settings), settings.secret_key)
        from relais.records.errors import Invalid

        try:
            _run(file, options)
        except Invalid as refusal:
            click.echo(str(refusal), err=True)
            sys.exit(1)


def _run(file: Path, options: dict[str, object]) -> None:
    from django.db import transaction

    from relais.core.price_sheets.settings import Format
    from relais.records.audit import audited
    from relais.records.catalog.actions.import_rates import (
        change_settings,
        confirm_import,
        preview_import,
        settings_of,
        start_import,
    )
    from relais.records.errors import WHOLE, Invalid

    with audited(f"Import rates from {file.name}", user=None, ip_address=None):
        node = _node(str(options["service"]), options["company"], options["scope"], str(options["into"]))
        started = start_import(node, file.name, file.read_bytes(), Format(str(options["kind"])), user=None)
        change_settings(started, _with_options(started, settings_of(started), options))
        seen = preview_import(started)
        _tell(seen)
        if options["faults"]:
            _write_faults(seen, Path(str(options["faults"])))
        if options["dry_run"]:
            transaction.set_rollback(True)
            click.echo("Nothing was changed.")
            return
        if seen.left_out_count and not options["leave_out_faulty"]:
            raise Invalid.of(WHOLE, "Nothing was changed: mend or map these rows, or give --leave-out-faulty.")
        confirm_import(started, seen.stamp, datetime.now(UTC))
    click.echo(f"{len(seen.records)} rates imported.")


def _node(service_name: str, company_name: object, start: object, place: str) -> "RateNode":
    from relais.records.apply import references
    from relais.records.catalog.models import Scope
    from relais.records.catalog.price_sheet_context import node_at
    from relais.records.errors import Invalid
    from relais.records.parties.tree import system_owner

    company = references.company(str(company_name)) if company_name else system_owner()
    service = references.service(service_name, company.pk)
    scopes = Scope.objects.filter(service=service).order_by("-effective_from", "-pk")
    if isinstance(start, datetime):
        scopes = scopes.filter(effective_from=start.replace(tzinfo=UTC))
    scope = scopes.select_related("service").first()
    if scope is None:
        raise Invalid.of("scope", "the service has no such scope")
    node = node_at(scope, place)
    if node is None:
        raise Invalid.of("into", f"nothing stands at {place!r} in the tree: a domain, a resource, then values")
    return node


def _with_options(started: "RateImport", settings: "Settings", options: dict[str, object]) -> "Settings":
    """The settings with what was given on the command line."""
    import msgspec

    from relais.core.price_sheets.cells import folded
    from relais.core.price_sheets.settings import Duplicates, Replacement
    from relais.core.rating.types import Parameter
    from relais.records.catalog.actions.import_rates import book_of, choose_sheet, settings_of
    from relais.records.errors import Invalid

    book = book_of(started)
    if options["sheet"]:
        names = [sheet.name for sheet in book.sheets]
        if options["sheet"] not in names:
            raise Invalid.of("sheet", f"no sheet is called so: there are {', '.join(names)}")
        choose_sheet(started, names.index(str(options["sheet"])))
        settings = settings_of(started)
    if options["start_row"]:
        settings = msgspec.structs.replace(settings, start_row=int(str(options["start_row"])))
    if options["duplicates"]:
        settings = msgspec.structs.replace(settings, duplicates=Duplicates(str(options["duplicates"])))
    rows = book.sheets[settings.sheet].rows
    heading = rows[settings.start_row - 2] if 2 <= settings.start_row <= len(rows) else []
    for text in _texts(options["columns"]):
        settings = _declared(settings, text, [str(cell or "") for cell in heading])
    if options["sections"]:
        names = [each.strip() for each in str(options["sections"]).split(",")]
        if strange := [each for each in names if each not in tuple(Parameter)]:
            raise Invalid.of("sections", f"{strange[0]!r} is no attribute: {', '.join(Parameter)}")
        settings = settings.ordered(Parameter(each) for each in names)
    replacements = []
    for text in _texts(options["mapped"]):
        meaning, _, rest = text.partition(":")
        value, parted, key = rest.rpartition("=")
        if not (meaning and value and parted):
            raise Invalid.of("map", f"{text!r} is not MEANING:VALUE=KEY")
        replacements.append(Replacement(meaning, folded(value), key))
    return settings.replaced(replacements)


def _declared(settings: "Settings", text: str, heading: Sequence[str]) -> "Settings":
    """With the meaning of a column, as "C=mccmnc" or "Country=country:name~" says it."""
    from relais.core.price_sheets.cells import folded, letters_of
    from relais.core.price_sheets.matching import KEY
    from relais.core.price_sheets.settings import MNC, PROPERTIES, Column
    from relais.core.rating.types import Parameter
    from relais.records.errors import Invalid

    name, parted, told = text.rpartition("=")
    names = [folded(each) for each in heading]
    letters = [letters_of(at) for at in range(256)]
    if folded(name) in names:
        at = names.index(folded(name))
    elif name.upper() in letters:
        at = letters.index(name.upper())
    else:
        raise Invalid.of("column", f"no column is called {name!r}" if parted else f"{text!r} is not COLUMN=MEANING")
    meaning, _, values = told.partition(":")
    if not meaning:
        return settings.undeclared(at)
    known = (*PROPERTIES, MNC, *Parameter)
    if meaning not in known:
        raise Invalid.of("column", f"{meaning!r} is no meaning of a column: {', '.join(known)}")
    return settings.declared(Column(at, meaning, values.removesuffix("~") or KEY, values.endswith("~")))


def _texts(value: object) -> tuple[str, ...]:
    assert isinstance(value, tuple)
    return value


def _tell(seen: "Preview") -> None:
    from relais.core.price_sheets.cells import letters_of

    counts = seen.counts
    click.echo(
        f"{counts.new} new, {counts.changed} changed, {counts.gone} removed, {counts.same} as before; "
        f"{seen.left_out_count} of {seen.rows_count} rows left out."
    )
    for note in seen.notes:
        click.echo(note)
    for fault in seen.faults[:FAULTS_SHOWN_MAX]:
        where = "" if fault.column is None else f", column {letters_of(fault.column)}"
        click.echo(f"row {fault.row}{where}: {fault.value!r} {fault.reason}", err=True)
    if len(seen.faults) > FAULTS_SHOWN_MAX:
        click.echo(f"… and {len(seen.faults) - FAULTS_SHOWN_MAX} more", err=True)


def _write_faults(seen: "Preview", path: Path) -> None:
    from relais.core.price_sheets.cells import letters_of

    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("Row", "Column", "Value", "Reason"))
        for fault in seen.faults:
            column = "" if fault.column is None else letters_of(fault.column)
            lines.writerow((fault.row, column, fault.value, fault.reason))
