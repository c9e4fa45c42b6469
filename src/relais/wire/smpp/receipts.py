"""Delivery receipts (SMPP 3.4 §5.2.12, appendix B), which every vendor writes its own way.

Keys are searched one by one, in any order and case, each may be missing; `text:` ends the search, since whatever
follows it is the message's. TLVs stand beside the text or instead of it. Nothing here raises: a receipt without an id
is a receipt that cannot be matched.
"""

import re
from enum import IntEnum
from types import MappingProxyType
from typing import Final

import msgspec

from relais.wire.smpp import tlvs
from relais.wire.smpp.pdus import DataSm, DeliverSm

_TYPE_BITS: Final = 0x3C  # bits 5-2 of esm_class
_RECEIPT_TYPE, _INTERMEDIATE_TYPE = 0x04, 0x20
_UDH_BIT: Final = 0x40

_KEYS = r"id|sub|dlvrd|submit date|done date|stat|err"
_VALUE = r"[^\s\0]"  # some texts end with a NUL, which is nobody's
_PAIR = re.compile(rf"(?:^|(?<=[\s\0]))(?:text\s*:|({_KEYS})\s*:\s*(?!(?:{_KEYS}|text)\s*:)({_VALUE}*))", re.IGNORECASE)
_REFERENCE_FORM = re.compile(  # how most write it, 4 x as fast to read; anything else goes through `_PAIR`
    rf"id:({_VALUE}+) sub:\S* dlvrd:\S* submit date:(\d+) done date:(\d+) stat:([A-Z]+) err:({_VALUE}+)(?: text:|$)",
    re.IGNORECASE,
)
_LEADING_ID = re.compile(r"\s*id\s*:\s*\S.*?\b(?:stat|done date|dlvrd)\s*:", re.IGNORECASE | re.DOTALL)
_NETWORK_ERROR_OCTETS: Final = 3


class MessageState(IntEnum):
    """SMPP 3.4 §5.2.28 and 5.0 §4.7.15."""

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9


STATE_WORDS: Final = MappingProxyType(
    {
        "SCHEDULED": MessageState.SCHEDULED,
        "ENROUTE": MessageState.ENROUTE,
        "ACKED": MessageState.ENROUTE,  # with the next three: the network has it, the recipient not yet
        "BUFFRED": MessageState.ENROUTE,
        "BUFFERD": MessageState.ENROUTE,
        "BUFFERED": MessageState.ENROUTE,
        "DELIVRD": MessageState.DELIVERED,
        "DELIVERED": MessageState.DELIVERED,
        "EXPIRED": MessageState.EXPIRED,
        "DELETED": MessageState.DELETED,
        "UNDELIV": MessageState.UNDELIVERABLE,
        "UNDELIVERED": MessageState.UNDELIVERABLE,
        "UNDELIVERABLE": MessageState.UNDELIVERABLE,
        "FAILED": MessageState.UNDELIVERABLE,
        "ACCEPTD": MessageState.ACCEPTED,
        "ACCEPTED": MessageState.ACCEPTED,
        "UNKNOWN": MessageState.UNKNOWN,
        "REJECTD": MessageState.REJECTED,
        "REJECTED": MessageState.REJECTED,
        "SKIPPED": MessageState.SKIPPED,
    }
)
_WORD_OF_STATE: Final = MappingProxyType(
    {
        MessageState.SCHEDULED: "SCHEDULED",
        MessageState.ENROUTE: "ENROUTE",
        MessageState.DELIVERED: "DELIVRD",
        MessageState.EXPIRED: "EXPIRED",
        MessageState.DELETED: "DELETED",
        MessageState.UNDELIVERABLE: "UNDELIV",
        MessageState.ACCEPTED: "ACCEPTD",
        MessageState.UNKNOWN: "UNKNOWN",
        MessageState.REJECTED: "REJECTD",
        MessageState.SKIPPED: "SKIPPED",
    }
)


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """A receipt as read. `status` is the vendor's word in capitals, or the standard's word for the TLV's state when
    there is no word; `state` None when neither says anything known. Dates are the vendor's text (`times.parse_time`).
    `error` is the text's err, else the network_error_code."""

    message_id: str
    state: MessageState | None
    status: str
    error: str
    submit_date: str
    done_date: str


def is_receipt(pdu: DeliverSm | DataSm) -> bool:
    """Whether esm_class says so: a delivery receipt or an intermediate notification."""
    return pdu.esm_class & _TYPE_BITS in (_RECEIPT_TYPE, _INTERMEDIATE_TYPE)


def looks_like_receipt(pdu: DeliverSm | DataSm) -> bool:
    """Whether it is one in all but esm_class. Ask only on links known for it: people can type such texts."""
    if tlvs.tlv_value(pdu.tlvs, tlvs.RECEIPTED_MESSAGE_ID):
        return True
    return _LEADING_ID.match(receipt_text(pdu)) is not None


def receipt_text(pdu: DeliverSm | DataSm) -> str:
    """The text of a receipt, from short_message or message_payload, without a UDH, one character an octet."""
    octets = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    if not octets and pdu.tlvs:
        octets = tlvs.tlv_value(pdu.tlvs, tlvs.MESSAGE_PAYLOAD) or b""
    if pdu.esm_class & _UDH_BIT and octets:
        octets = octets[octets[0] + 1 :]
    if pdu.data_coding == 8 and b"\0" in octets:
        return octets.decode("utf-16-be", "replace")
    return octets.decode("latin-1")


def read_receipt(pdu: DeliverSm | DataSm) -> Receipt:
    """What the receipt says, by text and TLVs together.

    The id of the TLV wins (it is a field, not prose). The word of the text wins over the TLV's state, since it is
    finer and operators' maps are written in words, unless it is unknown.
    """
    message_id, submit_date, done_date, word, error = _read_text(receipt_text(pdu))
    word = word.upper()
    state = STATE_WORDS.get(word)
    if pdu.tlvs:
        message_id = tlvs.text_of(tlvs.tlv_value(pdu.tlvs, tlvs.RECEIPTED_MESSAGE_ID)) or message_id
        if state is None:
            state = _state_of(tlvs.int_of(tlvs.tlv_value(pdu.tlvs, tlvs.MESSAGE_STATE)))
            word = word or ("" if state is None else _WORD_OF_STATE[state])
        error = error or _network_error(tlvs.tlv_value(pdu.tlvs, tlvs.NETWORK_ERROR_CODE))
    return Receipt(message_id, state, word, error, submit_date, done_date)


def _read_text(text: str) -> tuple[str, str, str, str, str]:
    """id, submit date, done date, stat, err; "" for what is missing. The first of a repeated key counts."""
    match = _REFERENCE_FORM.match(text)
    if match is not None:
        message_id, submit_date, done_date, word, error = match.groups()
        return message_id, submit_date, done_date, word, error
    found: dict[str, str] = {}
    for pair in _PAIR.finditer(text):
        key, value = pair.groups()
        if key is None:  # text: whatever follows is the message's
            break
        found.setdefault(key.lower(), value)
    return (
        found.get("id", ""),
        found.get("submit date", ""),
        found.get("done date", ""),
        found.get("stat", ""),
        found.get("err", ""),
    )


def _state_of(value: int | None) -> MessageState | None:
    try:
        return None if value is None else MessageState(value)
    except ValueError:
        return None


def _network_error(value: bytes | None) -> str:
    """The code's decimal digits without its network type; three ASCII digits as they are (some centres)."""
    if not value or len(value) != _NETWORK_ERROR_OCTETS:
        return ""
    if value.isdigit():
        return value.decode("ascii")
    return str(int.from_bytes(value[1:], "big"))
