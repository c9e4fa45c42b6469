"""The measurements: each offers one kind of load to a running product and accounts for what it cost."""

import asyncio
import itertools
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from bench.load import Result, batch_requests, closed_loop, open_loop, single_requests
from bench.machine import cpu_s, memory_octets
from bench.product import Product
from bench.smpp_load import smpp_closed_loop
from relais.pipeline.ids import floor

API_KEY, SENDER = "rk_test_telecom_monsters", "Monsters"
SETTLED_WITHIN_S = 120.0
SETTLE_POLL_S = 0.05


@dataclass(frozen=True)
class Measurement:
    """One load. Rates are messages a second; CPU is seconds for 10,000 messages; latencies are of the answer, in ms.

    `offered` is None for a closed loop: as fast as answers come back.
    """

    name: str
    offered: float | None
    messages: int
    accepted_per_s: float
    end_to_end_per_s: float
    p50_ms: float
    p99_ms: float
    gateway_cpu_s: float
    database_cpu_s: float
    simulator_cpu_s: float
    client_cpu_s: float
    wal_octets_per_message: float
    memory_mb: float
    refused: int

    @property
    def python_us_per_message(self) -> float:
        """CPU microseconds of API and gateway, one process, for one message from request to receipt."""
        return self.gateway_cpu_s * 1e6 / 10_000


async def singles(product: Product, messages: int, connections: int = 50) -> Measurement:
    """Single messages, closed loop."""
    requests = single_requests(API_KEY, SENDER, numbers())
    load = closed_loop("127.0.0.1", product.api_port, requests, messages, connections)
    return await _measure(f"HTTP singles, {connections} connections", None, product, load)


async def smpp(product: Product, messages: int, sessions: int = 4, window: int = 50) -> Measurement:
    """SMPP in, SMPP out: each message is charged, sent and reported back to the session's client."""
    load = smpp_closed_loop("127.0.0.1", product.smpp_port, numbers(), messages, sessions=sessions, window=window)
    return await _measure(f"SMPP, {sessions} sessions of window {window}", None, product, load)


async def paced(product: Product, rate_per_s: float, duration_s: float) -> Measurement:
    """Single messages at a fixed rate."""
    requests = single_requests(API_KEY, SENDER, numbers())
    load = open_loop("127.0.0.1", product.api_port, requests, rate_per_s, duration_s, 50)
    return await _measure(f"HTTP singles at {rate_per_s:.0f}/s", rate_per_s, product, load)


async def batches(product: Product, requests_count: int, size: int = 500, connections: int = 4) -> Measurement:
    """Batches, closed loop."""
    requests = batch_requests(API_KEY, SENDER, numbers(), size)
    load = closed_loop("127.0.0.1", product.api_port, requests, requests_count, connections)
    return await _measure(f"HTTP batches of {size}, {connections} connections", None, product, load)


def numbers() -> "itertools.cycle[str]":
    """Vodafone Spain: a flat price at both levels."""
    return itertools.cycle([f"34600{number:06d}" for number in range(100_000, 200_000) if number % 10_000 > 100])


async def _measure(
    name: str, offered: float | None, product: Product, load: Coroutine[Any, Any, Result]
) -> Measurement:
    session = await asyncpg.connect(product.dsn)
    try:
        await until_settled(session)
        first_id = floor(datetime.now(UTC))
        wal_before = await session.fetchval("SELECT pg_current_wal_insert_lsn()")
        pids = (product.gateway_pid, product.database_pid, product.simulator_pid)
        before = [cpu_s(pid) for pid in pids]
        client_before_s, began_s = time.process_time(), time.perf_counter()
        result = await load
        await until_settled(session)
        ended_s = time.perf_counter()
        after = [cpu_s(pid) for pid in pids]
        wal = await session.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)::bigint", wal_before)
        final = await _final_count(session, first_id)
    finally:
        await session.close()
    scale = 10_000 / max(result.accepted, 1)
    return Measurement(
        name=name,
        offered=offered,
        messages=result.accepted,
        accepted_per_s=result.per_second,
        end_to_end_per_s=final / (ended_s - began_s),
        p50_ms=result.percentile_ms(50),
        p99_ms=result.percentile_ms(99),
        gateway_cpu_s=(after[0] - before[0]) * scale,
        database_cpu_s=(after[1] - before[1]) * scale,
        simulator_cpu_s=(after[2] - before[2]) * scale,
        client_cpu_s=(time.process_time() - client_before_s) * scale,
        wal_octets_per_message=wal / max(result.accepted, 1),
        memory_mb=(memory_octets(product.gateway_pid) + memory_octets(product.simulator_pid)) / 1e6,
        refused=sum(result.refused.values()),
    )


async def _final_count(session: asyncpg.Connection, first_id: UUID) -> int:
    """Of the messages from that id on: what an endurance run has gathered before is not counted again each time."""
    return int(await session.fetchval("SELECT count(*) FROM traffic_message WHERE status >= 10 AND id >= $1", first_id))


async def until_settled(session: asyncpg.Connection) -> None:
    """Every accepted message is final, its batch has left the outbox, and all that it had to tell is told."""
    waiting = """
        SELECT EXISTS (SELECT FROM traffic_outbox) OR EXISTS (SELECT FROM traffic_callback WHERE due_at IS NOT NULL)
    """
    deadline_s = time.monotonic() + SETTLED_WITHIN_S
    while await session.fetchval(waiting):
        if time.monotonic() > deadline_s:
            raise TimeoutError("messages did not become final in time")
        await asyncio.sleep(SETTLE_POLL_S)
