"""What an SMPP client said of its message that is needed later: to send it as it was cut, and to report on it.

Kept with the message as octets. A client is told of one message under every id that it was answered: each part of a long
message that it cut itself has its own.
"""

from datetime import datetime

import msgspec

from relais.core.lifecycle import State
from relais.core.segments import Encoded, encode

SUCCESS_OR_FAILURE, FAILURE, SUCCESS = 1, 2, 3  # bits 1-0 of registered_delivery (SMPP 3.4 §5.2.17, 5.0 §4.7.21)
INTERMEDIATE_BIT = 0x10
GSM7, BINARY, UCS2 = 0, 4, 8  # data_coding
TEXT_CHARACTERS = 20  # of the message, at the end of its receipt


class Place(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An address as it stood in the client's PDU."""

    ton: int
    npi: int
    address: str


class Cut(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part as the client cut it: the header with its length octet, and what follows."""

    header: bytes
    body: bytes


class Origin(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`told`: each id that the client was answered ("" = the message's own), with the registered_delivery it came with.
    `cuts`: the parts, where the client cut the message itself, as septets, UTF-16BE or octets by `cut_as` (0, 8, 4).
    `message_class`: 0 = shown at once, 1 to 3 = where it is kept; None = as the phone likes."""

    connection_id: int  # connections_clientsmppconnection
    source: Place
    destination: Place
    told: tuple[tuple[str, int], ...]
    cuts: tuple[Cut, ...] = ()
    cut_as: int = 0
    message_class: int | None = None


class ClientReceipt(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="receipt"):
    """What one id is to be told. Addresses are those of the message: a receipt exchanges them."""

    told_id: str
    source: Place
    destination: Place
    state: int  # core.lifecycle.State; SENT = an intermediate notification
    error: str | None
    submitted_at: datetime
    done_at: datetime
    text: str


class ClientIncoming(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="incoming"):
    """A message from a phone, or a part of one, on its way to the client whose sender ID it is for. `done_at`: when it came."""

    source: Place
    destination: Place
    esm_class: int
    protocol_id: int
    data_coding: int
    body: bytes
    done_at: datetime


ForClient = ClientReceipt | ClientIncoming
"""What an SMPP client is told."""


_origins = msgspec.msgpack.Decoder(Origin)
_receipts = msgspec.msgpack.Decoder(list[ForClient])
_encode = msgspec.msgpack.Encoder().encode


def pack_origin(origin: Origin) -> bytes:
    return _encode(origin)


def unpack_origin(octets: bytes) -> Origin:
    return _origins.decode(octets)


def pack_receipts(receipts: list[ForClient]) -> bytes:
    return _encode(receipts)


def unpack_receipts(octets: bytes) -> list[ForClient]:
    return _receipts.decode(octets)


def encoded_as_cut(text: str, origin: Origin | None) -> Encoded:
    """The parts of `text`: those that its client cut, or our own. `encode`'s exceptions."""
    if origin is None or not origin.cuts:
        return encode(text)
    parts = tuple(cut.body for cut in origin.cuts)
    units = sum(map(len, parts))
    if origin.cut_as == UCS2:
        return Encoded("ucs2", units // 2, parts, UCS2)
    return Encoded("binary" if origin.cut_as == BINARY else "gsm7", units, parts, origin.cut_as)


def data_coding_of(data_coding: int, origin: Origin | None) -> int:
    """That of a part on its way, with the class that its client asked for (3GPP TS 23.038 §4)."""
    if origin is None or origin.message_class is None:
        return data_coding
    return 0x10 | origin.message_class | data_coding


def wants(registered_delivery: int, state: State) -> bool:
    """Whether a message in `state` is told to a client that asked so."""
    if not state.final:
        return state is State.SENT and bool(registered_delivery & INTERMEDIATE_BIT)
    asked = registered_delivery & 3
    if asked == SUCCESS_OR_FAILURE:
        return True
    delivered = state in (State.DELIVERED, State.READ)
    return asked == (SUCCESS if delivered else FAILURE)
