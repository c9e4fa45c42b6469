"""Messages are rated and routed by the operator that serves their number now, through the pipeline and real servers.

TM-1 pays 0.04 for Vodafone, 0.005 for DIGI and 0.08 for the rest of Spain.
"""

import asyncio
import time
from typing import Any
from uuid import UUID

from tests.number_servers import NumberServer, http_server, name_server
from tests.pipeline.conftest import DIGI, ITALY, MOVISTAR, VODAFONE, Running, running

from relais.core.refusals import Refusal
from relais.pipeline.configuration import Snapshot
from relais.pipeline.submission import Accepted, Answer, Refused, Submission

AT_DIGI, AT_VODAFONE, NOWHERE = r"tel:\1;mcc=214;mnc=022", "tel:+34600123456;npdi;rn=+34600123456", "mcc=214;mnc=89"


async def changed(pipeline: Running, sql: str, *arguments: Any) -> Snapshot:
    """The configuration once that is in force."""
    before = pipeline.traffic.snapshot.change
    await pipeline.session.execute(sql, *arguments)
    async with asyncio.timeout(10):
        while pipeline.traffic.snapshot.change == before:
            await asyncio.sleep(0.005)
    return pipeline.traffic.snapshot


async def ask(pipeline: Running, server: NumberServer, kind: str) -> None:
    """DEFAULT leads to that server; the reseller's switch is on, which is the tenant's to set."""
    await changed(
        pipeline,
        "UPDATE connections_mnpconnection SET enabled = true, kind = $1, address = $2, enum_suffix = 'x.example'",
        kind,
        server.address,
    )
    await changed(
        pipeline,
        "UPDATE parties_company SET mnp_requests = true, mnp_channels = '{sms}' WHERE name = 'Hornes and Hooves'",
    )


async def lookup_of(pipeline: Running, message_id: UUID) -> tuple[Any, ...] | None:
    row = await pipeline.session.fetchrow(
        "SELECT l.result, l.mccmnc, r.name AS by_range, n.name AS served FROM traffic_lookup AS l"
        " JOIN traffic_message AS m ON m.id = l.message_id"
        " LEFT JOIN catalog_network AS r ON r.id = l.range_network_id LEFT JOIN catalog_network AS n ON n.id = m.network_id"
        " WHERE l.message_id = $1",
        message_id,
    )
    return None if row is None else tuple(row)


def test_CO_17_CO_64_CO_70_the_operator_that_serves_the_number_now_is_paid_for(spain_db: str) -> None:
    async def told() -> None:
        async with running(spain_db, allow_private=True) as pipeline, name_server() as server:
            assert (await pipeline.accepted(VODAFONE)).price_micros == 40_000
            server.answers = {VODAFONE: AT_DIGI, DIGI: AT_VODAFONE, MOVISTAR: NOWHERE}
            await ask(pipeline, server, "enum")
            ported = await pipeline.accepted(VODAFONE)
            assert (ported.price_micros, ported.network, ported.country) == (5_000, "21422", "ES")
            names = {network.mccmnc: network.name for network in pipeline.traffic.snapshot.networks.values()}
            by_range, served = names["21401"], names["21422"]
            assert await lookup_of(pipeline, ported.message_id) == (1, "21422", by_range, served)
            again = await pipeline.accepted(VODAFONE)
            assert (again.price_micros, await lookup_of(pipeline, again.message_id)) == (
                5_000, (2, "21422", by_range, served)
            )  # fmt: skip
            assert server.asked == [VODAFONE]
            preview = pipeline.traffic.preview(
                pipeline.key, Submission(source="Monsters", destination=VODAFONE, text="Hi")
            )
            assert not isinstance(preview, Refused) and preview.price_micros == 5_000
            back = await pipeline.accepted(DIGI)
            assert (back.price_micros, back.network) == (40_000, "21401"), "by the range of its routing number"
            unknown, elsewhere = await pipeline.accepted(MOVISTAR), await pipeline.accepted(ITALY)
            assert (unknown.price_micros, elsewhere.price_micros) == (80_000, 50_000)
            assert (await lookup_of(pipeline, unknown.message_id) or ())[:2] == (1, "21489")
            assert (await lookup_of(pipeline, elsewhere.message_id) or ())[:2] == (1, None)
            (line,) = pipeline.traffic._ported.told().values()
            assert line["last_error"] == "answered 21489, which no network of the dictionary has"
            questions = len(server.asked)
            for refused in (
                await pipeline.send("12"),
                await pipeline.send(MOVISTAR, ""),
                await pipeline.send(source="No"),
            ):
                assert isinstance(refused, Refused)
            assert len(server.asked) == questions, "what is refused anyway is not paid for"
            await changed(pipeline, "UPDATE parties_company SET mnp_channels = '{rcs}' WHERE mnp_requests")
            assert (await pipeline.accepted(VODAFONE)).price_micros == 40_000, "not of a channel that was chosen"
            assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_lookup") == 5
            await pipeline.books_agree()

    asyncio.run(told())


def test_CO_70_without_an_answer_in_time_the_number_range_counts_and_the_message_goes_on(spain_db: str) -> None:
    async def told() -> None:
        async with running(spain_db, allow_private=True) as pipeline, http_server(dead=True) as server:
            await ask(pipeline, server, "http")
            waited = asyncio.create_task(pipeline.accepted(VODAFONE))
            while not server.asked:
                await asyncio.sleep(0.001)
            began_s = time.monotonic()
            blocked = pipeline.traffic.submit_one(
                pipeline.key, Submission(source="Monsters", destination="12", text="Hi"), None, lambda told: None
            )
            assert isinstance(blocked, Refused) and blocked.refusal is Refusal.NUMBER_INVALID, "nobody else waits"
            accepted = await waited
            assert time.monotonic() - began_s < 2.0 and (accepted.price_micros, accepted.network) == (40_000, "21401")
            row = await lookup_of(pipeline, accepted.message_id)
            assert row is not None and row[:2] == (3, None)
            took_ms = await pipeline.session.fetchval("SELECT took_ms FROM traffic_lookup")
            assert 290 <= took_ms < 1_000
            server.dead = False
            server.answers = {VODAFONE: '{"mcc": 214, "mnc": "22"}', DIGI: "?"}
            wanted = [
                Submission(source="Monsters", destination=to, text="Hi") for to in (VODAFONE, DIGI, "12", VODAFONE)
            ]
            answer = await pipeline.traffic.submit(pipeline.key, wanted, None)
            assert isinstance(answer, Answer)
            first, range_counts, wrong, same = answer.outcomes
            assert isinstance(first, Accepted) and isinstance(same, Accepted) and isinstance(range_counts, Accepted)
            assert (first.network, same.network, range_counts.network) == ("21422", "21422", "21422")
            assert isinstance(wrong, Refused) and sorted(server.asked) == sorted([VODAFONE, VODAFONE, DIGI])
            results = await pipeline.session.fetch("SELECT result FROM traffic_lookup ORDER BY message_id")
            assert sorted(row[0] for row in results) == [1, 1, 3, 3]
            beats = "SELECT count(*) > 0 FROM traffic_gateway_beat WHERE (beat #>> '{mnp,1,answered}')::int = 1"
            await pipeline.until(beats)
            await changed(pipeline, "UPDATE connections_mnpconnection SET enabled = false")
            off = await pipeline.accepted(VODAFONE)
            assert off.network == "21401" and (await lookup_of(pipeline, off.message_id) or ())[:2] == (4, None)
            await pipeline.books_agree()

    asyncio.run(told())
