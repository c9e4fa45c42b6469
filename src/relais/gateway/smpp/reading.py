"""From a client's PDU to what it asks for: alphabets, headers, parts, times. `Unfit` says with which status to refuse.

Lenient where clients err harmlessly; whatever would change what the recipient reads is refused. The default alphabet is a
setting of the connection (CSMPP-13, CSMPP-14).
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal
from uuid import UUID

import msgspec

from relais.core.gsm0338 import SHIFT_LOCKING, SHIFT_SINGLE, Language, alphabet, has_locking_table
from relais.core.gsm0338 import Alphabet as GsmAlphabet
from relais.core.segments import OCTETS_MAX
from relais.pipeline.accept import SEGMENTS_MAX, VALIDITY_MAX_S, VALIDITY_MIN_S
from relais.pipeline.origin import BINARY, GSM7, UCS2, Cut, Origin, Place
from relais.pipeline.submission import Submission
from relais.wire.smpp import concatenation, statuses, tlvs
from relais.wire.smpp.pdus import DataSm, ReplaceSm, SubmitMulti, SubmitSm
from relais.wire.smpp.times import parse_time, relative_s

Alphabet = Literal["gsm7", "ascii", "latin1", "cyrillic", "hebrew", "ucs2", "binary"]

ALPHABETS: Final[dict[int, Alphabet]] = {
    0x01: "ascii", 0x02: "binary", 0x03: "latin1", 0x04: "binary", 0x06: "cyrillic", 0x07: "hebrew", 0x08: "ucs2",
}  # fmt: skip
CODECS: Final = {
    "ascii": "ascii",
    "latin1": "latin-1",
    "cyrillic": "iso8859-5",
    "hebrew": "iso8859-8",
    "ucs2": "utf-16-be",
}
CUTS_KEPT: Final[dict[str, int]] = {
    "gsm7": GSM7,
    "ucs2": UCS2,
    "binary": BINARY,
}  # alphabets whose parts go out as they came

TYPES: Final = frozenset({0x00, 0x08, 0x10})  # bits 5-2 of esm_class: message, and acknowledgements of phones
UDH_BIT, PRIORITY_MAX, REPLACE_MAX, REGISTERED_MAX = 0x40, 4, 1, 0x1F
LATE_TOLERATED = timedelta(minutes=5)  # of a clock that differs from ours


class Unfit(Exception):
    """The PDU cannot be taken; `status` is what to answer."""

    def __init__(self, status: int) -> None:
        super().__init__(statuses.status_name(status))
        self.status = status


class PartOf(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """That a PDU is one of several; `number` counts from 1."""

    reference: int
    total: int
    number: int


class Wish(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One PDU as read, for one destination."""

    source: Place
    destination: Place
    registered_delivery: int
    alphabet: Alphabet
    message_class: int | None
    header: bytes  # UDH with its length octet
    body: bytes
    part: PartOf | None
    validity_s: int | None
    send_at: datetime | None


def read(request: SubmitSm | DataSm, default: str, now: datetime) -> Wish:
    """What submit_sm or data_sm asks for; `default` is the alphabet of data_coding 0. `Unfit`."""
    return _wish(request, Place(request.destination_ton, request.destination_npi, request.destination), default, now)


def read_multi(request: SubmitMulti, default: str, now: datetime) -> list[Wish]:
    """One wish for each destination of submit_multi. `Unfit`; distribution lists are not kept here."""
    if not request.destinations:
        raise Unfit(statuses.ESME_RINVNUMDESTS)
    places = []
    for each in request.destinations:
        if isinstance(each, str):
            raise Unfit(statuses.ESME_RINVDLNAME)
        places.append(Place(each.ton, each.npi, each.number))
    return [_wish(request, place, default, now) for place in places]


def _wish(request: SubmitSm | DataSm | SubmitMulti, destination: Place, default: str, now: datetime) -> Wish:
    if request.esm_class & 0x3C not in TYPES:
        raise Unfit(statuses.ESME_RINVESMCLASS)
    if request.registered_delivery > REGISTERED_MAX:
        raise Unfit(statuses.ESME_RINVREGDLVFLG)
    schedule, validity = "", ""
    if not isinstance(request, DataSm):
        if request.priority_flag > PRIORITY_MAX:
            raise Unfit(statuses.ESME_RINVPRTFLG)
        if request.replace_if_present_flag > REPLACE_MAX:
            raise Unfit(statuses.ESME_RINVREPFLAG)
        if request.sm_default_msg_id:
            raise Unfit(statuses.ESME_RINVDFTMSGID)
        schedule, validity = request.schedule_delivery_time, request.validity_period
    elif request.tlvs and (ttl := tlvs.int_of(tlvs.tlv_value(request.tlvs, tlvs.QOS_TIME_TO_LIVE))) is not None:
        return msgspec.structs.replace(_read(request, destination, default, "", "", now), validity_s=_within(ttl))
    return _read(request, destination, default, schedule, validity, now)


def _read(
    request: SubmitSm | DataSm | SubmitMulti,
    destination: Place,
    default: str,
    schedule: str,
    validity: str,
    now: datetime,
) -> Wish:
    letters, message_class = _alphabet(request.data_coding, default)
    data = _data(request)
    header = b""
    if request.esm_class & UDH_BIT:
        if not data or data[0] >= len(data):
            raise Unfit(statuses.ESME_RINVMSGLEN)
        header, data = data[: data[0] + 1], data[data[0] + 1 :]
    part = _part_of(header) if header else _part_of_tlvs(request.tlvs)
    if part is not None and not (1 <= part.number <= part.total <= SEGMENTS_MAX):
        raise Unfit(statuses.ESME_RINVESMCLASS if header else statuses.ESME_RINVOPTPARAMVAL)
    if letters == "ucs2" and len(data) % 2:
        raise Unfit(statuses.ESME_RINVMSGLEN)
    if (header or part or letters == "binary") and not _fits(header, data, letters):
        raise Unfit(statuses.ESME_RINVMSGLEN)
    send_at = _send_at(schedule, now)
    return Wish(
        Place(request.source_ton, request.source_npi, request.source), destination, request.registered_delivery,
        letters, message_class, header, data, None if part is None or part.total == 1 else part,
        _validity_s(validity, send_at or now, now), send_at,
    )  # fmt: skip


def when(request: ReplaceSm, now: datetime) -> tuple[datetime | None, int | None]:
    """The sending time and the validity that replace_sm asks for, the latter from now; None leaves what is. `Unfit`."""
    return _send_at(request.schedule_delivery_time, now), _validity_s(request.validity_period, now, now)


def replacement_text(request: ReplaceSm, encoding: str, default: str) -> str:
    """The text of replace_sm, in the alphabet of the message that it replaces. `Unfit`."""
    letters: Alphabet = "ucs2" if encoding == "ucs2" else msgspec.convert(default, Alphabet)
    place = Place(0, 0, "")
    return text_of([Wish(place, place, 0, letters, None, b"", request.short_message, None, None, None)])


def submission_of(
    wishes: list[Wish],
    connection_id: int,
    told: tuple[tuple[str, int], ...],
    *,
    whole: bool = True,
    message_id: UUID | None = None,
) -> Submission:
    """One message out of one PDU, or of all parts of a long one in their order. `Unfit` for octets that are no text; unless it
    is `whole`, a character may be cut in two."""
    first = wishes[0]
    kept = first.alphabet in CUTS_KEPT and (first.header or first.part is not None or first.alphabet == "binary")
    cuts = tuple(Cut(wish.header, wish.body) for wish in wishes) if kept else ()
    origin = Origin(
        connection_id, first.source, first.destination, told, cuts, CUTS_KEPT[first.alphabet] if cuts else 0,
        first.message_class,
    )  # fmt: skip
    return Submission(
        first.source.address.strip(), first.destination.address, text_of(wishes, whole=whole), "sms", None, first.validity_s,
        first.send_at, None, origin, message_id,
    )  # fmt: skip


def text_of(wishes: list[Wish], *, whole: bool = True) -> str:
    """What the recipient reads; of binary messages their octets in hexadecimal. `Unfit` when it is no text."""
    first = wishes[0]
    octets = b"".join([wish.body for wish in wishes])
    if first.alphabet == "binary":
        return b"".join([wish.header + wish.body for wish in wishes]).hex()
    try:
        if first.alphabet == "gsm7":
            return _shifted(first.header).text(octets) if first.header else alphabet().text(octets)
        return octets.decode(CODECS[first.alphabet], "strict" if whole else "replace")
    except ValueError as error:
        raise Unfit(statuses.ESME_RINVDCS) from error


@lru_cache(maxsize=4_096)  # of 256 codings and five defaults
def _alphabet(data_coding: int, default: str) -> tuple[Alphabet, int | None]:
    """The alphabet, and the message class that the client asks for (3GPP TS 23.038 §4)."""
    if data_coding == 0:
        return msgspec.convert(default, Alphabet), None
    if (found := ALPHABETS.get(data_coding)) is not None:
        return found, None
    group, message_class = data_coding & 0xFC, data_coding & 0x03
    if group in (0x10, 0xF0):
        return "gsm7", message_class
    if group in (0x14, 0xF4):
        return "binary", message_class
    if group == 0x18:
        return "ucs2", message_class
    raise Unfit(statuses.ESME_RINVDCS)


def _data(request: SubmitSm | DataSm | SubmitMulti) -> bytes:
    payload = tlvs.tlv_value(request.tlvs, tlvs.MESSAGE_PAYLOAD) if request.tlvs else None
    short_message = b"" if isinstance(request, DataSm) else request.short_message
    if payload and short_message:
        raise Unfit(statuses.ESME_ROPTPARNOTALLWD)
    return payload or short_message


def _fits(header: bytes, data: bytes, letters: str) -> bool:
    """Whether a part that goes out as it came is one short message."""
    room = OCTETS_MAX - len(header)
    if letters == "gsm7":
        room = room * 8 // 7
    return len(data) <= room


def _part_of(header: bytes) -> PartOf | None:
    numbers = concatenation.of_header(header)
    return PartOf(*numbers) if numbers is not None else None


def _part_of_tlvs(octets: bytes) -> PartOf | None:
    if not octets:
        return None
    reference, total, number = numbers = concatenation.of_tlvs(octets)
    if numbers == (None, None, None):
        return None
    if reference is None or total is None or number is None:
        raise Unfit(statuses.ESME_RMISSINGOPTPARAM)
    return PartOf(reference, total, number)


def _shifted(header: bytes) -> GsmAlphabet:
    """The alphabet that the header's shift elements announce; one that is not known here cannot be read."""
    found = concatenation.elements(header)
    locking, single = (Language(octets[0]) if (octets := found.get(n)) else None for n in (SHIFT_LOCKING, SHIFT_SINGLE))
    if locking is not None and not has_locking_table(locking):
        raise ValueError(f"{locking!r} has no locking shift table")
    return alphabet(locking, single)


def _send_at(schedule: str, now: datetime) -> datetime | None:
    if not schedule:
        return None
    after_s = relative_s(schedule)
    at = now + timedelta(seconds=after_s) if after_s is not None else parse_time(schedule)
    if at is None or at < now - LATE_TOLERATED:
        raise Unfit(statuses.ESME_RINVSCHED)
    return at.astimezone(UTC) if at > now else None


def _validity_s(validity: str, begins: datetime, now: datetime) -> int | None:
    """From when the message may be sent. Longer ones than are kept are shortened."""
    if not validity:
        return None
    after_s = relative_s(validity)
    at = now + timedelta(seconds=after_s) if after_s is not None else parse_time(validity)
    if at is None or at <= begins:
        raise Unfit(statuses.ESME_RINVEXPIRY)
    return _within((at - begins) // timedelta(seconds=1))


def _within(validity_s: int) -> int:
    return min(max(validity_s, VALIDITY_MIN_S), VALIDITY_MAX_S)
