"""How long an import of 50,000 rates takes: `python -m bench.imports` reads an XLSX file of as many rows, maps its columns, makes
the preview, confirms it, waits until a gateway's snapshot has the prices, and does so once more with other prices.
`python -m bench.imports traffic` imports them once into a product that takes messages meanwhile, and says how long the slowest
answer took from the instant at which its message was due.

Work is CPU seconds without those of the database, which on a busy machine say more than what passes. 1 when a figure is missed.
"""

import asyncio
import io
import resource
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from relais.database.embedded import Embedded

ROWS_COUNT = 50_000
PREVIEWED_S_MAX, CONFIRMED_S_MAX, LIVE_S_MAX, GAP_MS_MAX = 5, 5, 2, 250
TRAFFIC_PER_S, TRAFFIC_S = 200, 30
SECRET_KEY = "a key for measurements only, always"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["traffic"]:
        return _beside_traffic()
    if arguments[:1] == ["into"]:
        return _into(*arguments[1:])
    return _twice()


def _beside_traffic() -> int:
    """The import is a process of its own, as it is in the product; messages are offered from before it until after it."""
    from bench.load import open_loop, single_requests
    from bench.measure import API_KEY, SENDER, numbers
    from bench.product import SECRET_KEY, product

    with product() as running:
        importing = subprocess.Popen([sys.executable, "-m", "bench.imports", "into", running.dsn, SECRET_KEY])
        load = open_loop(
            "127.0.0.1", running.api_port, single_requests(API_KEY, SENDER, numbers()), TRAFFIC_PER_S, TRAFFIC_S, 50
        )
        result = asyncio.run(load)
        assert importing.wait(timeout=60) == 0
    slowest_ms = max(result.latencies_s) * 1000
    unpriced_count = sum(result.refused.values())
    within = ", ".join(f"{result.percentile_ms(percent):.0f} ms ({percent} of 100)" for percent in (50, 99))
    print(
        f"{result.accepted} messages at {TRAFFIC_PER_S}/s meanwhile, {unpriced_count} without a price in the new list"
    )
    print(f"answered within {within}, {slowest_ms:.0f} ms (all; at most {GAP_MS_MAX})")
    return 0 if slowest_ms <= GAP_MS_MAX else 1


def _into(dsn: str, secret_key: str) -> int:
    from relais.backoffice.main import COLLECT_AFTER_OBJECTS
    from relais.collector import calm_collector
    from relais.records.django_settings import configure

    configure(dsn, secret_key)
    calm_collector(COLLECT_AFTER_OBJECTS)
    with _followed(dsn, secret_key) as loaded:
        _imported(1, loaded)
    return 0


def _twice() -> int:
    from relais.backoffice.main import COLLECT_AFTER_OBJECTS
    from relais.collector import calm_collector
    from relais.records.django_settings import configure

    with tempfile.TemporaryDirectory(prefix="relais-imports-") as folder:
        Path(folder).chmod(0o711)
        with Embedded(Path(folder) / "data") as server:
            configure(server.dsn, SECRET_KEY, connections_allow_private=True)
            from django.core.management import call_command

            from relais.records.apply.run import apply_file
            from relais.records.catalog.actions.load_dictionaries import load_dictionaries

            call_command("migrate", verbosity=0)
            load_dictionaries()
            apply_file(Path(__file__).resolve().parents[1] / "scenarios" / "spain.yaml")
            calm_collector(COLLECT_AFTER_OBJECTS)  # as the pages do
            with _followed(server.dsn, SECRET_KEY) as loaded:
                kept = [_imported(cents, loaded) for cents in (1, 2)]
    return 0 if all(kept) else 1


def _imported(cents: int, loaded: Callable[[], int]) -> bool:
    """Whether all figures are within their limits."""
    from relais.core.price_sheets.settings import Format
    from relais.records.catalog.actions.import_rates import confirm_import, preview_import, start_import
    from relais.records.catalog.models import Service
    from relais.records.catalog.price_sheet_context import node_at

    scope = Service.objects.get(name="SMS service").scopes.get()
    node = node_at(scope, "sms_messaging/sms_message/A2P")
    assert node is not None
    content = sheet(ROWS_COUNT, cents)
    began_s, worked_s = time.perf_counter(), _worked_s()
    started = start_import(node, "rates.xlsx", content, Format.STANDARD, user=None)
    seen = preview_import(started)
    previewed_s, preview_work_s = time.perf_counter() - began_s, _worked_s() - worked_s
    before, began_s, worked_s = loaded(), time.perf_counter(), _worked_s()
    confirm_import(started, seen.stamp, datetime.now(UTC))
    confirmed_s, confirm_work_s = time.perf_counter() - began_s, _worked_s() - worked_s
    while loaded() == before:
        time.sleep(0.01)
    live_s = time.perf_counter() - began_s - confirmed_s
    print(
        f"{seen.counts.new} new, {seen.counts.changed} changed: previewed in {previewed_s:.1f} s (at most {PREVIEWED_S_MAX}; "
        f"work {preview_work_s:.1f}), confirmed in {confirmed_s:.1f} ({CONFIRMED_S_MAX}; {confirm_work_s:.1f}), live in "
        f"{live_s:.1f} ({LIVE_S_MAX})"
    )
    return previewed_s < PREVIEWED_S_MAX and confirmed_s < CONFIRMED_S_MAX and live_s < LIVE_S_MAX


def _worked_s() -> float:
    """CPU seconds of this process and of those it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@contextmanager
def _followed(dsn: str, secret_key: str) -> Iterator[Callable[[], int]]:
    """Follows the configuration as a gateway does, in a thread; how many snapshots it has had."""
    from relais.pipeline.following import Configuration
    from relais.secretbox import SecretBox

    seen: list[Any] = []
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def follow() -> None:
        configuration = Configuration(dsn, SecretBox(secret_key))
        await configuration.open()
        configuration.follow(seen.append)
        ready.set()
        await stop.wait()
        await configuration.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(follow()))
    thread.start()
    ready.wait()
    try:
        yield lambda: len(seen)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def sheet(rows_count: int, cents: int) -> bytes:
    """A workbook with a heading and as many rows, each with a place of its own."""
    from relais.dictionaries import read

    countries = {country.iso: country.name for country in read.countries()}
    codes = [(countries[network.iso], network.codes[0]) for network in read.networks()]
    rows = [("Country", "MCCMNC", "Phone number", "Price, EUR")]
    for number in range(rows_count):
        country, code = codes[number % len(codes)]
        rows.append((country, code, str(340_000_000_000 + number), f"0.{number % 97:02}{cents}"))
    return workbook("".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows))


def workbook(rows: str) -> bytes:
    """A workbook with one sheet of these rows, as SpreadsheetML has them."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{_KIND}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" '
        f'ContentType="{_KIND}.worksheet+xml"/></Types>',
        "_rels/.rels": _relation("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="Rates" sheetId="1" '
        'r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>',
    }
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return octets.getvalue()


def _cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def _relation(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/{kind}" '
        f'Target="{target}"/></Relationships>'
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
