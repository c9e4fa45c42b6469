"""What much of something costs: `python -m bench.limits sessions`, `queue` or `levels`.

`sessions`: memory of a thousand SMPP sessions that say nothing. `queue`: memory of a hundred thousand messages whose vendor is
away. `levels`: the same load with two and with three levels charged, in turns.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

import asyncpg
import uvloop

from bench.load import batch_requests, closed_loop
from bench.machine import cpu_s, memory_octets
from bench.measure import API_KEY, SENDER, numbers, smpp
from bench.product import Product, product
from bench.smpp_load import LOGIN, PASSWORD
from relais.transport.smpp import SmppEnd, connect
from relais.wire.smpp.events import Event
from relais.wire.smpp.pdus import BindTransceiver, Pdu
from relais.wire.smpp.states import SessionSettings

SESSIONS_COUNT, IDLE_S = 1_000, 10.0
QUEUED_COUNT, BATCH_SIZE = 100_000, 500
LEVEL_ROUNDS, LEVEL_MESSAGES = 2, 6_000


class _Idle:
    """Keeps sessions bound and says nothing."""

    def __init__(self) -> None:
        self.bound_count = 0
        self.closed_reasons: list[str] = []

    def bound(self, end: SmppEnd, event: Event) -> None:
        self.bound_count += 1

    def closed(self, end: SmppEnd, reason: str) -> None:
        self.closed_reasons.append(reason)

    def arrived(self, end: SmppEnd, request: Pdu) -> None: ...

    def answered(self, end: SmppEnd, context: Any, response: Pdu) -> None: ...

    def unanswered(self, end: SmppEnd, context: Any) -> None: ...

    def noticed(self, end: SmppEnd, event: Event) -> None: ...


async def sessions(running: Product) -> None:
    idle, settings = _Idle(), SessionSettings(enquire_link_s=None)
    before_octets = memory_octets(running.gateway_pid)
    began_s = time.perf_counter()
    ends = [
        await connect(
            "127.0.0.1", running.smpp_port, BindTransceiver(system_id=LOGIN, password=PASSWORD), settings, idle
        )
        for _ in range(SESSIONS_COUNT)
    ]
    while idle.bound_count < SESSIONS_COUNT and not idle.closed_reasons:
        await asyncio.sleep(0.01)
    bound_s = time.perf_counter() - began_s
    grown_octets = memory_octets(running.gateway_pid) - before_octets
    before_s = cpu_s(running.gateway_pid)
    await asyncio.sleep(IDLE_S)
    busy = (cpu_s(running.gateway_pid) - before_s) / IDLE_S
    print(
        f"{idle.bound_count} sessions bound in {bound_s:.1f} s, {len(idle.closed_reasons)} closed; "
        f"{grown_octets / 1e6:.1f} MB, {grown_octets / SESSIONS_COUNT / 1000:.1f} kB a session; "
        f"idle they take {busy:.1%} of a core"
    )
    await asyncio.gather(*(end.unbind() for end in ends))


async def queue(running: Product) -> None:
    os.kill(running.simulator_pid, signal.SIGSTOP)
    try:
        before_octets = memory_octets(running.gateway_pid)
        requests = batch_requests(API_KEY, SENDER, numbers(), BATCH_SIZE)
        result = await closed_loop("127.0.0.1", running.api_port, requests, QUEUED_COUNT // BATCH_SIZE, 4)
        grown_octets = memory_octets(running.gateway_pid) - before_octets
        print(
            f"{result.accepted} messages wait for a vendor that is silent, accepted at {result.per_second:,.0f}/s; "
            f"{grown_octets / 1e6:.0f} MB, {grown_octets / max(result.accepted, 1) / 1000:.2f} kB a message"
        )
    finally:
        os.kill(running.simulator_pid, signal.SIGCONT)


async def _level(running: Product, name: str) -> float:
    await smpp(running, 2_000)
    measured = await smpp(running, LEVEL_MESSAGES)
    database = await asyncpg.connect(running.dsn)
    levels = await database.fetchval("SELECT max(cardinality(agreement_ids)) FROM traffic_message")
    await database.close()
    cost_s = measured.gateway_cpu_s + measured.database_cpu_s
    print(
        f"{name}: {levels} levels, {measured.end_to_end_per_s:,.0f}/s, {cost_s:.2f} CPU s for 10,000 (gateway and database)"
    )
    return cost_s


def levels() -> None:
    costs: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(LEVEL_ROUNDS):
        for third, found in costs.items():
            with product(third_level=third) as running:
                found.append(uvloop.run(_level(running, "with a third level" if third else "as usual")))
    print(f"a third level costs {min(costs[True]) / min(costs[False]) - 1:+.0%}")


def main(arguments: Sequence[str]) -> int:
    """Exit code 2 when used wrongly."""
    loads = {"sessions": sessions, "queue": queue}
    if list(arguments) == ["levels"]:
        levels()
    elif len(arguments) == 1 and arguments[0] in loads:
        with product() as running:
            uvloop.run(loads[arguments[0]](running))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
