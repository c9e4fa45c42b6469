"""Kannel and Jasmin beside the product, in one run: `python -m bench.rivals [--quick] [--rounds N] [--messages N]`.

All are bound to the same simulator and take loads of the same client in turns, on this machine. What is missing is installed by
its name; a gateway that cannot be had, or that fails on the way, stands in the table with the reason. Only the product rates and
charges, and has on disk what it answers: so this says what that costs, not which is better.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import NamedTuple

import asyncpg
import uvloop

from bench.jasmin import jasmin
from bench.kannel import REPORTS_A_MESSAGE, kannel, requests
from bench.load import Result, closed_loop, single_requests
from bench.machine import cpu_s
from bench.measure import API_KEY, SENDER, numbers, until_settled
from bench.processes import NotToBeHad
from bench.product import Product, product
from bench.reports import Reports, reports
from bench.smpp_load import smpp_closed_loop

ROUNDS, MESSAGES, MESSAGES_QUICK = 3, 10_000, 400
JASMIN_SHARE = 5  # so many times fewer messages: it would take minutes for as many
WARM_UP_SHARE = 10
CONNECTIONS = 50
TOLD_WITHIN_S, TURN_WITHIN_S = 300.0, 600.0
TERMINATED = 128 + signal.SIGTERM
SMPP = "SMPP, 4 sessions of window 50"
HTTP = f"HTTP singles, {CONNECTIONS} connections"
HTTP_TOLD = f"{HTTP}, each step told to a URL"
LOADS = (SMPP, HTTP, HTTP_TOLD)

Load = Callable[[int], Awaitable[Result]]  # of so many messages; returns when all that is told of them has been told


@dataclass(frozen=True)
class Gateway:
    """What takes `loads` of `messages` each; `settled` returns when it has nothing left to do. `stack` ends it."""

    name: str
    messages: int
    pids: Mapping[str, int]
    loads: Mapping[str, Load]
    settled: Callable[[], Awaitable[None]] | None = None
    stack: ExitStack = field(default_factory=ExitStack)


class Rival(NamedTuple):
    """`start` takes the centre's port and gives the rival's own and its processes; `load` is made of that port."""

    name: str
    load_name: str
    start: Callable[[int], AbstractContextManager[tuple[int, dict[str, int]]]]
    load: Callable[[int, Reports], Load]
    share: int = 1


@dataclass(frozen=True)
class Turn:
    """One load on one gateway. `told_per_s`: until the client has been told of every message, or, where it is told of none, until
    all are final. CPU is seconds for 10,000 messages, by process."""

    accepted_per_s: float
    told_per_s: float
    p50_ms: float
    cpu_s: Mapping[str, float]
    refused_count: int


class Table:
    """Turns by load and gateway, and why a gateway has none."""

    def __init__(self) -> None:
        self.turns: dict[tuple[str, str], list[Turn]] = {}
        self.messages: dict[str, int] = {}
        self.absent: dict[tuple[str, str], str] = {}

    def lines(self) -> list[str]:
        """In Markdown: a figure for each round, of CPU seconds the median."""
        head = "load", "gateway", "messages", "accepted/s", "end to end/s", "p50 ms", "CPU s/10k", "of which"
        rows = [head, ("---",) * len(head)]
        for load, name in sorted(self.turns, key=lambda each: LOADS.index(each[0])):
            turns = self.turns[load, name]
            spent = {part: median(each.cpu_s[part] for each in turns) for part in turns[0].cpu_s}
            of_which = ", ".join(f"{part} {seconds:.2f}" for part, seconds in spent.items() if seconds >= 0.005)
            refused_count = sum(each.refused_count for each in turns)
            rows.append((
                load, name, f"{self.messages[name]:,}",
                ", ".join(f"{each.accepted_per_s:,.0f}" for each in turns),
                ", ".join(f"{each.told_per_s:,.0f}" for each in turns),
                ", ".join(f"{each.p50_ms:.0f}" for each in turns),
                f"{sum(spent.values()):.2f}",
                of_which + (f"; {refused_count:,} refused" if refused_count else ""),
            ))  # fmt: skip
        for (load, name), reason in self.absent.items():
            rows.append((load, name, "not measured: " + " ".join(reason.split()), *("",) * (len(head) - 3)))
        return ["| " + " | ".join(cells) + " |" for cells in rows]


def _over_smpp(port: int, _: Reports) -> Load:
    async def load(messages: int) -> Result:
        return await smpp_closed_loop("127.0.0.1", port, numbers(), messages, told_within_s=TOLD_WITHIN_S)

    return load


def _over_kannels_http(port: int, heard: Reports) -> Load:
    async def load(messages: int) -> Result:
        asked = requests(numbers(), heard.port)
        result = await closed_loop("127.0.0.1", port, asked, messages, CONNECTIONS)
        await _reported(result, heard, messages)
        return result

    return load


async def _reported(result: Result, heard: Reports, messages: int) -> None:
    await heard.take((messages - _refused_count(result)) * REPORTS_A_MESSAGE, TOLD_WITHIN_S)


def _refused_count(result: Result) -> int:
    return sum(result.refused.values())


RIVALS = (
    Rival("Kannel", HTTP_TOLD, kannel, _over_kannels_http),
    Rival("Jasmin", SMPP, jasmin, _over_smpp, JASMIN_SHARE),
)


def _relais(running: Product, session: asyncpg.Connection, heard: Reports, messages: int) -> Gateway:
    settled = partial(until_settled, session)

    async def sent(messages: int, url: str | None) -> Result:
        asked = single_requests(API_KEY, SENDER, numbers(), callback_url=url)
        return await closed_loop("127.0.0.1", running.api_port, asked, messages, CONNECTIONS)

    async def singles(messages: int) -> Result:
        result = await sent(messages, None)
        await settled()
        return result

    async def told(messages: int) -> Result:
        result = await sent(messages, f"http://127.0.0.1:{heard.port}/hook")
        await _reported(result, heard, messages)
        return result

    assert running.worker_pid is not None
    pids = {"gateway": running.gateway_pid, "PostgreSQL": running.database_pid, "worker": running.worker_pid}
    loads = {SMPP: _over_smpp(running.smpp_port, heard), HTTP: singles, HTTP_TOLD: told}
    return Gateway("Relais", messages, pids, loads, settled)


async def measure(running: Product, messages: int, rounds: int) -> Table:
    """The product, each rival, and again, after a warm-up of all. A SIGTERM cancels it."""
    table, this = Table(), asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    async with AsyncExitStack() as stack:
        session = await asyncpg.connect(running.dsn)
        stack.push_async_callback(session.close)
        gateways = [_relais(running, session, await stack.enter_async_context(reports()), messages)]
        for rival in RIVALS:
            _say(f"starting {rival.name}")
            own = stack.enter_context(ExitStack())
            heard = await stack.enter_async_context(reports())
            try:
                port, pids = own.enter_context(rival.start(running.simulator_port))
            except (NotToBeHad, OSError) as failure:
                table.absent[rival.load_name, rival.name] = str(failure)
                continue
            loads = {rival.load_name: rival.load(port, heard)}
            gateways.append(Gateway(rival.name, messages // rival.share, pids, loads, stack=own))
        for number in range(rounds + 1):
            _say(f"round {number} of {rounds}" if number else "warming up")
            for gateway in list(gateways):
                if not await _take_turn(table, gateway, warm_up=number == 0):
                    gateways.remove(gateway)
    return table


async def _take_turn(table: Table, gateway: Gateway, *, warm_up: bool) -> bool:
    """All loads of a gateway once. False when a rival failed: it has been ended, what it had done does not count."""
    table.messages[gateway.name] = gateway.messages
    for name, load in gateway.loads.items():
        try:
            turn = await _turn(gateway, load, gateway.messages // WARM_UP_SHARE if warm_up else gateway.messages)
        except (TimeoutError, OSError) as failure:
            if gateway.name not in {rival.name for rival in RIVALS}:
                raise
            table.turns.pop((name, gateway.name), None)
            table.absent[name, gateway.name] = str(failure) or f"did not end within {TURN_WITHIN_S:.0f} s"
            gateway.stack.close()
            return False
        if not warm_up:
            table.turns.setdefault((name, gateway.name), []).append(turn)
    return True


async def _turn(gateway: Gateway, load: Load, messages: int) -> Turn:
    before = {name: cpu_s(pid) for name, pid in gateway.pids.items()}
    async with asyncio.timeout(TURN_WITHIN_S):
        result = await load(messages)
        told_after_s = time.perf_counter() - result.started_s
        if gateway.settled:
            await gateway.settled()
    accepted = messages - _refused_count(result)
    return Turn(
        accepted / (result.ended_s - result.started_s),
        accepted / told_after_s,
        result.percentile_ms(50),
        {name: (cpu_s(pid) - before[name]) * 10_000 / messages for name, pid in gateway.pids.items()},
        _refused_count(result),
    )


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Exit code 143 when it was told to end."""
    parser = argparse.ArgumentParser(prog="python -m bench.rivals", description="Kannel and Jasmin beside the product.")
    parser.add_argument("--quick", action="store_true", help=f"one round of {MESSAGES_QUICK} messages: does it work?")
    parser.add_argument("--rounds", type=int, default=None)
    parser.add_argument("--messages", type=int, default=None, help=f"in a turn; Jasmin gets a {JASMIN_SHARE}th of them")
    asked = parser.parse_args(arguments)
    messages = asked.messages or (MESSAGES_QUICK if asked.quick else MESSAGES)
    rounds = asked.rounds or (1 if asked.quick else ROUNDS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # so that all that was started is ended
    with product(worker=True) as running:
        try:
            table = uvloop.run(measure(running, messages, rounds))
        except asyncio.CancelledError:
            return TERMINATED
    print("\n".join(table.lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
