"""Long messages that an SMPP client cut itself: joined to be rated, sent as they were cut, charged once whatever falls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.conftest import PROJECT
from tests.gateway.smpp_clients import Client, Served, serve, served, submit

from relais.core.lifecycle import State
from relais.core.segments import encode
from relais.pipeline import writer
from relais.wire.smpp import pdus, statuses, tlvs

MIGRATIONS = PROJECT / "src" / "relais" / "records" / "traffic" / "migrations"


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
        await house.until("SELECT NOT EXISTS (SELECT FROM traffic_waiting_message)")

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
        await house.until("SELECT NOT EXISTS (SELECT FROM traffic_waiting_message)")
        await house.session.execute(
            "UPDATE agreements_balance AS b SET balance_micros = u.micros FROM unnest($1::text[], $2::bigint[])"
            " AS u (code, micros) JOIN agreements_agreement AS a ON a.agreement_code = u.code WHERE a.id = b.agreement_id",
            list(before), [balance for balance, _ in before.values()],
        )  # fmt: skip

    serve(spain_db, story)


def test_parts_find_each_other_whatever_gateway_they_come_to(spain_db: str) -> None:
    """By UDH and by sar TLVs, also a part that came twice, and a reference that is used anew; nobody waits for a gateway that is
    gone, but what it was making is made by another, once."""

    def sar(number: int, reference: int, total: int = 3) -> bytes:
        return tlvs.pack_tlvs(
            [(tlvs.SAR_MSG_REF_NUM, reference), (tlvs.SAR_TOTAL_SEGMENTS, total), (tlvs.SAR_SEGMENT_SEQNUM, number)]
        )

    async def told() -> None:
        async with served(spain_db) as here:
            async with served(spain_db) as there:
                one, two = await here.bind(), await there.bind()
                first = await one.ask(_part(b"A" * 153, 1))
                assert (await two.ask(_part(b"A" * 153, 1))).message_id == first.message_id, "it came twice"
                last = await two.ask(_part(b"B", 2))
                assert last.message_id == first.message_id.replace(".1", ".2")
                both = [await one.ask(_part(b"C" * 153, 1)), await two.ask(_part(b"D" * 153, 1))]
                assert both[0].message_id != both[1].message_id, "another text: the reference is used anew"
                await here.until("SELECT count(*) = 2 FROM traffic_message")
                alone = UUID(both[0].message_id.partition(".")[0])
                assert await here.session.fetchval("SELECT body FROM traffic_message WHERE id = $1", alone) == "C" * 153
                responses = await asyncio.gather(
                    *(client.ask(submit(b"%d" % number * 10, tlvs=sar(number, 900)))
                      for number, client in ((1, one), (2, two), (3, one)))
                )  # fmt: skip
                (whole,) = {UUID(response.message_id.partition(".")[0]) for response in responses}
                assert await here.session.fetchval("SELECT body FROM traffic_message WHERE id = $1", whole) == (
                    "1" * 10 + "2" * 10 + "3" * 10
                )
                waiting = await two.ask(submit(b"x" * 10, tlvs=sar(1, 901)))
            again = await one.ask(submit(b"y" * 10, tlvs=sar(2, 901)))
            assert again.message_id == waiting.message_id.replace(".1", ".2"), "its gateway is gone"
            await here.session.execute("UPDATE traffic_waiting_message SET owner = 4711 WHERE owner IS NULL")
            await here.until("SELECT count(*) = 5 FROM traffic_message")
            await here.session.execute(
                "INSERT INTO traffic_waiting_message SELECT id, client_connection_id, '', 2, 4711, now(), '{1}', '{a}'"
                " FROM traffic_message ORDER BY id LIMIT 1"
            )  # as if it had died between storing the message and forgetting its parts
            await here.until("SELECT NOT EXISTS (SELECT FROM traffic_waiting_message)")
            assert await here.session.fetchval("SELECT count(*) FROM traffic_message") == 5
            await here.books_agree()

    asyncio.run(told())


def test_parts_are_stored_once_though_answers_of_the_database_are_lost(
    spain_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a last part that is not taken for now is asked for again."""

    async def story(house: Served) -> None:
        client = await house.bind()
        pool = house.traffic.waiting_parts._pool
        for fault in ("before", "after"):
            for number in (1, 2):
                lossy = house.traffic.waiting_parts._pool = Lossy(pool, fault)
                response = await client.ask(_part(fault.encode() + b" %d" % number, number))
                assert response.status == 0 and not lossy.fault
        rows = await house.session.fetch("SELECT body FROM traffic_message")
        assert {row["body"] for row in rows} == {"before 1before 2", "after 1after 2"}
        house.traffic.waiting_parts._pool = pool
        first = await client.ask(_part(b"3" * 20, 1))
        monkeypatch.setattr(writer, "QUEUE_MAX", 0)
        assert (await client.ask(_part(b"4" * 20, 2))).status == statuses.ESME_RMSGQFUL
        monkeypatch.undo()
        last = await client.ask(_part(b"4" * 20, 2))
        assert last.message_id == first.message_id.replace(".1", ".2")
        await house.until("SELECT NOT EXISTS (SELECT FROM traffic_waiting_message)")
        assert await house.session.fetchval("SELECT count(*) FROM traffic_message") == 3

    serve(spain_db, story)


class Lossy:
    """Sessions of which the first ends `before` or `after` its statement was done."""

    def __init__(self, pool: Any, fault: str) -> None:
        self.pool, self.fault = pool, fault

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Lossy"]:
        async with self.pool.acquire() as self.session:
            yield self

    async def fetchrow(self, sql: str, *arguments: Any) -> Any:
        fault, self.fault = self.fault, ""
        row = None if fault == "before" else await self.session.fetchrow(sql, *arguments)
        if fault:
            raise asyncpg.ConnectionDoesNotExistError(f"lost {fault}")
        return row


def test_what_is_not_whole_in_time_goes_on_its_way(spain_db: str) -> None:
    async def story(house: Served) -> None:
        client: Client = await house.bind()
        response = await client.ask(_part(b"Half", 1))
        await house.session.execute("UPDATE traffic_waiting_message SET since = now() - interval '301 seconds'")
        message_id = UUID(response.message_id.partition(".")[0])
        await house.until_sent(message_id)
        assert house.vendor.parts[0].body == encode("Half").parts[0]
        row = await house.session.fetchrow("SELECT segments_count FROM traffic_message WHERE id = $1", message_id)
        assert row["segments_count"] == 1, "it costs what is sent of it"

    serve(spain_db, story)


def test_parts_that_waited_in_the_former_table_go_on_their_way_after_the_migration(spain_db: str) -> None:
    """`traffic 0018` is applied to a database whose gateways were stopped while parts waited."""

    async def story(house: Served) -> None:
        client = await house.bind()
        responses = [await client.ask(_part(text, 1)) for text in (b"Half", b"A" * 153)]
        message_ids = [UUID(response.message_id.partition(".")[0]) for response in responses]
        former = next(
            statement for statement in (MIGRATIONS / "0007_smpp_clients.sql").read_text(encoding="utf-8").split(";\n")
            if statement.strip().startswith("CREATE TABLE traffic_waiting_part")
        )  # fmt: skip
        async with house.session.transaction():
            await house.session.execute(former)
            await house.session.execute(
                "INSERT INTO traffic_waiting_part SELECT message_id, n, parts_count, connection_id, 4711, since, f"
                " FROM traffic_waiting_message, unnest(numbers, fragments) AS part (n, f)"
            )
            await house.session.execute("DROP TABLE traffic_waiting_message")
            await house.session.execute((MIGRATIONS / "0018_waiting_messages.sql").read_text(encoding="utf-8"))
        for message_id in message_ids:
            await house.until_sent(message_id)
        assert sorted(part.body for part in house.vendor.parts) == [b"A" * 153, encode("Half").parts[0]]
        await house.until("SELECT NOT EXISTS (SELECT FROM traffic_waiting_message)")

    serve(spain_db, story)
