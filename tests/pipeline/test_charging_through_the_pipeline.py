"""Money of a message from acceptance to receipt, at both levels of the Spain scenario (TM-1 100.00 EUR, HH-1 1,000.00)."""

import asyncio

import pytest
from tests.pipeline.conftest import DIGI, ITALY, MOVISTAR, VODAFONE, Running, ScriptedVendor, on

from relais.contracts.vendors import OutgoingPart, RefusalClass, VendorEvents
from relais.core.lifecycle import State
from relais.core.refusals import Refusal
from relais.pipeline.submission import Accepted, Refused

TM, HH = 100_000_000, 1_000_000_000


def test_GEN_8_GEN_12_SV_269_a_delivered_message_is_charged_at_every_level(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        accepted = await pipeline.accepted(VODAFONE)
        assert (accepted.price_micros, accepted.currency, accepted.country) == (40_000, "EUR", "ES")
        assert (accepted.network, accepted.encoding, accepted.segments_count) == ("21401", "gsm7", 1)
        await pipeline.until_sent(accepted.message_id)
        assert await pipeline.money() == {"TM-1": (TM - 40_000, 0), "HH-1": (HH - 30_000, 0)}
        pipeline.vendor.report("v1", State.DELIVERED)
        await pipeline.until_status(accepted.message_id, State.DELIVERED)
        assert await pipeline.money() == {"TM-1": (TM - 40_000, 0), "HH-1": (HH - 30_000, 0)}
        assert pipeline.vendor.acknowledged == ["token of v1"]
        assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_outbox") == 0

    on(spain_db, story)


def test_between_acceptance_and_the_vendor_the_amount_is_reserved(spain_db: str) -> None:
    vendor = ScriptedVendor()
    vendor.ready = False

    async def story(pipeline: Running) -> None:
        await pipeline.accepted(VODAFONE)
        assert await pipeline.money() == {"TM-1": (TM, 40_000), "HH-1": (HH, 30_000)}

    on(spain_db, story, vendor)


@pytest.mark.parametrize(("to", "micros"), [(VODAFONE, 40_000), (DIGI, 5_000), (MOVISTAR, 80_000), (ITALY, 50_000)])
def test_SV_136_SV_137_SV_139_SV_140_first_segment_of_each_destination(spain_db: str, to: str, micros: int) -> None:
    async def story(pipeline: Running) -> None:
        accepted = await pipeline.accepted(to)
        await pipeline.until_sent(accepted.message_id)
        assert (await pipeline.money())["TM-1"] == (TM - micros, 0)

    on(spain_db, story)


def test_SV_136_three_segments_cost_three_times(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        accepted = await pipeline.accepted(VODAFONE, "x" * 400)
        assert (accepted.segments_count, accepted.price_micros) == (3, 120_000)
        await pipeline.until_sent(accepted.message_id, 3)
        assert await pipeline.money() == {"TM-1": (TM - 120_000, 0), "HH-1": (HH - 90_000, 0)}

    on(spain_db, story)


def test_SV_287_a_message_over_a_threshold_is_priced_unit_by_unit(spain_db: str) -> None:
    """998 segments counted: three more cost 0.005 + 0.005 + 0.004; 0.015 had been reserved."""

    async def story(pipeline: Running) -> None:
        first = await pipeline.accepted(DIGI)
        await pipeline.until_sent(first.message_id)
        await pipeline.session.execute("UPDATE traffic_counter SET units = 998")
        await pipeline.session.execute("UPDATE traffic_edr SET units = 998 WHERE level = 0")
        before = (await pipeline.money())["TM-1"][0]
        accepted = await pipeline.accepted(DIGI, "x" * 400)
        assert accepted.price_micros == 15_000
        await pipeline.until_sent(accepted.message_id, 3)
        assert (await pipeline.money())["TM-1"] == (before - 14_000, 0)
        assert await pipeline.session.fetchval("SELECT units FROM traffic_counter") == 1_001
        pieces = await pipeline.session.fetchval(
            "SELECT pieces::text FROM traffic_edr WHERE message_id = $1 AND level = 0", accepted.message_id
        )
        assert pieces == "[[0, 2, 5000], [1, 1, 4000]]"

    on(spain_db, story)


def test_SV_143_an_undelivered_message_stays_charged_under_submitted(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        accepted = await pipeline.accepted()
        await pipeline.until_sent(accepted.message_id)
        pipeline.vendor.report("v1", State.UNDELIVERED, "UNDELIV", "001")
        await pipeline.until_status(accepted.message_id, State.UNDELIVERED)
        assert await pipeline.money() == {"TM-1": (TM - 40_000, 0), "HH-1": (HH - 30_000, 0)}

    on(spain_db, story)


def test_VSMPP_46_a_message_that_the_vendor_refuses_costs_nothing(spain_db: str) -> None:
    vendor = ScriptedVendor()
    vendor.answer = lambda part, events: events.refused(part, "0x0000000b", RefusalClass.PERMANENT)

    async def story(pipeline: Running) -> None:
        accepted = await pipeline.accepted()
        await pipeline.until_status(accepted.message_id, State.FAILED)
        assert await pipeline.money() == {"TM-1": (TM, 0), "HH-1": (HH, 0)}
        edrs = await pipeline.session.fetch("SELECT level, entry, net_micros FROM traffic_edr ORDER BY level")
        assert [tuple(edr) for edr in edrs] == [(0, 2, 0), (1, 2, 0)]

    on(spain_db, story, vendor)


def test_VSMPP_35_a_status_mapped_to_unsent_is_paid_back_at_every_level(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        await pipeline.session.execute(
            "UPDATE connections_vendorsmppconnection SET statuses_map ="
            """ '{"REJECTD": [{"codes": ["088"], "method": "unsent"}]}'"""
        )
        await asyncio.wait_for(_until_mapped(pipeline), 5)
        accepted = await pipeline.accepted()
        await pipeline.until_sent(accepted.message_id)
        vendor_id = await pipeline.session.fetchval("SELECT vendor_id FROM traffic_sent")
        pipeline.vendor.report(vendor_id, State.REJECTED, "REJECTD", "88")
        await pipeline.until_status(accepted.message_id, State.FAILED)
        assert await pipeline.money() == {"TM-1": (TM, 0), "HH-1": (HH, 0)}
        kinds = await pipeline.session.fetch(
            "SELECT kind, sum(amount_micros)::bigint FROM agreements_ledgerentry WHERE kind > 2 GROUP BY 1 ORDER BY 1"
        )
        assert [tuple(kind) for kind in kinds] == [(3, -70_000), (4, 70_000)]

    on(spain_db, story)


async def _until_mapped(pipeline: Running) -> None:
    """Until the changed connection has reached the pipeline, which must be within a second."""
    while not any(c.statuses_map for c in pipeline.traffic.snapshot.connections.values()):
        await asyncio.sleep(0.01)


def test_SV_258_late_and_repeated_reports_change_nothing(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        accepted = await pipeline.accepted()
        await pipeline.until_sent(accepted.message_id)
        pipeline.vendor.report("v1", None, "ENROUTE")
        pipeline.vendor.report("v1", State.DELIVERED)
        await pipeline.until_status(accepted.message_id, State.DELIVERED)
        for state in (State.UNDELIVERED, State.DELIVERED, State.EXPIRED):
            pipeline.vendor.report("v1", state)
        await pipeline.until("SELECT $1::int >= 5", 5)
        async with asyncio.timeout(10):
            while len(pipeline.vendor.acknowledged) < 5:
                await asyncio.sleep(0.01)
        assert await pipeline.status(accepted.message_id) is State.DELIVERED
        assert await pipeline.money() == {"TM-1": (TM - 40_000, 0), "HH-1": (HH - 30_000, 0)}

    on(spain_db, story)


def test_SV_246_RSL_42_refusals_change_nothing(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        for to, text, sender, refusal in (
            ("79031234567", "Hello", "Monsters", Refusal.DESTINATION_BLOCKED),
            (VODAFONE, "Hello", "Nobody", Refusal.SENDER_UNKNOWN),
            ("12", "Hello", "Monsters", Refusal.NUMBER_INVALID),
            ("34abc123456", "Hello", "Monsters", Refusal.NUMBER_INVALID),
            (VODAFONE, "", "Monsters", Refusal.TEXT_EMPTY),
            (VODAFONE, "x" * 10_000, "Monsters", Refusal.TEXT_TOO_LONG),
            (VODAFONE, "a\x00b", "Monsters", Refusal.TEXT_NOT_ENCODABLE),
            (VODAFONE, "\ud83d", "Monsters", Refusal.TEXT_NOT_ENCODABLE),
        ):
            outcome = await pipeline.send(to, text, source=sender)
            assert isinstance(outcome, Refused) and outcome.refusal is refusal, (to, outcome)
        assert await pipeline.money() == {"TM-1": (TM, 0), "HH-1": (HH, 0)}
        assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_message") == 0

    on(spain_db, story)


def test_AG_87_many_at_once_never_spend_more_than_there_is(spain_db: str) -> None:
    """TM-1 holds 100.00 EUR: of 3,000 messages at 0.04 exactly 2,500 are accepted."""
    vendor = ScriptedVendor()
    vendor.ready = False

    async def story(pipeline: Running) -> None:
        outcomes = await asyncio.gather(*(pipeline.send() for _ in range(3_000)))
        accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
        refused = {outcome.refusal for outcome in outcomes if isinstance(outcome, Refused)}
        assert (len(accepted), refused) == (2_500, {Refusal.BALANCE_TOO_LOW})
        assert await pipeline.money() == {"TM-1": (TM, TM), "HH-1": (HH, 75_000_000)}

    on(spain_db, story, vendor)


def test_RSL_42_RSL_43_a_reseller_without_money_stops_its_clients_and_nothing_is_charged(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        await pipeline.session.execute(
            "UPDATE agreements_balance SET balance_micros = -500000000 WHERE agreement_id ="
            " (SELECT id FROM agreements_agreement WHERE agreement_code = 'HH-1')"
        )
        outcome = await pipeline.send()
        assert isinstance(outcome, Refused) and outcome.refusal is Refusal.BALANCE_TOO_LOW
        assert "Horn" not in outcome.detail and "HH" not in outcome.detail
        assert await pipeline.money() == {"TM-1": (TM, 0), "HH-1": (-500_000_000, 0)}
        await pipeline.session.execute(
            "UPDATE agreements_balance SET balance_micros = 1000000000 WHERE balance_micros < 0"
        )

    on(spain_db, story)


def test_a_long_message_is_delivered_when_every_part_is(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        accepted = await pipeline.accepted(VODAFONE, "x" * 300)
        await pipeline.until_sent(accepted.message_id, 2)
        pipeline.vendor.report("v2", State.DELIVERED)
        await pipeline.until("SELECT count(*) = 1 FROM traffic_part_receipt")
        assert await pipeline.status(accepted.message_id) is State.ACCEPTED
        pipeline.vendor.report("v1", State.DELIVERED)
        await pipeline.until_status(accepted.message_id, State.DELIVERED)

    on(spain_db, story)


def test_a_receipt_that_overtakes_its_response_is_kept(spain_db: str) -> None:
    vendor = ScriptedVendor()
    held: list[tuple[OutgoingPart, VendorEvents]] = []
    vendor.answer = lambda part, events: held.append((part, events))

    async def story(pipeline: Running) -> None:
        accepted = await pipeline.accepted()
        while not held:
            await asyncio.sleep(0.001)
        vendor.report("v1", State.DELIVERED)
        await pipeline.until("SELECT count(*) = 1 FROM traffic_unmatched_receipt")
        vendor.take(*held[0])
        await pipeline.until_status(accepted.message_id, State.DELIVERED)
        await pipeline.until("SELECT count(*) = 0 FROM traffic_unmatched_receipt")

    on(spain_db, story, vendor)


def test_a_throttled_part_goes_out_again_and_is_charged_once(spain_db: str) -> None:
    vendor = ScriptedVendor()
    throttled: list[OutgoingPart] = []

    def answer(part: OutgoingPart, events: VendorEvents) -> None:
        if len(throttled) < 2:
            throttled.append(part)
            events.refused(part, "0x00000058", RefusalClass.THROTTLED)
        else:
            vendor.take(part, events)

    vendor.answer = answer

    async def story(pipeline: Running) -> None:
        accepted = await pipeline.accepted()
        await pipeline.until_sent(accepted.message_id)
        assert len(vendor.parts) == 3
        assert await pipeline.money() == {"TM-1": (TM - 40_000, 0), "HH-1": (HH - 30_000, 0)}

    on(spain_db, story, vendor)
