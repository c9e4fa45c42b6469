"""Sandbox keys: every outcome by the number, at no price and without a vendor."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from tests.pipeline.conftest import Running, on

from relais.core.refusals import Refusal
from relais.pipeline.configuration import ApiKey
from relais.pipeline.sandbox import OUTCOMES, REFUSALS, view_at
from relais.pipeline.submission import Accepted, Answer, Idempotency, MessagesAsked, MessageView, Refused, Submission

URL = "https://client.example/told"


def message(to: str, **fields: object) -> Submission:
    return msgspec.structs.replace(
        Submission(source="Monsters", destination=to, text="Hello", client_ref="r"), **fields
    )


def sandbox_key(pipeline: Running) -> ApiKey:
    return msgspec.structs.replace(pipeline.key, sandbox=True)


async def at(pipeline: Running, message_id: UUID, later_s: float) -> MessageView:
    """What is to be seen of it that much later."""
    row = await pipeline.session.fetchval("SELECT view FROM traffic_sandbox_message WHERE id = $1", message_id)
    return view_at(msgspec.msgpack.decode(row, type=MessageView), datetime.now(UTC) + timedelta(seconds=later_s))


def test_each_number_has_its_outcome_and_no_money_moves(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        key, before = sandbox_key(pipeline), await pipeline.money()
        numbers = [f"3460012{suffix}" for suffix in ("9999", *OUTCOMES)]
        answer = await pipeline.traffic.submit(key, [message(number, callback_url=URL) for number in numbers], None)
        assert isinstance(answer, Answer)
        ids = [outcome.message_id for outcome in answer.outcomes if isinstance(outcome, Accepted)]
        assert len(ids) == len(numbers)
        first = answer.outcomes[0]
        assert isinstance(first, Accepted) and (first.price_micros, first.network) == (40_000, "21401"), "a real price"
        assert [(await pipeline.traffic.message(key, one)).status for one in ids] == ["queued"] * 6  # type: ignore[union-attr]  # it is there
        assert [(await at(pipeline, one, 2)).status for one in ids] == ["sent"] * 5 + ["queued"]
        finals = [await at(pipeline, one, 4) for one in ids]
        assert [view.status for view in finals] == ["delivered", "undelivered", "expired", "rejected", "sent", "failed"]
        assert [view.error for view in finals][1] == "UNDELIV 001" and finals[5].price_micros == 0
        told = await pipeline.session.fetch(
            "SELECT event->>'type' AS type, due_at > now() AS later FROM traffic_callback"
        )
        assert all(row["later"] for row in told) and len(told) == 5 + 5, "status reports are due when they come about"
        span = {"since": datetime.now(UTC) - timedelta(hours=1), "until": datetime.now(UTC) + timedelta(hours=1)}
        listed = await pipeline.traffic.messages(key, MessagesAsked(**span, client_ref="r"))
        assert [view.message_id for view in listed] == ids[::-1]
        assert await pipeline.traffic.messages(pipeline.key, MessagesAsked(**span)) == [], (
            "real keys know nothing of it"
        )
        assert await pipeline.traffic.message(pipeline.key, ids[0]) is None
        assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_message") == 0
        assert pipeline.vendor.parts == [] and await pipeline.money() == before

    on(spain_db, story)


def test_refusals_real_and_by_number_repetition_and_cancelling(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        key = sandbox_key(pipeline)
        answer = await pipeline.traffic.submit(key, [message(f"3460012{suffix}") for suffix in REFUSALS], None)
        assert isinstance(answer, Answer)
        assert [o.refusal for o in answer.outcomes if isinstance(o, Refused)] == list(REFUSALS.values())
        wrong = await pipeline.traffic.submit(key, [message("79031234567"), message("34600123456", source="X")], None)
        assert isinstance(wrong, Answer)
        assert [o.refusal for o in wrong.outcomes if isinstance(o, Refused)] == [
            Refusal.DESTINATION_BLOCKED, Refusal.SENDER_UNKNOWN,
        ]  # fmt: skip
        once = Idempotency("k", b"1" * 32)
        first = await pipeline.traffic.submit(key, [message("34600123456")], once)
        again = await pipeline.traffic.submit(key, [message("34600123456")], once)
        assert isinstance(first, Answer) and isinstance(again, Answer)
        assert (again.outcomes, again.replayed) == (first.outcomes, True)
        other = await pipeline.traffic.submit(key, [message("34600123457")], Idempotency("k", b"2" * 32))
        assert isinstance(other, Refused) and other.refusal is Refusal.IDEMPOTENCY_KEY_REUSED
        later = datetime.now(UTC) + timedelta(hours=1)
        planned = await pipeline.traffic.submit(key, [message("34600123456", send_at=later)], None)
        assert isinstance(planned, Answer) and isinstance(planned.outcomes[0], Accepted)
        planned_id, sent_id = planned.outcomes[0].message_id, first.outcomes[0].message_id  # type: ignore[union-attr]  # accepted
        assert (await at(pipeline, planned_id, 0)).status == "scheduled"
        assert await pipeline.traffic.cancel(key, planned_id) and not await pipeline.traffic.cancel(key, planned_id)
        assert not await pipeline.traffic.cancel(key, sent_id)
        assert (await at(pipeline, planned_id, 7_200)).status == "canceled"

    on(spain_db, story)
