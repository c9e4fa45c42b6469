"""Senders with a second connection, and vendors whose silence is the end of a part."""

from typing import Any

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
