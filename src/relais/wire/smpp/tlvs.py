"""Optional parameters (SMPP 3.4 §5.3, 5.0 §4.8): the table, and reading them only when somebody asks.

A PDU keeps its TLVs as raw octets. Unknown, repeated and empty ones are read; a broken tail is left out, and whoever
must refuse it asks `well_formed`. Writing keeps to the table's lengths; tags outside it (vendors' own) are free.
"""

import struct
from collections.abc import Iterable
from enum import Enum
from types import MappingProxyType
from typing import Final

import msgspec

_HEAD = struct.Struct(">HH")
VALUE_OCTETS_MAX: Final = 0xFFFF


class TlvType(Enum):
    """How a value is read."""

    INT = "int"
    BITS = "bits"
    CSTRING = "cstring"
    OCTETS = "octets"


class TlvKind(msgspec.Struct, frozen=True):
    """One row of the table; lengths in octets, a C-string's with its NUL."""

    tag: int
    name: str
    octets_min: int
    octets_max: int
    type: TlvType
    since: str


DEST_ADDR_SUBUNIT: Final = 0x0005
DEST_NETWORK_TYPE: Final = 0x0006
DEST_BEARER_TYPE: Final = 0x0007
DEST_TELEMATICS_ID: Final = 0x0008
SOURCE_ADDR_SUBUNIT: Final = 0x000D
SOURCE_NETWORK_TYPE: Final = 0x000E
SOURCE_BEARER_TYPE: Final = 0x000F
SOURCE_TELEMATICS_ID: Final = 0x0010
QOS_TIME_TO_LIVE: Final = 0x0017
PAYLOAD_TYPE: Final = 0x0019
ADDITIONAL_STATUS_INFO_TEXT: Final = 0x001D
RECEIPTED_MESSAGE_ID: Final = 0x001E
MS_MSG_WAIT_FACILITIES: Final = 0x0030
PRIVACY_INDICATOR: Final = 0x0201
SOURCE_SUBADDRESS: Final = 0x0202
DEST_SUBADDRESS: Final = 0x0203
USER_MESSAGE_REFERENCE: Final = 0x0204
USER_RESPONSE_CODE: Final = 0x0205
SOURCE_PORT: Final = 0x020A
DESTINATION_PORT: Final = 0x020B
SAR_MSG_REF_NUM: Final = 0x020C
LANGUAGE_INDICATOR: Final = 0x020D
SAR_TOTAL_SEGMENTS: Final = 0x020E
SAR_SEGMENT_SEQNUM: Final = 0x020F
SC_INTERFACE_VERSION: Final = 0x0210
CALLBACK_NUM_PRES_IND: Final = 0x0302
CALLBACK_NUM_ATAG: Final = 0x0303
NUMBER_OF_MESSAGES: Final = 0x0304
CALLBACK_NUM: Final = 0x0381
DPF_RESULT: Final = 0x0420
SET_DPF: Final = 0x0421
MS_AVAILABILITY_STATUS: Final = 0x0422
NETWORK_ERROR_CODE: Final = 0x0423
MESSAGE_PAYLOAD: Final = 0x0424
DELIVERY_FAILURE_REASON: Final = 0x0425
MORE_MESSAGES_TO_SEND: Final = 0x0426
MESSAGE_STATE: Final = 0x0427
CONGESTION_STATE: Final = 0x0428
USSD_SERVICE_OP: Final = 0x0501
BILLING_IDENTIFICATION: Final = 0x060B
SOURCE_NETWORK_ID: Final = 0x060D
DEST_NETWORK_ID: Final = 0x060E
SOURCE_NODE_ID: Final = 0x060F
DEST_NODE_ID: Final = 0x0610
DEST_ADDR_NP_RESOLUTION: Final = 0x0611
DEST_ADDR_NP_INFORMATION: Final = 0x0612
DEST_ADDR_NP_COUNTRY: Final = 0x0613
DISPLAY_TIME: Final = 0x1201
SMS_SIGNAL: Final = 0x1203
MS_VALIDITY: Final = 0x1204
ALERT_ON_MESSAGE_DELIVERY: Final = 0x130C
ITS_REPLY_TYPE: Final = 0x1380
ITS_SESSION_INFO: Final = 0x1383

_TABLE = (
    TlvKind(DEST_ADDR_SUBUNIT, "dest_addr_subunit", 1, 1, TlvType.INT, "3.4"),
    TlvKind(DEST_NETWORK_TYPE, "dest_network_type", 1, 1, TlvType.INT, "3.4"),
    TlvKind(DEST_BEARER_TYPE, "dest_bearer_type", 1, 1, TlvType.INT, "3.4"),
    TlvKind(DEST_TELEMATICS_ID, "dest_telematics_id", 2, 2, TlvType.INT, "3.4"),
    TlvKind(SOURCE_ADDR_SUBUNIT, "source_addr_subunit", 1, 1, TlvType.INT, "3.4"),
    TlvKind(SOURCE_NETWORK_TYPE, "source_network_type", 1, 1, TlvType.INT, "3.4"),
    TlvKind(SOURCE_BEARER_TYPE, "source_bearer_type", 1, 1, TlvType.INT, "3.4"),
    TlvKind(SOURCE_TELEMATICS_ID, "source_telematics_id", 1, 1, TlvType.INT, "3.4"),
    TlvKind(QOS_TIME_TO_LIVE, "qos_time_to_live", 4, 4, TlvType.INT, "3.4"),
    TlvKind(PAYLOAD_TYPE, "payload_type", 1, 1, TlvType.INT, "3.4"),
    TlvKind(ADDITIONAL_STATUS_INFO_TEXT, "additional_status_info_text", 1, 256, TlvType.CSTRING, "3.4"),
    TlvKind(RECEIPTED_MESSAGE_ID, "receipted_message_id", 1, 65, TlvType.CSTRING, "3.4"),
    TlvKind(MS_MSG_WAIT_FACILITIES, "ms_msg_wait_facilities", 1, 1, TlvType.BITS, "3.4"),
    TlvKind(PRIVACY_INDICATOR, "privacy_indicator", 1, 1, TlvType.INT, "3.4"),
    TlvKind(SOURCE_SUBADDRESS, "source_subaddress", 2, 23, TlvType.OCTETS, "3.4"),
    TlvKind(DEST_SUBADDRESS, "dest_subaddress", 2, 23, TlvType.OCTETS, "3.4"),
    TlvKind(USER_MESSAGE_REFERENCE, "user_message_reference", 2, 2, TlvType.INT, "3.4"),
    TlvKind(USER_RESPONSE_CODE, "user_response_code", 1, 1, TlvType.INT, "3.4"),
    TlvKind(SOURCE_PORT, "source_port", 2, 2, TlvType.INT, "3.4"),
    TlvKind(DESTINATION_PORT, "destination_port", 2, 2, TlvType.INT, "3.4"),
    TlvKind(SAR_MSG_REF_NUM, "sar_msg_ref_num", 2, 2, TlvType.INT, "3.4"),
    TlvKind(LANGUAGE_INDICATOR, "language_indicator", 1, 1, TlvType.INT, "3.4"),
    TlvKind(SAR_TOTAL_SEGMENTS, "sar_total_segments", 1, 1, TlvType.INT, "3.4"),
    TlvKind(SAR_SEGMENT_SEQNUM, "sar_segment_seqnum", 1, 1, TlvType.INT, "3.4"),
    TlvKind(SC_INTERFACE_VERSION, "sc_interface_version", 1, 1, TlvType.INT, "3.4"),
    TlvKind(CALLBACK_NUM_PRES_IND, "callback_num_pres_ind", 1, 1, TlvType.BITS, "3.4"),
    TlvKind(CALLBACK_NUM_ATAG, "callback_num_atag", 0, 65, TlvType.OCTETS, "3.4"),
    TlvKind(NUMBER_OF_MESSAGES, "number_of_messages", 1, 1, TlvType.INT, "3.4"),
    TlvKind(CALLBACK_NUM, "callback_num", 4, 19, TlvType.OCTETS, "3.4"),
    TlvKind(DPF_RESULT, "dpf_result", 1, 1, TlvType.INT, "3.4"),
    TlvKind(SET_DPF, "set_dpf", 1, 1, TlvType.INT, "3.4"),
    TlvKind(MS_AVAILABILITY_STATUS, "ms_availability_status", 1, 1, TlvType.INT, "3.4"),
    TlvKind(NETWORK_ERROR_CODE, "network_error_code", 3, 3, TlvType.OCTETS, "3.4"),
    TlvKind(MESSAGE_PAYLOAD, "message_payload", 0, 65535, TlvType.OCTETS, "3.4"),
    TlvKind(DELIVERY_FAILURE_REASON, "delivery_failure_reason", 1, 1, TlvType.INT, "3.4"),
    TlvKind(MORE_MESSAGES_TO_SEND, "more_messages_to_send", 1, 1, TlvType.INT, "3.4"),
    TlvKind(MESSAGE_STATE, "message_state", 1, 1, TlvType.INT, "3.4"),
    TlvKind(CONGESTION_STATE, "congestion_state", 1, 1, TlvType.INT, "5.0"),
    TlvKind(USSD_SERVICE_OP, "ussd_service_op", 1, 1, TlvType.OCTETS, "3.4"),
    TlvKind(BILLING_IDENTIFICATION, "billing_identification", 1, 1024, TlvType.OCTETS, "5.0"),
    TlvKind(SOURCE_NETWORK_ID, "source_network_id", 1, 65, TlvType.CSTRING, "5.0"),
    TlvKind(DEST_NETWORK_ID, "dest_network_id", 1, 65, TlvType.CSTRING, "5.0"),
    TlvKind(SOURCE_NODE_ID, "source_node_id", 6, 6, TlvType.OCTETS, "5.0"),
    TlvKind(DEST_NODE_ID, "dest_node_id", 6, 6, TlvType.OCTETS, "5.0"),
    TlvKind(DEST_ADDR_NP_RESOLUTION, "dest_addr_np_resolution", 1, 1, TlvType.INT, "5.0"),
    TlvKind(DEST_ADDR_NP_INFORMATION, "dest_addr_np_information", 10, 10, TlvType.OCTETS, "5.0"),
    TlvKind(DEST_ADDR_NP_COUNTRY, "dest_addr_np_country", 1, 5, TlvType.INT, "5.0"),
    TlvKind(DISPLAY_TIME, "display_time", 1, 1, TlvType.INT, "3.4"),
    TlvKind(SMS_SIGNAL, "sms_signal", 2, 2, TlvType.INT, "3.4"),
    TlvKind(MS_VALIDITY, "ms_validity", 1, 4, TlvType.INT, "3.4"),
    TlvKind(ALERT_ON_MESSAGE_DELIVERY, "alert_on_message_delivery", 0, 1, TlvType.INT, "3.4"),
    TlvKind(ITS_REPLY_TYPE, "its_reply_type", 1, 1, TlvType.INT, "3.4"),
    TlvKind(ITS_SESSION_INFO, "its_session_info", 2, 2, TlvType.OCTETS, "3.4"),
)

TLVS: Final = MappingProxyType({kind.tag: kind for kind in _TABLE})


def parse_tlvs(octets: bytes) -> list[tuple[int, bytes]]:
    """Tags and values in the order of the wire; what follows the last complete one is left out."""
    found = []
    position, end = 0, len(octets)
    while position + 4 <= end:
        tag, length = _HEAD.unpack_from(octets, position)
        position += 4
        if position + length > end:
            break
        found.append((tag, octets[position : position + length]))
        position += length
    return found


def well_formed(octets: bytes) -> bool:
    """Whether `octets` are TLVs to the last octet."""
    position, end = 0, len(octets)
    while position + 4 <= end:
        position += 4 + _HEAD.unpack_from(octets, position)[1]
    return position == end


def tlv_value(octets: bytes, tag: int) -> bytes | None:
    """The value of the first TLV with this tag; None when there is none."""
    position, end = 0, len(octets)
    while position + 4 <= end:
        found, length = _HEAD.unpack_from(octets, position)
        position += 4
        if position + length > end:
            return None
        if found == tag:
            return octets[position : position + length]
        position += length
    return None


def text_of(value: bytes | None) -> str:
    """A C-string value, with its NUL or without (both occur), as text; "" for None."""
    return value.split(b"\0", 1)[0].decode("latin-1") if value else ""


def int_of(value: bytes | None) -> int | None:
    """An integer value of any length; None for an absent or empty one."""
    return int.from_bytes(value, "big") if value else None


def pack_tlvs(parameters: Iterable[tuple[int, bytes | int | str]]) -> bytes:
    """Octets of `parameters` in their order: integers get the table's length, text becomes a C-string.

    ValueError when a value does not fit the table, or when an integer or text is given for a tag outside it.
    """
    pieces = []
    for tag, value in parameters:
        kind = TLVS.get(tag)
        octets = value if isinstance(value, bytes) else _value_octets(tag, kind, value)
        if kind and not kind.octets_min <= len(octets) <= kind.octets_max:
            raise ValueError(f"{kind.name} takes {kind.octets_min} to {kind.octets_max} octets, not {len(octets)}")
        if len(octets) > VALUE_OCTETS_MAX or not 0 <= tag <= 0xFFFF:
            raise ValueError(f"TLV 0x{tag:04X} of {len(octets)} octets does not fit its own header")
        pieces.append(_HEAD.pack(tag, len(octets)) + octets)
    return b"".join(pieces)


def _value_octets(tag: int, kind: TlvKind | None, value: int | str) -> bytes:
    if kind is None:
        raise ValueError(f"TLV 0x{tag:04X} is not in the table: give its value as octets")
    if isinstance(value, str):
        if kind.type is not TlvType.CSTRING or not value.isascii() or "\0" in value:
            raise ValueError(f"{kind.name} cannot be written from {value!r}")
        return value.encode() + b"\0"
    if kind.type in (TlvType.CSTRING, TlvType.OCTETS) or not 0 <= value < 1 << 8 * kind.octets_max:
        raise ValueError(f"{kind.name} cannot be written from {value}")
    return value.to_bytes(kind.octets_max, "big")
