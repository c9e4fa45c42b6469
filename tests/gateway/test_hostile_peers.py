"""The corpus of hostile PDUs against the codec and the living server: nothing breaks, nothing grows, others notice nothing."""

import asyncio
from collections.abc import Iterator

from tests.gateway.hostile import corpus, made
from tests.gateway.smpp_clients import Served, serve, submit

from relais.wire.smpp import codec, commands, pdus
from relais.wire.smpp.codec import SmppError

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
        async with asyncio.timeout(10):
            while len(house.server._by_end) > 1 or house.server._tasks or house.server._parts._tasks:
                await asyncio.sleep(0.01)
        (account,) = house.server._accounts.values()
        assert (account.open_count, len(account.ends), faults) == (0, 1, [])
        assert (await good.ask(submit())).status == 0

    serve(spain_db, story)


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
