"""Rows of the hot tables in PostgreSQL's binary COPY format.

The driver finds an encoder for each column of each row; written out by table, a row costs a quarter of that. Columns of
fixed width come first, so that they are one `struct`. Each function returns a whole COPY of its rows, to be handed over as
it is; the columns are named beside it, in its order.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

Row = tuple[Any, ...]

_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # signature, no flags, no extension
_END: Final = b"\xff\xff"
_NULL: Final = b"\xff\xff\xff\xff"
_FIVE_NULLS: Final = _NULL * 5
_JSONB_VERSION: Final = b"\x01"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_INT4_OID, _INT8_OID = 23, 20

_length = struct.Struct(">i").pack
_int8 = struct.Struct(">iq").pack
_flag = struct.Struct(">i?").pack
_array_head = struct.Struct(">iiiii").pack  # dimensions, nulls, element type, length, lower bound

MESSAGE_COLUMNS = (
    "id", "company_id", "api_key_id", "sender_id", "connection_id", "validity_s", "status", "channel", "encoding",
    "segments_count", "network_id", "send_at", "country", "source", "destination", "body", "client_ref", "callback_url",
    "callback_final_only", "client_connection_id", "client_options",
    "delivered_rules", "agreement_ids", "node_ids", "units", "reserved_micros", "tax_bp", "pack_ids", "pack_amounts",
)  # fmt: skip
_message = struct.Struct(">h i16s iq iq iq iq ii ih ih ih ih").pack

SENT_COLUMNS = ("message_id", "connection_id", "sent_at", "part", "vendor_id")
_sent = struct.Struct(">h i16s iq iq ih").pack

EDR_COLUMNS = (
    "message_id", "agreement_id", "node_id", "net_micros", "tax_micros", "at", "units", "level", "entry", "pieces",
    "pack_id", "pack_amount", "counter_group", "period_start",
)  # fmt: skip
_edr = struct.Struct(">h i16s iq iq iq iq iq ii ih ih").pack


def message_rows(rows: Iterable[Row]) -> bytearray:
    """`traffic_message`; the last element of a row is `packed_terms` of its message."""
    columns_count = len(MESSAGE_COLUMNS)
    octets = bytearray(_HEAD)
    for (
        message_id, company_id, api_key_id, sender_id, connection_id, validity_s, status, channel, encoding,
        segments_count, network_id, send_at, country, source, destination, body, client_ref, callback_url,
        callback_final_only, client_connection_id, client_options, terms,
    ) in rows:  # fmt: skip
        octets += _message(
            columns_count, 16, message_id.bytes, 8, company_id, 8, api_key_id, 8, sender_id, 8, connection_id,
            4, validity_s, 2, status, 2, channel, 2, encoding, 2, segments_count,
        )  # fmt: skip
        octets += _NULL if network_id is None else _int8(8, network_id)
        octets += _NULL if send_at is None else _int8(8, _instant(send_at))
        octets += _repeated_text(country)
        octets += _repeated_text(source)
        octets += _text(destination)
        octets += _text(body)
        octets += _NULL if client_ref is None else _text(client_ref)
        octets += _NULL if callback_url is None else _repeated_text(callback_url)
        octets += _NULL if callback_final_only is None else _flag(1, callback_final_only)
        octets += _NULL if client_connection_id is None else _int8(8, client_connection_id)
        octets += _NULL if client_options is None else _counted(client_options)
        octets += terms
    octets += _END
    return octets


def packed_terms(
    delivered_rules: int,
    agreement_ids: Sequence[int],
    node_ids: Sequence[int],
    units: Sequence[int],
    reserved_micros: Sequence[int],
    tax_bp: Sequence[int] | None,
    pack_ids: Sequence[int] | None = None,
    pack_amounts: Sequence[int] | None = None,
) -> bytes:
    """The columns from `delivered_rules` to `pack_amounts`: the same for many messages, so worth keeping."""
    return b"".join(
        (
            struct.pack(">ih", 2, delivered_rules),
            _array(agreement_ids, _INT8_OID),
            _array(node_ids, _INT8_OID),
            _array(units, _INT4_OID),
            _array(reserved_micros, _INT8_OID),
            _NULL if tax_bp is None else _array(tax_bp, _INT4_OID),
            _NULL if pack_ids is None else _array(pack_ids, _INT8_OID),
            _NULL if pack_amounts is None else _array(pack_amounts, _INT8_OID),
        )
    )


def sent_rows(rows: Iterable[Row]) -> bytearray:
    """`traffic_sent`."""
    octets = bytearray(_HEAD)
    for message_id, connection_id, sent_at, part, vendor_id in rows:
        octets += _sent(5, 16, message_id.bytes, 8, connection_id, 8, _instant(sent_at), 2, part)
        octets += _text(vendor_id)
    octets += _END
    return octets


def edr_rows(rows: Iterable[Row]) -> bytearray:
    """`traffic_edr`."""
    octets = bytearray(_HEAD)
    known: UUID | None = None
    message_octets = b""
    for (
        message_id, agreement_id, node_id, net_micros, tax_micros, at, units, level, entry, pieces,
        pack_id, pack_amount, counter_group, period_start,
    ) in rows:  # fmt: skip
        if message_id is not known:  # levels of one message follow each other
            known, message_octets = message_id, message_id.bytes
        octets += _edr(
            14, 16, message_octets, 8, agreement_id, 8, node_id, 8, net_micros, 8, tax_micros, 8, _instant(at),
            4, units, 2, level, 2, entry,
        )  # fmt: skip
        if pieces is pack_id is counter_group is None:
            octets += _FIVE_NULLS
            continue
        octets += _NULL if pieces is None else _counted(_JSONB_VERSION + pieces.encode())
        octets += _NULL if pack_id is None else _int8(8, pack_id)
        octets += _NULL if pack_amount is None else _int8(8, pack_amount)
        octets += _NULL if counter_group is None else _text(counter_group)
        octets += _NULL if period_start is None else _int8(8, _instant(period_start))
    octets += _END
    return octets


def _counted(octets: bytes) -> bytes:
    return _length(len(octets)) + octets


def _text(text: str) -> bytes:
    octets = text.encode()
    return _length(len(octets)) + octets


_repeated_text: Callable[[str], bytes] = lru_cache(maxsize=4_096)(_text)


def _array(numbers: Sequence[int], element_oid: int) -> bytes:
    element = "iq" if element_oid == _INT8_OID else "ii"
    width = 8 if element_oid == _INT8_OID else 4
    elements = [part for number in numbers for part in (width, number)]
    octets = struct.pack(f">{element * len(numbers)}", *elements)
    return _counted(_array_head(1, 0, element_oid, len(numbers), 1) + octets)


def _instant(at: datetime) -> int:
    """Microseconds since 2000, as timestamptz holds them."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
