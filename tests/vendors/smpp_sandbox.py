"""A connection of the product bound to a simulated SMSC on loopback, and everything it tells."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from relais.contracts.vendors import Connection, IncomingMessage, OutgoingPart, RefusalClass, VendorReceipt
from relais.simulators.smsc import Smsc, SmscSettings
from relais.simulators.smsc_script import Script
from relais.vendors.smpp import VENDOR, SmppSettings

Run = Callable[[Coroutine[Any, Any, None]], None]
MESSAGE_ID = UUID("019a0000-0000-7000-8000-000000000001")


def part(destination: str = "34600129999", body: bytes = b"Hello", **fields: Any) -> OutgoingPart:
    """One segment; the last four digits choose what the simulator does."""
    values = {
        "message_id": MESSAGE_ID,
        "part": 0,
        "parts": 1,
        "source": "Monsters",
        "destination": destination,
        "data_coding": 0,
        "header": b"",
        "body": body,
        "validity_s": 3600,
    }
    return OutgoingPart(**(values | fields))


class Told:
    """`VendorEvents` that writes everything down; receipts are acknowledged at once unless told otherwise."""

    def __init__(self) -> None:
        self.submitted_ones: list[tuple[OutgoingPart, str]] = []
        self.refused_ones: list[tuple[OutgoingPart, str, RefusalClass]] = []
        self.unanswered_ones: list[OutgoingPart] = []
        self.receipts: list[VendorReceipt] = []
        self.incoming_ones: list[IncomingMessage] = []
        self.changes: list[tuple[bool, str]] = []
        self.order: list[str] = []
        self.acknowledges = True
        self.connection: Connection | None = None
        self._more = asyncio.Event()

    def _note(self, what: str) -> None:
        self.order.append(what)
        self._more.set()

    def submitted(self, part: OutgoingPart, vendor_message_id: str) -> None:
        self.submitted_ones.append((part, vendor_message_id))
        self._note("submitted")

    def refused(self, part: OutgoingPart, error: str, kind: RefusalClass) -> None:
        self.refused_ones.append((part, error, kind))
        self._note("refused")

    def unanswered(self, part: OutgoingPart) -> None:
        self.unanswered_ones.append(part)
        self._note("unanswered")

    def receipt(self, receipt: VendorReceipt) -> None:
        self.receipts.append(receipt)
        if self.acknowledges:
            assert self.connection is not None
            self.connection.acknowledge([receipt.token])
        self._note("receipt")

    def incoming(self, message: IncomingMessage) -> None:
        self.incoming_ones.append(message)
        if self.acknowledges:
            assert self.connection is not None
            self.connection.acknowledge([message.token])
        self._note("incoming")

    def changed(self, ready: bool, reason: str) -> None:
        self.changes.append((ready, reason))
        self._note("ready" if ready else "not ready")

    async def until(self, condition: Callable[[], Any]) -> None:
        """Returns once `condition` holds; looked at again whenever something was told."""
        while not condition():
            self._more.clear()
            await self._more.wait()


def settings_for(port: int, **fields: Any) -> SmppSettings:
    values: dict[str, Any] = {"host_name": "127.0.0.1", "port": port, "system_id": "relais", "password": "secret"}
    values |= {"reconnect_min_s": 0.01, "reconnect_max_s": 0.05, "allow_internal": True}
    return SmppSettings(**(values | fields))


@asynccontextmanager
async def connected(port: int, **fields: Any) -> AsyncIterator[tuple[Connection, Told]]:
    """A running connection to whatever listens on `port`; stopped in good order at the end."""
    told = Told()
    connection = told.connection = VENDOR.connect(settings_for(port, **fields), told)
    running = asyncio.create_task(connection.run())
    try:
        yield connection, told
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def simulated(script: Script | None = None, **fields: Any) -> AsyncIterator[Smsc]:
    values: dict[str, Any] = {"port": 0, "receipt_delay_s": 0.0, "system_id": "relais", "password": "secret"}
    smsc = Smsc(SmscSettings(**(values | fields)), script)
    await smsc.start()
    try:
        yield smsc
    finally:
        await smsc.stop()


@asynccontextmanager
async def bound(
    smsc_fields: dict[str, Any] | None = None, **fields: Any
) -> AsyncIterator[tuple[Smsc, Connection, Told]]:
    """A simulated SMSC and a connection bound to it."""
    async with simulated(**(smsc_fields or {})) as smsc, connected(smsc.port, **fields) as (connection, told):
        await told.until(lambda: (True, "bound") in told.changes)
        yield smsc, connection, told
