"""`python -m bench.receipts [RATE] [SECONDS]`: how long a client waits for answers and receipts at a rate.

SMPP in over 4 sessions, SMPP out to the simulator, which sends a receipt 50 ms after its answer. Times count from when a message
was due; of a receipt's, what is above those 50 ms is the product's, its own sending to the centre included.
"""

import sys

import uvloop

from bench.load import Result
from bench.measure import numbers, smpp
from bench.product import Product, product
from bench.smpp_load import smpp_open_loop

RATE_PER_S, DURATION_S, WARM_UP = 2_500.0, 10.0, 3_000


async def _measure(running: Product, rate_per_s: float, duration_s: float) -> None:
    await smpp(running, WARM_UP)
    messages = int(rate_per_s * duration_s)
    answers, receipts = await smpp_open_loop("127.0.0.1", running.smpp_port, numbers(), messages, rate_per_s)
    refused = answers.refused or "none"
    print(
        f"{rate_per_s:,.0f}/s for {duration_s:g} s over SMPP: {answers.per_second:,.0f} accepted/s, refused {refused}"
    )
    for name, result in (("answer", answers), ("receipt", receipts)):
        print(f"{name}: {_percentiles(result)}")


def _percentiles(result: Result) -> str:
    return ", ".join(f"p{percent:g} {result.percentile_ms(percent):.0f} ms" for percent in (50, 90, 99, 99.9))


def main() -> int:
    rate_per_s = float(sys.argv[1]) if len(sys.argv) > 1 else RATE_PER_S
    with product() as running:
        uvloop.run(_measure(running, rate_per_s, float(sys.argv[2]) if len(sys.argv) > 2 else DURATION_S))
    return 0


if __name__ == "__main__":
    sys.exit(main())
