"""A vendor that closes, answers garbage, never answers, answers twice or reports what nobody sent: through real SMPP.

Beside each message that meets the fault goes a good one: it is delivered, nothing is lost, and the books agree.
"""

import asyncio
import json

import asyncpg
import pytest
from tests.pipeline.conftest import Running, running

from relais.core.lifecycle import State
from relais.pipeline import lane
from relais.simulators.smsc import Smsc, SmscSettings

TM = 100_000_000
PRICE = 40_000
GOOD = "34600123456"
OPTIONS = {"response_timeout_s": 1.0, "reconnect_min_s": 0.05, "reconnect_max_s": 0.2, "long_password": True}


async def _connect_to(dsn: str, port: int) -> None:
    session = await asyncpg.connect(dsn)
    await session.execute(
        "UPDATE connections_vendorsmppconnection SET port = $1, options = $2::text::jsonb", port, json.dumps(OPTIONS)
    )
    await session.close()


@pytest.mark.parametrize(
    ("suffix", "state", "charged"),
    [
        ("0001", State.UNDELIVERED, True),
        ("0002", State.EXPIRED, True),
        ("0003", State.REJECTED, True),
        ("0005", State.FAILED, False),  # refused for good
        ("0006", State.FAILED, False),  # busy at every attempt
        ("0007", State.DELIVERED, True),  # throttled once
        ("0008", State.FAILED, False),  # never answers
        ("0009", State.DELIVERED, True),  # answers twice
        ("0010", State.DELIVERED, True),  # receipt before the response
        ("0011", State.DELIVERED, True),  # receipt twice
        ("0012", State.DELIVERED, True),  # a receipt for an unknown id first
        ("0013", State.FAILED, False),  # garbage instead of an answer
        ("0014", State.FAILED, False),  # closes instead of an answer
        ("0016", State.DELIVERED, True),  # UNDELIV after DELIVRD
    ],
)
def test_the_message_ends_as_it_must_and_the_others_go_on(
    spain_db: str, monkeypatch: pytest.MonkeyPatch, suffix: str, state: State, charged: bool
) -> None:
    monkeypatch.setattr(lane, "RETRY_DELAYS_S", (0.05, 0.1))

    async def story(pipeline: Running) -> None:
        before = await pipeline.accepted(GOOD)
        met = await pipeline.accepted(f"3460012{suffix}", "This one meets it")
        after = await pipeline.accepted(GOOD, "And this one comes after it")
        await pipeline.until_status(met.message_id, state)
        for good in (before, after):
            await pipeline.until_status(good.message_id, State.DELIVERED)
        assert (await pipeline.money())["TM-1"] == (TM - (3 if charged else 2) * PRICE, 0)
        await pipeline.books_agree()

    async def told() -> None:
        smsc = Smsc(SmscSettings(port=0, receipt_delay_s=0.02))
        await smsc.start()
        try:
            await _connect_to(spain_db, smsc.port)
            async with running(spain_db, registered=True) as pipeline:
                await story(pipeline)
        finally:
            await smsc.stop()

    asyncio.run(told())


def test_a_vendor_that_is_away_keeps_nobody_from_being_accepted(spain_db: str) -> None:
    """Nobody listens at the vendor's port; the messages go out once somebody does."""

    async def told() -> None:
        smsc = Smsc(SmscSettings(port=0, receipt_delay_s=0.02))
        await smsc.start()
        port = smsc.port
        await smsc.stop()
        await _connect_to(spain_db, port)
        async with running(spain_db, registered=True) as pipeline:
            ids = [(await pipeline.accepted()).message_id for _ in range(20)]
            assert (await pipeline.money())["TM-1"] == (TM, 20 * PRICE)
            back = Smsc(SmscSettings(port=port, receipt_delay_s=0.02))
            await back.start()
            try:
                for message_id in ids:
                    await pipeline.until_status(message_id, State.DELIVERED)
            finally:
                await back.stop()
            await pipeline.books_agree()

    asyncio.run(told())
