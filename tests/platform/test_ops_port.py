"""The ops port of a process, over a real socket, and the form of its log lines."""

import asyncio
import json
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from relais.observability import OpsServer


def fetch(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_health_readiness_and_metrics_are_shown() -> None:
    needs = {"database": True, "vendors": False}

    async def shown() -> list[tuple[int, str]]:
        server = OpsServer("127.0.0.1", 0, lambda: needs)
        await server.start()
        try:
            first = [await asyncio.to_thread(fetch, server.port, path) for path in ("/healthz", "/readyz", "/metrics")]
            needs["vendors"] = True
            return [*first, await asyncio.to_thread(fetch, server.port, "/readyz")]
        finally:
            await server.stop()

    health, unready, metrics, ready = asyncio.run(shown())
    assert health == (200, "ok\n")
    assert (unready[0], json.loads(unready[1])) == (503, {"database": True, "vendors": False})
    assert metrics[0] == 200 and "process_cpu_seconds_total" in metrics[1]
    assert (ready[0], json.loads(ready[1])) == (200, {"database": True, "vendors": True})


def test_a_taken_ops_port_is_an_error_at_start() -> None:
    async def twice() -> None:
        first = OpsServer("127.0.0.1", 0, dict)
        await first.start()
        try:
            await OpsServer("127.0.0.1", first.port, dict).start()
        finally:
            await first.stop()

    with pytest.raises(OSError, match="Address already in use"):
        asyncio.run(twice())


def test_an_event_is_one_line_of_json_with_process_level_and_instant() -> None:
    written = subprocess.run(
        [
            sys.executable, "-c",
            "import logging, structlog\nfrom relais.logs import configure_logging\n"
            "configure_logging('gateway', 'info', 'auto')\nlog = structlog.get_logger()\n"
            "log.debug('unseen.happened')\nlog.info('message.accepted', id=7)\n"
            "logging.getLogger('library').info('unseen')\nlogging.getLogger('library').warning('from %s', 'it')\n"
            "try: 1 / 0\nexcept ZeroDivisionError: log.exception('tick.failed')",
        ],
        capture_output=True, text=True, check=True, timeout=30,
    ).stderr.splitlines()  # fmt: skip
    accepted, library, failed = (json.loads(line) for line in written)
    assert accepted.pop("timestamp").endswith("Z")
    assert accepted == {"event": "message.accepted", "id": 7, "level": "info", "process": "gateway"}
    assert (library["event"], library["level"], library["process"]) == ("from it", "warning", "gateway")
    assert failed["exception"][0]["exc_type"] == "ZeroDivisionError"
