"""Command ids of SMPP 3.4 §5.1.2.1 and the limits of a frame. Plain integers: they are compared for every PDU."""

from types import MappingProxyType
from typing import Final

RESPONSE_BIT: Final = 0x80000000

GENERIC_NACK: Final = 0x80000000
BIND_RECEIVER: Final = 0x00000001
BIND_TRANSMITTER: Final = 0x00000002
QUERY_SM: Final = 0x00000003
SUBMIT_SM: Final = 0x00000004
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
REPLACE_SM: Final = 0x00000007
CANCEL_SM: Final = 0x00000008
BIND_TRANSCEIVER: Final = 0x00000009
OUTBIND: Final = 0x0000000B
ENQUIRE_LINK: Final = 0x00000015
SUBMIT_MULTI: Final = 0x00000021
ALERT_NOTIFICATION: Final = 0x00000102
DATA_SM: Final = 0x00000103

BINDS: Final = frozenset({BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER})
WITHOUT_RESPONSE: Final = frozenset({OUTBIND, ALERT_NOTIFICATION})

COMMAND_NAMES: Final = MappingProxyType(
    {
        GENERIC_NACK: "generic_nack",
        BIND_RECEIVER: "bind_receiver",
        BIND_TRANSMITTER: "bind_transmitter",
        QUERY_SM: "query_sm",
        SUBMIT_SM: "submit_sm",
        DELIVER_SM: "deliver_sm",
        UNBIND: "unbind",
        REPLACE_SM: "replace_sm",
        CANCEL_SM: "cancel_sm",
        BIND_TRANSCEIVER: "bind_transceiver",
        OUTBIND: "outbind",
        ENQUIRE_LINK: "enquire_link",
        SUBMIT_MULTI: "submit_multi",
        ALERT_NOTIFICATION: "alert_notification",
        DATA_SM: "data_sm",
    }
)

HEADER_OCTETS: Final = 16
PDU_OCTETS_MAX: Final = 66_560  # 64 KiB of message_payload and 1 KiB for everything else
SHORT_MESSAGE_OCTETS_MAX: Final = 254  # 255 in sm_length is not allowed; longer texts travel in message_payload
SEQUENCE_MAX: Final = 0x7FFFFFFF


def command_name(command_id: int) -> str:
    """The specification's word, such as "submit_sm_resp"; hexadecimal for an id it does not have."""
    name = COMMAND_NAMES.get(command_id)
    if name is None and command_id & RESPONSE_BIT:
        request = COMMAND_NAMES.get(command_id & ~RESPONSE_BIT)
        name = request and f"{request}_resp"
    return name or f"0x{command_id:08X}"
