"""Between the pipeline's words and SMPP's: a part becomes a submit_sm, a status a refusal, a deliver_sm a receipt."""

from types import MappingProxyType
from typing import Any, Final

from relais.contracts.vendors import IncomingMessage, OutgoingPart, RefusalClass, VendorReceipt
from relais.core.gsm0338 import alphabet
from relais.core.lifecycle import State
from relais.vendors.smpp.settings import SmppSettings
from relais.wire.smpp import concatenation, statuses, tlvs
from relais.wire.smpp.pdus import DataSm, DeliverSm, SubmitSm
from relais.wire.smpp.receipts import MessageState, read_receipt
from relais.wire.smpp.statuses import StatusClass
from relais.wire.smpp.times import parse_time, relative_time

SHORT_CODE_DIGITS_MAX: Final = 6
ID_CHARACTERS_MAX: Final = 255  # SMPP's limit is 64; whatever a vendor sends, it is kept and indexed
WORD_CHARACTERS_MAX: Final = 64
TON_ALPHANUMERIC, NPI_UNKNOWN = 5, 0
TON_INTERNATIONAL, NPI_E164 = 1, 1
_UDH_BIT: Final = 0x40
UCS2: Final = 8
_RECEIPT_WANTED: Final = 1  # on success and on failure

REFUSAL_CLASSES: Final = MappingProxyType(
    {
        StatusClass.OK: RefusalClass.TEMPORARY,  # a generic_nack without a reason
        StatusClass.PERMANENT: RefusalClass.PERMANENT,
        StatusClass.TEMPORARY: RefusalClass.TEMPORARY,
        StatusClass.THROTTLE: RefusalClass.THROTTLED,
        StatusClass.BIND: RefusalClass.TEMPORARY,  # the account's trouble, not the message's
        StatusClass.PROTOCOL: RefusalClass.PERMANENT,
        StatusClass.AMBIGUOUS: RefusalClass.TEMPORARY,  # a bounded number of tries is the safe reading
    }
)

SENDER_REFUSED: Final = frozenset({statuses.ESME_RINVSRCADR, statuses.ESME_RINVSRCTON, statuses.ESME_RINVSRCNPI})

FINAL_STATES: Final[MappingProxyType[MessageState, State]] = MappingProxyType(
    {
        MessageState.DELIVERED: State.DELIVERED,
        MessageState.EXPIRED: State.EXPIRED,
        MessageState.DELETED: State.UNDELIVERED,
        MessageState.UNDELIVERABLE: State.UNDELIVERED,
        MessageState.REJECTED: State.REJECTED,
        MessageState.SKIPPED: State.UNDELIVERED,  # 5.0 §4.7.15 calls it final
    }
)
"""States missing here are not final (VSMPP-37)."""


def submit_sm(part: OutgoingPart, settings: SmppSettings) -> SubmitSm:
    """The request for one part, without its sequence number. Octets that SMPP cannot carry show when it is encoded."""
    source_ton, source_npi, source = source_address(part.source, settings)
    esm_class, message, parameters = settings.esm_class, part.body, b""
    if part.header:
        sar = _sar_tlvs(part.header) if settings.use_tlv else b""
        if sar:
            parameters = sar
        else:
            esm_class |= _UDH_BIT
            message = part.header + part.body
    return SubmitSm(
        0,
        0,
        parameters,
        settings.service_type,
        source_ton,
        source_npi,
        source,
        settings.destination_ton,
        settings.destination_npi,
        part.destination,
        esm_class,
        0,
        0,
        "",
        relative_time(min(part.validity_s, settings.validity_max_s)),
        _RECEIPT_WANTED,
        0,
        part.data_coding,
        0,
        message,
    )


def source_address(sender: str, settings: SmppSettings) -> tuple[int, int, str]:
    """TON, NPI and address of a sender by its shape: a name, a short code, or an international number without "+"."""
    digits = sender.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        ton, npi, address = TON_ALPHANUMERIC, NPI_UNKNOWN, sender
    elif len(digits) <= SHORT_CODE_DIGITS_MAX:
        ton, npi, address = settings.short_code_ton, settings.short_code_npi, digits
    else:
        ton, npi, address = TON_INTERNATIONAL, NPI_E164, digits
    if settings.source_ton is not None:
        ton = settings.source_ton
    if settings.source_npi is not None:
        npi = settings.source_npi
    return ton, npi, address


def _sar_tlvs(header: bytes) -> bytes:
    """The sar_ TLVs that say what a UDH of nothing but a concatenation element says; b"" for any other header."""
    if header[:3] == b"\x05\x00\x03" and len(header) == 6:
        reference, total, number = header[3], header[4], header[5]
    elif header[:3] == b"\x06\x08\x04" and len(header) == 7:
        reference, total, number = header[3] << 8 | header[4], header[5], header[6]
    else:
        return b""
    return tlvs.pack_tlvs(
        [
            (tlvs.SAR_MSG_REF_NUM, reference),
            (tlvs.SAR_TOTAL_SEGMENTS, total),
            (tlvs.SAR_SEGMENT_SEQNUM, number),
        ]
    )


def refusal(status: int) -> tuple[str, RefusalClass]:
    """The error as operators read it, such as "ESME_RTHROTTLED 0x58", and what to do about it."""
    name = statuses.status_name(status)
    kind = REFUSAL_CLASSES[statuses.status_class(status)]
    if status == statuses.ESME_RINVBNDSTS:
        kind = RefusalClass.TEMPORARY  # the vendor forgot the bind; after the next one it will do
    elif status in SENDER_REFUSED:
        kind = RefusalClass.SENDER
    return (f"{name} 0x{status:02X}" if status in statuses.STATUSES else name), kind


def incoming_message(pdu: DeliverSm | DataSm, settings: SmppSettings, token: Any) -> IncomingMessage:
    """A message from a phone; with inverted addresses put right (VSMPP-23)."""
    source = (pdu.source_ton, pdu.source_npi, pdu.source)
    destination = (pdu.destination_ton, pdu.destination_npi, pdu.destination)
    if settings.inverse_address_mode:
        source, destination = destination, source
    body = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    body = body or tlvs.tlv_value(pdu.tlvs, tlvs.MESSAGE_PAYLOAD) or b""
    protocol_id = pdu.protocol_id if isinstance(pdu, DeliverSm) else 0
    text = _readable(body, pdu.esm_class, pdu.data_coding)
    part = _part_of(body, pdu.esm_class, pdu.tlvs)
    return IncomingMessage(*source, *destination, pdu.esm_class, protocol_id, pdu.data_coding, body, text, token, part)


def _part_of(body: bytes, esm_class: int, parameters: bytes) -> tuple[int, int, int] | None:
    """That it is one of several parts; what says so and makes no sense is passed over."""
    if esm_class & _UDH_BIT and body:
        numbers = concatenation.of_header(body[: body[0] + 1])
    elif parameters:
        reference, total, number = concatenation.of_tlvs(parameters)
        numbers = None if reference is None or total is None or number is None else (reference, total, number)
    else:
        return None
    return numbers if numbers is not None and 1 <= numbers[2] <= numbers[1] and numbers[1] > 1 else None


def _readable(body: bytes, esm_class: int, data_coding: int) -> str:
    """The text without its header; octets that are none become signs of that."""
    if esm_class & _UDH_BIT and body:
        body = body[body[0] + 1 :]
    if data_coding == UCS2:
        return body.decode("utf-16-be", "replace").replace("\0", "\ufffd")
    if data_coding == 0 and body.isascii():
        return alphabet().text(body)
    return body.decode("latin-1").replace("\0", "\ufffd")


def vendor_receipt(pdu: DeliverSm | DataSm, settings: SmppSettings, token: Any) -> VendorReceipt:
    """The receipt in `pdu`; unreadable parts of it are left empty."""
    read = read_receipt(pdu)
    return VendorReceipt(
        read.message_id[:ID_CHARACTERS_MAX],
        None if read.state is None else FINAL_STATES.get(read.state),
        read.status[:WORD_CHARACTERS_MAX],
        read.error[:WORD_CHARACTERS_MAX],
        parse_time(read.done_date, settings.receipt_utc_offset_min),
        token,
    )
