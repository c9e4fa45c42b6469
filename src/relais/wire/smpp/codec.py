"""Octets of PDUs (SMPP 3.4 §4). Reading is lenient, writing strict.

Reading a *request* fails only where its end cannot be found. Reading a *response* never fails: a body that is absent,
cut or stray leaves defaults (peers send all three), so that an answer always finds its request.
`encode` writes exactly what the specification allows and refuses the rest with `Unencodable`.
"""

import struct
from collections.abc import Callable
from typing import Any, Final

from relais.wire.smpp import commands, statuses
from relais.wire.smpp.pdus import (
    PDUS,
    Address,
    DeliverSm,
    DeliverSmResp,
    Layout,
    Pdu,
    RefusedAddress,
    ReplaceSm,
    ShortMessage,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
)

HEADER: Final = struct.Struct(">IIII")  # command_length, command_id, command_status, sequence_number
_U32 = struct.Struct(">I")
_ADDRESS_ENTRY, _LIST_ENTRY = 1, 2  # dest_flag of submit_multi
_DESTINATIONS_MAX = 254
_TON_MAX = 6


class SmppError(Exception):
    """The only exception this package raises about what a peer sent; `status` is what to answer."""

    def __init__(self, status: int) -> None:
        super().__init__(statuses.status_name(status))
        self.status = status


class Unencodable(ValueError):
    """A PDU holds something that its layout cannot carry: our own side's fault, nothing was written."""


Decoder = Callable[[bytes, int, int, int, int], Pdu]
"""Octets, where the body begins, where it ends, status, sequence number. Octets after the end belong to other PDUs."""


def decode(frame: bytes) -> Pdu:
    """The PDU in `frame`, which is one whole PDU with its header.

    SmppError: RINVCMDLEN when the length is wrong, RINVCMDID for an unknown command, RINVMSGLEN for a request whose
    body ends before its fields do.
    """
    if len(frame) < commands.HEADER_OCTETS:
        raise SmppError(statuses.ESME_RINVCMDLEN)
    length, command_id, status, sequence = HEADER.unpack_from(frame)
    if length != len(frame):
        raise SmppError(statuses.ESME_RINVCMDLEN)
    decoder = DECODERS.get(command_id)
    if decoder is None:
        raise SmppError(statuses.ESME_RINVCMDID)
    return decoder(frame, commands.HEADER_OCTETS, length, status, sequence)


def encode(pdu: Pdu) -> bytes:
    """The octets of `pdu`. Responses that report an error have no body, as §4 has it, but for deliver_sm_resp.

    Unencodable for text that is not ASCII, holds a NUL or is too long, and for numbers outside their octets.
    """
    special = _ENCODERS.get(pdu.COMMAND)
    if special is not None:
        return special(pdu)
    if pdu.status and pdu.COMMAND & commands.RESPONSE_BIT:
        return HEADER.pack(commands.HEADER_OCTETS, pdu.COMMAND, pdu.status, pdu.sequence)
    return _framed(pdu, _pack_fields(pdu, type(pdu).LAYOUT))


# The four PDUs of the hot path: no loop over fields.


def encode_short_message(pdu: ShortMessage) -> bytes:
    """submit_sm and deliver_sm."""
    service_type, source, destination = pdu.service_type, pdu.source, pdu.destination
    schedule, validity = pdu.schedule_delivery_time, pdu.validity_period
    message = pdu.short_message
    text = f"{service_type}{source}{destination}{schedule}{validity}"
    if (
        not text.isascii()
        or "\0" in text
        or len(source) > 20
        or len(destination) > 20
        or len(service_type) > 5
        or len(schedule) not in (0, 16)
        or len(validity) not in (0, 16)
        or len(message) > commands.SHORT_MESSAGE_OCTETS_MAX
    ):
        raise Unencodable(_fault_of(pdu))
    try:
        body = b"%b\0%c%c%b\0%c%c%b\0%c%c%c%b\0%b\0%c%c%c%c%c%b%b" % (
            service_type.encode(),
            pdu.source_ton,
            pdu.source_npi,
            source.encode(),
            pdu.destination_ton,
            pdu.destination_npi,
            destination.encode(),
            pdu.esm_class,
            pdu.protocol_id,
            pdu.priority_flag,
            schedule.encode(),
            validity.encode(),
            pdu.registered_delivery,
            pdu.replace_if_present_flag,
            pdu.data_coding,
            pdu.sm_default_msg_id,
            len(message),
            message,
            pdu.tlvs,
        )
    except OverflowError as fault:
        raise Unencodable("a field of one octet is outside 0 to 255") from fault
    return HEADER.pack(len(body) + 16, pdu.COMMAND, pdu.status, pdu.sequence) + body


def encode_submit_sm_resp(sequence: int, status: int, message_id: str) -> bytes:
    """Without a body when `status` is an error. The id is 0 to 64 ASCII characters."""
    if status:
        return HEADER.pack(16, 0x80000004, status, sequence)
    if not message_id.isascii() or "\0" in message_id or len(message_id) > 64:
        raise Unencodable(f"not a message_id: {message_id!r}")
    return HEADER.pack(17 + len(message_id), 0x80000004, 0, sequence) + message_id.encode() + b"\0"


def encode_deliver_sm_resp(sequence: int, status: int) -> bytes:
    """Its body is a single NUL."""
    return HEADER.pack(17, 0x80000005, status, sequence) + b"\0"


def _short_message_decoder(pdu_type: type[ShortMessage]) -> Decoder:
    def decode_short_message(octets: bytes, start: int, end: int, status: int, sequence: int) -> Pdu:
        try:
            # Each search begins behind the octets it skips and stops at `end`, so that reading those is safe.
            service_end = octets.index(0, start, end)
            source_end = octets.index(0, service_end + 3, end)
            destination_end = octets.index(0, source_end + 3, end)
            schedule_end = octets.index(0, destination_end + 4, end)
            validity_end = octets.index(0, schedule_end + 1, end)
        except ValueError:
            raise SmppError(statuses.ESME_RINVMSGLEN) from None
        message_start = validity_end + 6
        if message_start > end:
            raise SmppError(statuses.ESME_RINVMSGLEN)
        message_end = message_start + octets[validity_end + 5]
        if message_end > end:
            raise SmppError(statuses.ESME_RINVMSGLEN)
        return pdu_type(
            sequence,
            status,
            octets[message_end:end],
            octets[start:service_end].decode("latin-1"),
            octets[service_end + 1],
            octets[service_end + 2],
            octets[service_end + 3 : source_end].decode("latin-1"),
            octets[source_end + 1],
            octets[source_end + 2],
            octets[source_end + 3 : destination_end].decode("latin-1"),
            octets[destination_end + 1],
            octets[destination_end + 2],
            octets[destination_end + 3],
            octets[destination_end + 4 : schedule_end].decode("latin-1"),
            octets[schedule_end + 1 : validity_end].decode("latin-1"),
            octets[validity_end + 1],
            octets[validity_end + 2],
            octets[validity_end + 3],
            octets[validity_end + 4],
            octets[message_start:message_end],
        )

    return decode_short_message


def _message_id_decoder(pdu_type: type[SubmitSmResp] | type[DeliverSmResp]) -> Decoder:
    def decode_message_id(octets: bytes, start: int, end: int, status: int, sequence: int) -> Pdu:
        stop = octets.find(0, start, end)
        if stop < 0:
            return pdu_type(sequence, status, b"", octets[start:end].decode("latin-1"))
        return pdu_type(sequence, status, octets[stop + 1 : end], octets[start:stop].decode("latin-1"))

    return decode_message_id


# Everything else, by its layout.


def _pack_fields(pdu: Pdu, layout: Layout) -> bytes:
    pieces = []
    for field, octets_max in layout:
        value: Any = getattr(pdu, field)
        pieces.append(_cstring(field, value, octets_max) if octets_max else _octet(field, value))
    return b"".join(pieces)


def _cstring(field: str, value: str, octets_max: int) -> bytes:
    if not value.isascii() or "\0" in value:
        raise Unencodable(f"{field} must be ASCII without NUL")
    if len(value) >= octets_max:
        raise Unencodable(f"{field} takes at most {octets_max - 1} characters, not {len(value)}")
    return value.encode() + b"\0"


def _octet(field: str, value: int) -> bytes:
    if not 0 <= value <= 0xFF:
        raise Unencodable(f"{field} must be 0 to 255, not {value}")
    return bytes((value,))


def _sized_message(message: bytes) -> bytes:
    if len(message) > commands.SHORT_MESSAGE_OCTETS_MAX:
        raise Unencodable(f"short_message takes at most {commands.SHORT_MESSAGE_OCTETS_MAX} octets, not {len(message)}")
    return bytes((len(message),)) + message


def _framed(pdu: Pdu, body: bytes) -> bytes:
    length = commands.HEADER_OCTETS + len(body) + len(pdu.tlvs)
    return HEADER.pack(length, pdu.COMMAND, pdu.status, pdu.sequence) + body + pdu.tlvs


def _fault_of(pdu: ShortMessage) -> str:
    """Which field of a refused submit_sm or deliver_sm is to blame; only asked when one is."""
    for field, octets_max in (("service_type", 6), ("source", 21), ("destination", 21)):
        value: str = getattr(pdu, field)
        if not value.isascii() or "\0" in value or len(value) >= octets_max:
            return f"{field} must be at most {octets_max - 1} ASCII characters"
    if len(pdu.short_message) > commands.SHORT_MESSAGE_OCTETS_MAX:
        return f"short_message takes at most {commands.SHORT_MESSAGE_OCTETS_MAX} octets"
    return "schedule_delivery_time and validity_period must be empty or 16 ASCII characters"


class _Reader:
    """Walks over a body. Leniently it stops at the end and yields defaults, otherwise it raises SmppError."""

    __slots__ = ("_end", "_lenient", "_octets", "position")

    def __init__(self, octets: bytes, start: int, end: int, lenient: bool) -> None:
        self._octets = octets
        self.position = start
        self._end = end
        self._lenient = lenient

    def fields(self, layout: Layout) -> dict[str, Any]:
        """Values by field; leniently, fields behind the end are missing."""
        found: dict[str, Any] = {}
        for field, octets_max in layout:
            if self.position >= self._end and self._lenient:
                break
            found[field] = self.cstring() if octets_max else self.number(1)
        return found

    def cstring(self) -> str:
        stop = self._octets.find(0, self.position, self._end)
        if stop < 0:
            if not self._lenient:
                raise SmppError(statuses.ESME_RINVMSGLEN)
            stop = self._end
        text = self._octets[self.position : stop].decode("latin-1")
        self.position = min(stop + 1, self._end)
        return text

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def take(self, length: int) -> bytes:
        if self.position + length > self._end:
            if not self._lenient:
                raise SmppError(statuses.ESME_RINVMSGLEN)
            length = self._end - self.position
        self.position += length
        return self._octets[self.position - length : self.position]

    def rest(self) -> bytes:
        return self._octets[self.position : self._end]


def _layout_decoder(pdu_type: type[Pdu]) -> Decoder:
    lenient = bool(pdu_type.COMMAND & commands.RESPONSE_BIT)

    def decode_by_layout(octets: bytes, start: int, end: int, status: int, sequence: int) -> Pdu:
        reader = _Reader(octets, start, end, lenient)
        fields = reader.fields(pdu_type.LAYOUT)
        return pdu_type(sequence=sequence, status=status, tlvs=reader.rest(), **fields)

    return decode_by_layout


def _decode_replace_sm(octets: bytes, start: int, end: int, status: int, sequence: int) -> Pdu:
    """Some peers put a service_type in front; then the first string is no id, or the octet behind it no TON."""
    first_end = octets.find(0, start, end)
    in_front = first_end == start or (0 <= first_end < end - 1 and octets[first_end + 1] > _TON_MAX)
    reader = _Reader(octets, first_end + 1 if in_front else start, end, lenient=False)
    fields = reader.fields(ReplaceSm.LAYOUT)
    fields["short_message"] = reader.take(reader.number(1))
    return ReplaceSm(sequence=sequence, status=status, tlvs=reader.rest(), **fields)


def _encode_replace_sm(pdu: Any) -> bytes:
    return _framed(pdu, _pack_fields(pdu, ReplaceSm.LAYOUT) + _sized_message(pdu.short_message))


def _decode_submit_multi(octets: bytes, start: int, end: int, status: int, sequence: int) -> Pdu:
    reader = _Reader(octets, start, end, lenient=False)
    fields = reader.fields(SubmitMulti.LAYOUT)
    destinations: list[Address | str] = []
    for _ in range(reader.number(1)):
        flag = reader.number(1)
        if flag == _ADDRESS_ENTRY:
            destinations.append(Address(reader.number(1), reader.number(1), reader.cstring()))
        elif flag == _LIST_ENTRY:
            destinations.append(reader.cstring())
        else:
            raise SmppError(statuses.ESME_RINVDESTFLAG)
    fields |= reader.fields(SubmitMulti.AFTER_LIST)
    message = reader.take(reader.number(1))
    tlvs = reader.rest()
    return SubmitMulti(sequence, status, tlvs, destinations=tuple(destinations), short_message=message, **fields)


def _encode_submit_multi(pdu: Any) -> bytes:
    if not 1 <= len(pdu.destinations) <= _DESTINATIONS_MAX:
        raise Unencodable(f"submit_multi takes 1 to {_DESTINATIONS_MAX} destinations, not {len(pdu.destinations)}")
    pieces = [_pack_fields(pdu, SubmitMulti.LAYOUT), bytes((len(pdu.destinations),))]
    for entry in pdu.destinations:
        if isinstance(entry, str):
            pieces += (bytes((_LIST_ENTRY,)), _cstring("dl_name", entry, 21))
        else:
            pieces += (bytes((_ADDRESS_ENTRY,)), _packed_address(entry))
    pieces += (_pack_fields(pdu, SubmitMulti.AFTER_LIST), _sized_message(pdu.short_message))
    return _framed(pdu, b"".join(pieces))


def _decode_submit_multi_resp(octets: bytes, start: int, end: int, status: int, sequence: int) -> Pdu:
    reader = _Reader(octets, start, end, lenient=True)
    fields = reader.fields(SubmitMultiResp.LAYOUT)
    refused = []
    for _ in range(reader.number(1)):
        if len(reader.rest()) < 7:
            break
        ton, npi, number = reader.number(1), reader.number(1), reader.cstring()
        refused.append(RefusedAddress(ton, npi, number, reader.number(4)))
    return SubmitMultiResp(sequence, status, reader.rest(), unsuccessful=tuple(refused), **fields)


def _encode_submit_multi_resp(pdu: Any) -> bytes:
    if pdu.status:
        return HEADER.pack(commands.HEADER_OCTETS, pdu.COMMAND, pdu.status, pdu.sequence)
    pieces = [_pack_fields(pdu, SubmitMultiResp.LAYOUT), _octet("no_unsuccess", len(pdu.unsuccessful))]
    for entry in pdu.unsuccessful:
        pieces += (_packed_address(entry), _U32.pack(entry.status))
    return _framed(pdu, b"".join(pieces))


def _packed_address(entry: Address | RefusedAddress) -> bytes:
    return _octet("ton", entry.ton) + _octet("npi", entry.npi) + _cstring("destination", entry.number, 21)


def _encode_submit_sm_resp(pdu: Any) -> bytes:
    if pdu.tlvs and not pdu.status:
        return _framed(pdu, _pack_fields(pdu, SubmitSmResp.LAYOUT))
    return encode_submit_sm_resp(pdu.sequence, pdu.status, pdu.message_id)


def _encode_deliver_sm_resp(pdu: Any) -> bytes:
    return encode_deliver_sm_resp(pdu.sequence, pdu.status)


_ENCODERS: Final[dict[int, Callable[[Any], bytes]]] = {
    commands.SUBMIT_SM: encode_short_message,
    commands.DELIVER_SM: encode_short_message,
    SubmitSmResp.COMMAND: _encode_submit_sm_resp,
    DeliverSmResp.COMMAND: _encode_deliver_sm_resp,
    commands.REPLACE_SM: _encode_replace_sm,
    commands.SUBMIT_MULTI: _encode_submit_multi,
    SubmitMultiResp.COMMAND: _encode_submit_multi_resp,
}

DECODERS: Final[dict[int, Decoder]] = {command: _layout_decoder(pdu_type) for command, pdu_type in PDUS.items()} | {
    commands.SUBMIT_SM: _short_message_decoder(SubmitSm),
    commands.DELIVER_SM: _short_message_decoder(DeliverSm),
    SubmitSmResp.COMMAND: _message_id_decoder(SubmitSmResp),
    DeliverSmResp.COMMAND: _message_id_decoder(DeliverSmResp),
    commands.REPLACE_SM: _decode_replace_sm,
    commands.SUBMIT_MULTI: _decode_submit_multi,
    SubmitMultiResp.COMMAND: _decode_submit_multi_resp,
}
