"""A sender that the vendor refuses is replaced once by the connection's fallback; a message that names none has a default one."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
from tests.pipeline.conftest import Running, ScriptedVendor, running

from relais.contracts.vendors import OutgoingPart, RefusalClass, VendorEvents
from relais.core.lifecycle import State
from relais.core.refusals import Refusal
from relais.core.segments import encode
from relais.pipeline.configuration import Agreement, Sender, VendorConnection
from relais.pipeline.default_senders import compiled
from relais.pipeline.lane import Lane
from relais.pipeline.message import Message
from relais.pipeline.submission import Refused
from relais.simulators.smsc import Smsc, SmscSettings
from relais.vendors.smpp.messages import refusal

NUMBERS_ONLY = "34600120040"  # the simulator refuses senders with letters there
LONG = "A message of two parts goes out under one sender, whatever the vendor thinks of the first. " * 2
OPTIONS = {"response_timeout_s": 1.0, "reconnect_min_s": 0.05, "reconnect_max_s": 0.2, "long_password": True}
TM, PRICE = 100_000_000, 40_000


class Scripted:
    """A vendor that takes the senders it is told to, and keeps what it was handed."""

    kind = "smpp"
    settings = dict

    def __init__(self, takes: Callable[[str], bool]) -> None:
        self.takes, self.handed = takes, list[str]()

    def connect(self, settings: Any, events: VendorEvents) -> "Scripted":
        self.events = events
        return self

    def submit(self, part: OutgoingPart) -> None:
        self.handed.append(part.source)
        asyncio.get_running_loop().call_soon(self._answer, part)

    def _answer(self, part: OutgoingPart) -> None:
        if self.takes(part.source):
            self.events.submitted(part, f"v{part.part}")
        else:
            self.events.refused(part, "0x0A", RefusalClass.SENDER)

    def spellings(self, vendor_message_id: str) -> tuple[str, ...]:
        return (vendor_message_id,)


class Heard:
    """What a lane tells."""

    def __init__(self) -> None:
        self.said: list[tuple[str, ...]] = []

    def part_sent(self, message: Message, part: int, vendor_message_id: str, at: datetime) -> None:
        self.said.append(("sent", vendor_message_id))

    def message_failed(self, message: Message, error: str, at: datetime) -> None:
        self.said.append(("failed", error))

    def sender_replaced(self, message: Message, error: str, at: datetime) -> None:
        self.said.append(("replaced", message.source, error))


def lane_of(vendor: Scripted, events: Heard, fallback: str = "") -> Lane:
    """Bound, on the running loop."""
    connection = VendorConnection(1, "c", "smpp", {}, 1_000_000, None, False, {}, "all", fallback_sender=fallback)
    lane = Lane(connection, vendor, events)  # type: ignore[arg-type]  # as far as it is used here
    lane.changed(True, "bound")
    return lane


def message_of(text: str) -> Message:
    return Message(
        id=uuid4(), accepted_at=datetime.now(UTC), company_id=1, api_key_id=1, sender_id=1, connection_id=1,
        network_id=None, country="ES", source="Monsters", destination="34600123456", text=text, encoded=encode(text),
        terms=(), routes=(), validity_s=60,
    )  # fmt: skip


def heard(fallback: str, takes: Callable[[str], bool]) -> tuple[list[tuple[str, ...]], list[str]]:
    """What is told of a message of two parts from Monsters, and the senders that the vendor saw."""

    async def run() -> tuple[list[tuple[str, ...]], list[str]]:
        vendor, events = Scripted(takes), Heard()
        lane = lane_of(vendor, events, fallback)
        lane.enqueue(message_of(LONG))
        for _ in range(20):
            lane.pump()
            await asyncio.sleep(0)
        return events.said, vendor.handed

    return asyncio.run(run())


def test_SP_30_the_fallback_is_tried_once_and_only_for_what_concerns_the_sender() -> None:
    replaced = ("replaced", "34911", "0x0A")
    assert heard("34911", str.isdigit) == (
        [replaced, ("sent", "v0"), ("sent", "v1")], ["Monsters", "Monsters", "34911", "34911"]
    )  # fmt: skip
    assert heard("Other", str.isdigit)[0] == [("replaced", "Other", "0x0A"), ("failed", "0x0A")], "no second fallback"
    assert heard("", str.isdigit)[0] == heard("Monsters", str.isdigit)[0] == [("failed", "0x0A")]
    assert {status: refusal(status)[1] for status in (0x0A, 0x48, 0x49, 0x0B)} == {
        0x0A: RefusalClass.SENDER, 0x48: RefusalClass.SENDER, 0x49: RefusalClass.SENDER, 0x0B: RefusalClass.PERMANENT,
    }  # fmt: skip


def test_SP_12_the_default_is_the_companys_else_its_only_active_one_else_the_systems() -> None:
    def sender(company_id: int, text: str, status: str = "active", default: bool = False) -> Sender:
        return Sender(company_id * 10, company_id, company_id * 100, text, status, 7, default=default)

    def agreement(company_id: int, number: int) -> Agreement:
        return Agreement(company_id * 100 + number, company_id, 1, 1, str(number), "EUR", ())

    every = [
        sender(1, "System", default=True), sender(2, "One"), sender(2, "Draft", "draft"), sender(3, "A"), sender(3, "B"),
        sender(4, "First"), sender(4, "Chosen", "blocked", default=True), sender(5, "Gone", "blocked"),
    ]  # fmt: skip
    senders = {(each.company_id, "sms", each.text.casefold()): each for each in every}
    found = compiled(senders, [agreement(6, 0), agreement(7, 0), agreement(7, 1)], 1)

    def told(company_id: int, channel: str = "sms") -> str | None:
        default = found.of(company_id, channel)
        return default and default.text

    assert [told(company_id) for company_id in (1, 2, 3, 4, 5, 6, 7, 8)] == [
        "System", "One", None, "Chosen", None, "System", None, None,
    ]  # fmt: skip
    lent = found.of(6, "sms")
    assert lent is not None and (lent.company_id, lent.agreement_id, lent.connection_id) == (6, 600, 7)
    assert told(6, "rcs") is None


def test_SP_30_through_the_simulator_the_message_arrives_under_the_fallback_and_is_charged_once(spain_db: str) -> None:
    """SP-12: the client named no sender, so its only one was taken."""

    async def story(pipeline: Running) -> None:
        named = await pipeline.accepted(NUMBERS_ONLY, LONG, source="")
        assert named.source == "Monsters"
        await pipeline.until_status(named.message_id, State.DELIVERED)
        assert (await pipeline.money())["TM-1"] == (TM - 2 * PRICE, 0)
        row = await pipeline.session.fetchrow("SELECT * FROM traffic_fallback")
        assert (row["message_id"], row["source"], row["error"]) == (named.message_id, "34911", "ESME_RINVSRCADR 0x0A")
        assert await pipeline.session.fetchval("SELECT source FROM traffic_message") == "Monsters"
        await pipeline.session.execute(
            "INSERT INTO senders_senderid (company_id, agreement_id, sender_id, name, status, smpp_connection_id)"
            " SELECT company_id, agreement_id, 'Second', 'Second', 'active', smpp_connection_id FROM senders_senderid"
        )
        async with asyncio.timeout(10):
            while not isinstance(outcome := await pipeline.send(source=""), Refused):
                await asyncio.sleep(0.02)
        assert outcome.refusal is Refusal.SENDER_UNKNOWN, "with two of them the client has to say which"
        await pipeline.books_agree()

    async def told() -> None:
        smsc = Smsc(SmscSettings(port=0, receipt_delay_s=0.02))
        await smsc.start()
        try:
            session = await asyncpg.connect(spain_db)
            await session.execute(
                "UPDATE connections_vendorsmppconnection SET port = $1, options = $2::text::jsonb, fallback_sender = '34911'",
                smsc.port,
                json.dumps(OPTIONS),
            )
            await session.close()
            async with running(spain_db, registered=True) as pipeline:
                await story(pipeline)
        finally:
            await smsc.stop()

    asyncio.run(told())


def test_after_a_restart_a_message_goes_on_under_the_sender_it_fell_back_to(spain_db: str) -> None:
    """The vendor has the first part of one, and nothing of the other; it is not asked again what it refused."""

    def answer(part: OutgoingPart, events: VendorEvents) -> None:
        if part.source == "Monsters":
            events.refused(part, "0x0A", RefusalClass.SENDER)
        elif part.parts == 2 and part.part == 0:
            events.submitted(part, "first")

    async def told() -> None:
        session = await asyncpg.connect(spain_db)
        await session.execute("UPDATE connections_vendorsmppconnection SET fallback_sender = '34911'")
        await session.close()
        before, after = ScriptedVendor(), ScriptedVendor()
        before.answer = answer
        async with running(spain_db, before) as pipeline:
            messages = [await pipeline.accepted(text=LONG), await pipeline.accepted(text="Short")]
            await pipeline.until("SELECT count(*) = 2 FROM traffic_fallback")
            await pipeline.until_sent(messages[0].message_id)
        async with running(spain_db, after) as pipeline:
            for message, parts in zip(messages, (2, 1), strict=True):
                await pipeline.until_sent(message.message_id, parts)
            assert sorted((part.parts, part.part, part.source) for part in after.parts) == [
                (1, 0, "34911"), (2, 1, "34911"),
            ]  # fmt: skip
            await pipeline.books_agree()

    asyncio.run(told())
