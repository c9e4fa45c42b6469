"""The SMPP server on a running pipeline, and clients that bind to it over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from tests.pipeline.conftest import Running, ScriptedVendor, running

from relais.gateway.smpp.server import ClientServer
from relais.transport.smpp import SmppEnd, connect
from relais.wire.smpp import pdus
from relais.wire.smpp.events import BindRefused, Bound, Event
from relais.wire.smpp.states import SessionSettings

LOGIN, PASSWORD = "monsters", "smpp-tm1"
WITHIN_S = 20.0
SETTINGS = SessionSettings(enquire_link_s=None)


class Client:
    """A session of a client: asks, and keeps what it is told. Receipts are answered with `receipt_status` at once."""

    def __init__(self) -> None:
        self.receipts: list[pdus.DeliverSm] = []
        self.bind_status: int | None = None
        self.left = ""
        self.receipt_status: int | None = 0  # None: no answer
        self.end: SmppEnd | None = None
        self._more = asyncio.Event()

    async def ask(self, request: pdus.Pdu) -> Any:
        """The response to a request of ours."""
        assert self.end is not None
        ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.end.send(request, ended)
        return await asyncio.wait_for(ended, WITHIN_S)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not condition():
                self._more.clear()
                await self._more.wait()

    def bound(self, end: SmppEnd, event: Bound) -> None:
        self.bind_status = 0
        self._more.set()

    def arrived(self, end: SmppEnd, request: pdus.Pdu) -> None:
        assert isinstance(request, pdus.DeliverSm)
        self.receipts.append(request)
        if self.receipt_status is not None:
            end.answer(request, self.receipt_status)
        self._more.set()

    def answered(self, end: SmppEnd, context: Any, response: pdus.Pdu) -> None:
        context.set_result(response)

    def unanswered(self, end: SmppEnd, context: Any) -> None:
        context.set_exception(ConnectionError("not answered"))

    def noticed(self, end: SmppEnd, event: Event) -> None:
        if isinstance(event, BindRefused):
            self.bind_status = event.status

    def closed(self, end: SmppEnd, reason: str) -> None:
        self.left = reason
        self._more.set()


class Served(Running):
    """A running pipeline with its SMPP server."""

    server: ClientServer

    async def try_bind(self, kind: type[pdus.Bind] = pdus.BindTransceiver, **fields: Any) -> Client:
        """A client whose bind was answered, one way or the other."""
        values = {"system_id": LOGIN, "password": PASSWORD} | fields
        client = Client()
        tls = values.pop("tls", None)
        port = self.server.tls_port if tls else self.server.port
        client.end = await connect("localhost" if tls else "127.0.0.1", port, kind(**values), SETTINGS, client, tls=tls)
        await client.until(lambda: client.bind_status is not None or client.left)
        return client

    async def bind(self, kind: type[pdus.Bind] = pdus.BindTransceiver, **fields: Any) -> Client:
        client = await self.try_bind(kind, **fields)
        assert client.bind_status == 0, client.left
        return client

    async def configure(self, assignments: str, *arguments: Any) -> None:
        """Change the client's connection, and wait until the gateway knows."""
        before = self.traffic.snapshot.change
        await self.session.execute(f"UPDATE connections_clientsmppconnection SET {assignments}", *arguments)
        async with asyncio.timeout(WITHIN_S):
            while self.traffic.snapshot.change == before:
                await asyncio.sleep(0.005)


def submit(text: bytes = b"Hello", **fields: Any) -> pdus.SubmitSm:
    values = {"source_ton": 5, "source": "Monsters", "destination_ton": 1, "destination_npi": 1,
              "destination": "34600123456", "registered_delivery": 1, "short_message": text}  # fmt: skip
    return pdus.SubmitSm(**(values | fields))


@asynccontextmanager
async def served(dsn: str, vendor: ScriptedVendor | None = None, **options: Any) -> AsyncIterator[Served]:
    async with running(dsn, vendor) as pipeline:
        pipeline.__class__ = Served
        assert isinstance(pipeline, Served)
        pipeline.server = ClientServer(pipeline.traffic, "127.0.0.1", 0, **options)
        await pipeline.server.start()
        try:
            yield pipeline
        finally:
            await pipeline.server.stop()


def serve(dsn: str, story: Callable[[Served], Coroutine[Any, Any, None]], **options: Any) -> None:
    """Run one story, and see that the books agree at its end."""

    async def told() -> None:
        async with served(dsn, **options) as house:
            await story(house)
            await house.books_agree()

    asyncio.run(told())
