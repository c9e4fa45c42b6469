"""What clients are told over SMPP: statuses of refusals, states of messages, receipts. Tables."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from relais.core.lifecycle import State
from relais.core.refusals import Refusal
from relais.pipeline.origin import ClientIncoming, ClientReceipt, ForClient
from relais.wire.smpp import statuses, tlvs
from relais.wire.smpp.commands import SHORT_MESSAGE_OCTETS_MAX
from relais.wire.smpp.pdus import DeliverSm
from relais.wire.smpp.receipts import MessageState

STATUSES: Final[Mapping[Refusal, int]] = MappingProxyType(
    {
        Refusal.KEY_WITHOUT_RIGHT: statuses.ESME_RPROHIBITED,
        Refusal.COMPANY_DISABLED: statuses.ESME_RPROHIBITED,
        Refusal.CHANNEL_UNKNOWN: statuses.ESME_RINVSERTYP,
        Refusal.SENDER_UNKNOWN: statuses.ESME_RINVSRCADR,
        Refusal.SENDER_BLOCKED: statuses.ESME_RINVSRCADR,
        Refusal.SENDER_NOT_CONNECTED: statuses.ESME_RSYSERR,
        Refusal.SENDER_NOT_ALLOWED: statuses.ESME_RINVSRCADR,
        Refusal.SENDER_NOT_REGISTERED: statuses.ESME_RINVSRCADR,
        Refusal.NUMBER_INVALID: statuses.ESME_RINVDSTADR,
        Refusal.TEXT_EMPTY: statuses.ESME_RINVMSGLEN,
        Refusal.TEXT_TOO_LONG: statuses.ESME_RINVMSGLEN,
        Refusal.TEXT_NOT_ENCODABLE: statuses.ESME_RINVDCS,
        Refusal.VALIDITY_INVALID: statuses.ESME_RINVEXPIRY,
        Refusal.SEND_AT_INVALID: statuses.ESME_RINVSCHED,
        Refusal.CALLBACK_URL_INVALID: statuses.ESME_RSUBMITFAIL,
        Refusal.CLIENT_REF_INVALID: statuses.ESME_RSUBMITFAIL,
        Refusal.AGREEMENT_EXPIRED: statuses.ESME_RPROHIBITED,
        Refusal.RATE_NOT_FOUND: statuses.ESME_RINVDSTADR,
        Refusal.DESTINATION_BLOCKED: statuses.ESME_RINVDSTADR,
        Refusal.RECIPIENT_OPTED_OUT: statuses.ESME_RINVDSTADR,
        Refusal.LINK_NOT_ALLOWED: statuses.ESME_RSUBMITFAIL,
        Refusal.RECIPIENT_FLOODED: statuses.ESME_RSUBMITFAIL,
        Refusal.CAP_REACHED: statuses.ESME_RSUBMITFAIL,
        Refusal.BALANCE_TOO_LOW: statuses.ESME_RSUBMITFAIL,
        Refusal.PROVIDER_UNAVAILABLE: statuses.ESME_RSYSERR,
        Refusal.IDEMPOTENCY_KEY_REUSED: statuses.ESME_RSUBMITFAIL,
        Refusal.OVERLOADED: statuses.ESME_RMSGQFUL,
    }
)
"""What a refused message is answered with. A client without money gets ESME_RSUBMITFAIL, as from most centres."""

MESSAGE_STATES: Final[Mapping[State, MessageState]] = MappingProxyType(
    {
        State.ACCEPTED: MessageState.ENROUTE,
        State.SCHEDULED: MessageState.SCHEDULED,
        State.QUEUED: MessageState.ENROUTE,
        State.SENT: MessageState.ENROUTE,
        State.DELIVERED: MessageState.DELIVERED,
        State.READ: MessageState.DELIVERED,
        State.UNDELIVERED: MessageState.UNDELIVERABLE,
        State.EXPIRED: MessageState.EXPIRED,
        State.REJECTED: MessageState.REJECTED,
        State.FAILED: MessageState.REJECTED,
        State.CANCELED: MessageState.DELETED,
    }
)

WORDS: Final[Mapping[MessageState, str]] = MappingProxyType(
    {
        MessageState.SCHEDULED: "ENROUTE",  # appendix B of 3.4 has no other word for it
        MessageState.ENROUTE: "ENROUTE",
        MessageState.DELIVERED: "DELIVRD",
        MessageState.EXPIRED: "EXPIRED",
        MessageState.DELETED: "DELETED",
        MessageState.UNDELIVERABLE: "UNDELIV",
        MessageState.REJECTED: "REJECTD",
    }
)

VERSION_WITH_TLVS: Final = 0x34
_RECEIPT_BITS, _INTERMEDIATE_BITS, UDH_BIT = 0x04, 0x20, 0x40  # of esm_class
ADDRESS_CHARACTERS_MAX: Final = 20
_GSM_NETWORK: Final = 3  # of network_error_code
_HEXADECIMAL = re.compile(r"0x([0-9A-Fa-f]{1,8})$")
_DECIMAL = re.compile(r"(?:^|\s)([0-9]{1,4})$")


def error_code(error: str | None) -> int:
    """The number at the end of what went wrong, such as "UNDELIV 027" or "ESME_RINVDSTADR 0x0B"; 0 for none."""
    if not error:
        return 0
    if match := _HEXADECIMAL.search(error):
        return int(match[1], 16) & 0xFFFF
    match = _DECIMAL.search(error)
    return int(match[1]) if match else 0


def _of_state(state: State) -> tuple[tuple[str, str], bytes, int]:
    """What a receipt says of the state: two phrases of its text, its TLV, and esm_class."""
    told = MESSAGE_STATES[state]
    phrases = f"dlvrd:{'001' if told is MessageState.DELIVERED else '000'}", f"stat:{WORDS[told]}"
    esm_class = _RECEIPT_BITS if state.final else _INTERMEDIATE_BITS
    return phrases, tlvs.pack_tlvs([(tlvs.MESSAGE_STATE, int(told))]), esm_class


_STATES: Final[Mapping[int, tuple[tuple[str, str], bytes, int]]] = {int(state): _of_state(state) for state in State}


def receipt_pdu(receipt: ClientReceipt, *, tlvs_allowed: bool) -> DeliverSm:
    """The deliver_sm of a receipt (SMPP 3.4 appendix B), with TLVs for those who read them."""
    words, state_tlv, esm_class = _STATES[receipt.state]
    error = error_code(receipt.error) if receipt.error else 0
    text = (
        f"id:{receipt.told_id} sub:001 {words[0]} submit date:{_date(receipt.submitted_at)} "
        f"done date:{_date(receipt.done_at)} {words[1]} err:{error:03d} text:{receipt.text}"
    )
    parameters = b""
    if tlvs_allowed:
        parameters = tlvs.pack_tlvs(((tlvs.RECEIPTED_MESSAGE_ID, receipt.told_id),)) + state_tlv
        if error:
            network_error = bytes((_GSM_NETWORK,)) + error.to_bytes(2, "big")
            parameters += tlvs.pack_tlvs(((tlvs.NETWORK_ERROR_CODE, network_error),))
    source, destination = receipt.destination, receipt.source
    return DeliverSm(
        0, 0, parameters, "",
        source.ton, source.npi, _address(source.address),
        destination.ton, destination.npi, _address(destination.address),
        esm_class, short_message=text.encode("ascii", "replace"),
    )  # fmt: skip


def pdu_for(told: ForClient, *, tlvs_allowed: bool) -> DeliverSm:
    """The deliver_sm of whatever a client is told."""
    return receipt_pdu(told, tlvs_allowed=tlvs_allowed) if isinstance(told, ClientReceipt) else incoming_pdu(told)


def incoming_pdu(message: ClientIncoming) -> DeliverSm:
    """A message from a phone as it came; what is too long for short_message travels in message_payload."""
    long = len(message.body) > SHORT_MESSAGE_OCTETS_MAX
    return DeliverSm(
        tlvs=tlvs.pack_tlvs([(tlvs.MESSAGE_PAYLOAD, message.body)]) if long else b"",
        source_ton=message.source.ton,
        source_npi=message.source.npi,
        source=_address(message.source.address),
        destination_ton=message.destination.ton,
        destination_npi=message.destination.npi,
        destination=_address(message.destination.address),
        esm_class=message.esm_class & UDH_BIT,
        protocol_id=message.protocol_id,
        data_coding=message.data_coding,
        short_message=b"" if long else message.body,
    )


def _date(at: datetime) -> str:
    return _minute(int(at.timestamp()) // 60)


@lru_cache(maxsize=64)  # receipts of one minute share their dates
def _minute(minute: int) -> str:
    return f"{datetime.fromtimestamp(minute * 60, UTC):%y%m%d%H%M}"


def _address(address: str) -> str:
    """What a deliver_sm carries of an address that a lenient reading let pass."""
    if address.isascii() and len(address) <= ADDRESS_CHARACTERS_MAX:
        return address
    return address.encode("ascii", "replace").decode()[:ADDRESS_CHARACTERS_MAX]
