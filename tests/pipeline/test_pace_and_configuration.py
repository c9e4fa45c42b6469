"""Limits of a vendor connection, and how soon a change of the configuration holds."""

import asyncio
import time

from tests.pipeline.conftest import VODAFONE, Running, ScriptedVendor, on
from tests.pipeline.test_fallback_sender import Heard, Scripted, lane_of, message_of
from tests.records.conftest import django_on

from relais.contracts.vendors import OutgoingPart, VendorEvents
from relais.core.refusals import Refusal
from relais.pipeline.submission import Accepted, Refused

NOTHING_OPEN = """
    SELECT count(*) = 0 FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()
"""  # a commit may begin the next transaction, which is not left open when nothing more comes


async def _set_limits(pipeline: Running, rps: int, window: int) -> None:
    await pipeline.session.execute(
        "UPDATE connections_vendorsmppconnection SET rps_limit = $1, window_limit = $2", rps, window
    )
    async with asyncio.timeout(5):
        while next(iter(pipeline.traffic.snapshot.connections.values())).rps_limit != rps:
            await asyncio.sleep(0.01)


def test_VSMPP_20_no_more_parts_leave_in_a_second_than_the_limit_says(spain_db: str) -> None:
    """What waits is neither lost nor refused (VSMPP-41)."""
    vendor = ScriptedVendor()
    left_at_s: list[float] = []

    def answer(part: OutgoingPart, events: VendorEvents) -> None:
        left_at_s.append(time.monotonic())
        vendor.take(part, events)

    vendor.answer = answer

    async def story(pipeline: Running) -> None:
        await _set_limits(pipeline, 40, 100)
        await asyncio.gather(*(pipeline.accepted() for _ in range(100)))
        await pipeline.until("SELECT count(*) = 100 FROM traffic_sent")
        await pipeline.until(NOTHING_OPEN)

    on(spain_db, story, vendor)
    fullest = max(sum(1 for at in left_at_s if start <= at < start + 1.0) for start in left_at_s)
    assert fullest <= 42, "the limit and one part more at each edge of the second"


def test_a_connection_that_is_given_an_allowance_keeps_to_it_and_goes_on_by_itself() -> None:
    async def run() -> list[int]:
        vendor, events = Scripted(lambda sender: True), Heard()
        lane = lane_of(vendor, events)
        for _ in range(10):
            lane.enqueue(message_of("Hello"))
        seen = []
        for allowance in (4, 2):
            lane.allow(allowance)
            for _ in range(5):  # the vendor's answers ask for more
                lane.pump()
                await asyncio.sleep(0)
            seen.append(len(vendor.handed))
        async with asyncio.timeout(5):
            while len(events.said) < 10:
                await asyncio.sleep(0.005)
        return [*seen, len(vendor.handed)]

    assert asyncio.run(run()) == [4, 6, 10]


def test_VSMPP_21_no_more_parts_are_unanswered_than_the_window_holds(spain_db: str) -> None:
    vendor = ScriptedVendor()
    held: list[tuple[OutgoingPart, VendorEvents]] = []
    vendor.answer = lambda part, events: held.append((part, events))

    async def story(pipeline: Running) -> None:
        lane = vendor.events
        await _set_limits(pipeline, 10_000, 5)
        assert vendor.events is lane, "other limits need no new session"
        await asyncio.gather(*(pipeline.accepted() for _ in range(30)))
        sent = 0
        while sent < 30:
            async with asyncio.timeout(10):
                while len(held) < min(5, 30 - sent):
                    await asyncio.sleep(0.005)
            assert len(held) <= 5
            vendor.take(*held.pop(0))
            sent += 1
        await pipeline.until("SELECT count(*) = 30 FROM traffic_sent")

    on(spain_db, story, vendor)


def test_a_change_of_the_configuration_holds_within_a_second(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        assert isinstance(await pipeline.send(VODAFONE), Accepted)
        changed_s = time.monotonic()
        await pipeline.session.execute("UPDATE senders_senderid SET status = 'blocked'")
        async with asyncio.timeout(5):
            while isinstance(outcome := await pipeline.send(VODAFONE), Accepted):
                await asyncio.sleep(0.02)
        assert isinstance(outcome, Refused) and outcome.refusal is Refusal.SENDER_BLOCKED
        assert time.monotonic() - changed_s < 1.0

    on(spain_db, story)


def test_SV_52_SV_273_SV_281_a_price_saved_in_the_current_scope_holds_within_a_second(spain_db: str) -> None:
    def edit() -> int:
        """Vodafone Spain at 0.07, as the constructor stores it; the price before."""
        with django_on(spain_db):
            from django.utils import timezone

            from relais.records.catalog.actions.edit_rate_tree import Terms, change_record
            from relais.records.catalog.models import RateNode

            node = RateNode.objects.get(scope__service__name="SMS service", price_micros=40_000, retired_at=None)
            change_record(node.pk, Terms("flat", price_micros=70_000), timezone.now())
            return node.price_micros

    async def story(pipeline: Running) -> None:
        before = (await pipeline.accepted(VODAFONE)).price_micros
        assert await asyncio.to_thread(edit) == before == 40_000
        changed_s = time.monotonic()
        async with asyncio.timeout(5):
            while (now := (await pipeline.accepted(VODAFONE)).price_micros) == before:
                await asyncio.sleep(0.02)
        assert now == 70_000 and time.monotonic() - changed_s < 1.0

    on(spain_db, story)


def test_RSL_48_CO_59_switching_a_reseller_off_stops_its_clients(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        await pipeline.session.execute("UPDATE parties_company SET enabled = false WHERE name = 'Hornes and Hooves'")
        async with asyncio.timeout(5):
            while isinstance(outcome := await pipeline.send(VODAFONE), Accepted):
                await asyncio.sleep(0.02)
        assert isinstance(outcome, Refused) and outcome.refusal is Refusal.PROVIDER_UNAVAILABLE

    on(spain_db, story)


def test_AG_94_an_agreement_past_its_end_accepts_no_traffic(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        await pipeline.session.execute(
            "UPDATE agreements_agreementversion SET effective_till = now() WHERE agreement_id ="
            " (SELECT id FROM agreements_agreement WHERE agreement_code = 'TM-1')"
        )
        async with asyncio.timeout(5):
            while isinstance(outcome := await pipeline.send(VODAFONE), Accepted):
                await asyncio.sleep(0.02)
        assert isinstance(outcome, Refused) and outcome.refusal is Refusal.AGREEMENT_EXPIRED

    on(spain_db, story)
