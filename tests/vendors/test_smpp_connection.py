"""The SMPP adapter against the simulated SMSC: good days, and everything a vendor does wrong."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.vendors.smpp_sandbox import Run, Told, bound, connected, part, simulated

from relais.contracts.vendors import RefusalClass
from relais.core.lifecycle import State
from relais.simulators.smsc_behaviours import IdStyle, ReceiptForm
from relais.wire.smpp import codec, pdus
from relais.wire.smpp.commands import DELIVER_SM
from relais.wire.smpp.events import Declined, StrayResponse
from relais.wire.smpp.statuses import ESME_RX_T_APPN


def test_a_part_is_taken_reported_delivered_and_its_receipt_acknowledged(run: Run) -> None:
    async def body() -> None:
        async with bound() as (smsc, connection, told):
            it = part()
            connection.submit(it)
            await told.until(lambda: told.receipts)
            ((taken, vendor_id),) = told.submitted_ones
            assert taken is it and vendor_id == smsc.accepted[0].message_id
            (receipt,) = told.receipts
            assert (receipt.vendor_message_id, receipt.state) == (vendor_id, State.DELIVERED)
            assert (receipt.status, receipt.error) == ("DELIVRD", "000")
            assert receipt.done_at is not None and abs(datetime.now(UTC) - receipt.done_at) < timedelta(minutes=2)
            connection.submit(part(body=b"Again"))
            await told.until(lambda: len(told.receipts) == 2)
        assert smsc.counters["receipts_answered"] == 2
        assert told.changes == [(True, "bound"), (False, "stopped"), (False, "unbound")]

    run(body())


def test_the_request_says_what_the_part_says(run: Run) -> None:
    async def body() -> None:
        async with bound() as (smsc, connection, told):
            header = b"\x05\x00\x03\x2a\x02\x01"
            connection.submit(part(header=header, body=b"Part one", parts=2, data_coding=0, validity_s=7200))
            await told.until(lambda: told.submitted_ones)
            request = smsc.accepted[0].request
            assert (request.source_ton, request.source_npi, request.source) == (5, 0, "Monsters")
            assert (request.destination_ton, request.destination_npi) == (1, 1)
            assert request.destination == "34600129999"
            assert (request.esm_class, request.registered_delivery) == (0x40, 1)
            assert request.validity_period == "000000020000000R"
            assert request.short_message == header + b"Part one"

    run(body())


@pytest.mark.parametrize(
    ("suffix", "states"),
    [
        ("0001", [State.UNDELIVERED]),
        ("0002", [State.EXPIRED]),
        ("0003", [State.REJECTED]),
        ("0011", [State.DELIVERED, State.DELIVERED]),
        ("0012", [State.DELIVERED, State.DELIVERED]),
        ("0015", [None, State.DELIVERED]),
        ("0016", [State.DELIVERED, State.UNDELIVERED]),
    ],
)
def test_every_receipt_is_told_with_its_state(run: Run, suffix: str, states: list[State | None]) -> None:
    async def body() -> None:
        async with bound() as (_, connection, told):
            connection.submit(part(f"3460012{suffix}"))
            await told.until(lambda: len(told.receipts) == len(states) and told.submitted_ones)
            assert [receipt.state for receipt in told.receipts] == states

    run(body())


@pytest.mark.parametrize(
    ("suffix", "error", "kind"),
    [
        ("0005", "ESME_RINVDSTADR 0x0B", RefusalClass.PERMANENT),
        ("0006", "ESME_RSYSERR 0x08", RefusalClass.TEMPORARY),
        ("0007", "ESME_RTHROTTLED 0x58", RefusalClass.THROTTLED),
    ],
)
def test_a_refusal_is_told_with_its_class(run: Run, suffix: str, error: str, kind: RefusalClass) -> None:
    async def body() -> None:
        async with bound() as (smsc, connection, told):
            it = part(f"3460012{suffix}")
            connection.submit(it)
            await told.until(lambda: told.refused_ones)
            assert told.refused_ones == [(it, error, kind)]
            assert not told.submitted_ones and not told.receipts and smsc.counters["accepted"] == 0

    run(body())


def test_a_receipt_may_come_before_the_response(run: Run) -> None:
    async def body() -> None:
        async with bound({"response_delay_s": 0.02}) as (_, connection, told):
            connection.submit(part("34600120010"))
            await told.until(lambda: told.submitted_ones)
            assert told.order[-2:] == ["receipt", "submitted"]
            assert told.receipts[0].vendor_message_id == told.submitted_ones[0][1]

    run(body())


def test_a_second_answer_changes_nothing(run: Run) -> None:
    async def body() -> None:
        async with bound({"receipt_delay_s": 0.02}) as (_, connection, told):
            with capture_logs() as lines:
                connection.submit(part("34600120009"))
                await told.until(lambda: told.receipts)
            assert len(told.submitted_ones) == 1 and not told.refused_ones
            assert [line["command"] for line in lines if line["event"] == "response.dropped"] == ["submit_sm_resp"]

    run(body())


def test_what_a_vendor_repeats_does_not_fill_the_log(run: Run) -> None:
    async def body() -> None:
        async with bound() as (_, connection, _told):
            with capture_logs() as lines:
                for sequence in range(1, 251):
                    connection.noticed(Declined(DELIVER_SM, sequence, ESME_RX_T_APPN))
                connection.noticed(StrayResponse(DELIVER_SM, 251, ESME_RX_T_APPN))
            assert [line["times"] for line in lines if line["event"] == "request.declined"] == [1, 10, 100]
            assert [line["times"] for line in lines if line["event"] == "response.dropped"] == [1]

    run(body())


def test_a_part_that_is_never_answered_is_unanswered_and_the_link_lives_on(run: Run) -> None:
    async def body() -> None:
        async with bound(response_timeout_s=0.05) as (_, connection, told):
            silent, next_one = part("34600120008"), part()
            connection.submit(silent)
            await told.until(lambda: told.unanswered_ones)
            assert told.unanswered_ones == [silent]
            connection.submit(next_one)
            await told.until(lambda: told.submitted_ones)
            assert told.changes == [(True, "bound")]

    run(body())


@pytest.mark.parametrize("suffix", ["0013", "0014"], ids=["garbage", "close"])
def test_a_vendor_that_sends_garbage_or_closes_is_bound_again(run: Run, suffix: str) -> None:
    async def body() -> None:
        async with bound() as (_, connection, told):
            lost = part(f"3460012{suffix}")
            connection.submit(lost)
            await told.until(lambda: [ready for ready, _ in told.changes] == [True, False, True])
            assert told.unanswered_ones == [lost]
            assert told.order.index("not ready") < told.order.index("unanswered"), "nothing is sent on a dead link"
            connection.submit(part())
            await told.until(lambda: told.submitted_ones)

    run(body())


@pytest.mark.parametrize("style", list(IdStyle))
@pytest.mark.parametrize("form", list(ReceiptForm))
def test_receipts_are_matched_whatever_the_form_of_the_id(run: Run, style: IdStyle, form: ReceiptForm) -> None:
    async def body() -> None:
        async with bound({"ids": style, "receipt_form": form}) as (_, connection, told):
            connection.submit(part())
            await told.until(lambda: told.receipts and told.submitted_ones)
            assert told.submitted_ones[0][1] in connection.spellings(told.receipts[0].vendor_message_id)
            assert told.receipts[0].state is State.DELIVERED

    run(body())


def test_the_vendor_is_answered_only_when_the_receipt_is_acknowledged(run: Run) -> None:
    async def body() -> None:
        async with bound() as (smsc, connection, told):
            told.acknowledges = False
            connection.submit(part())
            await told.until(lambda: told.receipts)
            connection.submit(part("34600120005"))  # a round trip: an answer would have arrived before its refusal
            await told.until(lambda: told.refused_ones)
            assert smsc.counters["receipts_answered"] == 0
            connection.acknowledge([receipt.token for receipt in told.receipts])
            connection.submit(part("34600120005"))
            await told.until(lambda: len(told.refused_ones) == 2)
            assert smsc.counters["receipts_answered"] == 1

    run(body())


def test_receipts_of_a_lost_bind_come_again_and_old_tokens_do_no_harm(run: Run) -> None:
    async def body() -> None:
        async with bound() as (smsc, connection, told):
            told.acknowledges = False
            connection.submit(part())
            await told.until(lambda: told.receipts)
            connection.submit(part("34600120014"))
            await told.until(lambda: len(told.receipts) == 2)
            old, new = told.receipts
            assert old.vendor_message_id == new.vendor_message_id
            connection.acknowledge([old.token, new.token])
            connection.submit(part("34600120005"))
            await told.until(lambda: told.refused_ones)
            assert smsc.counters["receipts_answered"] == 1

    run(body())


def test_a_vendor_that_is_away_is_tried_again_until_it_is_there(run: Run) -> None:
    async def body() -> None:
        async with simulated() as first:
            port = first.port
        async with connected(port) as (connection, told):
            await told.until(lambda: told.changes)
            assert not told.changes[0][0] and told.changes[0][1].startswith("no connection: ")
            async with simulated(port=port):
                await told.until(lambda: (True, "bound") in told.changes)
                connection.submit(part())
                await told.until(lambda: told.submitted_ones)
            await told.until(lambda: told.changes[-1][0] is False)

    run(body())


def test_refused_credentials_are_not_hammered(run: Run) -> None:
    async def body() -> None:
        with capture_logs() as lines:
            async with simulated() as smsc, connected(smsc.port, password="wrong") as (_, told):
                await told.until(lambda: told.changes)
                assert told.changes == [(False, "bind refused: ESME_RINVPASWD")]
                with pytest.raises(TimeoutError):  # thirty times the longest pause of an ordinary failure
                    async with asyncio.timeout(0.5):
                        await told.until(lambda: len(told.changes) > 1)
        refusals = [line for line in lines if line["event"] == "bind.refused"]
        assert [line["status"] for line in refusals] == ["ESME_RINVPASWD"]
        assert "wrong" not in repr(lines)

    run(body())


def test_a_part_that_smpp_cannot_carry_is_refused_for_good(run: Run) -> None:
    async def body() -> None:
        async with bound() as (smsc, connection, told):
            for it in (part(source="Señor"), part(body=bytes(255)), part(destination="3" * 21)):
                before = len(told.refused_ones)
                connection.submit(it)
                assert len(told.refused_ones) == before, "answers never come from within submit"
                await told.until(lambda: len(told.refused_ones) > before)  # noqa: B023 - awaited in the same turn
                assert told.refused_ones[-1][0] is it
                assert told.refused_ones[-1][2] is RefusalClass.PERMANENT
            assert smsc.counters["submitted"] == 0

    run(body())


def test_a_part_handed_over_while_not_bound_is_refused_for_now(run: Run) -> None:
    async def body() -> None:
        async with simulated() as smsc:
            port = smsc.port
        async with connected(port) as (connection, told):
            it = part()
            connection.submit(it)
            await told.until(lambda: told.refused_ones)
            assert told.refused_ones == [(it, "not connected", RefusalClass.TEMPORARY)]

    run(body())


class BareVendor(asyncio.Protocol):
    """Answers the bind and then whatever a test tells it to."""

    def __init__(self, then: bytes) -> None:
        self._then = then
        self.received: list[pdus.Pdu] = []
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        while data:
            length = int.from_bytes(data[:4], "big")
            pdu = codec.decode(data[:length])
            data = data[length:]
            self.received.append(pdu)
            if isinstance(pdu, pdus.BindTransceiver):
                self.transport.write(codec.encode(pdus.BindTransceiverResp(pdu.sequence, system_id="V")) + self._then)
            elif isinstance(pdu, pdus.Unbind):
                self.transport.write(codec.encode(pdus.UnbindResp(pdu.sequence)))


async def talk(then: bytes, condition: Any, **fields: Any) -> tuple[Told, BareVendor, list[Any]]:
    """Bind to a bare vendor that sends `then`, and leave once `condition(told, vendor)` holds."""
    vendors: list[BareVendor] = []

    def accept() -> BareVendor:
        vendors.append(BareVendor(then))
        return vendors[-1]

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    with capture_logs() as lines:
        async with connected(server.sockets[0].getsockname()[1], **fields) as (_, told):
            await told.until(lambda: condition(told))
    server.close()
    return told, vendors[0], lines


def test_VSMPP_23_an_incoming_message_is_told_the_right_way_round_and_its_text_is_not_logged(run: Run) -> None:
    async def body() -> None:
        incoming = pdus.DeliverSm(7, source="34600123456", destination="1234", short_message=b"my secret")
        after = pdus.DeliverSm(8, esm_class=4, short_message=b"id:1 stat:DELIVRD")
        told, vendor, lines = await talk(codec.encode(incoming) + codec.encode(after), lambda told: told.receipts)
        assert [receipt.vendor_message_id for receipt in told.receipts] == ["1"]
        assert [p.sequence for p in vendor.received if isinstance(p, pdus.DeliverSmResp)] == [7, 8]
        assert "my secret" not in repr(lines)
        (message,) = told.incoming_ones
        assert (message.source, message.destination, message.text) == ("34600123456", "1234", "my secret")
        told, _, _ = await talk(codec.encode(incoming), lambda told: told.incoming_ones, inverse_address_mode=True)
        (message,) = told.incoming_ones
        assert (message.source, message.destination) == ("1234", "34600123456"), "MO inverse address mode"

    run(body())


def test_receipts_without_esm_class_are_taken_where_the_link_is_known_for_them(run: Run) -> None:
    async def body() -> None:
        receipt = codec.encode(pdus.DeliverSm(7, short_message=b"id:1 sub:001 dlvrd:001 stat:UNDELIV err:12"))
        told, _, _ = await talk(receipt, lambda told: told.receipts, receipts_without_esm_class=True)
        assert (told.receipts[0].state, told.receipts[0].error) == (State.UNDELIVERED, "12")
        told, _, _ = await talk(receipt, lambda told: told.incoming_ones)
        assert not told.receipts, "people can type such texts"

    run(body())


def test_a_receipt_in_data_sm_is_told_and_answered(run: Run) -> None:
    async def body() -> None:
        octets = bytes.fromhex("001e00023100 0427000105")
        told, vendor, _ = await talk(codec.encode(pdus.DataSm(7, 0, octets, esm_class=4)), lambda told: told.receipts)
        assert (told.receipts[0].vendor_message_id, told.receipts[0].state) == ("1", State.UNDELIVERED)
        assert pdus.DataSmResp(7) in vendor.received

    run(body())


def test_ids_and_words_are_bounded_whatever_the_vendor_sends(run: Run) -> None:
    async def body() -> None:
        text = b"id:" + b"9" * 60_000 + b" stat:" + b"X" * 1000 + b" err:" + b"1" * 1000
        payload = b"\x04\x24" + len(text).to_bytes(2, "big") + text
        told, _, _ = await talk(codec.encode(pdus.DeliverSm(7, 0, payload, esm_class=4)), lambda told: told.receipts)
        (receipt,) = told.receipts
        assert (len(receipt.vendor_message_id), len(receipt.status), len(receipt.error)) == (255, 64, 64)
        assert receipt.state is None

    run(body())


def test_several_sessions_share_the_parts_and_one_of_them_is_enough(run: Run) -> None:
    async def body() -> None:
        async with simulated(close_after_count=1_000) as smsc, connected(smsc.port, sessions=3) as (connection, told):
            await told.until(lambda: (True, "bound") in told.changes)
            assert told.changes[0][0] and smsc.binds_count == 3
            for number in range(30):
                connection.submit(part(body=b"%d" % number))
            await told.until(lambda: len(told.receipts) == 30)
            assert len(smsc._taken_by_end) == 3, "each session carried some"
            connection.submit(part("34600120014"))  # the session that takes it falls
            await told.until(lambda: (True, "2 of 3 sessions bound") in told.changes)
            connection.submit(part(body=b"goes on"))
            await told.until(lambda: len(told.submitted_ones) == 31)
            await told.until(lambda: told.changes[-1] == (True, "bound"))
        assert told.changes[-1] == (False, "unbound") or told.changes[-1] == (False, "stopped")

    run(body())


def test_a_vendor_without_transceivers_is_bound_twice(run: Run) -> None:
    async def body() -> None:
        async with simulated() as smsc, connected(smsc.port, bind_mode="apart") as (connection, told):
            await told.until(lambda: (True, "bound") in told.changes)
            connection.submit(part())
            await told.until(lambda: told.receipts)
            assert smsc.binds_count == 1, "receipts come over the receiver"

    run(body())


def test_VSMPP_45_an_internal_address_is_not_connected_to_unless_that_is_allowed(run: Run) -> None:
    async def body() -> None:
        for host in ("127.0.0.1", "localhost"):
            async with (
                simulated() as smsc,
                connected(smsc.port, host_name=host, allow_internal=False) as (connection, told),
            ):
                await told.until(lambda: told.changes)
                reason = "no connection: the address is internal, which this installation does not allow"
                assert told.changes == [(False, reason)] and connection.sessions == (0, 1)
                assert smsc.binds_count == 0

    run(body())
