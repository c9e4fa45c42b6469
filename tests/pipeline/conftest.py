"""A pipeline on a real database with the Spain scenario, and a vendor whose answers a test decides.

The vendor is a fake of the contract `relais.contracts.vendors`; everything else is the product.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from relais.contracts.registry import vendors
from relais.contracts.vendors import OutgoingPart, VendorEvents, VendorReceipt
from relais.core.lifecycle import State
from relais.pipeline.configuration import ApiKey
from relais.pipeline.following import Configuration
from relais.pipeline.submission import Accepted, Outcome, Refused, Submission, Told
from relais.pipeline.traffic import Traffic
from relais.pipeline.verify import verify
from relais.secretbox import SecretBox

SECRET_KEY = "a key for tests, the same everywhere"
KEY_DIGEST_OF = "rk_test_telecom_monsters"
VODAFONE, DIGI, MOVISTAR, ITALY = "34600123456", "34641123456", "34606123456", "393471234567"
WITHIN_S = 20.0


class ScriptedVendor:
    """A vendor that is bound at once. `answer` decides about each part; by default it is taken, with a rising id."""

    kind = "smpp"

    def __init__(self) -> None:
        self.parts: list[OutgoingPart] = []
        self.acknowledged: list[Any] = []
        self.answer: Callable[[OutgoingPart, VendorEvents], None] = self.take
        self.ready = True
        self.events: VendorEvents | None = None
        self.taken_count = 0
        self.sessions = (1, 1)

    @property
    def settings(self) -> type:
        return vendors()["smpp"].settings

    def connect(self, settings: Any, events: VendorEvents) -> "ScriptedVendor":
        self.events = events
        return self

    async def run(self) -> None:
        if self.ready:
            assert self.events is not None
            self.events.changed(True, "bound")
        await asyncio.Event().wait()

    def submit(self, part: OutgoingPart) -> None:
        self.parts.append(part)
        assert self.events is not None
        self.answer(part, self.events)

    def take(self, part: OutgoingPart, events: VendorEvents) -> None:
        self.taken_count += 1
        events.submitted(part, f"v{self.taken_count}")

    def acknowledge(self, tokens: Sequence[Any]) -> None:
        self.acknowledged.extend(tokens)

    def spellings(self, vendor_message_id: str) -> tuple[str, ...]:
        return (vendor_message_id,)

    def report(self, vendor_id: str, state: State | None, status: str = "DELIVRD", error: str = "000") -> None:
        assert self.events is not None
        self.events.receipt(VendorReceipt(vendor_id, state, status, error, None, f"token of {vendor_id}"))


@dataclass
class Running:
    """A pipeline that runs, with its vendor and a session to look at the database."""

    traffic: Traffic
    vendor: ScriptedVendor
    session: asyncpg.Connection
    dsn: str
    key: ApiKey
    submitted: list[Outcome] = field(default_factory=list)

    async def send(self, to: str = VODAFONE, text: str = "Hello", **options: Any) -> Outcome:
        submission = Submission(**({"source": "Monsters", "destination": to, "text": text} | options))
        ended: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        at_once = self.traffic.submit_one(self.key, submission, None, ended.set_result)
        if at_once is not None:
            return at_once
        told = await asyncio.wait_for(ended, WITHIN_S)
        if isinstance(told, Exception):
            raise told
        return told if isinstance(told, Refused) else told.outcomes[0]

    async def accepted(self, to: str = VODAFONE, text: str = "Hello", **options: Any) -> Accepted:
        outcome = await self.send(to, text, **options)
        assert isinstance(outcome, Accepted), outcome
        return outcome

    async def status(self, message_id: UUID) -> State:
        return State(await self.session.fetchval("SELECT status FROM traffic_message WHERE id = $1", message_id))

    async def until(self, sql: str, *arguments: Any) -> None:
        """Until the query says true."""
        async with asyncio.timeout(WITHIN_S):
            while not await self.session.fetchval(sql, *arguments):
                await asyncio.sleep(0.005)

    async def until_status(self, message_id: UUID, state: State) -> None:
        await self.until("SELECT status = $2 FROM traffic_message WHERE id = $1", message_id, int(state))

    async def until_sent(self, message_id: UUID, parts: int = 1) -> None:
        await self.until("SELECT count(*) = $2 FROM traffic_sent WHERE message_id = $1", message_id, parts)

    async def money(self) -> dict[str, tuple[int, int]]:
        """Agreement code → (balance, reserved), in micros."""
        rows = await self.session.fetch(
            "SELECT a.agreement_code, b.balance_micros, b.reserved_micros FROM agreements_balance AS b"
            " JOIN agreements_agreement AS a ON a.id = b.agreement_id"
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    async def books_agree(self) -> None:
        found = await verify(self.dsn)
        assert found.holds, found.findings


@asynccontextmanager
async def running(
    dsn: str,
    vendor: ScriptedVendor | None = None,
    *,
    registered: bool = False,
    adapters: Mapping[str, Any] | None = None,
    allow_private: bool = False,
    **options: Any,
) -> AsyncIterator[Running]:
    """The pipeline on the database `dsn`, until the end of the block; with the `registered` vendors, or those `adapters`, instead
    of a script. `allow_private`: servers of the test may be asked. `options` are the pipeline's."""
    vendor = vendor or ScriptedVendor()
    configuration = Configuration(dsn, SecretBox(SECRET_KEY), connections_allow_private=True)
    await configuration.open()
    adapters = vendors() if registered else adapters or {"smpp": vendor}
    options |= {"callbacks_allow_private": allow_private}
    traffic = Traffic(dsn, configuration, tick_s=0.002, adapters=adapters, **options)
    await traffic.open()
    session = await asyncpg.connect(dsn)
    key = next(iter(configuration.snapshot.api_keys.values()))
    try:
        yield Running(traffic, vendor, session, dsn, key)
    finally:
        await session.close()
        await traffic.close()
        await configuration.close()


def on(dsn: str, story: Callable[[Running], Coroutine[Any, Any, None]], vendor: ScriptedVendor | None = None) -> None:
    """Run one story on a running pipeline, and see that the books agree at its end."""

    async def told() -> None:
        async with running(dsn, vendor) as pipeline:
            await story(pipeline)
            await pipeline.books_agree()

    asyncio.run(told())


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)
