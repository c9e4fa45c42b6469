"""A rival that cannot be measured is named with its reason, and what was started for it is ended."""

import asyncio
import os
import time
from pathlib import Path

import aiohttp
import pytest
from bench.processes import NotToBeHad, free_ports, running
from bench.reports import reports
from bench.rivals import HTTP_TOLD, SMPP, Table, Turn


def test_the_table_names_what_was_not_measured_and_why() -> None:
    table = Table()
    table.messages["Relais"] = 4_000
    table.turns[SMPP, "Relais"] = [
        Turn(4_000.4, 3_900, 40, {"gateway": 1.5, "worker": 0.001}, 0),
        Turn(4_200, 4_100, 38, {"gateway": 1.7, "worker": 0.001}, 3),
    ]
    table.absent[HTTP_TOLD, "Kannel"] = "bearerbox is missing;\n on Debian: apt-get install kannel"
    _, _, measured, absent = table.lines()
    assert measured == (
        f"| {SMPP} | Relais | 4,000 | 4,000, 4,200 | 3,900, 4,100 | 40, 38 | 1.60 | gateway 1.60; 3 refused |"
    )
    assert absent.startswith(
        f"| {HTTP_TOLD} | Kannel | not measured: bearerbox is missing; on Debian: apt-get install kannel |"
    )


def test_a_program_that_ends_by_itself_is_told_with_what_it_said(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "echo no such thing; exit 1"]
    with pytest.raises(NotToBeHad, match="no such thing"), running(command, tmp_path / "log", free_ports(1)[0]):
        pytest.fail("it is not ready")


def test_what_a_program_started_is_ended_with_it(tmp_path: Path) -> None:
    below = tmp_path / "below"
    command = ["/bin/sh", "-c", f"sleep 1000 & echo $! > {below}.new; mv {below}.new {below}; trap '' TERM; exit 0"]
    with running(command, tmp_path / "log", None) as pid:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert os.getpgid(int(below.read_text())) == pid
    deadline_s = time.monotonic() + 10
    while not _ended(int(below.read_text())):
        assert time.monotonic() < deadline_s


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_reports_are_taken_once_and_missing_ones_are_counted() -> None:
    async def told() -> None:
        async with reports() as heard, aiohttp.ClientSession(f"http://127.0.0.1:{heard.port}") as client:
            for _ in range(3):
                assert (await client.get("/?type=1")).status == 200
            await heard.take(2, within_s=10)
            assert heard.count == 1
            await client.post("/hook", data=b"{}")
            with pytest.raises(TimeoutError, match="1 reports had not come"):
                await heard.take(3, within_s=0.01)

    asyncio.run(told())
