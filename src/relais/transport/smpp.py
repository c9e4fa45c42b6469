"""SMPP over TCP or TLS: moves octets between a socket and a `Session`, and the clock into it.

Everything that one turn of the event loop produces leaves in one write. A client end hands requests over by `send`; a
server end stops reading from a peer that does not read its answers. Handlers are called on the event loop, must not
block and must not raise.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, cast

from relais.wire.smpp.events import Answered, BindRefused, BindRequested, Bound, Closed, Event, Unanswered
from relais.wire.smpp.pdus import Bind, BindTransceiverResp, Pdu
from relais.wire.smpp.session import Session
from relais.wire.smpp.states import Role, SessionSettings, State

WRITE_OCTETS_HIGH: Final = 1 << 18  # unsent octets above which a server end stops reading from that peer
CLOSE_WAIT_S: Final = 5.0  # for the peer to take our last octets
HANDSHAKE_WAIT_S: Final = 20.0
CONNECTIONS_MAX: Final = 1_000
BACKLOG: Final = 100
VERSION_3, VERSION_5 = 0x34, 0x50  # what a server end says of itself: the lower of both sides


class Handler(Protocol):
    """The owner of an end."""

    def bound(self, end: "SmppEnd", event: Bound) -> None:
        """The session is bound."""

    def arrived(self, end: "SmppEnd", request: Pdu) -> None:
        """A request of the peer: to be answered through `end`, now or later."""

    def answered(self, end: "SmppEnd", context: Any, response: Pdu) -> None:
        """The peer's response to a request of ours."""

    def unanswered(self, end: "SmppEnd", context: Any) -> None:
        """There will be no response any more."""

    def noticed(self, end: "SmppEnd", event: Event) -> None:
        """Something to count or log: `StrayResponse`, `Declined`, `BindRefused`."""

    def closed(self, end: "SmppEnd", reason: str) -> None:
        """The session is over; `unanswered` follows for whatever was open. Called once."""


Authenticate = Callable[["SmppEnd", Bind], int | None]
"""The bind of a peer -> command status, 0 to accept; None when `answer_bind` will say it. Called on the loop, must not block."""


class SmppEnd(asyncio.Protocol):
    """One connection and its session. Made by `connect` and `SmppServer`."""

    def __init__(
        self,
        role: Role,
        settings: SessionSettings,
        handler: Handler,
        *,
        authenticate: Authenticate | None = None,
        admit: "Callable[[SmppEnd], bool] | None" = None,
        system_id: str = "",
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.session = Session(role, settings, self._loop.time())
        self._handler = handler
        self._authenticate = authenticate
        self._admit = admit
        self._system_id = system_id
        self._transport: asyncio.Transport | None = None
        self._flush_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0  # when it rings: uvloop's handle of a time that has passed does not say
        self._abort_timer: asyncio.TimerHandle | None = None
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self.peer_host = ""
        self.peer_system_id = ""  # server end: who bound
        self.peer_version = 0  # server end: the interface version that it bound with

    # For the owner.

    def send(self, request: Pdu, context: Any) -> None:
        """`Session.send`; it leaves with everything else of this turn of the loop."""
        self.session.send(request, context, self._loop.time())
        self._flush_soon()

    def answer(self, request: Pdu, status: int = 0) -> None:
        """`Session.answer`."""
        self.session.answer(request, status)
        self._flush_soon()

    def answer_submit_sm(self, request: Pdu, message_id: str) -> None:
        """`Session.answer_submit_sm`."""
        self.session.answer_submit_sm(request, message_id)
        self._flush_soon()

    def answer_with(self, request: Pdu, response: Pdu) -> None:
        """`Session.answer_with`."""
        self.session.answer_with(request, response)
        self._flush_soon()

    def bind(self, request: Bind) -> None:
        """`Session.bind`; client end."""
        self.session.bind(request, self._loop.time())
        self._flush_soon()

    def answer_bind(self, request: Bind, status: int) -> bool:
        """Accept the bind with 0, or refuse it; False when the session has ended since, and nobody is bound. Server end."""
        if self.session.state is not State.OPEN:
            return False
        if status:
            self._handler.noticed(self, BindRefused(status))
            self._tell(self.session.refuse_bind(request, status))
        else:
            self.peer_system_id, self.peer_version = request.system_id, request.interface_version
            version = VERSION_5 if request.interface_version >= VERSION_5 else VERSION_3
            self.session.accept_bind(request, self._system_id, version)
            self._handler.bound(self, Bound(_NO_RESPONSE, request.interface_version))
        self._flush_soon()
        return True

    def write_raw(self, octets: bytes) -> None:
        """Past the session: simulators send garbage with it."""
        if self._transport is not None:
            self._flush()
            self._transport.write(octets)

    def drop(self) -> None:
        """Cut the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    async def unbind(self) -> None:
        """Leave in good order; returns when the connection is gone. Bounded by the session's waits."""
        self._tell(self.session.unbind(self._loop.time()))
        self._flush()
        await self.gone()

    async def gone(self) -> None:
        """Returns when the connection is gone, whoever ended it."""
        await asyncio.shield(self._gone)

    def when_gone(self, call: "Callable[[SmppEnd], None]") -> None:
        """Call this with the end once its connection is gone."""
        self._gone.add_done_callback(lambda _: call(self))

    # For asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it
        self._transport.set_write_buffer_limits(high=WRITE_OCTETS_HIGH)
        if self._admit is not None and not self._admit(self):
            self.session.connection_lost("too many connections")
            self._transport.close()
            return
        peer = transport.get_extra_info("peername")
        self.peer_host = str(peer[0]) if peer else ""
        connection = transport.get_extra_info("socket")
        if connection is not None:
            with contextlib.suppress(OSError):  # a connection that fell already says so by itself
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._set_timer()

    def data_received(self, data: bytes) -> None:
        self._tell(self.session.receive(data, self._loop.time()))
        self._flush_soon()

    def pause_writing(self) -> None:
        """Only servers stop reading: would both ends, each could wait for the other. A client's unsent octets are
        bounded by its window and by the peer's."""
        if self.session.role is Role.SERVER and self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self.session.role is Role.SERVER and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._abort_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._abort_timer = None
        self._transport = None
        self._tell(self.session.connection_lost(f"connection lost: {exc}" if exc else "peer closed the connection"))
        if not self._gone.done():
            self._gone.set_result(None)

    # Inside.

    def _tell(self, events: list[Event]) -> None:
        handler = self._handler
        for event in events:
            if isinstance(event, Pdu):
                handler.arrived(self, event)
            elif isinstance(event, Answered):
                handler.answered(self, event.context, event.response)
            elif isinstance(event, Unanswered):
                handler.unanswered(self, event.context)
            elif isinstance(event, BindRequested):
                self._decide(event.bind)
            elif isinstance(event, Bound):
                handler.bound(self, event)
            elif isinstance(event, Closed):
                self._finish()
                handler.closed(self, event.reason)
            else:
                handler.noticed(self, event)

    def _decide(self, bind: Bind) -> None:
        assert self._authenticate is not None, "server ends have it"
        status = self._authenticate(self, bind)
        if status is not None:
            self.answer_bind(bind, status)

    def _finish(self) -> None:
        """Send what is left and close; a peer that does not take it is cut off."""
        self._flush()
        if self._transport is not None:
            self._transport.close()
            self._abort_timer = self._loop.call_later(CLOSE_WAIT_S, self.drop)

    def _flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        octets = self.session.octets_to_send()
        if self._transport is None:
            return
        if octets and not self._transport.is_closing():
            self._transport.write(octets)
        self._set_timer()

    def _set_timer(self) -> None:
        """Wake when the session's next deadline comes. A timer that is early finds nothing due and is set anew, so
        that it needs no touching while deadlines only move away."""
        deadline_s = self.session.deadline_s()
        if self._timer is not None:
            if self._timer_s <= deadline_s:
                return
            self._timer.cancel()
            self._timer = None
        if deadline_s != float("inf"):
            self._timer_s = deadline_s
            self._timer = self._loop.call_at(deadline_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._tell(self.session.on_time(self._loop.time()))
        self._flush()
        self._set_timer()


def server_tls(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later for a server end (CSMPP-21). OSError (ssl.SSLError is one) for files that cannot be used."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


_NO_RESPONSE = BindTransceiverResp()  # a server end has none to show


class AddressRefused(OSError):
    """Every address of the host is one that must not be connected to."""


async def _allowed_address(host: str, port: int, allowed: Callable[[str], bool]) -> str:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    address = next((place for place in (str(each[4][0]) for each in found) if allowed(place)), None)
    if address is None:
        raise AddressRefused("the address is internal, which this installation does not allow")
    return address


async def connect(
    host: str,
    port: int,
    bind: Bind,
    settings: SessionSettings,
    handler: Handler,
    *,
    tls: ssl.SSLContext | None = None,
    timeout_s: float = 20.0,
    allowed: Callable[[str], bool] | None = None,
) -> SmppEnd:
    """A client end, connected and asking for the bind; `handler.bound` or `handler.closed` tells how it went. `allowed`: whether
    a resolved address may be connected to, whatever name led there; None = any.

    OSError (TimeoutError, ssl.SSLError and AddressRefused among them) when the connection cannot be made.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout_s):
        address = host if allowed is None else await _allowed_address(host, port, allowed)
        _, end = await loop.create_connection(
            lambda: SmppEnd(Role.CLIENT, settings, handler),
            address,
            port,
            ssl=tls,
            server_hostname=host if tls is not None else None,
        )
    if not end.session.closed:
        end.bind(bind)
    return end


class SmppServer:
    """Listens, authenticates binds and hands their requests to one handler."""

    def __init__(
        self,
        handler: Handler,
        authenticate: Authenticate,
        settings: SessionSettings,
        *,
        system_id: str,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._handler = handler
        self._authenticate = authenticate
        self._settings = settings
        self._system_id = system_id
        self._connections_max = connections_max
        self._server: asyncio.Server | None = None
        self._ends: set[SmppEnd] = set()

    @property
    def port(self) -> int:
        """Where it listens; known once started."""
        assert self._server is not None, "started"
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        """Listen. OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        handshake_s = HANDSHAKE_WAIT_S if tls is not None else None
        self._server = await loop.create_server(
            self._accept, host, port, ssl=tls, backlog=BACKLOG, ssl_handshake_timeout=handshake_s
        )

    async def stop(self) -> None:
        """Stop listening, unbind from everybody, return when all connections are gone."""
        if self._server is None:
            return
        self._server.close()
        await asyncio.gather(*(end.unbind() for end in list(self._ends)))
        self._server = None

    def _accept(self) -> SmppEnd:
        return SmppEnd(
            Role.SERVER,
            self._settings,
            self._handler,
            authenticate=self._authenticate,
            admit=self._admit,
            system_id=self._system_id,
        )

    def _admit(self, end: SmppEnd) -> bool:
        """Count a connection once it is one: a TLS handshake that fails never becomes one, and never ends."""
        if len(self._ends) >= self._connections_max:
            return False
        self._ends.add(end)
        end.when_gone(self._ends.discard)
        return True
