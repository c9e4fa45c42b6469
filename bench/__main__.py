"""`python -m bench`: measure and print the table. `python -m bench gate`: a short run against the recorded figures.
`python -m bench record`: record them anew, in `bench/recorded.json`.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.machine import python_pace_s
from bench.measure import Measurement, batches, paced, singles
from bench.product import Product, product
from relais.pipeline.verify import verify

RECORDED = Path(__file__).parent / "recorded.json"
WAL_GROWTH_MAX, PYTHON_GROWTH_MAX = 1.15, 1.40


async def _table(running: Product) -> list[Measurement]:
    await singles(running, 2_000)  # warms caches, counters and plans up
    return [
        await singles(running, 20_000),
        await batches(running, 100),
        await paced(running, 500, 10),
    ]


async def _gate(running: Product) -> list[Measurement]:
    await singles(running, 2_000)
    return [await singles(running, 8_000)]


def _print(measurements: Sequence[Measurement]) -> None:
    print(
        f"{'load':34} {'messages':>8} {'accepted/s':>10} {'end to end/s':>12} {'p50 ms':>7} {'p99 ms':>7}"
        f" {'gateway':>8} {'database':>8} {'g+d':>6} {'simulator':>9} {'client':>6} {'µs/msg':>7} {'WAL B':>6} {'MB':>5}"
    )
    for m in measurements:
        print(
            f"{m.name:34} {m.messages:8} {m.accepted_per_s:10.0f} {m.end_to_end_per_s:12.0f} {m.p50_ms:7.1f} {m.p99_ms:7.1f}"
            f" {m.gateway_cpu_s:8.2f} {m.database_cpu_s:8.2f} {m.gateway_cpu_s + m.database_cpu_s:6.2f}"
            f" {m.simulator_cpu_s:9.2f} {m.client_cpu_s:6.2f} {m.python_us_per_message:7.0f}"
            f" {m.wal_octets_per_message:6.0f} {m.memory_mb:5.0f}"
        )
    print(
        "CPU columns: seconds for 10,000 messages, saturated unless the load names a rate; MB: gateway and simulator."
    )


def _compare(measured: Measurement, pace_s: float) -> int:
    """0 when the measurement keeps to the recorded figures. Microseconds are scaled by how fast this machine is now,
    compared with the one of the record."""
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    python_us = measured.python_us_per_message * recorded["python_pace_s"] / pace_s
    verdict = 0
    for name, now, growth_max in (
        ("wal_octets_per_message", measured.wal_octets_per_message, WAL_GROWTH_MAX),
        ("python_us_per_message", python_us, PYTHON_GROWTH_MAX),
    ):
        growth = now / recorded[name]
        kept = growth <= growth_max
        print(f"{name}: {now:.0f}, recorded {recorded[name]:.0f}, {growth:.2f} of it: {'kept' if kept else 'GREW'}")
        verdict |= not kept
    return verdict


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 kept, 1 grew or the books do not agree, 2 used wrongly."""
    if list(arguments) not in ([], ["gate"], ["record"]):
        print(__doc__, file=sys.stderr)
        return 2
    pace_s = python_pace_s()
    with product() as running:
        measurements = asyncio.run(_table(running) if not arguments else _gate(running))
        holds = asyncio.run(verify(running.dsn)).holds
    _print(measurements)
    print("relais verify: the books agree" if holds else "relais verify: THE BOOKS DO NOT AGREE")
    if arguments == ["record"]:
        figures = {
            "wal_octets_per_message": round(measurements[0].wal_octets_per_message),
            "python_us_per_message": round(measurements[0].python_us_per_message),
            "python_pace_s": round(pace_s, 4),
        }
        RECORDED.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    verdict = _compare(measurements[0], pace_s) if arguments == ["gate"] else 0
    return verdict if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
