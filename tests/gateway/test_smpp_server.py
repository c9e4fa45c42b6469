"""Clients of the SMPP server over real sockets: binds, messages, receipts, and the money they cost."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from tests.gateway.smpp_clients import Served, serve, served, submit
from tests.pipeline.conftest import MOVISTAR, VODAFONE

from relais.contracts.vendors import IncomingMessage
from relais.core.lifecycle import State
from relais.wire.smpp import pdus, statuses, tlvs
from relais.wire.smpp.times import absolute_time, relative_time


def test_CSMPP_1_a_message_is_accepted_charged_sent_and_reported(spain_db: str) -> None:
    async def story(house: Served) -> None:
        client = await house.bind()
        before = await house.money()
        response = await client.ask(submit(b"Hello"))
        assert isinstance(response, pdus.SubmitSmResp) and response.status == 0
        message_id = UUID(response.message_id)
        await house.until_sent(message_id)
        assert (house.vendor.parts[0].source, house.vendor.parts[0].body) == ("Monsters", b"Hello")
        after = await house.money()
        assert before["TM-1"][0] - after["TM-1"][0] == 40_000, "as by the customer API"
        assert before["HH-1"][0] - after["HH-1"][0] == 30_000
        house.vendor.report("v1", State.DELIVERED)
        await client.until(lambda: client.receipts)
        (receipt,) = client.receipts
        assert (receipt.source, receipt.destination, receipt.esm_class) == (VODAFONE, "Monsters", 4)
        assert re.fullmatch(
            rf"id:{message_id} sub:001 dlvrd:001 submit date:\d{{10}} done date:\d{{10}} stat:DELIVRD err:000 text:Hello",
            receipt.short_message.decode(),
        )
        assert tlvs.text_of(tlvs.tlv_value(receipt.tlvs, tlvs.RECEIPTED_MESSAGE_ID)) == str(message_id)
        assert tlvs.int_of(tlvs.tlv_value(receipt.tlvs, tlvs.MESSAGE_STATE)) == 2
        await house.until("SELECT NOT EXISTS (SELECT FROM traffic_delivery)")
        row = await house.session.fetchrow("SELECT * FROM traffic_message WHERE id = $1", message_id)
        assert row["client_connection_id"] == house.traffic.snapshot.client_connections["monsters"].id
        nameless = await client.ask(submit(b"Hello", source=""))
        assert isinstance(nameless, pdus.SubmitSmResp) and nameless.status == 0
        await house.until_sent(UUID(nameless.message_id))
        assert house.vendor.parts[1].source == "Monsters", "SP-12: the default where the client names none"

    serve(spain_db, story)


def test_CSMPP_19_who_may_bind_and_how_others_are_refused(spain_db: str) -> None:
    async def story(house: Served) -> None:
        assert (await house.try_bind(system_id="nobody")).bind_status == statuses.ESME_RINVSYSID
        assert (await house.try_bind(password="guess")).bind_status == statuses.ESME_RINVPASWD
        client = await house.bind()
        assert (await house.bind(pdus.BindReceiver, interface_version=0x50)).left == ""
        assert (await house.bind(pdus.BindTransmitter, interface_version=0x33)).left == ""
        assert (await client.ask(pdus.BindTransceiver(system_id="monsters"))).status == statuses.ESME_RALYBND
        await house.configure("sessions_limit = 3, system_type = 'VMA'")
        assert (await house.try_bind()).bind_status == statuses.ESME_RALYBND
        await house.configure("sessions_limit = NULL")
        assert (await house.try_bind(system_type="X")).bind_status == statuses.ESME_RINVSYSTYP
        await house.configure("network = '192.0.2.0/24, 2001:db8::1'")
        assert (await house.try_bind()).bind_status == statuses.ESME_RINVSYSID, "CSMPP-9: not from there"
        await house.configure("network = '192.0.2.0/24, 127.0.0.0/8'")
        await house.bind()
        await house.configure("ssl_type = 'tls'")
        assert (await house.try_bind()).bind_status == statuses.ESME_RBINDFAIL, "CSMPP-12: not without TLS"
        await house.configure("ssl_type = 'none', disabled = true")
        await client.until(lambda: client.left)
        assert client.left == "peer unbound", "CSMPP-15: its sessions end"
        assert (await house.try_bind()).bind_status == statuses.ESME_RBINDFAIL
        await house.configure("disabled = false")
        for _ in range(5):
            assert (await house.try_bind(password="guess")).bind_status == statuses.ESME_RINVPASWD
        assert (await house.try_bind()).bind_status == statuses.ESME_RBINDFAIL, "after five guesses nobody is heard"

    serve(spain_db, story)


def test_a_session_does_only_what_it_was_bound_for(spain_db: str) -> None:
    async def story(house: Served) -> None:
        receiver = await house.bind(pdus.BindReceiver)
        assert (await receiver.ask(submit())).status == statuses.ESME_RINVBNDSTS
        sender = await house.bind(pdus.BindTransmitter)
        response = await sender.ask(submit())
        await house.until_sent(UUID(response.message_id))
        house.vendor.report("v1", State.DELIVERED)
        await receiver.until(lambda: receiver.receipts)
        assert sender.receipts == [], "receipts come over sessions that receive"

    serve(spain_db, story)


def test_refusals_have_their_status_and_cost_nothing(spain_db: str) -> None:
    cases = [
        (submit(source="Nobody"), statuses.ESME_RINVSRCADR),
        (submit(destination="123"), statuses.ESME_RINVDSTADR),
        (submit(destination="79031234567"), statuses.ESME_RINVDSTADR),  # blocked by its rate
        (submit(b""), statuses.ESME_RINVMSGLEN),
        (submit(b"\xff\xfe\xfd"), statuses.ESME_RINVDCS),  # no septets
        (submit(b"\xd8\x3d", data_coding=8), statuses.ESME_RINVDCS),  # half of a character
        (submit(b"abc", data_coding=8), statuses.ESME_RINVMSGLEN),
        (submit(data_coding=9), statuses.ESME_RINVDCS),
        (submit(esm_class=0x04), statuses.ESME_RINVESMCLASS),
        (submit(b"\x05\x00\x03", esm_class=0x40), statuses.ESME_RINVMSGLEN),
        (submit(b"\x05\x00\x03\x01\x02\x03a", esm_class=0x40), statuses.ESME_RINVESMCLASS),  # part 3 of 2
        (submit(registered_delivery=0x80), statuses.ESME_RINVREGDLVFLG),
        (submit(priority_flag=9), statuses.ESME_RINVPRTFLG),
        (submit(replace_if_present_flag=2), statuses.ESME_RINVREPFLAG),
        (submit(sm_default_msg_id=1), statuses.ESME_RINVDFTMSGID),
        (submit(schedule_delivery_time="not a time at al"), statuses.ESME_RINVSCHED),
        (submit(schedule_delivery_time=absolute_time(datetime.now(UTC) - timedelta(days=1))), statuses.ESME_RINVSCHED),
        (submit(schedule_delivery_time="030000000000000R"), statuses.ESME_RINVSCHED),  # three years
        (submit(validity_period=absolute_time(datetime.now(UTC) - timedelta(days=1))), statuses.ESME_RINVEXPIRY),
        (submit(tlvs=tlvs.pack_tlvs([(tlvs.MESSAGE_PAYLOAD, b"x")])), statuses.ESME_ROPTPARNOTALLWD),
        (submit(tlvs=tlvs.pack_tlvs([(tlvs.SAR_MSG_REF_NUM, 1)])), statuses.ESME_RMISSINGOPTPARAM),
        (submit(tlvs=b"\x04\x24\x00\x09x"), statuses.ESME_RINVOPTPARSTREAM),
        (pdus.QuerySm(message_id="none"), statuses.ESME_RINVMSGID),
        (pdus.CancelSm(message_id="019a0000-0000-7000-8000-000000000001"), statuses.ESME_RINVMSGID),
        (pdus.SubmitMulti(source="Monsters", destinations=("list",), short_message=b"x"), statuses.ESME_RINVDLNAME),
    ]

    async def story(house: Served) -> None:
        client, before = await house.bind(), await house.money()
        for request, status in cases:
            response = await client.ask(request)
            assert response.status == status, (statuses.status_name(response.status), request)
        await house.session.execute("UPDATE agreements_agreementversion SET credit_limit_micros = 0")
        await house.session.execute("UPDATE agreements_balance SET reserved_micros = reserved_micros")
        assert await house.money() == before
        assert await house.session.fetchval("SELECT count(*) FROM traffic_message") == 0

    serve(spain_db, story)


def test_a_client_without_money_gets_submitfail(spain_db: str) -> None:
    async def story(house: Served) -> None:
        client = await house.bind()
        long = [await client.ask(submit(b"A" * 150, destination=MOVISTAR)) for _ in range(3)]
        assert {response.status for response in long} == {0}
        payload = tlvs.pack_tlvs([(tlvs.MESSAGE_PAYLOAD, b"A" * 1_500)])
        responses = await asyncio.gather(
            *(client.ask(submit(b"", tlvs=payload, destination=MOVISTAR)) for _ in range(130))
        )
        counts = {status: sum(r.status == status for r in responses) for status in {r.status for r in responses}}
        assert set(counts) == {0, statuses.ESME_RSUBMITFAIL}
        assert counts[0] == (100_000_000 - 3 * 80_000) // 800_000, "as many as the balance covers"

    serve(spain_db, story)


def test_what_a_text_says_in_every_alphabet(spain_db: str) -> None:
    texts = [
        (submit(b"\x00 \x1be"), "@ €", 0),
        (submit(b"@", data_coding=1), "@", 0),
        (submit("¡Olé!".encode("latin-1"), data_coding=3), "¡Olé!", 0),
        (submit("Привет".encode("iso8859-5"), data_coding=6), "Привет", 8),
        (submit("שלום".encode("iso8859-8"), data_coding=7), "שלום", 8),
        (submit("Привет ☀".encode("utf-16-be"), data_coding=8), "Привет ☀", 8),
        (submit(b"Now", data_coding=0xF0), "Now", 0x10),
        (submit("☀".encode("utf-16-be"), data_coding=0x18), "☀", 0x18),
        (submit(b"\x01\x02\xff", data_coding=4), "0102ff", 4),
        (pdus.DataSm(source="monsters", destination="+34600123456", data_coding=3,
                     tlvs=tlvs.pack_tlvs([(tlvs.MESSAGE_PAYLOAD, b"payload")])), "payload", 0),
    ]  # fmt: skip

    async def story(house: Served) -> None:
        client = await house.bind()
        for number, (request, text, data_coding) in enumerate(texts):
            response = await client.ask(request)
            assert response.status == 0, (statuses.status_name(response.status), text)
            message_id = UUID(response.message_id)
            assert await house.session.fetchval("SELECT body FROM traffic_message WHERE id = $1", message_id) == text
            await house.until_sent(message_id)
            assert house.vendor.parts[number].data_coding == data_coding
        for coding, octets in (("latin1", b"\xa1"), ("ucs2", "¡".encode("utf-16-be")), ("gsm7", b"\x40")):
            await house.configure("default_data_coding = $1", coding)  # CSMPP-13, CSMPP-14
            response = await client.ask(submit(octets))
            body = await house.session.fetchval(
                "SELECT body FROM traffic_message WHERE id = $1", UUID(response.message_id)
            )
            assert body == "¡"

    serve(spain_db, story)


def test_times_absolute_and_relative_decide_when_and_how_long(spain_db: str) -> None:
    async def story(house: Served) -> None:
        client, now = await house.bind(), datetime.now(UTC)
        for schedule in (relative_time(7_200), absolute_time(now + timedelta(hours=2))):
            response = await client.ask(submit(schedule_delivery_time=schedule, validity_period=relative_time(10_800)))
            row = await house.session.fetchrow(
                "SELECT send_at, validity_s FROM traffic_message WHERE id = $1", UUID(response.message_id)
            )
            assert abs(row["send_at"] - now - timedelta(hours=2)) < timedelta(seconds=10)
            assert abs(row["validity_s"] - 3_600) < 10, (
                "validity is counted from submission, ours from the sending time"
            )
            state = await client.ask(pdus.QuerySm(message_id=response.message_id, source="Monsters"))
            assert (state.message_id, state.message_state, state.final_date) == (response.message_id, 0, "")
        assert (await client.ask(pdus.QuerySm(message_id=response.message_id, source="X"))).status == 0x0A
        before = await house.money()
        wrong = pdus.CancelSm(message_id=response.message_id, source="Monsters", destination="34600999999")
        assert (await client.ask(wrong)).status == statuses.ESME_RINVDSTADR
        assert (await client.ask(pdus.CancelSm(message_id=response.message_id))).status == 0
        assert (await client.ask(pdus.CancelSm(message_id=response.message_id))).status == statuses.ESME_RCANCELFAIL
        state = await client.ask(pdus.QuerySm(message_id=response.message_id))
        assert state.message_state == 4 and len(state.final_date) == 16, "deleted"
        assert before["TM-1"][1] - (await house.money())["TM-1"][1] == 40_000, "what was reserved is released"
        await client.until(lambda: client.receipts)
        assert b"stat:DELETED" in client.receipts[0].short_message
        sent = await client.ask(submit())
        await house.until_sent(UUID(sent.message_id))
        assert (await client.ask(pdus.CancelSm(message_id=sent.message_id))).status == statuses.ESME_RCANCELFAIL

    serve(spain_db, story)


def test_a_waiting_message_is_replaced_by_one_of_the_same_price(spain_db: str) -> None:
    async def story(house: Served) -> None:
        client = await house.bind()
        response = await client.ask(submit(b"Old", schedule_delivery_time=relative_time(7_200)))
        message_id = UUID(response.message_id)
        longer = pdus.ReplaceSm(message_id=response.message_id, source="Monsters", short_message=b"A" * 161)
        assert (await client.ask(longer)).status == statuses.ESME_RREPLACEFAIL, "it would cost more"
        new = pdus.ReplaceSm(
            message_id=response.message_id,
            source="Monsters",
            short_message=b"New",
            validity_period=relative_time(14_400),
        )
        assert (await client.ask(new)).status == 0
        row = await house.session.fetchrow("SELECT body, validity_s FROM traffic_message WHERE id = $1", message_id)
        assert row["body"] == "New"
        await house.session.execute("UPDATE traffic_outbox SET due_at = now() WHERE $1 = ANY (message_ids)", message_id)
        await house.until_sent(message_id)
        assert house.vendor.parts[0].body == b"New"

    serve(spain_db, story)


def test_each_bit_of_registered_delivery(spain_db: str) -> None:
    async def story(house: Served) -> None:
        client = await house.bind()
        wanted = []
        for number, (asked, state, told) in enumerate(
            [
                (0, State.DELIVERED, []),
                (0, State.UNDELIVERED, []),
                (1, State.DELIVERED, ["DELIVRD"]),
                (1, State.UNDELIVERED, ["UNDELIV"]),
                (2, State.DELIVERED, []),
                (2, State.EXPIRED, ["EXPIRED"]),
                (3, State.DELIVERED, ["DELIVRD"]),
                (3, State.REJECTED, []),
                (0x11, State.DELIVERED, ["ENROUTE", "DELIVRD"]),
                (0x10, State.DELIVERED, ["ENROUTE"]),
            ]
        ):
            response = await client.ask(submit(registered_delivery=asked))
            message_id = UUID(response.message_id)
            await house.until_sent(message_id)
            house.vendor.report(f"v{number + 1}", state, "X", "027")
            await house.until_status(message_id, state)
            wanted += [(response.message_id, word) for word in told]
        await client.until(lambda: len(client.receipts) >= len(wanted))
        found = [re.match(rb"id:(\S+) .*stat:(\w+) err:(\d+)", each.short_message) for each in client.receipts]
        assert [(each[1].decode(), each[2].decode()) for each in found if each] == wanted
        errors = {each[2].decode(): each[3] for each in found if each}
        assert (errors["DELIVRD"], errors["UNDELIV"]) == (b"000", b"027"), "the vendor's code is passed on"
        assert [r.esm_class for r in client.receipts if b"ENROUTE" in r.short_message] == [0x20, 0x20]

    serve(spain_db, story)


def test_submit_multi_has_one_id_and_names_who_was_left_out(spain_db: str) -> None:
    async def story(house: Served) -> None:
        client = await house.bind()
        numbers = [VODAFONE, "123", MOVISTAR, "79031234567"]
        request = pdus.SubmitMulti(
            source="Monsters", destinations=tuple(pdus.Address(1, 1, number) for number in numbers),
            registered_delivery=1, short_message=b"Hello",
        )  # fmt: skip
        response = await client.ask(request)
        assert response.status == 0
        assert [(each.number, each.status) for each in response.unsuccessful] == [("123", 0x0B), ("79031234567", 0x0B)]
        await house.until("SELECT count(*) = 2 FROM traffic_sent")
        for vendor_id in ("v1", "v2"):
            house.vendor.report(vendor_id, State.DELIVERED)
        await client.until(lambda: len(client.receipts) == 2)
        assert {receipt.source for receipt in client.receipts} == {VODAFONE, MOVISTAR}
        assert all(
            receipt.short_message.startswith(f"id:{response.message_id} ".encode()) for receipt in client.receipts
        )
        nobody = pdus.SubmitMulti(source="Monsters", destinations=(pdus.Address(1, 1, "1"),), short_message=b"x")
        assert (await client.ask(nobody)).status == 0x0B

    serve(spain_db, story)


def test_windows_and_rates_hold_for_an_account(spain_db: str) -> None:
    async def story(house: Served) -> None:
        first, second = await house.bind(), await house.bind()
        await house.configure("window_limit = 5")
        responses = await asyncio.gather(*(client.ask(submit()) for client in (first, second) for _ in range(10)))
        found = sorted({response.status for response in responses})
        assert found == [0, statuses.ESME_RTHROTTLED]
        assert sum(response.status == 0 for response in responses) >= 5
        await house.configure("window_limit = NULL, rps_limit = 7")
        responses = await asyncio.gather(*(first.ask(submit()) for _ in range(30)))
        taken = sum(response.status == 0 for response in responses)
        assert 7 <= taken <= 14, "a second's worth at once, then by the second"
        told = house.server.told()
        (counts,) = told.values()
        assert counts["throttled"] >= 16 and counts["sessions"] == 2

    serve(spain_db, story)


def test_whoever_binds_may_send_what_a_second_allows_at_once(spain_db: str) -> None:
    async def story(house: Served) -> None:
        await house.configure("rps_limit = 7")
        client = await house.bind()
        responses = await asyncio.gather(*(client.ask(submit()) for _ in range(7)))
        assert [response.status for response in responses] == [0] * 7

    serve(spain_db, story)


def test_CSMPP_20_receipts_wait_for_the_client_and_are_sent_again(spain_db: str) -> None:
    async def story(house: Served) -> None:
        sender = await house.bind(pdus.BindTransmitter)
        ids = [(await sender.ask(submit())).message_id for _ in range(3)]
        await house.until("SELECT count(*) = 3 FROM traffic_sent")
        for number in (1, 2, 3):
            house.vendor.report(f"v{number}", State.DELIVERED)
        await house.until("SELECT count(*) > 0 FROM traffic_delivery WHERE owner IS NULL")
        silent = await house.bind()
        silent.receipt_status = None
        await silent.until(lambda: len(silent.receipts) == 3)
        assert silent.end is not None
        lossy = Lossy(house.traffic.deliveries)
        silent.end.drop()  # it fell before it answered
        client = await house.bind(pdus.BindReceiver)
        await client.until(lambda: len(client.receipts) == 3)
        assert {receipt.short_message[3:39].decode() for receipt in client.receipts} == set(ids)
        assert not lossy.faults
        await house.until("SELECT NOT EXISTS (SELECT FROM traffic_delivery)")

    serve(spain_db, story)


class Lossy:
    """The database does not take the release of receipts at once, and the answer to the next claim of them is lost."""

    def __init__(self, deliveries: Any) -> None:
        self.faults, self._keep_house = ["release", "claim"], deliveries.keep_house
        deliveries.keep_house = self.keep_house

    async def keep_house(self, session: Any) -> None:
        self._session = session
        await self._keep_house(self)

    async def execute(self, sql: str, *arguments: Any) -> None:
        if "release" in self.faults:
            self.faults.remove("release")
            raise asyncpg.ConnectionDoesNotExistError("lost")
        await self._session.execute(sql, *arguments)

    async def fetch(self, sql: str, *arguments: Any) -> Any:
        rows = await self._session.fetch(sql, *arguments)
        if rows and "claim" in self.faults:
            self.faults.remove("claim")
            raise asyncpg.ConnectionDoesNotExistError("lost")
        return rows


def test_receipts_of_a_gateway_that_died_are_told_by_the_next(spain_db: str) -> None:
    async def told() -> None:
        async with served(spain_db) as house:
            client = await house.bind()
            client.receipt_status = None
            message_id = (await client.ask(submit())).message_id
            await house.until_sent(UUID(message_id))
            house.vendor.report("v1", State.DELIVERED)
            await client.until(lambda: client.receipts)
            await house.session.execute("UPDATE traffic_delivery SET owner = 4711")  # a writer that is no more
            assert client.end is not None
            client.end.drop()
        async with served(spain_db) as house:
            client = await house.bind()
            await client.until(lambda: client.receipts)
            assert client.receipts[0].short_message[3:39].decode() == message_id
            await house.until("SELECT NOT EXISTS (SELECT FROM traffic_delivery)")
            await house.books_agree()

    asyncio.run(told())


def test_CSMPP_1_incoming_messages_reach_the_client_of_their_sender_or_wait_for_it(spain_db: str) -> None:
    def incoming(token: str, body: bytes, **fields: Any) -> IncomingMessage:
        values = {"source_ton": 1, "source_npi": 1, "source": VODAFONE, "destination_ton": 0, "destination_npi": 1,
                  "destination": "2525", "esm_class": 0, "protocol_id": 0, "data_coding": 0, "body": body,
                  "text": body.decode("latin-1"), "token": token} | fields  # fmt: skip
        return IncomingMessage(**values)

    async def story(house: Served) -> None:
        await house.session.execute(
            "INSERT INTO senders_senderid (company_id, agreement_id, sender_id, name, status, smpp_connection_id,"
            " client_smpp_connection_id, keyword) SELECT company_id, agreement_id, '2525', 'Club', 'active',"
            " smpp_connection_id, client_smpp_connection_id, 'club' FROM senders_senderid"
        )
        while not any(sender.keyword for sender in house.traffic.snapshot.senders.values()):
            await asyncio.sleep(0.01)
        assert house.vendor.events is not None
        for message in (
            incoming("taken", b"Club yes"),
            incoming("half", b"\x05\x00\x03\x01\x02\x02 and 2", esm_class=0x40, text=" and 2", part=(1, 2, 2)),
            incoming("other half", b"\x05\x00\x03\x01\x02\x01club 1", esm_class=0x40, text="club 1", part=(1, 2, 1)),
            incoming("nobody's", b"Other words"),
            incoming("unknown", b"club", destination="9999"),
        ):
            house.vendor.events.incoming(message)
        await house.until("SELECT count(*) = 2 FROM traffic_incoming")
        async with asyncio.timeout(10):
            while len(house.vendor.acknowledged) < 5:
                await asyncio.sleep(0.01)
        client = await house.bind(pdus.BindReceiver)
        await client.until(lambda: len(client.receipts) == 3)
        assert [(each.source, each.destination, each.esm_class, each.short_message) for each in client.receipts] == [
            (VODAFONE, "2525", 0, b"Club yes"), (VODAFONE, "2525", 0x40, b"\x05\x00\x03\x01\x02\x01club 1"),
            (VODAFONE, "2525", 0x40, b"\x05\x00\x03\x01\x02\x02 and 2"),
        ]  # fmt: skip
        await house.until("SELECT NOT EXISTS (SELECT FROM traffic_delivery)")
        bodies = await house.session.fetch("SELECT body FROM traffic_incoming ORDER BY id")
        assert [row["body"] for row in bodies] == ["Club yes", "club 1 and 2"]

    serve(spain_db, story)


def test_leaving_waits_for_the_answers_on_both_sides(spain_db: str) -> None:
    async def told() -> None:
        async with served(spain_db) as house:
            client, other = await house.bind(), await house.bind()
            asked = [asyncio.ensure_future(client.ask(submit())) for _ in range(20)]
            await asyncio.sleep(0)
            assert client.end is not None
            raw = bytes.fromhex("00000010000000060000000000000063")  # the peer's unbind, right behind its messages
            await asyncio.sleep(0)
            client.end.write_raw(raw)
            responses = await asyncio.gather(*asked)
            assert {response.status for response in responses} == {0}
            asked = [asyncio.ensure_future(other.ask(submit())) for _ in range(20)]
            while other.end is None or other.end.session.pending_count < 20:
                await asyncio.sleep(0)
            await house.server.stop()
            responses = await asyncio.gather(*asked)
            taken = {response.message_id for response in responses if response.status == 0}
            assert {response.status for response in responses} <= {0, statuses.ESME_RTHROTTLED}
            count = await house.session.fetchval("SELECT count(*) FROM traffic_message")
            assert count == 20 + len(taken), "whatever was stored was answered"

    asyncio.run(told())
