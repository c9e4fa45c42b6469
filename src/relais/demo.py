"""`relais demo`: the whole product with the Spain scenario, real messages through the customer API, and what became of them.

Everything shown is read back from the product: answers of the API, the database's EDRs, `relais verify`. Nothing is sent
twice over: each run sends its messages once and goes on from the balances that are there.
"""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import click
import yaml

from relais.core.money import format_micros
from relais.pipeline.verify import Verification, verify
from relais.settings import Settings
from relais.store.blocks import blocks
from relais.store.sessions import open_session
from relais.supervisor import GATEWAY, PAGES, SMSC, WORKER, Supervisor

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "spain.yaml"
API_KEY = "rk_test_telecom_monsters"
FINAL_WITHIN_S = 30.0
POLL_S = 0.1


@dataclass(frozen=True)
class Wish:
    """A message of the demo and what must become of it: a final status, or the code of a refusal."""

    what: str
    to: str
    text: str
    expected: str
    segments: int = 1
    sender: str = "Monsters"


WISHES = (
    Wish("Vodafone Spain", "34600123456", "Hello from Relais: your table is booked for 21:00.", "delivered"),
    Wish("DIGI Spain", "34641123456", "Your code is 424242.", "delivered"),
    Wish("Movistar Spain", "34606123456", "Your parcel is on its way.", "delivered"),
    Wish("Italy", "393471234567", "Ciao! La tua prenotazione è confermata.", "delivered"),
    Wish("three segments", "34600123457", "A long story. " * 25, "delivered", 3),
    Wish("Unicode", "34600123458", "Привет из Мадрида ☀", "delivered"),
    Wish("not delivered", "34600120001", "This one meets a phone that is gone.", "undelivered"),
    Wish("Russia is blocked", "79031234567", "This one must not leave.", "destination_blocked"),
    Wish("no such sender", "34600123459", "Nobody is called that.", "sender_unknown", sender="Nobody"),
)


def run(settings: Settings, *, ends_by_itself: bool) -> int:
    """Run the demo; 0 when everything came out as expected."""
    with Supervisor(settings) as supervisor:
        scenario = _scenario(settings)
        for command in (("migrate",), ("apply", str(scenario))):
            if supervisor.command(*command) != 0:
                click.echo(f"`relais {' '.join(command)}` failed; the reason is above.", err=True)
                return 1
        supervisor.start(SMSC, GATEWAY, WORKER, PAGES)
        if not supervisor.wait_until_ready():
            click.echo("The processes did not become ready; their log lines are above.", err=True)
            return 1
        base_url = f"http://{settings.api_host}:{settings.api_port}"
        problems = asyncio.run(_show(supervisor.dsn, base_url))
        for problem in problems:
            click.secho(f"Not as expected: {problem}", fg="red", err=True)
        if ends_by_itself:
            return 1 if problems else 0
        _say_goodbye(base_url, settings)
        supervisor.run()
    return 1 if problems else 0


def _scenario(settings: Settings) -> Path:
    """The scenario, with the simulator where the settings have it."""
    text = SCENARIO.read_text(encoding="utf-8")
    if f"port: {settings.simulator_port}" in text:
        return SCENARIO
    here = settings.data_dir / "demo.yaml"
    here.write_text(text.replace("port: 2776", f"port: {settings.simulator_port}"), encoding="utf-8")
    return here


async def _show(dsn: str, base_url: str) -> list[str]:
    """Send the messages, print what became of them; everything that was not as expected."""
    session = await open_session(dsn)
    try:
        await _connected(session, base_url)
        before = await _balances(session)
        sent = [(wish, await asyncio.to_thread(_post, base_url, wish)) for wish in WISHES]
        ids = [UUID(answer["id"]) for _, answer in sent if "id" in answer]
        await _until_final(session, ids)
        rows = {row["id"]: row for row in await session.fetch(blocks("demo")["messages"], ids)}
        problems = _print_messages(sent, rows)
        after = await _balances(session)
        _print_balances(before, after)
        problems += _check_sums(rows, before, after)
    finally:
        await session.close()
    verification = await verify(dsn)
    print_verification(verification)
    return problems if verification.holds else [*problems, "the books do not agree"]


async def _connected(session: asyncpg.Connection, base_url: str) -> None:
    """The API listens before the vendor connection is bound; messages would wait, so there is nothing to wait for here
    but the API itself."""
    deadline_s = time.monotonic() + FINAL_WITHIN_S
    while time.monotonic() < deadline_s:
        try:
            await asyncio.to_thread(urllib.request.urlopen, f"{base_url}/healthz", None, 2)
            return
        except OSError:
            await asyncio.sleep(POLL_S)


def _post(base_url: str, wish: Wish) -> dict[str, Any]:
    """The API's answer: accepted, or a problem."""
    body = json.dumps({"from": wish.sender, "to": wish.to, "text": wish.text}).encode()
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{base_url}/api/v1/messages", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=FINAL_WITHIN_S) as answer:
            accepted: dict[str, Any] = json.load(answer)
            return accepted
    except urllib.error.HTTPError as refused:
        problem: dict[str, Any] = json.load(refused)
        return problem


async def _until_final(session: asyncpg.Connection, ids: Sequence[UUID]) -> None:
    deadline_s = time.monotonic() + FINAL_WITHIN_S
    while time.monotonic() < deadline_s:
        if not await session.fetchval(blocks("demo")["open_count"], ids):
            return
        await asyncio.sleep(POLL_S)


async def _balances(session: asyncpg.Connection) -> dict[str, int]:
    rows = await session.fetch(blocks("demo")["balances"], ["TM-1", "HH-1"])
    return {row["agreement_code"]: row["balance_micros"] for row in rows}


def _print_messages(sent: Sequence[tuple[Wish, dict[str, Any]]], rows: dict[UUID, Any]) -> list[str]:
    problems = []
    table = [("message", "to", "country", "network", "segments", "encoding", "status", "client", "reseller", "margin")]
    for wish, answer in sent:
        row = rows.get(UUID(answer["id"])) if "id" in answer else None
        if row is None:
            outcome = answer.get("code", "no answer")
            table.append((wish.what, wish.to, "", "", "", "", f"refused: {outcome}", "", "", ""))
        else:
            outcome = row["status_label"]
            client, reseller = row["client_micros"], row["reseller_micros"]
            table.append(
                (
                    wish.what, wish.to, row["country"], row["network"] or "unknown", str(row["segments_count"]),
                    row["encoding_label"], outcome, format_micros(client, 4), format_micros(reseller, 4),
                    format_micros(client - reseller, 4),
                )
            )  # fmt: skip
            if row["segments_count"] != wish.segments:
                problems.append(f"{wish.what}: {row['segments_count']} segments instead of {wish.segments}")
        if outcome != wish.expected:
            problems.append(f"{wish.what}: {outcome} instead of {wish.expected}")
    click.echo("\nMessages of Telecom Monsters (EUR; client pays Hornes and Hooves, which pays the System owner)\n")
    _print_table(table)
    return problems


def _print_balances(before: dict[str, int], after: dict[str, int]) -> None:
    table = [("balance", "before", "after", "change")]
    for code in before:
        change = format_micros(after[code] - before[code], 4)
        table.append((code, format_micros(before[code], 4), format_micros(after[code], 4), change))
    click.echo("")
    _print_table(table)


def _check_sums(rows: dict[UUID, Any], before: dict[str, int], after: dict[str, int]) -> list[str]:
    """The balances must have fallen by what the messages say they cost; other traffic on the demo's books is none."""
    problems = []
    for code, column in (("TM-1", "client_micros"), ("HH-1", "reseller_micros")):
        charged = sum(row[column] for row in rows.values())
        if before[code] - after[code] != charged:
            problems.append(f"{code} fell by {before[code] - after[code]} micros, its messages cost {charged}")
    return problems


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    money = {
        n for n, title in enumerate(rows[0]) if title in ("client", "reseller", "margin", "before", "after", "change")
    }
    for line, row in enumerate(rows):
        cells = [
            cell.rjust(width) if n in money else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.secho("  " + "  ".join(cells).rstrip(), bold=line == 0)


def print_verification(verification: Verification) -> None:
    """What `relais verify` says, in a few lines."""
    totals = ", ".join(
        f"{count:,} {name.replace('_', ' ').replace('edrs', 'EDRs')}" for name, count in verification.totals.items()
    )
    click.echo(f"\nrelais verify: looked at {totals}.")
    for finding in verification.findings:
        click.secho(
            f"  {'warning' if finding.warning else 'BROKEN'}: {finding.rule}", fg="yellow" if finding.warning else "red"
        )
        for example in finding.examples:
            click.echo(f"    {example}")
    if verification.holds:
        click.secho(f"  Balances, EDRs and ledger agree ({len(verification.rules)} rules hold).", fg="green")


def _log_ins(interface: str) -> str:
    """The log-ins of the scenario's users of that interface: a line each."""
    users = yaml.safe_load(SCENARIO.read_text(encoding="utf-8"))["users"]
    inside = [user for user in users if user["interface"] == interface]
    return "\n".join(f"  log in as     {user['login']} / {user['password']}    {user['company']}" for user in inside)


def _smpp_log_in() -> str:
    """System id and password of the scenario's first client SMPP connection."""
    (first, *_) = yaml.safe_load(SCENARIO.read_text(encoding="utf-8"))["client_smpp_connections"]
    return f"{first['login']} / {first['password']}    {first['company']}"


def _say_goodbye(base_url: str, settings: Settings) -> None:
    click.echo(
        f"""
BackOffice     http://{settings.web_host}:{settings.web_port}/bo/
{_log_ins("backoffice")}
Client portal  http://{settings.web_host}:{settings.web_port}/portal/
{_log_ins("client_portal")}
API            {base_url}/api/v1/messages    documentation: {base_url}/api/v1/docs
API key        {API_KEY}
SMPP           {settings.smpp_host}:{settings.smpp_port}    {_smpp_log_in()}
SMSC simulator {settings.simulator_host}:{settings.simulator_port}
Metrics        http://{settings.ops_host}:{settings.gateway_ops_port}/metrics (gateway), {settings.worker_ops_port} (worker),
               {settings.web_ops_port} (pages), {settings.simulator_ops_port} (simulator)

Three things to try:
  1. Send a message of your own:
     curl -s {base_url}/api/v1/messages -H 'Authorization: Bearer {API_KEY}' \\
       -H 'Content-Type: application/json' -d '{{"from":"Monsters","to":"34600123456","text":"Hola"}}'
  2. See the balance it left:
     curl -s {base_url}/api/v1/balance -H 'Authorization: Bearer {API_KEY}'
  3. Check the books while it runs:
     .venv/bin/relais verify

Running. Ctrl-C stops everything."""
    )
