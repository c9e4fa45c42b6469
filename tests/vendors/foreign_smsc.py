"""`smpp34`, a message centre by others (Rust, MIT), as a vendor that our connections bind to over real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import smpp34
from tests.ports import free_port

WITHIN_S = 20.0


class ForeignSmsc:
    """Takes every message with a rising id, `F1` on; keeps `refused` back. `sessions`: those that stand now."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.taken: list[Any] = []
        self.refused: dict[bytes, int] = {}  # by text: the status it is refused with
        self.sessions: dict[str, Any] = {}
        self.binds_count = 0
        self._server = smpp34.Server(host="127.0.0.1", port=port, system_id="FOREIGN")
        self._more = asyncio.Event()

    async def run(self) -> None:
        await self._server.start()
        while True:
            event = await self._server.next()
            if isinstance(event, smpp34.Esme):
                self.sessions[event.session_id] = event
                self.binds_count += 1
            elif isinstance(event, smpp34.Unbound):
                self.sessions.pop(event.session_id, None)
            elif event.short_message in self.refused:
                event.reject(self.refused[event.short_message])
            else:
                self.taken.append(event)
                event.accept(f"F{len(self.taken)}")
            self._more.set()

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not condition():
                self._more.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._more.wait(), 0.05)

    async def report(self, number: int, word: str, *, by_tlvs: bool = False) -> None:
        """A receipt for the message `number`, counted from 1; returns once our side has answered it."""
        message, state = self.taken[number - 1], {"DELIVRD": 2, "UNDELIV": 5}[word]
        at = datetime.now(UTC).strftime("%y%m%d%H%M")
        text = f"id:F{number} sub:001 dlvrd:001 submit date:{at} done date:{at} stat:{word} err:000 text:"
        tlvs = [smpp34.Tlv(0x1E, f"F{number}\0".encode()), smpp34.Tlv(0x427, bytes((state,)))]
        await self.deliver(
            message.destination_addr, message.source_addr, b"" if by_tlvs else text.encode(),
            esm_class=4, tlvs=tlvs if by_tlvs else [],
        )  # fmt: skip

    async def deliver(self, source: str, destination: str, text: bytes, **fields: Any) -> None:
        (session,) = self.sessions.values()
        answer = await session.deliver_sm(
            source_addr=source, source_addr_ton=1, source_addr_npi=1, destination_addr=destination, short_message=text,
            **fields,
        )  # fmt: skip
        assert answer.is_success, answer.command_status

    async def unbind(self) -> None:
        """As a vendor that goes into maintenance does."""
        for session in list(self.sessions.values()):
            await session.unbind()

    async def stop(self) -> None:
        await self._server.stop()


@asynccontextmanager
async def foreign_smsc() -> AsyncIterator[ForeignSmsc]:
    smsc = ForeignSmsc(free_port())
    running = asyncio.create_task(smsc.run())
    try:
        yield smsc
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await smsc.stop()
