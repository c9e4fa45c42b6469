"""What the pages cost at the server with a million messages, two million EDRs, ten thousand companies and fifty thousand
audited actions: `python -m bench.pages` makes the rows on a server that is thrown away, asks for every list, sorted and
filtered, for a drawer of each entity and for a CSV file, and prints milliseconds and queries. Requests go through the whole of
Django, middleware and templates included, in one thread; a browser and the socket are not part of it. Beside other work on the
machine a page over its limit is asked again, at most `ATTEMPTS_COUNT` times: it is missed when no attempt stays within it.
Names of pages, or `csv`, after the module's name ask for these alone.
"""

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.pages_data import fill
from relais.database.embedded import Embedded
from relais.settings import Settings

ROUNDS_COUNT = 7
ATTEMPTS_COUNT = 4
RESELLERS_SHARE = 0.7  # of the messages are of the reseller's clients
CSV_ROWS_COUNT = 100_000
LIST_MS_MAX, DRAWER_MS_MAX, CSV_S_MAX, QUERIES_COUNT_MAX = 200, 100, 15, 12
PEOPLE = ("owner", "reseller")


def main(names: Sequence[str] = ()) -> int:
    """1 when a figure is missed."""
    with tempfile.TemporaryDirectory(prefix="relais-pages-") as folder:
        Path(folder).chmod(0o711)
        with Embedded(Path(folder) / "data", durable=False) as server:
            _prepare(server.dsn)
            return _measure(names)


def _prepare(dsn: str) -> None:
    from relais.backoffice.main import COLLECT_AFTER_OBJECTS, configure_pages
    from relais.collector import calm_collector

    configure_pages(
        Settings(
            database_url=dsn,
            data_dir=Path(),
            secret_key="a key for measurements only, always",
            web_names=("testserver",),
            connections_allow_private=True,
        )
    )
    from django.core.management import call_command

    from relais.records.apply.run import apply_file
    from relais.records.catalog.actions.load_dictionaries import load_dictionaries

    call_command("migrate", verbosity=0)
    load_dictionaries()
    apply_file(Path(__file__).resolve().parents[1] / "scenarios" / "spain.yaml")
    began_s = time.perf_counter()
    fill(dsn)
    calm_collector(COLLECT_AFTER_OBJECTS)
    print(f"rows made in {time.perf_counter() - began_s:.0f} s")


def _measure(names: Sequence[str]) -> int:
    missed = 0
    print(f"{'page':60} {'median ms':>9} {'p95 ms':>7} {'queries':>7}")
    for who in PEOPLE:
        client = _client(who)
        for url, limit_ms in _pages(client, names):
            for _ in range(ATTEMPTS_COUNT):
                times_ms, queries = _asked(client, url)
                p95_ms = sorted(times_ms)[max(0, round(len(times_ms) * 0.95) - 1)]
                if p95_ms <= limit_ms:
                    break
            over = p95_ms > limit_ms or queries > QUERIES_COUNT_MAX
            missed += over
            median_ms = statistics.median(times_ms)
            print(
                f"{who + ' ' + url[:50]:60} {median_ms:9.0f} {p95_ms:7.0f} {queries:7}{'  MISSED' if over else ''}",
                flush=True,
            )
    if not names or "csv" in names:
        missed += _csv_missed(_client("reseller"))
    return 1 if missed else 0


def _client(login: str) -> Any:
    from django.test import Client

    from relais.records.people.models import User

    client = Client()
    client.force_login(User.objects.get(login=login, interface="backoffice"))
    return client


def _pages(client: Any, names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Every list, by each column both ways and by each filter with a value of its first row or choice; a drawer of each."""
    from relais.backoffice.site import BACKOFFICE

    for name, entity in BACKOFFICE.entities.items():
        if names and name not in names:
            continue
        answer = client.get(f"/bo/{name}/")
        if answer.status_code == 403:  # a page of the System owner alone
            continue
        yield f"/bo/{name}/", LIST_MS_MAX
        for column in entity.columns:
            if column.sort_path is not None:
                yield f"/bo/{name}/?sort=-{column.key}", LIST_MS_MAX
        for filter in entity.filters:
            offered = filter.choices() if callable(filter.choices) else filter.choices
            values = [str(value) for value, _ in offered if value != ""][:2]
            if filter.kind == "reference":
                options = client.get(f"/bo/{name}/?options={filter.key}").json()["options"]
                values = [str(option["value"]) for option in options[:1]]
            elif filter.kind == "text":
                values = ["Acme"]
            for value in values:
                yield f"/bo/{name}/?{filter.key}={value}", LIST_MS_MAX
        if entity.search:
            yield f"/bo/{name}/?q=acme", LIST_MS_MAX
        row = re.search(r'data-href="([^"]+)"', answer.content.decode())
        if row is not None:
            yield row.group(1), DRAWER_MS_MAX


def _asked(client: Any, url: str) -> tuple[Sequence[float], int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    target = "list" if re.search(r"/bo/[a-z-]+/(\?|$)", url) else "drawer"
    headers = {"HX-Request": "true", "HX-Target": target}
    client.get(url, headers=headers)  # what a process reads once
    with CaptureQueriesContext(connection) as queries:
        client.get(url, headers=headers)
    queries_count = len(queries)  # now: the log they stand in begins anew with the next request
    times_ms = []
    for _ in range(ROUNDS_COUNT):
        began_s = time.perf_counter()
        answer = client.get(url, headers=headers)
        times_ms.append((time.perf_counter() - began_s) * 1_000)
        assert answer.status_code == 200, (url, answer.status_code)
    return times_ms, queries_count


def _csv_missed(client: Any) -> int:
    import resource

    from relais.records.traffic.models import Message

    messages_count = int(CSV_ROWS_COUNT / RESELLERS_SHARE * 1.05)
    first = Message.objects.order_by("-pk").values_list("pk", flat=True)[messages_count - 1]
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime((first.int >> 80) / 1_000))
    for _ in client.get("/bo/messages/csv/?destination=34600000001").streaming_content:
        pass  # what a process reads once
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began_s = time.perf_counter()
    answer = client.get(f"/bo/messages/csv/?accepted_after={since}")
    octets = lines = 0
    for chunk in answer.streaming_content:
        octets, lines = octets + len(chunk), lines + chunk.count(b"\n")
    took_s = time.perf_counter() - began_s
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    print(f"CSV of {lines:,} rows, {octets / 1e6:.0f} MB: {took_s:.1f} s, memory grew by {grown_mb:.0f} MB")
    return int(took_s > CSV_S_MAX)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
