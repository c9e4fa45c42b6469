"""The asyncio ends of SMPP against each other and against bare sockets, on loopback."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from relais.transport.smpp import SmppEnd, SmppServer, connect
from relais.wire.smpp import codec, pdus, statuses
from relais.wire.smpp.events import BindRefused, Bound, Event
from relais.wire.smpp.states import SessionSettings

Run = Callable[[Coroutine[Any, Any, None]], None]
LIMITS = SessionSettings()
BIND = pdus.BindTransceiver(system_id="relais", password="secret")
SMALL_OCTETS = 8_192  # of a kernel buffer


class Recorder:
    """A handler that writes down what it is told and lets a test wait for it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.ends: list[SmppEnd] = []
        self.echo = False
        self._more = asyncio.Event()

    def _tell(self, what: str, about: Any) -> None:
        self.told.append((what, about))
        self._more.set()

    def bound(self, end: SmppEnd, event: Bound) -> None:
        self.ends.append(end)
        self._tell("bound", end)

    def arrived(self, end: SmppEnd, request: pdus.Pdu) -> None:
        if self.echo:
            if isinstance(request, pdus.SubmitSm):
                end.answer_submit_sm(request, f"m{request.sequence}")
            else:
                end.answer(request)
        self._tell("arrived", request)

    def answered(self, end: SmppEnd, context: Any, response: pdus.Pdu) -> None:
        self._tell("answered", (context, response))

    def unanswered(self, end: SmppEnd, context: Any) -> None:
        self._tell("unanswered", context)

    def noticed(self, end: SmppEnd, event: Event) -> None:
        self._tell("noticed", event)

    def closed(self, end: SmppEnd, reason: str) -> None:
        self._tell("closed", reason)

    def all(self, what: str) -> list[Any]:
        return [about for kind, about in self.told if kind == what]

    async def until(self, what: str, count: int = 1) -> list[Any]:
        """Everything told under this name, once there are `count` of it."""
        while len(found := self.all(what)) < count:
            self._more.clear()
            await self._more.wait()
        return found


def allow(end: SmppEnd, bind: pdus.Bind) -> int:
    return statuses.ESME_ROK if bind.password == "secret" else statuses.ESME_RINVPASWD


@asynccontextmanager
async def server_of(handler: Recorder, **options: Any) -> AsyncIterator[SmppServer]:
    server = SmppServer(handler, allow, options.pop("settings", LIMITS), system_id="SMSC", **options)
    await server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.stop()


def submit(text: bytes = b"Hello") -> pdus.SubmitSm:
    return pdus.SubmitSm(source="INFO", destination="34600123456", short_message=text)


def test_a_client_binds_submits_receives_and_unbinds(run: Run) -> None:
    async def body() -> None:
        ours, theirs = Recorder(), Recorder()
        ours.echo = theirs.echo = True
        async with server_of(theirs) as server:
            end = await connect("127.0.0.1", server.port, BIND, LIMITS, ours)
            await ours.until("bound")
            (their_end,) = await theirs.until("bound")
            assert (their_end.peer_system_id, their_end.peer_host) == ("relais", "127.0.0.1")
            end.send(submit(), "it")
            assert await ours.until("answered") == [("it", pdus.SubmitSmResp(2, 0, b"", "m2"))]
            their_end.send(pdus.DeliverSm(esm_class=4), "receipt")
            assert await theirs.until("answered") == [("receipt", pdus.DeliverSmResp(1))]
            await end.unbind()
            assert ours.all("closed") == ["unbound"]
            assert await theirs.until("closed") == ["peer unbound"]

    run(body())


def test_a_refused_bind_is_told_to_both_ends(run: Run) -> None:
    async def body() -> None:
        ours, theirs = Recorder(), Recorder()
        async with server_of(theirs) as server:
            end = await connect("127.0.0.1", server.port, pdus.BindTransceiver(password="no"), LIMITS, ours)
            await end.gone()
            assert ours.told == [
                ("noticed", BindRefused(statuses.ESME_RINVPASWD)),
                ("closed", "bind refused: ESME_RINVPASWD"),
            ]
            await theirs.until("closed")
            assert theirs.all("noticed") == [BindRefused(statuses.ESME_RINVPASWD)]

    run(body())


def test_requests_of_one_turn_leave_in_one_piece(run: Run) -> None:
    async def body() -> None:
        pieces: list[bytes] = []
        arrived = asyncio.Event()

        class Counting(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.transport: Any = transport

            def data_received(self, data: bytes) -> None:
                if not pieces:
                    self.transport.write(codec.encode(pdus.BindTransceiverResp(1, system_id="S")))
                pieces.append(data)
                if sum(map(len, pieces)) > 10 * 50:
                    arrived.set()

        loop = asyncio.get_running_loop()
        bare = await loop.create_server(Counting, "127.0.0.1", 0)
        ours = Recorder()
        end = await connect("127.0.0.1", bare.sockets[0].getsockname()[1], BIND, LIMITS, ours)
        await ours.until("bound")
        for number in range(10):
            end.send(submit(), number)
        await arrived.wait()
        assert len(pieces) == 2
        end.drop()
        await end.gone()
        assert ours.all("unanswered") == list(range(10))
        bare.close()

    run(body())


def test_a_fallen_connection_leaves_requests_unanswered_after_closed(run: Run) -> None:
    async def body() -> None:
        ours, theirs = Recorder(), Recorder()
        async with server_of(theirs) as server:
            end = await connect("127.0.0.1", server.port, BIND, LIMITS, ours)
            await ours.until("bound")
            end.send(submit(), "it")
            await theirs.until("arrived")
            theirs.ends[0].drop()
            await end.gone()
            assert [what for what, _ in ours.told] == ["bound", "closed", "unanswered"]
            with pytest.raises(AssertionError):
                end.send(submit(), "too late")

    run(body())


def test_time_limits_run_on_the_loops_clock(run: Run) -> None:
    async def body() -> None:
        ours, theirs = Recorder(), Recorder()
        limits = SessionSettings(response_timeout_s=0.05, enquire_link_s=0.03)
        async with server_of(theirs) as server:
            end = await connect("127.0.0.1", server.port, BIND, limits, ours)
            await ours.until("bound")
            end.send(submit(), "it")
            assert await ours.until("unanswered") == ["it"]
            assert end.session.bound, "enquire_link is answered all the while"

    run(body())


def test_a_peer_that_never_binds_is_turned_out(run: Run) -> None:
    async def body() -> None:
        theirs = Recorder()
        async with server_of(theirs, settings=SessionSettings(bind_timeout_s=0.05)) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            assert await reader.read() == b""
            assert theirs.told == [("closed", "no bind in time")]
            writer.close()

    run(body())


def test_a_web_browser_gets_no_answer(run: Run) -> None:
    async def body() -> None:
        theirs = Recorder()
        async with server_of(theirs) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await reader.read() == b""
            assert theirs.told == [("closed", "unreadable octets")]
            writer.close()

    run(body())


def test_connections_above_the_limit_are_closed_at_once(run: Run) -> None:
    async def body() -> None:
        ours, theirs = Recorder(), Recorder()
        async with server_of(theirs, connections_max=1) as server:
            end = await connect("127.0.0.1", server.port, BIND, LIMITS, ours)
            await ours.until("bound")
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            assert await reader.read() == b""
            writer.close()
            await end.unbind()
            again = await connect("127.0.0.1", server.port, BIND, LIMITS, ours)
            await ours.until("bound", 2)
            await again.unbind()

    run(body())


def test_a_server_stops_reading_from_a_client_that_does_not_read_its_answers(run: Run) -> None:
    """Otherwise its answers would grow in our memory."""

    async def body() -> None:
        theirs = Recorder()
        theirs.echo = True
        async with server_of(theirs) as server:
            ours = socket.create_connection(("127.0.0.1", server.port))
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_OCTETS)
            _, writer = await asyncio.open_connection(sock=ours, limit=1024)
            writer.write(codec.encode(pdus.BindTransceiver(sequence=1, password="secret")))
            await theirs.until("bound")
            transport = theirs.ends[0]._transport
            assert transport is not None
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_OCTETS)
            request = codec.encode(pdus.SubmitSm(sequence=2)) * 1000
            while transport.is_reading():  # until the kernel's buffers are full, and what may wait in ours
                writer.write(request)
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await writer.drain()
            writer.transport.abort()
            await theirs.until("closed")

    run(body())


def certificate(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate for localhost, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


def test_tls_carries_a_session_and_refuses_an_unknown_authority(run: Run, tmp_path: Path) -> None:
    async def body() -> None:
        certificate_file, key_file = certificate(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate_file, key_file)
        ours, theirs = Recorder(), Recorder()
        theirs.echo = True
        server = SmppServer(theirs, allow, LIMITS, system_id="SMSC")
        await server.start("127.0.0.1", 0, tls=context)
        trusting = ssl.create_default_context(cafile=str(certificate_file))
        end = await connect("localhost", server.port, BIND, LIMITS, ours, tls=trusting)
        await ours.until("bound")
        end.send(submit(), "it")
        await ours.until("answered")
        await end.unbind()
        with pytest.raises(ssl.SSLError):
            await connect("localhost", server.port, BIND, LIMITS, ours, tls=ssl.create_default_context())
        await server.stop()

    run(body())


def test_a_port_where_nobody_listens_is_an_os_error(run: Run) -> None:
    async def body() -> None:
        theirs = Recorder()
        async with server_of(theirs) as server:
            port = server.port
        with pytest.raises(OSError):
            await connect("127.0.0.1", port, BIND, LIMITS, Recorder())

    run(body())
