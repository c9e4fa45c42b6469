"""One SMPP session, either end, without socket and clock (SMPP 3.4 §2.2): octets in, events out, octets to send.

The owner feeds `receive`, sends what `octets_to_send` hands out, calls `on_time` when `deadline_s` has passed, and says
`connection_lost` when the connection is gone. `now_s` is any clock that never steps back. Binding, enquire_link,
unbind, sequence numbers, the window, what may arrive in which state and every time limit are the session's business;
everything else is told as an event. However the octets are cut, the events are the same; nothing a peer sends raises.
"""

from typing import Any, Final

from relais.wire.smpp import codec, commands, statuses, tlvs
from relais.wire.smpp.events import (
    Answered,
    BindRefused,
    BindRequested,
    Bound,
    Closed,
    Declined,
    Event,
    StrayResponse,
    Unanswered,
)
from relais.wire.smpp.pdus import (
    PDUS,
    Bind,
    BindResp,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    SubmitSm,
    Unbind,
    UnbindResp,
)
from relais.wire.smpp.states import ALWAYS, RECEIVABLE, STATE_AFTER_BIND, Role, SessionSettings, State

UNBIND_WAIT_S: Final = 5.0  # for open requests, then again for the unbind_resp
PEER_UNBIND_WAIT_S: Final = 2.0  # a peer that unbinds still gets the answers it waits for, if they come in this time
_NEVER_S: Final = float("inf")

# What the session itself asks, told apart from the owner's contexts by identity.
_BINDING, _ENQUIRING, _UNBINDING = object(), object(), object()


class Session:
    """See the module. Not reentrant: act on events after `receive` has returned them.

    `bound`: bound, and not on the way out. `closed`: over; a closed session stays closed. Both are there to be read.
    """

    __slots__ = (
        "_bind_deadline_s",
        "_buffer",
        "_enquired",
        "_frame_octets",
        "_incoming_count",
        "_out",
        "_peer_unbind",
        "_pending",
        "_receivable",
        "_received_at_s",
        "_sequence",
        "_unbind_deadline_s",
        "_unbind_sent",
        "bound",
        "closed",
        "role",
        "settings",
        "state",
    )

    def __init__(self, role: Role, settings: SessionSettings, now_s: float) -> None:
        self.role = role
        self.settings = settings
        self._unbind_deadline_s = _NEVER_S
        self._peer_unbind: tuple[int, float] | None = None  # its sequence number, and until when its answers may come
        self._enter(State.OPEN)
        self._buffer = bytearray()
        self._frame_octets = 4  # how many octets the buffer needs before reading goes on
        self._out: list[bytes] = []
        self._sequence = 0
        self._pending: dict[int, tuple[int, Any, float]] = {}  # sequence -> command, context, deadline; oldest first
        self._incoming_count = 0  # requests of the peer that the owner has not answered; numbers may repeat
        self._received_at_s = now_s
        self._bind_deadline_s = now_s + settings.bind_timeout_s
        self._enquired = False
        self._unbind_sent = False

    # What the owner may ask.

    @property
    def pending_count(self) -> int:
        """Our requests that wait for a response: the window used."""
        return len(self._pending)

    @property
    def may_deliver(self) -> bool:
        """Server end: whether the peer takes deliver_sm."""
        return self.bound and self.state is not State.BOUND_TX

    @property
    def may_submit(self) -> bool:
        """Server end: whether the peer may hand messages in."""
        return self.bound and self.state is not State.BOUND_RX

    def octets_to_send(self) -> bytes:
        """Everything to write since the last call, in one piece."""
        if not self._out:
            return b""
        octets = b"".join(self._out)
        self._out.clear()
        return octets

    # What the owner says.

    def bind(self, request: Bind, now_s: float) -> None:
        """Client end: ask for the bind. Answered by `Bound`, or by `BindRefused` and `Closed`."""
        assert self.role is Role.CLIENT and self.state is State.OPEN and not self._pending, "binds once, first"
        self._bind_deadline_s = now_s + self.settings.bind_timeout_s
        self._send(request, _BINDING, now_s)

    def accept_bind(self, request: Bind, system_id: str, interface_version: int = 0x34) -> None:
        """Server end: the peer is who it says."""
        assert self.role is Role.SERVER
        if self.state is not State.OPEN:
            return
        self._enter(STATE_AFTER_BIND[request.COMMAND])
        self._incoming_count = 0
        response: Any = PDUS[request.COMMAND | commands.RESPONSE_BIT]
        version = tlvs.pack_tlvs([(tlvs.SC_INTERFACE_VERSION, interface_version)])
        told = version if request.interface_version >= 0x34 else b""  # 3.3 knows no TLVs
        self._out.append(codec.encode(response(request.sequence, 0, told, system_id)))

    def refuse_bind(self, request: Bind, status: int) -> list[Event]:
        """Server end: answer with `status` and close."""
        if self.state is not State.OPEN:
            return []
        self.answer(request, status)
        return self._close(f"bind refused: {statuses.status_name(status)}")

    def send(self, request: Pdu, context: Any, now_s: float) -> None:
        """Send a request of ours; `context` comes back with its answer, exactly once. Only while `bound`.

        Unencodable (a ValueError) when the PDU cannot be written; then nothing was sent and no event follows.
        """
        assert self.bound, "only while bound"
        self._send(request, context, now_s)

    def answer(self, request: Pdu, status: int) -> None:
        """Answer a request with a status alone; for deliver_sm and refusals of anything. Late answers are dropped."""
        if not self._answerable():
            return
        command = request.COMMAND
        if command == commands.DELIVER_SM:
            self._out.append(codec.encode_deliver_sm_resp(request.sequence, status))
        else:
            self._out.append(_status_response(command, request.sequence, status))

    def answer_submit_sm(self, request: Pdu, message_id: str) -> None:
        """Answer a submit_sm with success. Late answers are dropped."""
        if self._answerable():
            self._out.append(codec.encode_submit_sm_resp(request.sequence, 0, message_id))

    def answer_with(self, request: Pdu, response: Pdu) -> None:
        """Answer with any response; its sequence number is set here. Late answers are dropped."""
        if self._answerable():
            response.sequence = request.sequence
            self._out.append(codec.encode(response))

    def unbind(self, now_s: float) -> list[Event]:
        """Leave in good order: wait for open requests of both sides, unbind, wait for its response; then `Closed`. What the
        peer asks from now on is declined."""
        if self.closed or self._unbind_deadline_s != _NEVER_S:
            return []
        if self.state is State.OPEN:
            return self._close("closed before bound")
        self._unbind_deadline_s = now_s + UNBIND_WAIT_S
        self.bound = False
        self._unbind_when_drained(now_s)
        return []

    def connection_lost(self, reason: str) -> list[Event]:
        """The connection is gone."""
        return self._close(reason)

    # Time.

    def deadline_s(self) -> float:
        """When `on_time` has something to do at the latest; infinity when never."""
        if self.closed:
            return _NEVER_S
        settings = self.settings
        deadline_s = self._unbind_deadline_s
        if deadline_s != _NEVER_S and not self._unbind_sent and self._drained():
            return 0.0
        if self._peer_unbind is not None:
            deadline_s = min(deadline_s, self._peer_unbind[1] if self._incoming_count else 0.0)
        if self.state is State.OPEN:
            deadline_s = min(deadline_s, self._bind_deadline_s)
        elif settings.enquire_link_s is not None and self.bound and not self._enquired:
            deadline_s = min(deadline_s, self._received_at_s + settings.enquire_link_s)
        if settings.inactivity_s is not None:
            deadline_s = min(deadline_s, self._received_at_s + settings.inactivity_s)
        for _, _, oldest_s in self._pending.values():
            return min(deadline_s, oldest_s)
        return deadline_s

    def on_time(self, now_s: float) -> list[Event]:
        """Whatever the clock makes due."""
        if self.closed:
            return []
        if self.state is State.OPEN and now_s >= self._bind_deadline_s:
            return self._close("no bind in time")
        if self.settings.inactivity_s is not None and now_s >= self._received_at_s + self.settings.inactivity_s:
            return self._close("peer is silent")
        if self._peer_unbind is not None and (not self._incoming_count or now_s >= self._peer_unbind[1]):
            return self._answer_unbind(self._peer_unbind[0])
        events = self._expire_requests(now_s)
        if not self.closed and now_s >= self._unbind_deadline_s:
            if self._unbind_sent:
                return events + self._close("unbind was not answered")
            self._send_unbind(now_s)
        enquire_link_s = self.settings.enquire_link_s
        if (
            enquire_link_s is not None
            and self.bound
            and not self._enquired
            and now_s >= self._received_at_s + enquire_link_s
        ):
            self._enquired = True
            self._send(EnquireLink(), _ENQUIRING, now_s)
        return events

    # What arrives.

    def receive(self, octets: bytes, now_s: float) -> list[Event]:
        """Events in the order in which the peer caused them."""
        if self.closed:
            return []
        self._received_at_s = now_s
        buffer = self._buffer
        if buffer:
            buffer += octets
            if len(buffer) < self._frame_octets:
                return []
            octets = bytes(buffer)
            buffer.clear()
        events: list[Event] = []
        position, end = 0, len(octets)
        unpack = codec.HEADER.unpack_from
        while end - position >= 4:
            length = int.from_bytes(octets[position : position + 4], "big")
            if not commands.HEADER_OCTETS <= length <= commands.PDU_OCTETS_MAX:
                return events + self._lose_framing()
            if end - position < length:
                self._frame_octets = length
                break
            _, command_id, status, sequence = unpack(octets, position)
            self._take(octets, position + length, command_id, status, sequence, position, now_s, events)
            if self.closed:
                return events
            position += length
        else:
            self._frame_octets = 4
        if position < end:
            buffer += octets[position:] if position else octets
        return events

    def _take(
        self,
        octets: bytes,
        end: int,
        command_id: int,
        status: int,
        sequence: int,
        start: int,
        now_s: float,
        events: list[Event],
    ) -> None:
        """One PDU, whose frame is octets[start:end]."""
        decoder = codec.DECODERS.get(command_id)
        if command_id & commands.RESPONSE_BIT:
            if decoder is None:
                events.append(StrayResponse(command_id, sequence, status))
            else:
                pdu = decoder(octets, start + commands.HEADER_OCTETS, end, status, sequence)
                self._take_response(pdu, command_id, now_s, events)
            return
        if decoder is None:
            self._out.append(codec.encode(GenericNack(sequence, statuses.ESME_RINVCMDID)))
            events.append(Declined(command_id, sequence, statuses.ESME_RINVCMDID))
            return
        if command_id not in self._receivable:
            bound_twice = command_id in commands.BINDS and self.role is Role.SERVER
            status = statuses.ESME_RALYBND if bound_twice else statuses.ESME_RINVBNDSTS
            self._decline(command_id, sequence, status, events)
            return
        try:
            pdu = decoder(octets, start + commands.HEADER_OCTETS, end, status, sequence)
        except codec.SmppError as error:
            self._decline(command_id, sequence, error.status, events)
            return
        if command_id in ALWAYS:
            self._take_link_request(command_id, sequence, now_s, events)
        elif command_id in commands.WITHOUT_RESPONSE:
            events.append(pdu)
        else:
            self._take_request(pdu, command_id, events)

    def _take_request(self, pdu: Pdu, command_id: int, events: list[Event]) -> None:
        server = self.role is Role.SERVER
        if server and pdu.tlvs and not tlvs.well_formed(pdu.tlvs):
            # A client learns of its fault; a vendor's receipt with stray octets at its end is still a receipt.
            self._decline(command_id, pdu.sequence, statuses.ESME_RINVOPTPARSTREAM, events)
            return
        if command_id in commands.BINDS:
            if self._incoming_count:  # one bind is being looked at already
                self._decline(command_id, pdu.sequence, statuses.ESME_RALYBND, events)
                return
            assert isinstance(pdu, Bind)
            self._incoming_count += 1
            events.append(BindRequested(pdu))
            return
        leaving = self._unbind_deadline_s != _NEVER_S or self._peer_unbind is not None
        if self._incoming_count >= self.settings.incoming_window or leaving:
            self._decline(
                command_id, pdu.sequence, statuses.ESME_RTHROTTLED if server else statuses.ESME_RX_T_APPN, events
            )
            return
        self._incoming_count += 1
        events.append(pdu)

    def _take_link_request(self, command_id: int, sequence: int, now_s: float, events: list[Event]) -> None:
        if command_id == commands.ENQUIRE_LINK:
            self._out.append(codec.encode(EnquireLinkResp(sequence)))
        elif self._incoming_count and self.state is not State.OPEN:
            if self._peer_unbind is None:
                self._peer_unbind = sequence, now_s + PEER_UNBIND_WAIT_S
                self.bound = False
        else:
            events += self._answer_unbind(sequence)

    def _answer_unbind(self, sequence: int) -> list[Event]:
        self._out.append(codec.encode(UnbindResp(sequence)))
        return self._close("peer unbound")

    def _take_response(self, response: Pdu, command_id: int, now_s: float, events: list[Event]) -> None:
        pending = self._pending.get(response.sequence)
        if pending is None or (
            command_id != commands.GENERIC_NACK and command_id != pending[0] | commands.RESPONSE_BIT
        ):
            events.append(StrayResponse(command_id, response.sequence, response.status))
            return
        del self._pending[response.sequence]
        context = pending[1]
        if context is _ENQUIRING:
            self._enquired = False
        elif context is _UNBINDING:
            events += self._close("unbound")
            return
        elif context is _BINDING:
            events += self._take_bind_answer(response, pending[0])
        else:
            events.append(Answered(context, response))
        if self._unbind_deadline_s != _NEVER_S:
            self._unbind_when_drained(now_s)

    def _take_bind_answer(self, response: Pdu, command_id: int) -> list[Event]:
        if response.status or not isinstance(response, BindResp):
            status = response.status or statuses.ESME_RBINDFAIL
            return [BindRefused(status), *self._close(f"bind refused: {statuses.status_name(status)}")]
        self._enter(STATE_AFTER_BIND[command_id])
        return [Bound(response, tlvs.int_of(tlvs.tlv_value(response.tlvs, tlvs.SC_INTERFACE_VERSION)))]

    # Inside.

    def _enter(self, state: State) -> None:
        self.state = state
        self.closed = state is State.CLOSED
        self.bound = state not in (State.OPEN, State.CLOSED) and self._unbind_deadline_s == _NEVER_S
        self._receivable = RECEIVABLE[self.role, state]

    def _send(self, request: Pdu, context: Any, now_s: float) -> None:
        sequence = self._sequence % commands.SEQUENCE_MAX + 1
        while sequence in self._pending:  # only after 2^31 requests with one of them still open
            sequence = sequence % commands.SEQUENCE_MAX + 1
        request.sequence = sequence
        if type(request) is SubmitSm or type(request) is DeliverSm:
            octets = codec.encode_short_message(request)
        else:
            octets = codec.encode(request)
        self._sequence = sequence
        self._out.append(octets)
        self._pending[sequence] = (request.COMMAND, context, now_s + self.settings.response_timeout_s)

    def _answerable(self) -> bool:
        """Whether anybody is left to be answered; to answer one request twice is the owner's fault."""
        if self.closed:
            return False
        assert self._incoming_count > 0, "answers what was asked"
        self._incoming_count -= 1
        return True

    def _decline(self, command_id: int, sequence: int, status: int, events: list[Event]) -> None:
        if command_id not in commands.WITHOUT_RESPONSE:
            self._out.append(_status_response(command_id, sequence, status))
        events.append(Declined(command_id, sequence, status))

    def _expire_requests(self, now_s: float) -> list[Event]:
        """Requests whose time is over, oldest first; a silent link ends the session."""
        events: list[Event] = []
        while self._pending:
            sequence, (_, context, deadline_s) = next(iter(self._pending.items()))
            if now_s < deadline_s:
                break
            del self._pending[sequence]
            if context is _ENQUIRING:
                asked_at_s = deadline_s - self.settings.response_timeout_s
                self._enquired = False
                if self.settings.enquire_link_required and self._received_at_s <= asked_at_s:
                    return events + self._close("enquire_link was not answered")
            elif context is _UNBINDING or context is _BINDING:
                return events + self._close("no answer in time")
            else:
                events.append(Unanswered(context))
        if self._unbind_deadline_s != _NEVER_S:
            self._unbind_when_drained(now_s)
        return events

    def _unbind_when_drained(self, now_s: float) -> None:
        if not self._unbind_sent and self._drained():
            self._send_unbind(now_s)

    def _drained(self) -> bool:
        """Whether neither side waits for an answer of the other."""
        return not self._incoming_count and all(context is _ENQUIRING for _, context, _ in self._pending.values())

    def _send_unbind(self, now_s: float) -> None:
        self._unbind_sent = True
        self._unbind_deadline_s = now_s + UNBIND_WAIT_S
        self._send(Unbind(), _UNBINDING, now_s)

    def _lose_framing(self) -> list[Event]:
        """The stream cannot be read any further (SMPP 3.4 §3.3). A peer that never spoke SMPP (a web browser, a TLS
        client) gets no answer; others a generic_nack without number, since none can be trusted."""
        if self.state is not State.OPEN:
            self._out.append(codec.encode(GenericNack(0, statuses.ESME_RINVCMDLEN)))
        return self._close("unreadable octets")

    def _close(self, reason: str) -> list[Event]:
        if self.closed:
            return []
        self._enter(State.CLOSED)
        open_requests = [context for _, context, _ in self._pending.values()]
        self._pending.clear()
        self._buffer.clear()
        ours = (_BINDING, _ENQUIRING, _UNBINDING)
        return [Closed(reason), *(Unanswered(context) for context in open_requests if context not in ours)]


def _status_response(command_id: int, sequence: int, status: int) -> bytes:
    """The response to `command_id` that says only `status`."""
    return codec.encode(PDUS[command_id | commands.RESPONSE_BIT](sequence, status))
