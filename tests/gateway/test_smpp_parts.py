"""Long messages that an SMPP client cut itself: joined to be rated, sent as they were cut, charged once whatever falls."""

import asyncio
from typing import Any
from uuid import UUID

from tests.gateway.smpp_clients import Client, Served, serve, served, submit

from relais.core.lifecycle import State
from relais.core.segments import encode
from relais.wire.smpp import pdus, statuses, tlvs


def _part(text: bytes, number: int, total: int = 2, **fields: Any) -> pdus.SubmitSm:
    header = bytes((5, 0, 3, 77, total, number))
    return submit(header + text, **({"esm_class": 0x40} | fields))


def test_parts_are_rated_as_one_message_and_sent_as_they_were_cut(spain_db: str) -> None:
    async def story(house: Served) -> None:
        client, other = await house.bind(), await house.bind()
        first = await client.ask(_part(b"B" * 100, 2, esm_class=0x43))
        assert first.status == 0 and await house.session.fetchval("SELECT count(*) FROM traffic_message") == 0
        again = await other.ask(_part(b"B" * 100, 2))
        assert again.message_id == first.message_id, "a part that came twice"
        last = await other.ask(_part(b"A" * 153, 1))
        message_id = UUID(last.message_id.partition(".")[0])
        assert (first.message_id, last.message_id) == (f"{message_id}.2", f"{message_id}.1")
        row = await house.session.fetchrow(
            "SELECT body, segments_count, units FROM traffic_message WHERE id = $1", message_id
        )
        assert (row["body"], row["segments_count"], row["units"]) == ("A" * 153 + "B" * 100, 2, [2, 2])
        await house.until_sent(message_id, 2)
        sent = sorted((part.header, part.body) for part in house.vendor.parts)
        assert sent == [(bytes((5, 0, 3, 77, 2, 1)), b"A" * 153), (bytes((5, 0, 3, 77, 2, 2)), b"B" * 100)]
        house.vendor.report("v1", State.DELIVERED)
        house.vendor.report("v2", State.DELIVERED)
        await client.until(lambda: len(client.receipts) + len(other.receipts) == 2)
        ids = {receipt.short_message.split()[0][3:].decode() for receipt in client.receipts + other.receipts}
        assert ids == {first.message_id, last.message_id}
        state = await client.ask(pdus.QuerySm(message_id=first.message_id))
        assert state.message_state == 2
        await house.until("SELECT NOT EXISTS (SELECT FROM traffic_waiting_part)")

    serve(spain_db, story)


def test_parts_by_sar_tlvs_and_in_ucs2_whose_cut_halves_a_character(spain_db: str) -> None:
    octets = ("Я" * 66 + "😀" + "Я" * 10).encode("utf-16-be")

    async def story(house: Served) -> None:
        client = await house.bind()
        for number, body in ((1, octets[:134]), (2, octets[134:])):
            sar = tlvs.pack_tlvs(
                [(tlvs.SAR_MSG_REF_NUM, 900), (tlvs.SAR_TOTAL_SEGMENTS, 2), (tlvs.SAR_SEGMENT_SEQNUM, number)]
            )
            response = await client.ask(submit(body, data_coding=8, tlvs=sar))
            assert response.status == 0
        message_id = UUID(response.message_id.partition(".")[0])
        await house.until_sent(message_id, 2)
        assert b"".join(part.body for part in house.vendor.parts) == octets
        assert [part.header[3:] for part in house.vendor.parts] == [
            bytes((message_id.int & 0xFF, 2, 1)), bytes((message_id.int & 0xFF, 2, 2)),
        ]  # fmt: skip

    serve(spain_db, story)


def test_the_last_part_tells_of_a_refusal_and_receipts_tell_the_others(spain_db: str) -> None:
    async def story(house: Served) -> None:
        client = await house.bind()
        assert (await client.ask(_part(b"A", 1, destination="123"))).status == 0x0B, "what can be told at once is"
        before = await house.money()
        first = await client.ask(_part(b"A" * 100, 1))
        await house.session.execute("UPDATE agreements_agreement SET agreement_code = agreement_code")
        await house.session.execute("UPDATE agreements_balance SET balance_micros = 50000")
        last = await client.ask(_part(b"B", 2))
        assert last.status == statuses.ESME_RSUBMITFAIL, "one part could have been paid, both cannot"
        await client.until(lambda: client.receipts)
        assert client.receipts[0].short_message.startswith(f"id:{first.message_id} ".encode())
        assert b"stat:REJECTD" in client.receipts[0].short_message
        assert await house.session.fetchval("SELECT count(*) FROM traffic_message") == 0
        await house.until("SELECT NOT EXISTS (SELECT FROM traffic_waiting_part)")
        await house.session.execute(
            "UPDATE agreements_balance AS b SET balance_micros = u.micros FROM unnest($1::text[], $2::bigint[])"
            " AS u (code, micros) JOIN agreements_agreement AS a ON a.agreement_code = u.code WHERE a.id = b.agreement_id",
            list(before), [balance for balance, _ in before.values()],
        )  # fmt: skip

    serve(spain_db, story)


def test_parts_outlive_their_gateway_and_are_charged_once(spain_db: str) -> None:
    async def told() -> None:
        async with served(spain_db) as house:
            client = await house.bind()
            first = await client.ask(_part(b"A" * 153, 1))
            await house.session.execute("UPDATE traffic_waiting_part SET owner = 4711")
        async with served(spain_db) as house:
            client = await house.bind()
            async with asyncio.timeout(10):
                while not house.server._parts._open:
                    await asyncio.sleep(0.01)
            last = await client.ask(_part(b"B", 2))
            assert last.message_id == first.message_id.replace(".1", ".2")
            await house.until("SELECT NOT EXISTS (SELECT FROM traffic_waiting_part)")
            await house.session.execute(
                "INSERT INTO traffic_waiting_part SELECT id, 1, 2, client_connection_id, 4711, now(), '\\x00'"
                " FROM traffic_message"
            )  # as if it had died between storing the message and forgetting its parts
        async with served(spain_db) as house:
            await house.until("SELECT NOT EXISTS (SELECT FROM traffic_waiting_part)")
            assert await house.session.fetchval("SELECT count(*) FROM traffic_message") == 1
            await house.books_agree()

    asyncio.run(told())


def test_what_is_not_whole_in_time_goes_on_its_way(spain_db: str) -> None:
    async def story(house: Served) -> None:
        client: Client = await house.bind()
        response = await client.ask(_part(b"Half", 1))
        for joining in house.server._parts._open.values():
            joining.started_s -= 301
        message_id = UUID(response.message_id.partition(".")[0])
        await house.until_sent(message_id)
        assert house.vendor.parts[0].body == encode("Half").parts[0]
        row = await house.session.fetchrow("SELECT segments_count FROM traffic_message WHERE id = $1", message_id)
        assert row["segments_count"] == 1, "it costs what is sent of it"

    serve(spain_db, story)
