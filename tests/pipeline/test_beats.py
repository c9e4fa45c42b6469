"""What a gateway tells of itself once a second: counters of each connection, no row a message, nothing a crash would need."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.pipeline.conftest import DIGI, VODAFONE, Running, ScriptedVendor, on

from relais.contracts.vendors import OutgoingPart, RefusalClass, VendorEvents
from relais.core.lifecycle import State
from relais.core.refusals import Refusal
from relais.pipeline.submission import Refused

NOW = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)


async def told(pipeline: Running, at: datetime = NOW) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
    """Counters and events of the only connection, and the whole beat, as a reader finds them."""
    from relais.pipeline.beats import Beats

    traffic = pipeline.traffic
    await Beats(traffic._instance, traffic._lanes.values, traffic._writer.shortages).write(traffic._pool, at)
    row = await pipeline.session.fetchrow("SELECT beat, events FROM traffic_gateway_beat WHERE at = $1", at)
    beat, events = json.loads(row["beat"]), json.loads(row["events"])
    ((key, counters),) = beat["connections"].items()
    return counters, events[key], beat


def test_a_beat_counts_what_was_accepted_sent_reported_and_delivered(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        first, second = await pipeline.accepted(), await pipeline.accepted(DIGI)
        await pipeline.until_sent(second.message_id)
        pipeline.vendor.report("v1", State.DELIVERED)
        pipeline.vendor.report("v2", State.UNDELIVERED, "UNDELIV", "011")
        await pipeline.until_status(first.message_id, State.DELIVERED)
        counters, events, beat = await told(pipeline)
        assert [counters[key] for key in ("accepted", "sent", "receipts", "delivered", "errors")] == [2, 2, 2, 1, 0]
        assert [counters[key] for key in ("queued", "oldest_s", "window", "window_max", "limit")] == [
            0,
            None,
            0,
            100,
            1000,
        ]
        assert (counters["ready"], counters["disabled"], counters["reason"]) == (True, False, "bound")
        assert [(tone, text) for _, tone, text in events] == [("ok", "bound")]
        assert beat["ticks"] > 0 and beat["tick_us"] > 0

    on(spain_db, story)


def test_RSL_43_a_beat_counts_the_messages_that_a_balance_did_not_cover_for_the_level_that_lacked(
    spain_db: str,
) -> None:
    """Once each, however many beats there are; the client is told no level."""

    async def story(pipeline: Running) -> None:
        await pipeline.session.execute(
            "UPDATE agreements_balance SET balance_micros = -1000000000 WHERE agreement_id ="
            " (SELECT id FROM agreements_agreement WHERE agreement_code = 'HH-1')"
        )
        for _ in range(3):
            outcome = await pipeline.send()
            assert isinstance(outcome, Refused) and outcome.refusal is Refusal.BALANCE_TOO_LOW
            assert "HH" not in outcome.detail
        await told(pipeline)
        await told(pipeline, NOW + timedelta(seconds=1))
        outcome = await pipeline.send()
        await told(pipeline, NOW + timedelta(seconds=2))
        rows = await pipeline.session.fetch(
            "SELECT agreement_code, messages, last_at FROM traffic_shortage AS s"
            " JOIN agreements_agreement AS a ON a.id = s.agreement_id"
        )
        assert [tuple(row) for row in rows] == [("HH-1", 4, NOW + timedelta(seconds=2))]
        await pipeline.session.execute(
            "UPDATE agreements_balance SET balance_micros = 1000000000 WHERE balance_micros < 0"
        )

    on(spain_db, story)


def test_a_beat_tells_of_errors_what_waits_and_what_was_refused(spain_db: str) -> None:
    vendor = ScriptedVendor()

    def throttle(part: OutgoingPart, events: VendorEvents) -> None:
        vendor.answer = lambda part, events: None  # the second time it takes the part and does not answer
        events.refused(part, "0x58 throttled", RefusalClass.THROTTLED)

    vendor.answer = throttle

    async def story(pipeline: Running) -> None:
        _, _, before = await told(pipeline, NOW - timedelta(seconds=2))
        assert isinstance(await pipeline.send("79161234567"), Refused)
        await pipeline.accepted(VODAFONE)
        counters, events, beat = await told(pipeline)
        assert [counters[key] for key in ("errors", "queued", "window", "rate")] == [1, 0, 1, 500]
        assert events[-1][1:] == ["warn", "throttled; rate lowered to 500/s"]
        code = Refusal.DESTINATION_BLOCKED.value
        assert beat["refused"][code] == before["refused"].get(code, 0) + 1

    on(spain_db, story, vendor)


def test_beats_are_forgotten_after_a_quarter_of_an_hour_and_cost_no_log(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        await told(pipeline, NOW - timedelta(minutes=16))
        await told(pipeline, NOW)
        kept = await pipeline.session.fetch("SELECT at FROM traffic_gateway_beat WHERE at <= $1", NOW)
        assert [row["at"] for row in kept] == [NOW]
        unlogged = "SELECT relpersistence = 'u' FROM pg_class WHERE oid = 'traffic_gateway_beat'::regclass"
        assert await pipeline.session.fetchval(unlogged)

    on(spain_db, story)


def test_a_running_gateway_beats_by_itself(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        await pipeline.until("SELECT EXISTS (SELECT FROM traffic_gateway_beat)")

    on(spain_db, story)
