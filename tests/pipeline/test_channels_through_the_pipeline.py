"""WhatsApp and RCS messages through the pipeline's own door, over the emulated vendor, at two levels (`scenarios/channels.yaml`).

The price is known by the vendor's report alone; the books agree after each story.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from tests.conftest import PROJECT, new_database, relais
from tests.pipeline.conftest import Running, ScriptedVendor, running

from relais.contracts.vendors import Pricing, VendorReceipt
from relais.core.lifecycle import State
from relais.core.refusals import Refusal
from relais.pipeline.submission import Accepted, Refused

ARGENTINA, EGYPT, SPAIN, ITALY, FRANCE = "5491123456789", "201001234567", "34600123456", "393471234567", "33612345678"
EDRS = "SELECT level, entry, net_micros FROM traffic_edr WHERE message_id = $1 ORDER BY level, entry"
RATED = """
    SELECT n.price_type, n.scale ->> 'type', e.pieces::text, e.counter_group, e.units, a.currency FROM traffic_edr AS e
    JOIN catalog_ratenode AS n ON n.id = e.node_id JOIN agreements_agreement AS a ON a.id = e.agreement_id
    WHERE e.message_id = $1 AND e.level = 0
"""
DEARER = """
    WITH retired AS (UPDATE catalog_ratenode SET retired_at = now() WHERE price_micros = $1 AND retired_at IS NULL RETURNING *)
    INSERT INTO catalog_ratenode (scope_id, parent_id, domain, resource, is_others, value, price_type, price_micros)
    SELECT scope_id, parent_id, domain, resource, is_others, value, price_type, $2 FROM retired RETURNING id
"""


@pytest.fixture(scope="module")
def channels_template(server_dsn: str, spain_template: str) -> Iterator[str]:
    with new_database(server_dsn, spain_template) as dsn:
        for expected in ("sender_ids: 2 created", "unchanged"):
            applied = relais("apply", str(PROJECT / "scenarios" / "channels.yaml"), dsn=dsn)
            assert applied.returncode == 0 and expected in applied.stdout, applied.stderr
        yield dsn.rsplit("/", 1)[1].split("?")[0]


@pytest.fixture
def channels_db(server_dsn: str, channels_template: str) -> Iterator[str]:
    with new_database(server_dsn, channels_template) as dsn:
        yield dsn


def micros(amount: str) -> int:
    return int(Decimal(amount) * 1_000_000)


def told(dsn: str, story: Callable[[Running], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with running(dsn, registered=True) as pipeline:
            await story(pipeline)
            await pipeline.books_agree()

    asyncio.run(run())


async def sent(pipeline: Running, channel: str, to: str, says: str, text: str = "Hello", **options: Any) -> Accepted:
    return await pipeline.accepted(to, f"{text}\n#emulate {says}", channel=channel, **options)


async def edrs(pipeline: Running, message_id: UUID) -> list[tuple[int, int, int]]:
    return [tuple(row) for row in await pipeline.session.fetch(EDRS, message_id)]


async def spent(pipeline: Running, before: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Of the client and of its seller, in micros; nothing is reserved any more."""
    after = await pipeline.money()
    assert {reserved for _, reserved in after.values()} == {0}
    return before["TM-1"][0] - after["TM-1"][0], before["HH-1"][0] - after["HH-1"][0]


def test_SV_147_SV_167_SV_179_SV_280_a_whatsapp_message_costs_what_meta_reports(channels_db: str) -> None:
    """Also SV-146, SV-260, SV-151 to SV-157, SV-169, SV-170, SV-173, ruling 23: the dearest is reserved; the report decides,
    whichever comes first, however often, late, or before the answer; a later word changes nothing (SV-258)."""

    async def story(pipeline: Running) -> None:
        start = await pipeline.money()
        waits = await sent(pipeline, "whatsapp", EGYPT, "taken", template_category="authentication")
        assert waits.price_micros == micros("0.065")
        await pipeline.until_sent(waits.message_id)
        held = await pipeline.money()
        assert held["TM-1"] == (start["TM-1"][0], micros("0.065")) and held["HH-1"] == (start["HH-1"][0], 10_000)
        assert await edrs(pipeline, waits.message_id) == []  # handed over, not charged

        # text, template, what is said, and the net price of the client
        cases = [
            (EGYPT, "authentication", "taken sent:authentication/regular delivered:authentication/regular", "0.0052"),
            (EGYPT, "authentication", "taken delivered:authentication_international/regular", "0.0650"),
            (ARGENTINA, "utility", "taken pause delivered:utility/regular sent:utility/regular", "0.0289"),
            (ARGENTINA, "utility", "sent:utility/regular pause taken sent:utility/regular delivered", "0.0289"),
            (ARGENTINA, "utility", "taken sent:utility/regular delivered:marketing/regular", "0.0289"),
            (ARGENTINA, "utility", "taken sent:utility/free_customer_service delivered", "0"),
            (ARGENTINA, "marketing", "taken sent:marketing/regular undelivered:marketing/regular", "0.0618"),
            (ARGENTINA, "marketing", "taken sent:marketing_lite/regular delivered", "0"),
            (ARGENTINA, "marketing", "taken sent:marketing/regular failed:marketing/regular", "0"),
            (ARGENTINA, None, "taken sent:service/regular delivered:service/regular", "0"),
            (ARGENTINA, None, "taken sent:marketing/regular delivered:marketing/regular", "0.0618"),  # dearer than reserved
        ]  # fmt: skip
        messages = []
        for to, category, says, _ in cases:
            messages.append(await sent(pipeline, "whatsapp", to, says, template_category=category))
        for message, (_, _, says, price) in zip(messages, cases, strict=True):
            await pipeline.until("SELECT status >= 10 FROM traffic_message WHERE id = $1", message.message_id)
            captured = [net for level, _, net in await edrs(pipeline, message.message_id) if level == 0]
            assert sum(captured) == micros(price), says
        told = await pipeline.session.fetchrow(RATED, messages[2].message_id)
        assert tuple(told) == ("scale", "tier", "[[0, 1, 28900]]", "", 1, "EUR")  # SV-260
        assert messages[-1].price_micros == 0
        ended = {await pipeline.status(message.message_id) for message in messages}
        assert ended == {State.DELIVERED, State.UNDELIVERED, State.FAILED}
        refused = await pipeline.send(SPAIN, channel="whatsapp", template_category="utility")
        assert isinstance(refused, Refused) and refused.refusal is Refusal.RATE_NOT_FOUND  # no such region
        free = ("0.0289", "0", "0.0289", "0.0618", "0.0289", "0.0052", "0.0650", "0.0618")
        total = sum(micros(price) for price in free)
        money = await pipeline.money()
        assert start["TM-1"][0] - money["TM-1"][0] == total
        assert money["TM-1"][1] == micros("0.065")  # the first one still waits

    told(channels_db, story)


def test_SV_182_SV_189_SV_191_SV_192_SV_282_SV_283_rcs_events_by_text_and_by_report(channels_db: str) -> None:
    """Also SV-190, SV-193, SV-257: charged when delivered, by the text until a report says otherwise; a conversation once a
    recipient and session."""

    async def story(pipeline: Running) -> None:
        says = "\n#emulate taken delivered"
        basic, single = ("x" * (length - len(says)) for length in (240, 241))
        session, next_one = "conversation@2026-01-31T09:00:00+00:00", "conversation@2026-02-01T09:00:01+00:00"
        cases = [
            (SPAIN, "taken delivered", basic, "0.04"),
            (SPAIN, "taken delivered", single, "0.93"),
            (ITALY, "taken delivered", "Hello", "0.05"),
            (FRANCE, "taken delivered", "Hello", "0.034"),
            (ITALY, "taken undelivered", "Hello", "0"),
            (ITALY, f"taken delivered:{session} delivered:{session}", "Hello", "0.088"),
            (ITALY, f"delivered:{session} taken", "Hello", "0"),
            (ITALY, f"taken pause delivered:{session}", "Hello", "0"),
            (ITALY, f"taken delivered:{next_one}", "Hello", "0.088"),
            (SPAIN, f"taken delivered:{session}", "Hello", "0.08"),
            (SPAIN, "taken delivered:single", "Hello", "0.93"),
            (SPAIN, "taken delivered:file", "Hello", "1.50"),
        ]
        start = await pipeline.money()
        for to, said, text, price in cases:
            before = await pipeline.money()
            message = await sent(pipeline, "rcs", to, said, text)
            await pipeline.until("SELECT status >= 10 FROM traffic_message WHERE id = $1", message.message_id)
            client, seller = await spent(pipeline, before)
            assert (client, seller) == (micros(price), 0 if said.endswith("undelivered") else 20_000), (to, said)
        assert (await spent(pipeline, start))[0] == sum(micros(price) for *_, price in cases)
        fourth = await pipeline.send("4915112345678", channel="rcs")
        assert isinstance(fourth, Refused) and fourth.refusal is Refusal.RATE_NOT_FOUND

    told(channels_db, story)


def test_a_report_after_a_restart_decides_as_one_before_it(channels_db: str) -> None:
    """The gateway ends between hand-over and report; the next one finds the reservation in the row, and what it was by the
    report. A repeated one changes nothing."""

    async def first() -> tuple[UUID, str]:
        async with running(channels_db, registered=True) as pipeline:
            message = await sent(pipeline, "whatsapp", EGYPT, "taken", template_category="authentication")
            await pipeline.until_sent(message.message_id)
            sql = "SELECT vendor_id FROM traffic_sent WHERE message_id = $1"
            return message.message_id, await pipeline.session.fetchval(sql, message.message_id)

    async def second(message_id: UUID, vendor_id: str) -> None:
        vendor = ScriptedVendor()
        async with running(channels_db, adapters={"smpp": ScriptedVendor(), "emulator": vendor}) as pipeline:
            pricing = Pricing(category="authentication", type="regular")
            async with asyncio.timeout(20):
                while vendor.events is None:
                    await asyncio.sleep(0.005)
            for state in (None, State.DELIVERED, None, State.DELIVERED):
                vendor.events.receipt(VendorReceipt(vendor_id, state, "", "", None, None, pricing))
            await pipeline.until_status(message_id, State.DELIVERED)
            assert await edrs(pipeline, message_id) == [(0, 1, micros("0.0052")), (1, 1, 10_000)]
            await pipeline.books_agree()

    asyncio.run(second(*asyncio.run(first())))


def test_SV_281_a_price_changed_before_the_report_holds_for_the_next_message(channels_db: str) -> None:
    """Also: half of a surrogate pair is refused, as in an SMS."""
    vendor = ScriptedVendor()

    async def story() -> None:
        async with running(channels_db, adapters={"smpp": ScriptedVendor(), "emulator": vendor}) as pipeline:
            pricing = Pricing(category="marketing", type="regular")
            options = {"channel": "whatsapp", "template_category": "marketing"}
            broken = await pipeline.send(ARGENTINA, "\ud800", **options)
            assert isinstance(broken, Refused) and broken.refusal is Refusal.TEXT_NOT_ENCODABLE
            before = await pipeline.accepted(ARGENTINA, **options)
            await pipeline.until_sent(before.message_id)
            snapshot = pipeline.traffic.snapshot
            assert await pipeline.session.fetchval(DEARER, micros("0.0618"), micros("0.0999"))
            async with asyncio.timeout(20):
                while pipeline.traffic.snapshot is snapshot:
                    await asyncio.sleep(0.01)
            after = await pipeline.accepted(ARGENTINA, **options)
            await pipeline.until_sent(after.message_id)
            for message, price in ((before, "0.0618"), (after, "0.0999")):
                sql = "SELECT vendor_id FROM traffic_sent WHERE message_id = $1"
                vendor_id = await pipeline.session.fetchval(sql, message.message_id)
                assert vendor.events is not None
                vendor.events.receipt(VendorReceipt(vendor_id, State.DELIVERED, "", "", None, None, pricing))
                await pipeline.until_status(message.message_id, State.DELIVERED)
                assert await edrs(pipeline, message.message_id) == [(0, 1, micros(price)), (1, 1, 10_000)]
            await pipeline.books_agree()

    asyncio.run(story())
