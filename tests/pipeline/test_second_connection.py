"""Senders with a second connection, and vendors whose silence is the end of a part."""

import asyncio
from typing import Any

import asyncpg
import pytest
from tests.pipeline.conftest import Running, ScriptedVendor, on, running

from relais.contracts.vendors import VendorEvents
from relais.core.lifecycle import State
from relais.pipeline import lane

_SECOND = """
    INSERT INTO connections_vendorsmppconnection (name, company_id, host_name, port, system_id, password_encrypted)
    SELECT 'Second', company_id, host_name, port, 'second', password_encrypted FROM connections_vendorsmppconnection
    RETURNING id
"""


class Fleet(ScriptedVendor):
    """A vendor with several connections, each a script of its own. `bound`: logins of those that are bound at once."""

    def __init__(self, *bound: str) -> None:
        super().__init__()
        self.bound = bound
        self.by_login: dict[str, ScriptedVendor] = {}

    def connect(self, settings: Any, events: VendorEvents) -> ScriptedVendor:
        made = self.by_login[settings.system_id] = ScriptedVendor()
        made.ready = settings.system_id in self.bound
        made.events = events
        return made


def test_new_messages_take_the_second_connection_while_the_first_is_down(
    spain_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "DOWN_AFTER_S", 0.0)
    fleet = Fleet("second")

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
    fleet = Fleet("second")

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


def test_between_two_connections_that_are_down_nothing_goes_to_and_fro(spain_db: str) -> None:
    """Each is another gateway's. What waits leaves by the one that is bound first."""
    fleet, other_fleet = Fleet(), Fleet()

    async def told() -> None:
        async with running(spain_db, fleet) as here:
            (first_id,) = here.traffic._lanes
            here.traffic._sends = False  # the second is not for it
            await here.session.execute("UPDATE connections_vendorsmppconnection SET options = '{\"move_after_s\": 0}'")
            second_id = await here.session.fetchval(_SECOND)
            await here.session.execute("UPDATE connections_vendorsmppconnection SET options = '{\"move_after_s\": 0}'")
            await here.session.execute("UPDATE senders_senderid SET second_smpp_connection_id = $1", second_id)
            async with running(spain_db, other_fleet) as there:
                assert list(there.traffic._lanes) == [second_id]
                await here.until("SELECT count(DISTINCT gateway) = 2 FROM traffic_gateway_beat")
                looked = [_looks(here), _looks(there)]
                waiting = [await here.accepted(text="by the first"), await there.accepted(text="by the second")]
                async with asyncio.timeout(20):
                    while min(map(len, looked)) < 6:
                        await asyncio.sleep(0.01)
                assert not any(looked[0] + looked[1]), "nothing was moved, again and again"
                at = "SELECT array_agg(DISTINCT connection_id) FROM traffic_outbox WHERE cardinality(message_ids) > 0"
                waits_at = await here.session.fetchval(at)
                to, bound = (
                    (here, fleet.by_login["relais"])
                    if second_id in waits_at
                    else (there, other_fleet.by_login["second"])
                )
                assert bound.events is not None
                bound.events.changed(True, "bound")
                for message in waiting:
                    await to.until_sent(message.message_id)
                assert sorted(part.body for part in bound.parts) == [b"by the first", b"by the second"]
                await here.books_agree()
            assert first_id in here.traffic._lanes

    asyncio.run(told())


def _looks(pipeline: Running) -> list[bool]:
    """For each look at what may be moved, whether anything was."""
    looks: list[bool] = []
    moves = pipeline.traffic._moves
    handle, follow = moves.handle, moves._follow

    async def looked(*arguments: Any) -> bool:
        looks.append(False)
        return await handle(*arguments)

    async def followed(*arguments: Any) -> None:
        looks[-1] = True
        await follow(*arguments)

    moves.handle, moves._follow = looked, followed
    return looks


def _lose_answers(pipeline: Running) -> list[str]:
    """What the next statements that move messages meet: the session ends before one is done, and after one was."""
    faults, handle = ["before", "after"], pipeline.traffic._moves.handle

    class Lossy:
        def __init__(self, session: Any) -> None:
            self._session = session
            self.fetchval, self.fetch = session.fetchval, session.fetch

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
