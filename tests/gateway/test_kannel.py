"""Kannel bound to our SMPP server and to our simulated centre, which our own vendor connection is bound to as well."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import asyncpg
from tests.gateway.kannel import kannel
from tests.gateway.smpp_clients import LOGIN, PASSWORD
from tests.pipeline.conftest import running

from relais.gateway.smpp.server import ClientServer
from relais.simulators.smsc import Smsc, SmscSettings

LONG = "A long story. " * 25
UNDELIVERABLE = "34600120001"
DELIVERED, FAILED = "1", "2"


async def _vendor_at(dsn: str, port: int) -> None:
    session = await asyncpg.connect(dsn)
    await session.execute(
        "UPDATE connections_vendorsmppconnection SET port = $1, options = $2::text::jsonb",
        port, json.dumps({"reconnect_min_s": 0.05, "reconnect_max_s": 0.2}),
    )  # fmt: skip
    await session.close()


def test_kannel_sends_through_us_and_to_our_centre_and_gets_every_receipt(spain_db: str, tmp_path: Path) -> None:
    """What Kannel cuts is joined, charged as one message and sent as it was cut; Kannel hears of it once. Over the
    simulator, to which our own connection is bound, Kannel's and our messages end alike."""

    async def told() -> None:
        smsc = Smsc(SmscSettings(port=0, receipt_delay_s=0.05))
        await smsc.start()
        await _vendor_at(spain_db, smsc.port)
        async with running(spain_db, registered=True) as pipeline:
            server = ClientServer(pipeline.traffic, "127.0.0.1", 0)
            await server.start()
            smscs = {"relais": (server.port, LOGIN, PASSWORD), "centre": (smsc.port, "kannel", "any")}
            try:
                async with kannel(tmp_path, smscs) as foreign:
                    await foreign.send("short", "relais", "+34600123456", "Hello ñ")
                    await foreign.send("long", "relais", "+34600123456", LONG)
                    await foreign.send("wide", "relais", "+34600123456", "Привет", coding="2")
                    await foreign.send("lost", "relais", f"+{UNDELIVERABLE}", "Nobody is there")
                    await foreign.send("past-us", "centre", "34600123456", "Hello, centre")
                    wanted = {
                        "short": Counter({DELIVERED: 1}), "long": Counter({DELIVERED: 1}), "wide": Counter({DELIVERED: 1}),
                        "lost": Counter({FAILED: 1}), "past-us": Counter({DELIVERED: 1}),
                    }  # fmt: skip
                    await foreign.until("every report has come", lambda: foreign.reports == wanted)
            finally:
                await server.stop()
            rows = await pipeline.session.fetch(
                "SELECT body, segments_count, status FROM traffic_message ORDER BY body"
            )
            assert [tuple(row) for row in rows] == [
                (LONG, 3, 10), ("Hello ñ", 1, 10), ("Nobody is there", 1, 12), ("Привет", 1, 10),
            ]  # fmt: skip
            assert Counter(each.system_id for each in smsc.accepted) == {"relais": 6, "kannel": 1}
            await pipeline.books_agree()
        await smsc.stop()

    asyncio.run(told())
