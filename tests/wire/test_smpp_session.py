"""The session: states, window, time limits, faults of the peer; the clock is an argument."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relais.wire.smpp import codec, commands, pdus, statuses
from relais.wire.smpp.codec import decode, encode
from relais.wire.smpp.events import (
    Answered,
    BindRefused,
    BindRequested,
    Bound,
    Closed,
    Declined,
    StrayResponse,
    Unanswered,
)
from relais.wire.smpp.session import UNBIND_WAIT_S, Session
from relais.wire.smpp.states import RECEIVABLE, Role, SessionSettings, State

LIMITS = SessionSettings(bind_timeout_s=20.0, response_timeout_s=60.0, enquire_link_s=30.0, incoming_window=3)


def sent_by(session: Session) -> list[pdus.Pdu]:
    """What the session wants sent, as PDUs."""
    octets, found = session.octets_to_send(), []
    while octets:
        length = int.from_bytes(octets[:4], "big")
        found.append(decode(octets[:length]))
        octets = octets[length:]
    return found


def bound_client(limits: SessionSettings = LIMITS, bind: pdus.Bind | None = None) -> Session:
    session = Session(Role.CLIENT, limits, now_s=0.0)
    request = bind or pdus.BindTransceiver(system_id="relais", password="secret")
    session.bind(request, 0.0)
    session.octets_to_send()
    response: Any = pdus.PDUS[request.COMMAND | commands.RESPONSE_BIT]
    assert session.receive(encode(response(sequence=1, system_id="SMSC")), 0.0)
    return session


def bound_server(limits: SessionSettings = LIMITS, bind: pdus.Bind | None = None) -> Session:
    session = Session(Role.SERVER, limits, now_s=0.0)
    request = bind or pdus.BindTransceiver(sequence=1, system_id="relais")
    session.receive(encode(request), 0.0)
    session.accept_bind(request, "SMSC")
    session.octets_to_send()
    return session


def submit(sequence: int = 0) -> pdus.SubmitSm:
    return pdus.SubmitSm(sequence=sequence, source="INFO", destination="34600123456", short_message=b"Hello")


def test_a_client_binds_and_learns_the_peers_version() -> None:
    session = Session(Role.CLIENT, LIMITS, now_s=0.0)
    session.bind(pdus.BindTransceiver(system_id="relais", password="secret"), 0.0)
    assert sent_by(session) == [pdus.BindTransceiver(sequence=1, system_id="relais", password="secret")]
    assert not session.bound
    response = pdus.BindTransceiverResp(sequence=1, system_id="SMSC", tlvs=bytes.fromhex("0210000150"))
    assert session.receive(encode(response), 1.0) == [Bound(response, 0x50)]
    assert session.bound and session.state is State.BOUND_TRX


def test_a_refused_bind_ends_the_session() -> None:
    session = Session(Role.CLIENT, LIMITS, now_s=0.0)
    session.bind(pdus.BindTransceiver(system_id="relais"), 0.0)
    events = session.receive(encode(pdus.BindTransceiverResp(1, statuses.ESME_RINVPASWD)), 1.0)
    assert events == [BindRefused(statuses.ESME_RINVPASWD), Closed("bind refused: ESME_RINVPASWD")]


def test_a_server_tells_its_version_only_to_those_who_read_tlvs() -> None:
    for version, expected in ((0x34, bytes.fromhex("0210000134")), (0x33, b"")):
        session = Session(Role.SERVER, LIMITS, now_s=0.0)
        request = pdus.BindReceiver(sequence=9, system_id="relais", interface_version=version)
        assert session.receive(encode(request), 0.0) == [BindRequested(request)]
        session.accept_bind(request, "SMSC")
        assert sent_by(session) == [pdus.BindReceiverResp(9, 0, expected, "SMSC")]
        assert session.state is State.BOUND_RX


def test_a_server_refuses_a_bind_and_closes() -> None:
    session = Session(Role.SERVER, LIMITS, now_s=0.0)
    request = pdus.BindTransceiver(sequence=9, system_id="x")
    session.receive(encode(request), 0.0)
    assert session.refuse_bind(request, statuses.ESME_RINVSYSID) == [Closed("bind refused: ESME_RINVSYSID")]
    assert sent_by(session) == [pdus.BindTransceiverResp(9, statuses.ESME_RINVSYSID)]


def test_each_answer_comes_back_with_its_context_in_any_order() -> None:
    session = bound_client()
    for context in ("first", "second"):
        session.send(submit(), context, 1.0)
    assert [pdu.sequence for pdu in sent_by(session)] == [2, 3]
    assert session.pending_count == 2
    second, first = pdus.SubmitSmResp(3, 0, b"", "b"), pdus.SubmitSmResp(2, 0, b"", "a")
    assert session.receive(encode(second) + encode(first), 2.0) == [
        Answered("second", second),
        Answered("first", first),
    ]
    assert session.pending_count == 0


def test_a_repeated_late_or_foreign_response_is_stray() -> None:
    session = bound_client()
    session.send(submit(), "it", 1.0)
    right = encode(pdus.SubmitSmResp(2, 0, b"", "a"))
    wrong = encode(pdus.DeliverSmResp(2))
    assert session.receive(wrong, 2.0) == [StrayResponse(pdus.DeliverSmResp.COMMAND, 2, 0)]
    assert len(session.receive(right, 2.0)) == 1
    assert session.receive(right, 2.0) == [StrayResponse(pdus.SubmitSmResp.COMMAND, 2, 0)]
    unknown = codec.HEADER.pack(16, 0x80000111, 0, 5)
    assert session.receive(unknown, 2.0) == [StrayResponse(0x80000111, 5, 0)]


def test_a_generic_nack_answers_the_request_of_its_number() -> None:
    session = bound_client()
    session.send(submit(), "it", 1.0)
    nack = pdus.GenericNack(2, statuses.ESME_RINVCMDID)
    assert session.receive(encode(nack), 2.0) == [Answered("it", nack)]
    assert session.receive(encode(pdus.GenericNack(0, 2)), 2.0) == [StrayResponse(commands.GENERIC_NACK, 0, 2)]


def test_sequence_numbers_go_from_the_highest_to_1() -> None:
    session = bound_client()
    session._sequence = commands.SEQUENCE_MAX - 1
    for _ in range(2):
        session.send(submit(), None, 1.0)
    assert [pdu.sequence for pdu in sent_by(session)] == [commands.SEQUENCE_MAX, 1]


def test_numbers_in_use_are_not_given_twice() -> None:
    session = bound_client()
    session.send(submit(), None, 1.0)
    session._sequence = 1
    session.send(submit(), None, 1.0)
    assert [pdu.sequence for pdu in sent_by(session)] == [2, 3]


def test_what_cannot_be_written_was_not_sent() -> None:
    session = bound_client()
    with pytest.raises(codec.Unencodable):
        session.send(pdus.SubmitSm(source="ñ"), "it", 1.0)
    assert session.pending_count == 0 and session.octets_to_send() == b""
    session.send(submit(), "it", 1.0)
    assert sent_by(session)[0].sequence == 2


def test_a_request_without_an_answer_is_told_once_its_time_is_over() -> None:
    session = bound_client()
    session.send(submit(), "it", 1.0)
    session.send(submit(), "later", 2.0)
    session.receive(encode(pdus.EnquireLink(1)), 50.0)
    assert session.on_time(60.9) == []
    assert session.on_time(61.0) == [Unanswered("it")]
    assert session.receive(encode(pdus.SubmitSmResp(2, 0, b"", "a")), 61.5) == [
        StrayResponse(pdus.SubmitSmResp.COMMAND, 2, 0)
    ]
    assert session.pending_count == 1


def test_a_quiet_link_is_asked_and_given_up_when_it_stays_quiet() -> None:
    session = bound_client()
    assert session.deadline_s() == 30.0
    assert session.on_time(29.9) == [] and session.octets_to_send() == b""
    assert session.on_time(30.0) == []
    assert sent_by(session) == [pdus.EnquireLink(2)]
    assert session.deadline_s() == 90.0
    assert session.on_time(90.0) == [Closed("enquire_link was not answered")]
    assert session.deadline_s() == float("inf")


@pytest.mark.parametrize("sign", [encode(pdus.EnquireLinkResp(2)), encode(pdus.EnquireLink(7)), b"\0\0"])
def test_any_octets_are_a_sign_of_life(sign: bytes) -> None:
    session = bound_client()
    session.on_time(30.0)
    session.receive(sign, 31.0)
    assert session.on_time(90.0) == []
    assert session.bound


def test_a_peer_that_never_answers_enquire_link_may_be_tolerated() -> None:
    session = bound_client(SessionSettings(enquire_link_s=30.0, enquire_link_required=False))
    for now_s in (30.0, 90.0, 150.0):
        assert session.on_time(now_s) == []
    assert session.bound
    assert [type(pdu) for pdu in sent_by(session)] == [pdus.EnquireLink] * 3


def test_a_server_closes_who_does_not_bind_or_falls_silent() -> None:
    waiting = Session(Role.SERVER, LIMITS, now_s=0.0)
    assert waiting.deadline_s() == 20.0
    assert waiting.on_time(20.0) == [Closed("no bind in time")]
    silent = bound_server(SessionSettings(inactivity_s=120.0, enquire_link_s=None))
    assert silent.deadline_s() == 120.0
    assert silent.on_time(120.0) == [Closed("peer is silent")]


def test_enquire_link_and_unbind_are_answered_at_any_time() -> None:
    for session in (Session(Role.SERVER, LIMITS, now_s=0.0), bound_server(), bound_client()):
        assert session.receive(encode(pdus.EnquireLink(7)), 1.0) == []
        assert session.receive(encode(pdus.Unbind(8)), 1.0) == [Closed("peer unbound")]
        assert sent_by(session) == [pdus.EnquireLinkResp(7), pdus.UnbindResp(8)]
        assert session.receive(encode(pdus.EnquireLink(9)), 1.0) == []
        assert session.octets_to_send() == b""


def test_leaving_waits_for_open_requests_then_unbinds() -> None:
    session = bound_client()
    session.send(submit(), "it", 1.0)
    session.octets_to_send()
    assert session.unbind(2.0) == []
    assert session.octets_to_send() == b"" and not session.bound
    session.receive(encode(pdus.SubmitSmResp(2, 0, b"", "a")), 3.0)
    assert sent_by(session) == [pdus.Unbind(3)]
    assert session.receive(encode(pdus.UnbindResp(3)), 4.0) == [Closed("unbound")]


def test_leaving_waits_neither_for_ever_for_answers_nor_for_the_unbind() -> None:
    session = bound_client()
    session.send(submit(), "it", 1.0)
    session.octets_to_send()
    session.unbind(2.0)
    assert session.deadline_s() == 2.0 + UNBIND_WAIT_S
    assert session.on_time(7.0) == []
    assert sent_by(session) == [pdus.Unbind(3)]
    assert session.on_time(12.0) == [Closed("unbind was not answered"), Unanswered("it")]


def test_a_lost_connection_leaves_open_requests_unanswered() -> None:
    session = bound_client()
    for context in ("first", "second"):
        session.send(submit(), context, 1.0)
    assert session.connection_lost("reset") == [Closed("reset"), Unanswered("first"), Unanswered("second")]
    assert session.connection_lost("again") == []


def test_answers_to_a_closed_session_are_dropped() -> None:
    session = bound_client()
    receipt = pdus.DeliverSm(sequence=5, esm_class=4)
    assert session.receive(encode(receipt), 1.0) == [receipt]
    session.connection_lost("reset")
    session.answer(receipt, 0)
    assert session.octets_to_send() == b""


def test_requests_are_answered_by_status_id_or_any_response() -> None:
    session = bound_server()
    requests = [submit(5), submit(6), pdus.QuerySm(7, message_id="a")]
    assert session.receive(b"".join(map(encode, requests)), 1.0) == requests
    session.answer_submit_sm(requests[0], "1001A")
    session.answer(requests[1], statuses.ESME_RTHROTTLED)
    session.answer_with(requests[2], pdus.QuerySmResp(message_id="a", message_state=2))
    assert sent_by(session) == [
        pdus.SubmitSmResp(5, 0, b"", "1001A"),
        pdus.SubmitSmResp(6, statuses.ESME_RTHROTTLED),
        pdus.QuerySmResp(7, message_id="a", message_state=2),
    ]


@pytest.mark.parametrize(
    ("session", "request_", "status"),
    [
        (Session(Role.SERVER, LIMITS, 0.0), submit(5), statuses.ESME_RINVBNDSTS),
        (bound_server(bind=pdus.BindReceiver(sequence=1)), submit(5), statuses.ESME_RINVBNDSTS),
        (bound_server(), pdus.BindTransceiver(5), statuses.ESME_RALYBND),
        (bound_server(), pdus.DeliverSm(5), statuses.ESME_RINVBNDSTS),
        (bound_client(), submit(5), statuses.ESME_RINVBNDSTS),
        (bound_client(bind=pdus.BindTransmitter()), pdus.DeliverSm(5), statuses.ESME_RINVBNDSTS),
        (bound_server(), pdus.SubmitSm(5, 0, b"\x14\x03\x00"), statuses.ESME_RINVOPTPARSTREAM),
    ],
)
def test_a_request_out_of_place_is_declined_in_its_own_response(
    session: Session, request_: pdus.Pdu, status: int
) -> None:
    session.octets_to_send()
    assert session.receive(encode(request_), 1.0) == [Declined(request_.COMMAND, 5, status)]
    assert [(type(pdu), pdu.status) for pdu in sent_by(session)] == [
        (pdus.PDUS[request_.COMMAND | commands.RESPONSE_BIT], status)
    ]
    assert not session.closed


def test_an_unknown_or_unreadable_request_is_declined_and_the_session_goes_on() -> None:
    session = bound_server()
    unknown = codec.HEADER.pack(20, 0x00000111, 0, 7) + b"abcd"
    unreadable = codec.HEADER.pack(20, commands.SUBMIT_SM, 0, 8) + b"abcd"
    assert session.receive(unknown + unreadable + encode(submit(9)), 1.0) == [
        Declined(0x111, 7, statuses.ESME_RINVCMDID),
        Declined(commands.SUBMIT_SM, 8, statuses.ESME_RINVMSGLEN),
        submit(9),
    ]
    assert sent_by(session) == [
        pdus.GenericNack(7, statuses.ESME_RINVCMDID),
        pdus.SubmitSmResp(8, statuses.ESME_RINVMSGLEN),
    ]


def test_a_vendors_receipt_with_stray_octets_at_its_end_is_still_a_receipt() -> None:
    receipt = pdus.DeliverSm(5, 0, b"\x14\x03\x00", esm_class=4)
    assert bound_client().receive(encode(receipt), 1.0) == [receipt]


@pytest.mark.parametrize(
    ("session", "receive", "status"),
    [
        (bound_client(), pdus.DeliverSm(esm_class=4), statuses.ESME_RX_T_APPN),
        (bound_server(), submit(), statuses.ESME_RTHROTTLED),
    ],
)
def test_requests_above_the_incoming_window_are_declined(session: Session, receive: pdus.Pdu, status: int) -> None:
    for sequence in range(1, 4):
        receive.sequence = sequence
        assert len(session.receive(encode(receive), 1.0)) == 1
    receive.sequence = 4
    assert session.receive(encode(receive), 1.0) == [Declined(receive.COMMAND, 4, status)]
    session.answer(receive, 0)
    receive.sequence = 5
    assert session.receive(encode(receive), 1.0) == [receive]


def test_requests_with_the_same_number_are_each_answered() -> None:
    """Some peers repeat numbers on long messages."""
    session = bound_server()
    first, second = session.receive(encode(submit(5)) * 2, 1.0)
    assert isinstance(first, pdus.Pdu) and isinstance(second, pdus.Pdu)
    session.answer_submit_sm(first, "a")
    session.answer_submit_sm(second, "b")
    assert [getattr(pdu, "message_id", "") for pdu in sent_by(session)] == ["a", "b"]


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", b"\0\0\0\x0f"])
def test_octets_that_are_no_smpp_end_the_session_and_are_answered_only_after_a_bind(octets: bytes) -> None:
    prober = Session(Role.SERVER, LIMITS, now_s=0.0)
    assert prober.receive(octets, 1.0) == [Closed("unreadable octets")]
    assert prober.octets_to_send() == b""
    client = bound_client()
    client.send(submit(), "it", 1.0)
    client.octets_to_send()
    assert client.receive(octets, 1.0) == [Closed("unreadable octets"), Unanswered("it")]
    assert sent_by(client) == [pdus.GenericNack(0, statuses.ESME_RINVCMDLEN)]


def test_the_largest_pdu_is_read_and_one_octet_more_is_not() -> None:
    session = bound_server()
    body = encode(pdus.SubmitSm(sequence=5))[16:]
    value = bytes(commands.PDU_OCTETS_MAX - 16 - len(body) - 4 - 1000)
    tail = b"\x04\x24" + len(value).to_bytes(2, "big") + value + b"\x14\x03" + (996).to_bytes(2, "big") + bytes(996)
    frame = codec.HEADER.pack(commands.PDU_OCTETS_MAX, commands.SUBMIT_SM, 0, 5) + body + tail
    assert len(frame) == commands.PDU_OCTETS_MAX
    assert len(session.receive(frame, 1.0)) == 1
    assert session.receive((commands.PDU_OCTETS_MAX + 1).to_bytes(4, "big"), 1.0) == [Closed("unreadable octets")]


def test_every_state_of_both_roles_says_what_it_receives() -> None:
    assert set(RECEIVABLE) == {(role, state) for role in Role for state in State}


def pieces_of(octets: bytes, cuts: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(octets)}), len(octets)]
    return [octets[start:end] for start, end in pairwise(edges)]


traffic = st.lists(
    st.sampled_from(
        [
            encode(pdus.SubmitSmResp(2, 0, b"", "a")),
            encode(pdus.SubmitSmResp(3, statuses.ESME_RTHROTTLED)),
            encode(pdus.DeliverSm(7, esm_class=4, short_message=b"id:1 stat:DELIVRD")),
            encode(pdus.EnquireLink(8)),
            codec.HEADER.pack(20, 0x00000111, 0, 7) + b"abcd",
            codec.HEADER.pack(20, commands.DELIVER_SM, 0, 7) + b"abcd",
            b"\xff\xff",
            b"\0\0\0\x10",
        ]
    ),
    max_size=8,
).map(b"".join)


@given(traffic | st.binary(max_size=200), st.lists(st.integers(1, 400), max_size=12), st.booleans())
@settings(max_examples=400, deadline=None)
def test_events_and_octets_are_the_same_however_the_stream_is_cut(octets: bytes, cuts: list[int], client: bool) -> None:
    results = []
    for pieces in ([octets], pieces_of(octets, cuts), [octets[i : i + 1] for i in range(len(octets))]):
        session = bound_client() if client else bound_server()
        if client:
            session.send(submit(), "first", 1.0)
            session.send(submit(), "second", 1.0)
        events = [event for piece in pieces for event in session.receive(piece, 1.0)]
        results.append((events, session.octets_to_send(), session.closed))
    assert results[0] == results[1] == results[2]


@given(st.lists(st.binary(max_size=80), max_size=6), st.sampled_from(Role), st.booleans())
@settings(max_examples=300, deadline=None)
def test_no_octets_make_a_session_raise(chunks: list[bytes], role: Role, bound: bool) -> None:
    session = Session(role, LIMITS, 0.0)
    if bound:
        session = bound_client() if role is Role.CLIENT else bound_server()
    for second, chunk in enumerate(chunks):
        for command_id in (*pdus.PDUS, 0x42):
            session.receive(codec.HEADER.pack(16 + len(chunk), command_id, second, second) + chunk, float(second))
        session.receive(chunk, float(second))
        session.on_time(float(second))


@given(st.lists(st.sampled_from(["send", "answer", "time", "lose", "unbind"]), max_size=30))
@settings(max_examples=200, deadline=None)
def test_every_request_is_answered_or_unanswered_exactly_once(steps: list[str]) -> None:
    session, now_s, given_ones, told = bound_client(), 1.0, 0, []
    for step in [*steps, "lose"]:
        events = []
        match step:
            case "send" if session.bound:
                session.send(submit(), given_ones, now_s)
                given_ones += 1
            case "answer" if session._pending:
                sequence = next(iter(session._pending))
                events = session.receive(encode(pdus.SubmitSmResp(sequence, 0, b"", "a")), now_s)
            case "time":
                now_s += 25.0
                events = session.on_time(now_s)
            case "lose":
                events = session.connection_lost("reset")
            case "unbind":
                events = session.unbind(now_s)
        told += [event.context for event in events if isinstance(event, Answered | Unanswered)]
    assert sorted(told) == list(range(given_ones))


def test_leaving_waits_for_our_own_answers_and_takes_nothing_new() -> None:
    session = bound_server()
    request = submit(sequence=7)
    assert session.receive(encode(request), 1.0) == [request]
    assert session.unbind(2.0) == [] and sent_by(session) == []
    assert session.receive(encode(submit(sequence=8)), 2.0) == [
        Declined(commands.SUBMIT_SM, 8, statuses.ESME_RTHROTTLED)
    ]
    session.answer_submit_sm(request, "a")
    assert session.deadline_s() == 0.0, "the clock has something to do at once"
    assert session.on_time(2.5) == []
    assert sent_by(session) == [
        pdus.SubmitSmResp(8, statuses.ESME_RTHROTTLED), pdus.SubmitSmResp(7, 0, b"", "a"), pdus.Unbind(1),
    ]  # fmt: skip


def test_a_peer_that_unbinds_gets_the_answers_it_waits_for() -> None:
    for answered, now_s in ((True, 1.5), (False, 3.5)):
        session = bound_server()
        request = submit(sequence=7)
        assert session.receive(encode(request) + encode(pdus.Unbind(8)), 1.0) == [request]
        assert not session.bound and not session.closed and sent_by(session) == []
        if answered:
            session.answer_submit_sm(request, "a")
        assert session.deadline_s() <= now_s
        assert session.on_time(now_s) == [Closed("peer unbound")]
        assert sent_by(session) == [*([pdus.SubmitSmResp(7, 0, b"", "a")] if answered else []), pdus.UnbindResp(8)]
