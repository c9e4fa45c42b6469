"""Lists, previews and cancellations on a real database."""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.pipeline.conftest import ITALY, MOVISTAR, VODAFONE, Running, ScriptedVendor, on, running

from relais.core.lifecycle import State
from relais.core.refusals import Refusal
from relais.pipeline.submission import Accepted, Answer, MessagesAsked, PreviewView, Refused, Submission
from relais.pipeline.traffic import Traffic


def test_own_messages_are_listed_by_time_status_and_number(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        sent = [(await pipeline.accepted(to, client_ref=to)).message_id for to in (VODAFONE, MOVISTAR, ITALY)]
        await pipeline.until("SELECT count(*) = 3 FROM traffic_sent")
        for number, state in enumerate((State.DELIVERED, State.UNDELIVERED), 1):
            pipeline.vendor.report(f"v{number}", state)
            await pipeline.until_status(sent[number - 1], state)
        now = datetime.now(UTC)
        span = {"since": now - timedelta(hours=1), "until": now + timedelta(hours=1)}

        async def ids(**asked: object) -> list[object]:
            found = await pipeline.traffic.messages(pipeline.key, MessagesAsked(**(span | asked)))
            return [view.message_id for view in found]

        assert await ids() == sent[::-1], "newest first"
        assert await ids(count_max=1) == sent[2:] and await ids(before=sent[2], count_max=1) == sent[1:2]
        assert await ids(status=int(State.DELIVERED)) == sent[:1]
        assert await ids(status=0) == sent[2:], "what is not final"
        assert await ids(destination=MOVISTAR) == sent[1:2] and await ids(client_ref=ITALY) == sent[2:]
        assert await ids(source="MONSTERS") == sent[::-1] and await ids(source="Others") == []
        assert await ids(since=now + timedelta(minutes=1)) == [], "accepted before"

    on(spain_db, story)


def test_a_preview_is_the_price_of_sending_and_moves_no_money(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        before = await pipeline.money()
        wanted = Submission(source="monsters", destination=f"+{VODAFONE}", text="A" * 161)
        told = pipeline.traffic.preview(pipeline.key, wanted)
        assert isinstance(told, PreviewView)
        assert (told.segments_count, told.price_micros, told.currency, told.network) == (2, 80_000, "EUR", "21401")
        blocked = pipeline.traffic.preview(
            pipeline.key, Submission(source="Monsters", destination="79031234567", text="x")
        )
        assert isinstance(blocked, Refused) and blocked.refusal is Refusal.DESTINATION_BLOCKED
        assert await pipeline.money() == before
        assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_message") == 0

    on(spain_db, story)


def test_what_waits_is_canceled_once_and_releases_its_money(spain_db: str) -> None:
    vendor = ScriptedVendor()
    vendor.ready = False

    async def story(pipeline: Running) -> None:
        before = await pipeline.money()
        later = datetime.now(UTC) + timedelta(hours=1)
        scheduled = [(await pipeline.accepted(send_at=later)).message_id for _ in range(2)]
        queued = [(await pipeline.accepted()).message_id for _ in range(2)]
        for message_id in (scheduled[0], queued[0]):
            assert await pipeline.traffic.cancel(pipeline.key, message_id)
            assert await pipeline.status(message_id) is State.CANCELED, "stored when it is answered"
            assert not await pipeline.traffic.cancel(pipeline.key, message_id)
        other = pipeline.key.__class__(id=9, company_id=1, rights=7, company_enabled=True)
        assert not await pipeline.traffic.cancel(other, scheduled[1]), "another company's"
        assert vendor.events is not None
        vendor.events.changed(True, "bound")
        await pipeline.until_sent(queued[1])
        assert not await pipeline.traffic.cancel(pipeline.key, queued[1]), "too late"
        await pipeline.session.execute(
            "UPDATE traffic_outbox SET due_at = now() WHERE $1 = ANY (message_ids)", scheduled[1]
        )
        await pipeline.until_sent(scheduled[1])
        assert len(vendor.parts) == 2, "what was canceled never leaves"
        after = await pipeline.money()
        assert before["TM-1"][0] - after["TM-1"][0] == 80_000 and after["TM-1"][1] == 0
        left = await pipeline.session.fetchval("SELECT count(*) FROM traffic_outbox")
        assert left == 2, "batches of what was canceled are gone"

    on(spain_db, story, vendor)


def test_a_gateway_cancels_what_waits_for_a_connection_of_another(spain_db: str) -> None:
    async def told() -> None:
        async with running(spain_db) as owner:
            only_takes = Traffic(spain_db, owner.traffic._configuration, tick_s=0.002, sends=False)
            await only_takes.open()
            try:
                later = datetime.now(UTC) + timedelta(hours=1)
                wanted = [Submission(source="Monsters", destination=VODAFONE, text="x", send_at=later)]
                answer = await only_takes.submit(owner.key, wanted, None)
                assert isinstance(answer, Answer) and isinstance(answer.outcomes[0], Accepted)
                message_id = answer.outcomes[0].message_id
                assert await only_takes.cancel(owner.key, message_id)
                assert await owner.status(message_id) is State.CANCELED
                assert not await only_takes.cancel(owner.key, message_id)
                assert await owner.session.fetchval("SELECT count(*) FROM traffic_withdrawal") == 0
            finally:
                await only_takes.close()
            await owner.books_agree()

    asyncio.run(told())
