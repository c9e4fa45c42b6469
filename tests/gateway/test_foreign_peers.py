"""`smpplib`, an SMPP client by others, bound to our server over a real socket, in the clear and over TLS."""

import asyncio
import ssl
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import smpplib.client
import smpplib.consts
import smpplib.gsm
from tests.gateway.smpp_clients import LOGIN, PASSWORD, Served, serve
from tests.transport.test_smpp_ends import certificate

from relais.core.lifecycle import State
from relais.transport.smpp import server_tls

LONG = "A long story. " * 25


class Foreign:
    """The client, driven from a thread of its own as its users do."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.answers: list[Any] = []
        self.receipts: list[Any] = []
        self.client = smpplib.client.Client(host, port, timeout=10, allow_unknown_opt_params=True, ssl_context=tls)
        self.client.set_message_sent_handler(lambda pdu: self.answers.append(pdu))
        self.client.set_message_received_handler(lambda pdu: self._received(pdu))

    def _received(self, pdu: Any) -> int:
        self.receipts.append(pdu)
        return 0

    def bind(self) -> None:
        self.client.connect()
        self.client.bind_transceiver(system_id=LOGIN, password=PASSWORD)

    def send(self, text: str) -> None:
        parts, coding, esm_class = smpplib.gsm.make_parts(text)
        for part in parts:
            self.client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_ALNUM, source_addr="Monsters",
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL, dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
                destination_addr="34600123456", short_message=part, data_coding=coding, esm_class=esm_class,
                registered_delivery=True,
            )  # fmt: skip
            count = len(self.answers)
            while len(self.answers) == count:
                self.client.read_once()

    def read_until(self, receipts_count: int) -> None:
        while len(self.receipts) < receipts_count:
            self.client.read_once()

    def leave(self) -> None:
        self.client.unbind()
        self.client.disconnect()


def test_smpplib_sends_short_and_long_messages_and_gets_their_receipts(spain_db: str, tmp_path: Path) -> None:
    certificate_file, key_file = certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(certificate_file))
    nameless = ssl.create_default_context(cafile=str(certificate_file))
    nameless.check_hostname = False  # smpplib names no host

    async def story(house: Served) -> None:
        threads_count = threading.active_count()
        for foreign in (
            Foreign("127.0.0.1", house.server.port),
            Foreign("localhost", house.server.tls_port, nameless),
        ):
            begun = len(house.vendor.parts)
            await asyncio.to_thread(foreign.bind)
            await asyncio.to_thread(foreign.send, "Hello ñ")
            await asyncio.to_thread(foreign.send, LONG)
            await asyncio.to_thread(foreign.send, "Привет")
            assert [pdu.status for pdu in foreign.answers] == [0] * 5
            ids = [pdu.message_id.decode() for pdu in foreign.answers]
            await house.until_sent(UUID(ids[0]))
            await house.until_sent(UUID(ids[1].partition(".")[0]), 3)
            await house.until_sent(UUID(ids[4]))
            for number in range(begun + 1, begun + 6):
                house.vendor.report(f"v{number}", State.DELIVERED)
            await asyncio.to_thread(foreign.read_until, 5)
            told = {pdu.receipted_message_id.decode().rstrip("\0") for pdu in foreign.receipts}
            assert told == set(ids)
            assert all(b"stat:DELIVRD" in pdu.short_message for pdu in foreign.receipts)
            await asyncio.to_thread(foreign.leave)
        bodies = await house.session.fetch("SELECT DISTINCT body, segments_count FROM traffic_message ORDER BY body")
        assert [tuple(row) for row in bodies] == [(LONG, 3), ("Hello ñ", 1), ("Привет", 1)]
        assert threading.active_count() - threads_count < 10
        await house.configure("ssl_type = 'tls'")
        assert (await house.bind(tls=trusting)).left == "", "CSMPP-12: over TLS it may"

    offered = server_tls(certificate_file, key_file)
    assert offered.minimum_version is ssl.TLSVersion.TLSv1_2, "CSMPP-21"
    serve(spain_db, story, tls=offered)
