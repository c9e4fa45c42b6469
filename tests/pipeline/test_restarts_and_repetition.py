"""What is handed in once is charged and sent once, whatever is repeated, restarted or late."""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.pipeline.conftest import VODAFONE, Running, ScriptedVendor, on, running

from relais.core.lifecycle import State
from relais.core.refusals import Refusal
from relais.pipeline.submission import Accepted, Answer, Idempotency, Refused, Submission

TM, HH = 100_000_000, 1_000_000_000
HELLO = Submission(source="Monsters", destination=VODAFONE, text="Hello")


def test_the_same_key_and_body_give_the_same_answer_and_one_charge(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        key = Idempotency("order-1", b"digest of the body")
        first = await pipeline.traffic.submit(pipeline.key, [HELLO], key)
        again = await pipeline.traffic.submit(pipeline.key, [HELLO], key)
        assert isinstance(first, Answer) and isinstance(again, Answer)
        assert (first.replayed, again.replayed) == (False, True)
        assert first.outcomes == again.outcomes and isinstance(first.outcomes[0], Accepted)
        await pipeline.until_sent(first.outcomes[0].message_id)
        assert (await pipeline.money())["TM-1"] == (TM - 40_000, 0)
        assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_message") == 1

    on(spain_db, story)


def test_fifty_requests_with_one_key_at_once_are_one_message(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        key = Idempotency("order-2", b"digest")
        answers = await asyncio.gather(*(pipeline.traffic.submit(pipeline.key, [HELLO], key) for _ in range(50)))
        ids = {
            a.outcomes[0].message_id for a in answers if isinstance(a, Answer) and isinstance(a.outcomes[0], Accepted)
        }
        assert len(ids) == 1 and all(isinstance(answer, Answer) for answer in answers)
        assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_message") == 1

    on(spain_db, story)


def test_the_same_key_with_another_body_is_refused(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        await pipeline.traffic.submit(pipeline.key, [HELLO], Idempotency("order-3", b"one"))
        other = await pipeline.traffic.submit(pipeline.key, [HELLO], Idempotency("order-3", b"other"))
        assert isinstance(other, Refused) and other.refusal is Refusal.IDEMPOTENCY_KEY_REUSED
        assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_message") == 1

    on(spain_db, story)


def test_a_refused_request_may_be_tried_again_with_its_key(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        key = Idempotency("order-4", b"digest")
        bad = Submission(source="Nobody", destination=VODAFONE, text="Hello")
        first = await pipeline.traffic.submit(pipeline.key, [bad], key)
        again = await pipeline.traffic.submit(pipeline.key, [HELLO], key)
        assert isinstance(first, Answer) and isinstance(first.outcomes[0], Refused)
        assert isinstance(again, Answer) and isinstance(again.outcomes[0], Accepted)

    on(spain_db, story)


def test_a_batch_answers_each_entry_in_order(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        bad = Submission(source="Monsters", destination="79031234567", text="Hello")
        answer = await pipeline.traffic.submit(pipeline.key, [HELLO, bad, HELLO], None)
        assert isinstance(answer, Answer)
        assert [type(outcome) for outcome in answer.outcomes] == [Accepted, Refused, Accepted]

    on(spain_db, story)


def test_messages_of_a_gateway_that_is_gone_are_sent_by_the_next_one(spain_db: str) -> None:
    waiting = ScriptedVendor()
    waiting.ready = False
    ids = []

    async def accept(pipeline: Running) -> None:
        ids.extend([(await pipeline.accepted(text="x" * 200)).message_id for _ in range(20)])

    async def send(pipeline: Running) -> None:
        for message_id in ids:
            await pipeline.until_sent(message_id, 2)
        assert sorted(part.part for part in pipeline.vendor.parts) == [0] * 20 + [1] * 20
        assert await pipeline.money() == {"TM-1": (TM - 20 * 80_000, 0), "HH-1": (HH - 20 * 60_000, 0)}

    on(spain_db, accept, waiting)
    on(spain_db, send)


def test_a_receipt_after_a_restart_finds_its_message(spain_db: str) -> None:
    ids = []

    async def send(pipeline: Running) -> None:
        ids.append((await pipeline.accepted(text="x" * 200)).message_id)
        await pipeline.until_sent(ids[0], 2)
        pipeline.vendor.report("v1", State.DELIVERED)
        await pipeline.until("SELECT count(*) = 1 FROM traffic_part_receipt")

    async def report(pipeline: Running) -> None:
        pipeline.vendor.report("v2", State.DELIVERED)
        await pipeline.until_status(ids[0], State.DELIVERED)
        assert pipeline.vendor.parts == []

    on(spain_db, send)
    on(spain_db, report)


def test_a_scheduled_message_waits_for_its_time(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        accepted = await pipeline.accepted(send_at=datetime.now(UTC) + timedelta(hours=1))
        assert accepted.scheduled
        view = await pipeline.traffic.message(pipeline.key, accepted.message_id)
        assert view is not None and (view.status, view.final) == ("scheduled", False)
        assert pipeline.vendor.parts == []
        await pipeline.session.execute(
            "UPDATE traffic_outbox SET due_at = now();UPDATE traffic_message SET send_at = now() - interval '1 second'"
        )
        await pipeline.until_sent(accepted.message_id)

    on(spain_db, story)


def test_a_message_that_waits_past_its_validity_expires_and_is_released(spain_db: str) -> None:
    vendor = ScriptedVendor()
    vendor.ready = False

    async def accept(pipeline: Running) -> None:
        await pipeline.accepted(validity_s=60)
        await pipeline.session.execute("UPDATE traffic_message SET validity_s = -1")

    async def expire(pipeline: Running) -> None:
        await pipeline.until("SELECT count(*) = 1 FROM traffic_message WHERE status = $1", int(State.EXPIRED))
        assert await pipeline.money() == {"TM-1": (TM, 0), "HH-1": (HH, 0)}
        assert pipeline.vendor.parts == []

    on(spain_db, accept, vendor)
    on(spain_db, expire)


def test_a_message_without_a_receipt_ends_when_nobody_waits_any_more(spain_db: str) -> None:
    """Batches whose receipts are slow are told to the outbox with the end of waiting; a later gateway finds them due."""
    ids = []

    async def send(pipeline: Running) -> None:
        ids.append((await pipeline.accepted()).message_id)
        await pipeline.until_sent(ids[0])
        await pipeline.until("SELECT owner IS NULL AND due_at > now() + interval '72 hours' FROM traffic_outbox")
        await pipeline.session.execute(
            "UPDATE traffic_outbox SET due_at = now() + interval '1 second'; UPDATE traffic_message SET validity_s = -7200"
        )

    async def end(pipeline: Running) -> None:
        await pipeline.until_status(ids[0], State.EXPIRED)
        assert await pipeline.money() == {"TM-1": (TM - 40_000, 0), "HH-1": (HH - 30_000, 0)}
        await pipeline.until("SELECT NOT EXISTS (SELECT FROM traffic_outbox)")

    on(spain_db, send)
    on(spain_db, end)


def test_VSMPP_41_a_second_gateway_sends_nothing_over_a_connection_that_is_owned(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        second = ScriptedVendor()

        async def accept_there(other: Running) -> None:
            accepted = await other.accepted()
            await other.until_sent(accepted.message_id)

        from tests.pipeline.conftest import running

        async with running(spain_db, second) as other:
            await accept_there(other)
        assert (len(pipeline.vendor.parts), len(second.parts)) == (1, 0)

    on(spain_db, story)


def test_what_a_silent_vendor_leaves_waits_in_the_outbox_and_leaves_in_order(spain_db: str) -> None:
    vendor = ScriptedVendor()
    vendor.ready = False

    async def story() -> None:
        async with running(spain_db, vendor, messages_max=40) as pipeline:
            texts = [f"message {number:03}" for number in range(240)]
            for first in range(0, 240, 20):
                batch = [Submission(source="Monsters", destination=VODAFONE, text=t) for t in texts[first : first + 20]]
                assert isinstance(await pipeline.traffic.submit(pipeline.key, batch, None), Answer)
            lane = next(iter(pipeline.traffic._lanes.values()))
            assert lane.waiting_count == 40
            assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_outbox WHERE owner IS NULL") == 10
            queued = f"SELECT bool_or((beat #>> '{{connections,{lane.connection_id},queued}}')::int = 240)"
            await pipeline.until(f"{queued} FROM traffic_gateway_beat")
            assert vendor.events is not None
            vendor.events.changed(True, "bound")
            await pipeline.until("SELECT count(*) = 240 FROM traffic_sent")
            assert [part.body.decode() for part in vendor.parts] == texts
            later = await pipeline.accepted(text="later")
            await pipeline.until_sent(later.message_id)
            await pipeline.books_agree()

    asyncio.run(story())
