"""The corpus of hostile PDUs against the codec and the living server: nothing breaks, nothing grows, others notice nothing."""

import asyncio
import gc
import random
import tracemalloc
from collections.abc import Callable, Iterator

from tests.gateway.hostile import corpus, made
from tests.gateway.smpp_clients import Served, serve, submit

from relais.wire.smpp import codec, commands, pdus
from relais.wire.smpp.codec import SmppError
from relais.wire.smpp.events import BindRequested
from relais.wire.smpp.session import Session
from relais.wire.smpp.states import Role, SessionSettings

BIND = codec.encode(pdus.BindTransceiver(sequence=1, system_id="monsters", password="smpp-tm1"))
SILENCE_S = 0.02


def test_the_corpus_is_the_one_that_its_seed_makes() -> None:
    assert corpus() == list(made())


def test_no_hostile_pdu_breaks_the_codec() -> None:
    for _, what, octets in corpus():
        for frame in _frames(octets):
            try:
                pdu = codec.decode(frame)
            except SmppError as error:
                assert error.status, what
            else:
                assert isinstance(pdu, pdus.Pdu)


def test_no_hostile_peer_breaks_the_server_or_disturbs_others(spain_db: str) -> None:
    async def story(house: Served) -> None:
        good, loop = await house.bind(), asyncio.get_running_loop()
        faults: list[object] = []
        loop.set_exception_handler(lambda _, context: faults.append(context))
        rows = corpus()
        for number, (where, what, octets) in enumerate(rows):
            reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
            if where == "bound":
                writer.write(BIND)
                assert (await reader.readexactly(16))[8:12] == b"\0\0\0\0", what
            writer.write(octets)
            try:
                async with asyncio.timeout(SILENCE_S):
                    await reader.read(1 << 16)
            except (TimeoutError, ConnectionError):
                pass
            writer.transport.abort()
            if number % 20 == 0:
                assert (await good.ask(submit())).status == 0, what
        (account,) = house.server._accounts.values()
        async with asyncio.timeout(10):
            while (
                len(house.server._by_end) > 1 or house.server._tasks or house.server._parts._tasks or account.open_count
            ):
                await asyncio.sleep(0.01)
        assert (account.open_count, len(account.ends), faults) == (0, 1, [])
        assert (await good.ask(submit())).status == 0

    serve(spain_db, story)


def test_hostile_pdus_leave_no_memory_behind() -> None:
    """The corpus against the session of a server, again and again: what it keeps is bounded by one PDU."""
    settings = SessionSettings(incoming_window=100)
    rows = [octets for where, _, octets in corpus() if where == "bound"]

    def once() -> None:
        for octets in rows:
            session = Session(Role.SERVER, settings, 0.0)
            _feed(session, BIND)
            for start in range(0, len(octets), 1_000):
                _feed(session, octets[start : start + 1_000])
                assert len(session._buffer) <= commands.PDU_OCTETS_MAX
                session.octets_to_send()
            session.connection_lost("over")

    once()
    gc.collect()
    tracemalloc.start()
    try:
        once()
        gc.collect()
        before_octets = tracemalloc.get_traced_memory()[0]
        for _ in range(3):
            once()
        gc.collect()
        grown_octets = tracemalloc.get_traced_memory()[0] - before_octets
    finally:
        tracemalloc.stop()
    assert grown_octets < 20_000, f"{grown_octets} octets more after {3 * len(rows)} hostile peers"


def test_binds_and_requests_in_any_order_are_answered_once_each_or_end_the_session() -> None:
    """Interleaved, by seed: binds of every kind, messages, responses nobody asked for, unbinds."""
    kinds: list[Callable[[int], pdus.Pdu]] = [
        lambda number: pdus.BindTransceiver(sequence=number, system_id="monsters"),
        lambda number: pdus.BindReceiver(sequence=number, system_id="monsters"),
        lambda number: pdus.BindTransmitter(sequence=number, system_id="monsters"),
        lambda number: pdus.SubmitSm(sequence=number, destination="1"),
        lambda number: pdus.DeliverSmResp(sequence=number, status=8),
        lambda number: pdus.EnquireLink(sequence=number),
        lambda number: pdus.Unbind(sequence=number),
    ]
    for seed in range(300):
        chance = random.Random(seed)
        session = Session(Role.SERVER, SessionSettings(), 0.0)
        asked, answered = 0, b""
        for number in range(1, 30):
            request = chance.choices(kinds, (2, 1, 1, 6, 3, 2, 1))[0](number)
            asked += not isinstance(request, pdus.DeliverSmResp) and not session.closed
            _feed(session, codec.encode(request), accept=chance.random() < 0.7)
            answered += session.octets_to_send()
        session.on_time(3.0)
        answered += session.octets_to_send()
        frames = list(_frames(answered))
        assert all(frame[4] & 0x80 for frame in frames), "a server asks nothing here"
        numbers = [int.from_bytes(frame[12:16], "big") for frame in frames]
        assert len(numbers) == len(set(numbers)) <= asked, seed


def _feed(session: Session, octets: bytes, *, accept: bool = True) -> None:
    """As a server end does: binds are accepted or not, requests answered."""
    for event in session.receive(octets, 0.0):
        if isinstance(event, BindRequested) and accept:
            session.accept_bind(event.bind, "us")
        elif isinstance(event, BindRequested):
            session.refuse_bind(event.bind, 13)
        elif isinstance(event, pdus.Pdu):
            session.answer(event, 0)


def _frames(octets: bytes) -> Iterator[bytes]:
    """As long as lengths make sense; then the rest as one."""
    while len(octets) >= 16:
        length = int.from_bytes(octets[:4], "big")
        if not 16 <= length <= min(len(octets), commands.PDU_OCTETS_MAX):
            break
        yield octets[:length]
        octets = octets[length:]
    if octets:
        yield octets
