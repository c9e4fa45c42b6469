"""Our vendor connection at a message centre that others wrote: the whole pipeline over real sockets."""

import asyncio
import json

from tests.pipeline.conftest import VODAFONE, Running, running
from tests.vendors.foreign_smsc import ForeignSmsc, foreign_smsc

from relais.core.lifecycle import State

LONG = "A long story. " * 25
RINVDSTADR = 0x0B
_AIM = "UPDATE connections_vendorsmppconnection SET port = $1, use_tlv = $2, options = $3::text::jsonb"
_SENDER = (
    "INSERT INTO senders_senderid (company_id, agreement_id, sender_id, name, status, smpp_connection_id) "
    "SELECT company_id, agreement_id, '2525', 'Club', 'active', smpp_connection_id FROM senders_senderid "
    "WHERE sender_id = 'Monsters'"
)


async def _ready(pipeline: Running, ready: bool) -> None:
    async with asyncio.timeout(20):
        while [lane.ready for lane in pipeline.traffic._lanes.values()] != [ready]:
            await asyncio.sleep(0.01)


async def _sends_and_is_told(pipeline: Running, smsc: ForeignSmsc) -> None:
    """Plain, Unicode and long by headers; receipts as texts and as TLVs; a refusal."""
    smsc.refused[b"not this one"] = RINVDSTADR
    plain = await pipeline.accepted(text="Hello")
    await smsc.until(lambda: len(smsc.taken) == 1)
    wide = await pipeline.accepted(text="Привет")
    await smsc.until(lambda: len(smsc.taken) == 2)
    long = await pipeline.accepted(text=LONG)
    await smsc.until(lambda: len(smsc.taken) == 5)
    first, second, *parts = smsc.taken
    parts.sort(key=lambda part: part.short_message[5])  # it works on several at a time
    assert (first.source_addr_ton, first.source_addr, first.destination_addr, first.dest_addr_ton) == (
        5,
        "Monsters",
        VODAFONE,
        1,
    )
    assert (first.short_message, first.data_coding, first.registered_delivery, first.tlvs) == (b"Hello", 0, 1, [])
    assert (second.short_message, second.data_coding) == ("Привет".encode("utf-16-be"), 8)
    assert [part.esm_class & 0x40 for part in parts] == [0x40] * 3
    assert [tuple(part.short_message[:6])[4:] for part in parts] == [(3, 1), (3, 2), (3, 3)]
    assert b"".join(part.short_message[6:] for part in parts).decode() == LONG
    refused = await pipeline.accepted(text="not this one")
    await pipeline.until_status(refused.message_id, State.FAILED)
    await smsc.report(1, "DELIVRD")
    await smsc.report(2, "UNDELIV", by_tlvs=True)
    for number in (3, 4, 5):
        await smsc.report(number, "DELIVRD", by_tlvs=number == 4)
    await pipeline.until_status(plain.message_id, State.DELIVERED)
    await pipeline.until_status(wide.message_id, State.UNDELIVERED)
    await pipeline.until_status(long.message_id, State.DELIVERED)


async def _joins_by_tlvs_where_the_vendor_wants_it(pipeline: Running, smsc: ForeignSmsc) -> None:
    """VSMPP-22. The change is followed without a restart: the connection binds anew."""
    binds_count = smsc.binds_count
    await pipeline.session.execute("UPDATE connections_vendorsmppconnection SET use_tlv = true")
    await smsc.until(lambda: smsc.binds_count > binds_count)
    await pipeline.accepted(text=LONG)
    await smsc.until(lambda: len(smsc.taken) == 8)
    parts = sorted(smsc.taken[5:], key=lambda part: next(tlv.as_int() for tlv in part.tlvs if tlv.tag == 0x20F))
    assert {part.esm_class for part in parts} == {0} and b"".join(part.short_message for part in parts).decode() == LONG
    told = [{tlv.tag: tlv.as_int() for tlv in part.tlvs} for part in parts]
    assert [(each[0x20E], each[0x20F]) for each in told] == [(3, 1), (3, 2), (3, 3)]
    assert len({each[0x20C] for each in told}) == 1
    for number in (6, 7, 8):
        await smsc.report(number, "DELIVRD")


async def _is_written_to(pipeline: Running, smsc: ForeignSmsc) -> None:
    """Messages from a phone: plain, Unicode, and with the vendor's own TLV beside."""
    import smpp34

    await smsc.deliver(VODAFONE, "2525", b"Yes please", tlvs=[smpp34.Tlv(0x1403, b"\xaa")])
    await smsc.deliver(VODAFONE, "2525", "Да".encode("utf-16-be"), data_coding=8)
    await pipeline.until("SELECT count(*) = 2 FROM traffic_incoming")
    rows = await pipeline.session.fetch("SELECT source, body FROM traffic_incoming ORDER BY body")
    assert [row["body"] for row in rows] == ["Yes please", "Да"]
    assert {row["source"].lstrip("+") for row in rows} == {VODAFONE}


async def _is_let_go_and_comes_back(pipeline: Running, smsc: ForeignSmsc) -> None:
    """The vendor unbinds: bound again. By hand: bound anew, then kept away, then back; what waited goes out."""
    for asked in (
        smsc.unbind(),
        pipeline.session.execute("UPDATE connections_vendorsmppconnection SET reconnect_at = now()"),
    ):
        binds_count = smsc.binds_count
        await asked
        await smsc.until(lambda count=binds_count: smsc.binds_count == count + 1 and len(smsc.sessions) == 1)
        await _ready(pipeline, True)
    await pipeline.session.execute("UPDATE connections_vendorsmppconnection SET disconnected = true")
    await smsc.until(lambda: not smsc.sessions)
    lanes = pipeline.traffic._lanes
    await smsc.until(lambda: [lane.reason for lane in lanes.values()] == ["disconnected"])
    (lane,) = lanes.values()
    taken_count = len(smsc.taken)
    waits = await pipeline.accepted(text="waits")
    assert (lane.reason, lane.sessions, len(smsc.taken)) == ("disconnected", (0, 0), taken_count)
    await pipeline.session.execute("UPDATE connections_vendorsmppconnection SET disconnected = false")
    await smsc.until(lambda: len(smsc.taken) == taken_count + 1)
    await smsc.report(taken_count + 1, "DELIVRD")
    await pipeline.until_status(waits.message_id, State.DELIVERED)


def test_a_message_centre_by_others_takes_reports_writes_and_leaves(spain_db: str) -> None:
    async def told() -> None:
        async with foreign_smsc() as smsc, running(spain_db, registered=True) as pipeline:
            options = json.dumps({"reconnect_min_s": 0.05, "reconnect_max_s": 0.2})
            await pipeline.session.execute(_SENDER)
            await pipeline.session.execute(_AIM, smsc.port, False, options)
            await smsc.until(lambda: smsc.sessions)
            await _ready(pipeline, True)
            await _sends_and_is_told(pipeline, smsc)
            await _joins_by_tlvs_where_the_vendor_wants_it(pipeline, smsc)
            await _is_written_to(pipeline, smsc)
            await _is_let_go_and_comes_back(pipeline, smsc)
            await pipeline.until("SELECT count(*) = 0 FROM traffic_outbox")
            await pipeline.books_agree()

    asyncio.run(told())
