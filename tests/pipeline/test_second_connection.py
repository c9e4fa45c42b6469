"""Senders with a second connection, and vendors whose silence is the end of a part."""

from typing import Any

import asyncpg
import pytest
from tests.pipeline.conftest import Running, ScriptedVendor, on

from relais.contracts.vendors import VendorEvents
from relais.core.lifecycle import State
from relais.pipeline import lane

_SECOND = """
    INSERT INTO connections_vendorsmppconnection (name, company_id, host_name, port, system_id, password_encrypted)
    SELECT 'Second', company_id, host_name, port, 'second', password_encrypted FROM connections_vendorsmppconnection
    RETURNING id
"""


class Fleet(ScriptedVendor):
    """A vendor with several connections, each a script of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.by_login: dict[str, ScriptedVendor] = {}

    def connect(self, settings: Any, events: VendorEvents) -> ScriptedVendor:
        made = self.by_login[settings.system_id] = ScriptedVendor()
        made.ready = settings.system_id == "second"
        made.events = events
        return made


def test_new_messages_take_the_second_connection_while_the_first_is_down(
    spain_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "DOWN_AFTER_S", 0.0)
    fleet = Fleet()

    async def story(pipeline: Running) -> None:
        before = await pipeline.accepted(text="waits for the first")
        second_id = await pipeline.session.fetchval(_SECOND)
        await pipeline.session.execute("UPDATE senders_senderid SET second_smpp_connection_id = $1", second_id)
        lanes = pipeline.traffic._lanes
        while not (second_id in lanes and lanes[second_id].ready) or not any(
            each.second_connection_id for each in pipeline.traffic.snapshot.senders.values()
        ):
            await pipeline.until("SELECT pg_sleep(0.01) IS NOT NULL")
        during = await pipeline.accepted(text="takes the second")
        await pipeline.until_sent(during.message_id)
        assert [part.body for part in fleet.by_login["second"].parts] == [b"takes the second"]
        first = fleet.by_login["relais"].events
        assert first is not None
        first.changed(True, "bound")
        await pipeline.until_sent(before.message_id)
        after = await pipeline.accepted(text="takes the first")
        await pipeline.until_sent(after.message_id)
        assert [part.body for part in fleet.by_login["relais"].parts] == [b"waits for the first", b"takes the first"]

    on(spain_db, story, fleet)


def test_a_part_without_an_answer_fails_where_it_must_not_be_sent_twice(spain_db: str) -> None:
    vendor = ScriptedVendor()
    vendor.answer = lambda part, events: events.unanswered(part)

    async def story(pipeline: Running) -> None:
        before = await pipeline.money()
        await pipeline.session.execute("UPDATE connections_vendorsmppconnection SET options = '{\"resends\": false}'")
        while next(iter(pipeline.traffic.snapshot.connections.values())).resends:
            await pipeline.until("SELECT pg_sleep(0.01) IS NOT NULL")
        await pipeline.until("SELECT pg_sleep(0.1) IS NOT NULL")
        accepted = await pipeline.accepted()
        await pipeline.until_status(accepted.message_id, State.FAILED)
        assert len(vendor.parts) == 1 and await pipeline.money() == before, "VSMPP-46: unsent, and not charged"

    on(spain_db, story, vendor)


def test_what_waits_leaves_by_the_second_connection_once_the_first_is_gone_for_good(spain_db: str) -> None:
    """Long messages of which a part was handed over stay, so do those of senders without a second connection; the rest is sent
    once, though the answer of the statement that moves it is lost, whether it was carried out or not."""
    fleet = Fleet()

    async def story(pipeline: Running) -> None:
        session, lanes = pipeline.session, pipeline.traffic._lanes
        second_id = await session.fetchval(_SECOND)
        await session.execute(_LONELY)
        while second_id not in lanes or not any(
            each.text == "Lonely" for each in pipeline.traffic.snapshot.senders.values()
        ):
            await pipeline.until("SELECT pg_sleep(0.01) IS NOT NULL")
        (first,) = (lane for lane in lanes.values() if lane.connection_id != second_id)
        faults = _lose_answers(pipeline)
        vendor = fleet.by_login["relais"]
        vendor.answer = lambda part, events: events.unanswered(part) if part.part == 0 else None
        assert vendor.events is not None
        vendor.events.changed(True, "bound")
        begun = await pipeline.accepted(text="x" * 200)
        while not vendor.parts:
            await pipeline.until("SELECT pg_sleep(0.01) IS NOT NULL")
        vendor.events.changed(False, "gone")
        waiting = [await pipeline.accepted(text=f"waits {n}") for n in range(3)]
        lonely = await pipeline.accepted(text="stays", source="Lonely")
        assert first.waiting_count >= 5 and not fleet.by_login["second"].parts
        await session.execute(
            "UPDATE senders_senderid SET second_smpp_connection_id = $1 WHERE sender_id = 'Monsters'", second_id
        )
        await session.execute(
            "UPDATE connections_vendorsmppconnection SET options = '{\"move_after_s\": 0}' WHERE id <> $1", second_id
        )
        for message in waiting:
            await pipeline.until_sent(message.message_id)
        assert sorted(part.body for part in fleet.by_login["second"].parts) == [b"waits 0", b"waits 1", b"waits 2"]
        moved = await session.fetch("SELECT id FROM traffic_message WHERE connection_id = $1", second_id)
        assert {row["id"] for row in moved} == {message.message_id for message in waiting}
        left = await session.fetchval(
            "SELECT array_agg(DISTINCT each) FROM traffic_outbox, unnest(message_ids) AS each WHERE connection_id <> $1",
            second_id,
        )
        assert set(left) == {begun.message_id, lonely.message_id}, "what was moved is in no batch of the first"
        assert not faults
        for number in (1, 2, 3):
            fleet.by_login["second"].report(f"v{number}", State.DELIVERED)
        for message in waiting:
            await pipeline.until_status(message.message_id, State.DELIVERED)

    on(spain_db, story, fleet)


def _lose_answers(pipeline: Running) -> list[str]:
    """What the next statements that move messages meet: the session ends before one is done, and after one was."""
    faults, handle = ["before", "after"], pipeline.traffic._moves.handle

    class Lossy:
        def __init__(self, session: Any) -> None:
            self._session = session
            self.fetchval = session.fetchval

        async def execute(self, sql: str, *arguments: Any) -> None:
            fault = faults.pop(0) if faults and "AS (" in sql else ""
            if fault != "before":
                await self._session.execute(sql, *arguments)
            if fault:
                raise asyncpg.ConnectionDoesNotExistError(f"lost {fault}")

    def lossy(session: Any, *arguments: Any) -> Any:
        return handle(Lossy(session), *arguments)

    pipeline.traffic._moves.handle = lossy
    return faults


_LONELY = """
    INSERT INTO senders_senderid (company_id, agreement_id, sender_id, name, status, smpp_connection_id)
    SELECT company_id, agreement_id, 'Lonely', 'Lonely', 'active', smpp_connection_id FROM senders_senderid
    WHERE sender_id = 'Monsters'
"""
