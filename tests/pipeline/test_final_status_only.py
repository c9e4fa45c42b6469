"""A webhook that wants the final status only: as its API key says, or as a message says of itself."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
from tests.jobs.test_callbacks import Client
from tests.pipeline.conftest import MOVISTAR, SECRET_KEY, VODAFONE, WITHIN_S, Running, ScriptedVendor, running

from relais.contracts.vendors import OutgoingPart, RefusalClass, VendorEvents
from relais.core.lifecycle import State
from relais.jobs.callbacks import CallbackSender
from relais.pipeline.submission import Accepted, Answer, Submission

ALL_TOLD = "SELECT NOT EXISTS (SELECT FROM traffic_callback WHERE due_at IS NOT NULL)"
REVOKE = "UPDATE people_apikey SET revoked_at = now()"
ANOTHER_KEY = """
    INSERT INTO people_apikey (company_id, name, key_hash, rights)
    SELECT company_id, 'another', decode(repeat('00', 32), 'hex'), 7 FROM people_apikey
"""


class Vendor(ScriptedVendor):
    """Takes every part but those to one number."""

    def take(self, part: OutgoingPart, events: VendorEvents) -> None:
        if part.destination == MOVISTAR:
            events.refused(part, "0x0000000b", RefusalClass.PERMANENT)
        else:
            super().take(part, events)


@asynccontextmanager
async def webhook(dsn: str) -> AsyncIterator[Client]:
    """One on loopback, which the key names for final statuses only, and the worker's sender that tells it."""
    client = Client(200)
    async with client.serve():
        session = await asyncpg.connect(dsn)
        await session.execute("UPDATE people_apikey SET webhook_url = $1, webhook_events = 'final'", client.url)
        await session.close()
        sender = asyncio.create_task(CallbackSender(dsn, SECRET_KEY, allow_private=True).run())
        try:
            yield client
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)


async def change(pipeline: Running, final_only: bool, column_and_value: str) -> None:
    """Change the key, and wait until the gateway knows."""
    await pipeline.session.execute(f"UPDATE people_apikey SET {column_and_value}")
    async with asyncio.timeout(WITHIN_S):
        while (pipeline.key.id in pipeline.traffic.snapshot.final_only_keys) is not final_only:
            await asyncio.sleep(0.01)


async def statuses(pipeline: Running, client: Client, *messages: Accepted) -> list[list[str]]:
    """What the webhook was told of each, in order of its instants, once all is told."""
    await pipeline.until(ALL_TOLD)
    events = sorted((json.loads(body) for _, body in client.requests), key=lambda event: str(event["timestamp"]))
    assert all(event["data"]["status"] == event["type"].removeprefix("message.") for event in events)
    return [
        [event["data"]["status"] for event in events if event["data"]["id"] == str(message.message_id)]
        for message in messages
    ]


async def sent(pipeline: Running, **options: object) -> tuple[Accepted, str]:
    """A message that the vendor took, and the vendor's id of it."""
    message = await pipeline.accepted(**options)
    await pipeline.until_sent(message.message_id)
    return message, f"v{pipeline.vendor.taken_count}"


async def delivered(pipeline: Running, **options: object) -> Accepted:
    message, vendor_id = await sent(pipeline, **options)
    pipeline.vendor.report(vendor_id, State.DELIVERED)
    await pipeline.until_status(message.message_id, State.DELIVERED)
    return message


def test_a_key_that_wants_the_final_status_is_told_each_end_once_and_a_message_may_say_otherwise(spain_db: str) -> None:
    """Delivered, refused by the vendor, withdrawn: one event each. A change of the key holds for what is under way."""

    async def story() -> None:
        async with webhook(spain_db) as client, running(spain_db, Vendor(), allow_private=True) as pipeline:
            one, other = await delivered(pipeline), await delivered(pipeline, callback_final_only=False)
            failed = await pipeline.accepted(to=MOVISTAR)
            await pipeline.until_status(failed.message_id, State.FAILED)
            canceled = await pipeline.accepted(send_at=datetime.now(UTC) + timedelta(hours=1))
            assert await pipeline.traffic.cancel(pipeline.key, canceled.message_id)
            assert await statuses(pipeline, client, one, other, failed, canceled) == [
                ["delivered"], ["sent", "delivered"], ["failed"], ["canceled"],
            ]  # fmt: skip
            under_way, vendor_id = await sent(pipeline)
            await change(pipeline, False, "webhook_events = 'every'")
            every, final = await delivered(pipeline), await delivered(pipeline, callback_final_only=True)
            pipeline.vendor.report(vendor_id, State.UNDELIVERED)
            await pipeline.until_status(under_way.message_id, State.UNDELIVERED)
            assert await statuses(pipeline, client, under_way, every, final) == [
                ["undelivered"], ["sent", "delivered"], ["delivered"],
            ]  # fmt: skip
            await pipeline.books_agree()

    asyncio.run(story())


def test_the_next_gateway_knows_who_wants_the_final_status_even_of_a_revoked_key(spain_db: str) -> None:
    """What a message says of itself is in its row; what its key says is read with the configuration."""

    async def story() -> None:
        async with webhook(spain_db) as client:
            waiting = Vendor()
            waiting.ready = False
            async with running(spain_db, waiting, allow_private=True) as pipeline:
                by_key = await pipeline.accepted()
                own = [await pipeline.accepted(callback_final_only=choice) for choice in (False, True)]
                await pipeline.session.execute(REVOKE)
                await pipeline.session.execute(ANOTHER_KEY)
            former_key_id = pipeline.key.id
            async with running(spain_db, Vendor(), allow_private=True) as pipeline:
                assert former_key_id not in {key.id for key in pipeline.traffic.snapshot.api_keys.values()}
                await pipeline.until("SELECT count(*) = 3 FROM traffic_sent")
                assert await statuses(pipeline, client, by_key, *own) == [[], ["sent"], []]
                for number in (1, 2, 3):
                    pipeline.vendor.report(f"v{number}", State.DELIVERED)
                await pipeline.until("SELECT count(*) = 3 FROM traffic_message WHERE status = $1", int(State.DELIVERED))
                assert await statuses(pipeline, client, by_key, *own) == [
                    ["delivered"], ["sent", "delivered"], ["delivered"],
                ]  # fmt: skip

    asyncio.run(story())


def test_sandbox_messages_keep_to_it_and_one_that_is_canceled_tells_that_and_nothing_more(spain_db: str) -> None:
    events = "SELECT event->'data'->>'status' FROM traffic_callback WHERE message_id = $1 ORDER BY due_at"

    async def story() -> None:
        async with running(spain_db) as pipeline:
            await change(pipeline, True, "webhook_url = 'https://shop.example/hook', webhook_events = 'final'")
            (real,) = pipeline.traffic.snapshot.api_keys.values()
            key = msgspec.structs.replace(real, sandbox=True)

            async def told(**options: object) -> tuple[UUID, list[str]]:
                submission = Submission(**({"source": "Monsters", "destination": VODAFONE, "text": "Hello"} | options))
                answer = await pipeline.traffic.submit(key, [submission], None)
                assert isinstance(answer, Answer) and isinstance(answer.outcomes[0], Accepted)
                message_id = answer.outcomes[0].message_id
                return message_id, [row[0] for row in await pipeline.session.fetch(events, message_id)]

            assert (await told())[1] == ["delivered"]
            assert (await told(callback_final_only=False))[1] == ["sent", "delivered"]
            assert (await told(destination="34600120004"))[1] == [], "it stays as sent for ever"
            for choice, before in ((False, ["sent", "delivered"]), (True, ["delivered"])):
                later = datetime.now(UTC) + timedelta(hours=1)
                message_id, planned = await told(send_at=later, callback_final_only=choice)
                assert planned == before and await pipeline.traffic.cancel(key, message_id)
                assert not await pipeline.traffic.cancel(key, message_id)
                left = await pipeline.session.fetch(events.replace("'status'", "'final'"), message_id)
                assert [row[0] for row in left] == ["true"]
                assert [row[0] for row in await pipeline.session.fetch(events, message_id)] == ["canceled"]

    asyncio.run(story())
