"""`python -m bench`: measure and print the table. `python -m bench smpp`: its line of SMPP alone. `python -m bench gate`: a
short run against the recorded figures. `python -m bench record`: record them anew, in `bench/recorded.json`.
`python -m bench soak --minutes N [--rate R]`: for so long, R messages a second.
"""

import asyncio
import sys
from collections.abc import Sequence

import uvloop

from bench.gate import ROUNDS_MAX, Round, judge, keep, kept
from bench.measure import Measurement, batches, paced, singles, smpp
from bench.pace import Reference, reference
from bench.product import Product, product
from bench.soak import soak
from relais.pipeline.verify import verify

GATE_MESSAGES = 8_000


async def _table(running: Product) -> list[Measurement]:
    await singles(running, 2_000)  # warms caches, counters and plans up
    return [
        await singles(running, 20_000),
        await batches(running, 100),
        await smpp(running, 20_000),
        await paced(running, 500, 10),
    ]


async def _smpp(running: Product) -> list[Measurement]:
    await smpp(running, 2_000)
    return [await smpp(running, 20_000)]


async def _rounds(running: Product, pace: Reference, *, all_of_them: bool) -> tuple[list[Measurement], list[Round]]:
    """Rounds of the gate's load, the machine's pace taken before and after each; unless `all_of_them` are wanted, up to
    the first one that is within the limits."""
    await singles(running, 2_000)
    measurements: list[Measurement] = []
    rounds: list[Round] = []
    before_us = await pace.us()
    while len(rounds) < ROUNDS_MAX:
        measurements.append(await singles(running, GATE_MESSAGES))
        after_us = await pace.us()
        last = measurements[-1]
        rounds.append(Round(last.wal_octets_per_message, last.python_us_per_message, (before_us + after_us) / 2))
        before_us = after_us
        if not all_of_them and judge(rounds, kept()).holds:
            break
    return measurements, rounds


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


def _print_verdict(holds: bool) -> None:
    print("relais verify: the books agree" if holds else "relais verify: THE BOOKS DO NOT AGREE")


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 kept, 1 grew or the books do not agree, 2 used wrongly."""
    if list(arguments[:2]) == ["soak", "--minutes"] and (len(arguments) == 3 or arguments[3:4] == ["--rate"]):
        rate_per_s = float(arguments[4]) if len(arguments) == 5 else None
        with product() as running:
            kept_within = uvloop.run(soak(running, float(arguments[2]), rate_per_s))
            holds = asyncio.run(verify(running.dsn)).holds
        _print_verdict(holds)
        return 0 if holds and kept_within else 1
    if list(arguments) not in ([], ["smpp"], ["gate"], ["record"]):
        print(__doc__, file=sys.stderr)
        return 2
    rounds: list[Round] = []
    with product() as running:
        if list(arguments) == ["smpp"]:
            measurements = uvloop.run(_smpp(running))
        elif arguments:
            with reference() as pace:
                measurements, rounds = uvloop.run(_rounds(running, pace, all_of_them=list(arguments) == ["record"]))
        else:
            measurements = uvloop.run(_table(running))
        holds = asyncio.run(verify(running.dsn)).holds
    _print(measurements)
    _print_verdict(holds)
    if list(arguments) == ["record"]:
        keep(rounds)
    if not rounds:
        return 0 if holds else 1
    verdict = judge(rounds, kept())
    print("\n".join(verdict.lines))
    return 0 if holds and verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
