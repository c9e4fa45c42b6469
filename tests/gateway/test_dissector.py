"""Wireshark's dissector reads what we say to clients and to vendors, and finds no fault with it."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import asyncpg
from tests.gateway.dissector import TO_SERVER, Relay, dissect
from tests.gateway.smpp_clients import LOGIN, PASSWORD, SETTINGS, Client, submit
from tests.pipeline.conftest import running

from relais.gateway.smpp.server import ClientServer
from relais.simulators.smsc import Smsc, SmscSettings
from relais.transport.smpp import connect
from relais.wire.smpp import codec, commands, pdus, tlvs

ADDRESS = {
    "source_ton": 5,
    "source": "Monsters",
    "destination_ton": 1,
    "destination_npi": 1,
    "destination": "34600123456",
}
EVERY_REQUEST = {
    commands.BIND_TRANSCEIVER, commands.SUBMIT_SM, commands.DATA_SM, commands.SUBMIT_MULTI, commands.QUERY_SM,
    commands.CANCEL_SM, commands.REPLACE_SM, commands.ENQUIRE_LINK, commands.DELIVER_SM, commands.UNBIND,
}  # fmt: skip


async def _talk(port: int) -> None:
    """A client that asks everything there is to ask, some of it in vain, and gets seven receipts."""
    client = Client()
    bind = pdus.BindTransceiver(system_id=LOGIN, password=PASSWORD, interface_version=0x50)
    client.end = await connect("127.0.0.1", port, bind, SETTINGS, client)
    await client.until(lambda: client.bind_status == 0)
    first = await client.ask(submit("Hello ñ".encode("latin-1"), data_coding=3))
    await client.ask(submit("Привет".encode("utf-16-be"), data_coding=8, registered_delivery=0x11))
    for number in (1, 2):
        header = bytes((5, 0, 3, 77, 2, number))
        await client.ask(submit(header + b"x" * 140, esm_class=0x40))
    payload = tlvs.pack_tlvs([(tlvs.MESSAGE_PAYLOAD, b"y" * 300)])
    await client.ask(submit(b"", tlvs=payload))
    await client.ask(pdus.DataSm(**ADDRESS, registered_delivery=1, tlvs=payload))
    places = (pdus.Address(1, 1, "34600123456"), pdus.Address(1, 1, "34641123456"), pdus.Address(1, 1, "12"))
    several = await client.ask(
        pdus.SubmitMulti(
            source_ton=5, source="Monsters", destinations=places, registered_delivery=1, short_message=b"z"
        )
    )
    assert len(several.unsuccessful) == 1
    await client.until(lambda: len(client.receipts) >= 9)
    source = {"source_ton": 5, "source": "Monsters"}
    assert (await client.ask(pdus.QuerySm(message_id=first.message_id, **source))).message_state == 2
    later = await client.ask(submit(b"Later", schedule_delivery_time="000001000000000R"))
    replacement = pdus.ReplaceSm(message_id=later.message_id, short_message=b"Other", **source)
    assert (await client.ask(replacement)).status == 0
    assert (await client.ask(pdus.CancelSm(message_id=later.message_id, **ADDRESS))).status == 0
    assert (await client.ask(submit(b"To nobody", destination="12"))).status
    assert (await client.ask(pdus.EnquireLink())).status == 0
    await client.end.unbind()


def test_no_pdu_of_ours_is_malformed_to_wireshark(spain_db: str, tmp_path: Path) -> None:
    async def told() -> tuple[Relay, Relay]:
        smsc = Smsc(SmscSettings(port=0, receipt_delay_s=0.02))
        await smsc.start()
        to_vendor = Relay(smsc.port)
        await to_vendor.start()
        session = await asyncpg.connect(spain_db)
        await session.execute(
            "UPDATE connections_vendorsmppconnection SET port = $1, options = $2::text::jsonb",
            to_vendor.port, json.dumps({"reconnect_min_s": 0.05, "reconnect_max_s": 0.2}),
        )  # fmt: skip
        await session.close()
        async with running(spain_db, registered=True) as pipeline:
            server = ClientServer(pipeline.traffic, "127.0.0.1", 0)
            await server.start()
            to_us = Relay(server.port)
            await to_us.start()
            await _talk(to_us.port)
            await server.stop()
        await asyncio.gather(to_us.stop(), to_vendor.stop(), smsc.stop())
        return to_us, to_vendor

    to_us, to_vendor = asyncio.run(told())
    with_client, with_vendor = dissect(to_us.passed, tmp_path), dissect(to_vendor.passed, tmp_path)
    assert (with_client.complaints, with_vendor.complaints) == ([], [])
    seen = Counter(with_client.commands)
    assert seen.keys() >= EVERY_REQUEST
    answers = {each | commands.RESPONSE_BIT for each in EVERY_REQUEST}
    assert answers <= seen.keys()
    assert Counter(with_vendor.commands)[commands.SUBMIT_SM] == Counter(with_vendor.commands)[commands.DELIVER_SM]

    frame = codec.encode(submit(b"Hello"))
    broken = len(frame).to_bytes(4, "big") + frame[4:-20] + b"\xff" * 20
    assert dissect([(TO_SERVER, broken)], tmp_path).complaints, "it does tell what is malformed"
