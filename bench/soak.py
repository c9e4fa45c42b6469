"""`python -m bench soak --minutes N [--rate R]`: SMPP in, SMPP out, as fast as it goes or R messages a second, for so long; a
line a minute.

What must not happen is that memory grows or a message gets dearer with time: it ends with 1 when the gateway's memory at the end
is over a fifth above what it was after the first tenth, or the books do not agree.
"""

import asyncio
import time

from bench.machine import memory_octets
from bench.measure import smpp
from bench.product import Product

ROUND_MESSAGES = 10_000
PACED_S = 4.0  # with a rate, what is due in this time comes at once
LINE_EVERY_S = 60.0
GROWTH_MAX = 1.2
WARM_UP = 0.1


async def soak(running: Product, minutes: float, rate_per_s: float | None = None) -> bool:
    """Whether memory kept within its limit."""
    round_messages = ROUND_MESSAGES if rate_per_s is None else int(rate_per_s * PACED_S)
    await smpp(running, 2_000)
    began_s = told_s = time.monotonic()
    warm_octets = messages = 0
    rounds = []
    while (passed_s := time.monotonic() - began_s) < minutes * 60:
        measured = await smpp(running, round_messages)
        rounds.append(measured)
        messages += measured.messages
        octets = memory_octets(running.gateway_pid)
        if not warm_octets and passed_s >= minutes * 60 * WARM_UP:
            warm_octets = octets
        if time.monotonic() - told_s >= LINE_EVERY_S or len(rounds) == 1:
            told_s = time.monotonic()
            print(
                f"{passed_s / 60:6.1f} min {messages:>10,} messages {measured.end_to_end_per_s:6,.0f}/s"
                f" p99 {measured.p99_ms:5.0f} ms gateway {octets / 1e6:4.0f} MB"
                f" {measured.python_us_per_message:4.0f} µs a message",
                flush=True,
            )
        if rate_per_s is not None:
            await asyncio.sleep(max(0.0, began_s + len(rounds) * PACED_S - time.monotonic()))
    octets = memory_octets(running.gateway_pid)
    warm_octets = warm_octets or octets
    within = octets <= warm_octets * GROWTH_MAX
    print(
        f"{messages:,} messages in {minutes:g} minutes; memory {octets / warm_octets:.2f} of what it was after the warm-up, "
        f"{GROWTH_MAX:.2f} allowed: {'kept' if within else 'GREW'}; µs a message in the first and the last round: "
        f"{rounds[0].python_us_per_message:.0f}, {rounds[-1].python_us_per_message:.0f}"
    )
    return within
