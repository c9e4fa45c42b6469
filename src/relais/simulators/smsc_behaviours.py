"""What the simulated SMSC can do to a message, and how a message asks for it: tables.

The last four digits of the destination choose, or the words "smsc:<name>" in a text (ASCII and GSM alphabets; the text
wins). Anything else is delivered.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from relais.wire.smpp import tlvs
from relais.wire.smpp.pdus import DeliverSm, SubmitSm
from relais.wire.smpp.receipts import STATE_WORDS


class Behaviour(StrEnum):
    """Names for texts; see `BY_SUFFIX` for numbers."""

    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NO_RECEIPT = "no-receipt"
    REFUSED = "refused"  # 0x0B, for good
    BUSY = "busy"  # 0x08, every time
    THROTTLED_ONCE = "throttled-once"  # 0x58, then taken
    SILENT = "silent"  # never answered
    ANSWERED_TWICE = "answered-twice"
    RECEIPT_FIRST = "receipt-first"  # before the response
    RECEIPT_TWICE = "receipt-twice"
    UNKNOWN_RECEIPT = "unknown-receipt"  # one for an id that nobody got, then the right one
    GARBAGE = "garbage"  # octets that are no PDU, instead of an answer
    CLOSE = "close"  # the connection falls, instead of an answer
    IN_STEPS = "in-steps"  # ENROUTE, then DELIVRD
    CHANGES_ITS_MIND = "changes-its-mind"  # DELIVRD, then UNDELIV
    NUMBERS_ONLY = "numbers-only"  # 0x0A for a sender with letters; a number is taken


BY_SUFFIX: Final = MappingProxyType(
    {
        "0001": Behaviour.UNDELIVERABLE,
        "0002": Behaviour.EXPIRED,
        "0003": Behaviour.REJECTED,
        "0004": Behaviour.NO_RECEIPT,
        "0005": Behaviour.REFUSED,
        "0006": Behaviour.BUSY,
        "0007": Behaviour.THROTTLED_ONCE,
        "0008": Behaviour.SILENT,
        "0009": Behaviour.ANSWERED_TWICE,
        "0010": Behaviour.RECEIPT_FIRST,
        "0011": Behaviour.RECEIPT_TWICE,
        "0012": Behaviour.UNKNOWN_RECEIPT,
        "0013": Behaviour.GARBAGE,
        "0014": Behaviour.CLOSE,
        "0015": Behaviour.IN_STEPS,
        "0016": Behaviour.CHANGES_ITS_MIND,
        "0040": Behaviour.NUMBERS_ONLY,
    }
)

RECEIPT_WORDS: Final = MappingProxyType(
    {
        Behaviour.UNDELIVERABLE: ("UNDELIV",),
        Behaviour.EXPIRED: ("EXPIRED",),
        Behaviour.REJECTED: ("REJECTD",),
        Behaviour.NO_RECEIPT: (),
        Behaviour.RECEIPT_TWICE: ("DELIVRD", "DELIVRD"),
        Behaviour.IN_STEPS: ("ENROUTE", "DELIVRD"),
        Behaviour.CHANGES_ITS_MIND: ("DELIVRD", "UNDELIV"),
    }
)
"""The receipts' words, in their order; one DELIVRD for what is missing here."""

ERROR_CODES: Final = MappingProxyType({"UNDELIV": "001", "EXPIRED": "002", "REJECTD": "003"})

_ASKED = re.compile(rb"smsc:([a-z-]+)")
_NAMES = MappingProxyType({behaviour.encode(): behaviour for behaviour in Behaviour})


def behaviour_of(request: SubmitSm) -> Behaviour:
    """What the message asks for; delivery where it asks for nothing."""
    return asked_of(request) or Behaviour.DELIVERED


def asked_of(request: SubmitSm) -> Behaviour | None:
    """What the message asks for, None for nothing."""
    if b"smsc:" in request.short_message:
        asked = _ASKED.search(request.short_message)
        if asked and asked[1] in _NAMES:
            return _NAMES[asked[1]]
    return BY_SUFFIX.get(request.destination[-4:])


class Mix:
    """Shares in percent, spread evenly; delivery for the rest."""

    def __init__(self, shares: Mapping[Behaviour, int]) -> None:
        self._shares = {**shares, Behaviour.DELIVERED: 100 - sum(shares.values()) + shares.get(Behaviour.DELIVERED, 0)}
        self._due = dict.fromkeys(self._shares, 0)

    def take(self) -> Behaviour:
        for behaviour, share in self._shares.items():
            self._due[behaviour] += share
        most = max(self._due, key=lambda behaviour: self._due[behaviour])
        self._due[most] -= 100
        return most


class IdStyle(StrEnum):
    """How ids are written, response / receipt."""

    DECIMAL = "decimal"
    HEXADECIMAL = "hexadecimal"
    HEX_THEN_DECIMAL = "hex-then-decimal"
    DECIMAL_THEN_HEX = "decimal-then-hex"
    ZEROS_LOST = "zeros-lost"  # sixteen digits with leading zeros / without them
    CASE_CHANGED = "case-changed"  # lower case / upper case


_WRITERS: Final[MappingProxyType[IdStyle, tuple[Callable[[int], str], Callable[[int], str]]]] = MappingProxyType(
    {
        IdStyle.DECIMAL: (str, str),
        IdStyle.HEXADECIMAL: ("{:X}".format, "{:X}".format),
        IdStyle.HEX_THEN_DECIMAL: ("{:X}".format, str),
        IdStyle.DECIMAL_THEN_HEX: (str, "{:x}".format),
        IdStyle.ZEROS_LOST: ("{:016d}".format, str),
        IdStyle.CASE_CHANGED: ("{:x}".format, "{:X}".format),
    }
)


class MessageIds:
    """Rising ids that begin anywhere, as after years of service: a restarted simulator does not repeat itself."""

    def __init__(self, style: IdStyle) -> None:
        self._in_response, self._in_receipt = _WRITERS[style]
        self._latest = 10_000_000_000 + secrets.randbelow(80_000_000_000)

    def take(self) -> tuple[str, str]:
        """A new id as the response and as the receipt writes it."""
        self._latest += 1
        return self._in_response(self._latest), self._in_receipt(self._latest)


class ReceiptForm(StrEnum):
    """Where a receipt says what it says."""

    TEXT_AND_TLVS = "text-and-tlvs"
    TEXT = "text"
    TLVS = "tlvs"


def receipt_pdu(
    request: SubmitSm, message_id: str, word: str, submit_date: str, done_date: str, form: ReceiptForm
) -> DeliverSm:
    """The deliver_sm that reports `word` about the message of `request`; addresses change places."""
    text, parameters = b"", b""
    delivered = "001" if word == "DELIVRD" else "000"
    if form is not ReceiptForm.TLVS:
        text = (
            f"id:{message_id} sub:001 dlvrd:{delivered} submit date:{submit_date} done date:{done_date} "
            f"stat:{word} err:{ERROR_CODES.get(word, '000')} text:"
        ).encode() + (b"" if request.esm_class & 0x40 or request.data_coding else request.short_message[:20])
    if form is not ReceiptForm.TEXT:
        parameters = tlvs.pack_tlvs(
            [(tlvs.RECEIPTED_MESSAGE_ID, message_id), (tlvs.MESSAGE_STATE, int(STATE_WORDS[word]))]
        )
    return DeliverSm(
        tlvs=parameters,
        source_ton=request.destination_ton,
        source_npi=request.destination_npi,
        source=request.destination,
        destination_ton=request.source_ton,
        destination_npi=request.source_npi,
        destination=request.source,
        esm_class=0x20 if word == "ENROUTE" else 0x04,
        short_message=text,
    )
