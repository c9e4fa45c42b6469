"""Receipts of parts: repeated, before the answer, in steps, and after a restart. Found by tests/simulation."""

import asyncio
import json
from uuid import UUID

import asyncpg
from tests.pipeline.conftest import VODAFONE, WITHIN_S, Running, ScriptedVendor, on, running

from relais.core.lifecycle import State

LONG = "x" * 200


class Silent(ScriptedVendor):
    """Keeps what it is handed; a test says when it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = lambda part, events: None

    async def handed(self, parts_count: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while len(self.parts) < parts_count:
                await asyncio.sleep(0.005)

    def take_at(self, position: int, vendor_id: str) -> None:
        assert self.events is not None
        self.events.submitted(self.parts[position], vendor_id)


async def deciding(dsn: str, receipt_parts: str) -> None:
    session = await asyncpg.connect(dsn)
    options = json.dumps({"receipt_parts": receipt_parts})
    await session.execute("UPDATE connections_vendorsmppconnection SET options = $1::text::jsonb", options)
    await session.close()


def test_a_part_that_is_reported_twice_and_does_not_decide_harms_nobody(spain_db: str) -> None:
    """It is kept once; the part that decides ends the message, after a restart too."""
    ids: list[UUID] = []

    async def report_twice(pipeline: Running) -> None:
        ids.append((await pipeline.accepted(text=LONG)).message_id)
        await pipeline.until_sent(ids[0], 2)
        pipeline.vendor.report("v2", State.UNDELIVERED, "UNDELIV", "001")
        await pipeline.until("SELECT count(*) = 1 FROM traffic_part_receipt")
        pipeline.vendor.report("v2", State.UNDELIVERED, "UNDELIV", "001")
        other = await pipeline.accepted()
        await pipeline.until_sent(other.message_id)
        while pipeline.vendor.acknowledged.count("token of v2") < 2:  # after that commit
            await pipeline.until("SELECT pg_sleep(0.01) IS NOT NULL")
        pipeline.vendor.report("v3", State.DELIVERED)
        await pipeline.until_status(other.message_id, State.DELIVERED)

    async def decide(pipeline: Running) -> None:
        pipeline.vendor.report("v1", State.DELIVERED)
        await pipeline.until_status(ids[0], State.DELIVERED)

    asyncio.run(deciding(spain_db, "first"))
    on(spain_db, report_twice)
    on(spain_db, decide)


def test_reports_that_came_before_the_answer_are_all_kept_for_it(spain_db: str) -> None:
    """The part that decides is reported, the gateway falls, the rest is sent: the message ends at once. And of two reports for
    one id, a final one and a step, neither hides the other."""
    first, second = Silent(), Silent()

    async def answered_half(pipeline: Running) -> None:
        await pipeline.accepted(text=LONG)
        await first.handed(2)
        first.take_at(0, "a")
        await pipeline.until("SELECT count(*) = 1 FROM traffic_sent")
        first.report("a", State.DELIVERED)
        await pipeline.until("SELECT count(*) = 1 FROM traffic_part_receipt")

    async def answered_whole(pipeline: Running) -> None:
        await second.handed(1)
        second.take_at(0, "b")
        await pipeline.until("SELECT status = 10 FROM traffic_message")
        accepted = await pipeline.accepted(VODAFONE)
        await second.handed(2)
        second.report("c", State.DELIVERED)
        second.report("c", None, "ENROUTE")
        await pipeline.until("SELECT count(*) > 0 FROM traffic_unmatched_receipt")
        second.take_at(1, "c")
        await pipeline.until_status(accepted.message_id, State.DELIVERED)
        await pipeline.until("SELECT count(*) = 0 FROM traffic_unmatched_receipt")

    async def told() -> None:
        await deciding(spain_db, "first")
        for story, vendor in ((answered_half, first), (answered_whole, second)):
            async with running(spain_db, vendor) as pipeline:
                await story(pipeline)
                await pipeline.books_agree()

    asyncio.run(told())
