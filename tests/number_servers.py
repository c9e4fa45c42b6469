"""Number portability servers on loopback that a test decides about: a name server over UDP, and an HTTP server. They count what
they are asked, and can be slow, dead, or say what nobody understands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import dns.message
import dns.rcode
import dns.rrset


@dataclass
class NumberServer:
    """`answers`: by number what to say: over DNS the URI of the NAPTR record (or the whole regular expression), over HTTP the
    body. A number that is not there is not known. `dead`: nothing is answered. `held`: an answer waits until that is set.
    `broken`: what is said instead of everything; over HTTP with `status`."""

    answers: dict[str, str] = field(default_factory=dict)
    dead: bool = False
    held: asyncio.Event | None = None
    broken: bytes | None = None
    status: int = 200
    refuses: bool = False
    ttl: int = 3_600
    asked: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    address: str = ""

    async def said(self, number: str) -> bool:
        """Counts the question; whether it is to be answered."""
        self.asked.append(number)
        if self.held is not None:
            await self.held.wait()
        return not self.dead


class _Dns(asyncio.DatagramProtocol):
    def __init__(self, server: NumberServer) -> None:
        self.server = server
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, octets: bytes, peer: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(octets, peer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _answer(self, octets: bytes, peer: Any) -> None:
        query, server = dns.message.from_wire(octets), self.server
        name = query.question[0].name
        number = "".join(label.decode() for label in name.labels if len(label) == 1 and label.isdigit())[::-1]
        if not await server.said(number):
            return
        if server.broken is not None:
            self.transport.sendto(octets[:2] + server.broken, peer)
            return
        response = dns.message.make_response(query)
        if server.refuses:
            response.set_rcode(dns.rcode.REFUSED)
        elif number not in server.answers:
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            said = server.answers[number]
            regexp = said if said.startswith("!") else f"!^(.*)$!{said}!"
            text = f'100 10 "u" "E2U+pstn:tel" "{regexp}" .'.replace("\\", "\\\\")
            response.answer.append(dns.rrset.from_text(name, server.ttl, "IN", "NAPTR", text))
        self.transport.sendto(response.to_wire(), peer)


@asynccontextmanager
async def name_server(**options: Any) -> AsyncIterator[NumberServer]:
    server = NumberServer(**options)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Dns(server), local_addr=("127.0.0.1", 0)
    )
    server.address = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    try:
        yield server
    finally:
        transport.close()


@asynccontextmanager
async def http_server(**options: Any) -> AsyncIterator[NumberServer]:
    """Its address holds {number} as the last part of the path."""
    server = NumberServer(**options)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                server.heads.append(head)
                number = head.split(b" ")[1].partition(b"?")[0].rpartition(b"/")[2].decode()
                if not await server.said(number):
                    await reader.read()
                    return
                body = server.answers.get(number, "").encode() if server.broken is None else server.broken
                status = server.status if body else 404
                writer.write(b"HTTP/1.1 %d Said\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/lookup/{{number}}"
    try:
        yield server
    finally:
        listening.close()
