"""The statuses map decides what a vendor's report means for charging (VSMPP-27), from the moment it is changed."""

from types import SimpleNamespace
from typing import Any

import pytest
from tests.pipeline.conftest import Running, on

from relais.core.lifecycle import State
from relais.pipeline.settle import mapped_state

MAP = {("UNDELIV", "69"): "unsent", ("UNDELIV", ""): "undelivered", ("DELIVRD", "1"): "unsent"}


@pytest.mark.parametrize(
    ("state", "status", "error", "means"),
    [
        (State.UNDELIVERED, "UNDELIV", "069", State.FAILED),  # the exact code, whatever zeros stand before it
        (State.UNDELIVERED, "undeliv", "69", State.FAILED),
        (State.EXPIRED, "UNDELIV", "001", State.UNDELIVERED),  # any other code of the status
        (State.UNDELIVERED, "UNDELIV", "", State.UNDELIVERED),
        (State.DELIVERED, "DELIVRD", "001", State.FAILED),
        (State.DELIVERED, "DELIVRD", "000", State.DELIVERED),  # no entry: the standard
        (State.REJECTED, "REJECTD", "069", State.REJECTED),
        (None, "ENROUTE", "000", None),
    ],
)
def test_VSMPP_36_an_exact_code_wins_over_the_entry_without_one(
    state: State | None, status: str, error: str, means: State | None
) -> None:
    connection: Any = SimpleNamespace(statuses_map=MAP)
    assert mapped_state(connection, state, status, error) is means


def test_VSMPP_44_a_changed_map_is_for_reports_that_come_afterwards(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        before, after = [await pipeline.accepted(text=text) for text in ("before", "after")]
        await pipeline.until_sent(after.message_id)
        await pipeline.until_sent(before.message_id)
        pipeline.vendor.report("v1", State.UNDELIVERED, "UNDELIV", "069")
        await pipeline.until_status(before.message_id, State.UNDELIVERED)
        parts_count = len(pipeline.vendor.parts)
        await pipeline.session.execute(
            "UPDATE connections_vendorsmppconnection SET statuses_map ="
            """ '{"UNDELIV": [{"codes": ["69"], "method": "unsent"}]}'"""
        )
        while not any(c.statuses_map for c in pipeline.traffic.snapshot.connections.values()):
            await pipeline.until("SELECT pg_sleep(0.005) IS NOT NULL")
        pipeline.vendor.report("v2", State.UNDELIVERED, "UNDELIV", "069")
        await pipeline.until_status(after.message_id, State.FAILED)
        assert await pipeline.status(before.message_id) is State.UNDELIVERED, "only a rerate would change that"
        assert len(pipeline.vendor.parts) == parts_count

    on(spain_db, story)
