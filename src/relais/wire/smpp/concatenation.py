"""That a message is a part of a longer one, as user data headers (3GPP TS 23.040 §9.2.3.24) and sar_ TLVs say it."""

from typing import Final

from relais.wire.smpp import tlvs

CONCATENATION_8, CONCATENATION_16 = 0x00, 0x08
Numbers = tuple[int, int, int]  # reference, parts in all, number of this one from 1
_SAR: Final = (tlvs.SAR_MSG_REF_NUM, tlvs.SAR_TOTAL_SEGMENTS, tlvs.SAR_SEGMENT_SEQNUM)


def elements(header: bytes) -> dict[int, bytes]:
    """Information elements of a header with its length octet; what is cut off is left out."""
    found: dict[int, bytes] = {}
    position = 1
    while position + 2 <= len(header):
        length = header[position + 1]
        if position + 2 + length > len(header):
            break
        found.setdefault(header[position], header[position + 2 : position + 2 + length])
        position += 2 + length
    return found


def of_header(header: bytes) -> Numbers | None:
    """What a header says; None where it says nothing of the kind."""
    found = elements(header)
    if len(short := found.get(CONCATENATION_8, b"")) == 3:
        return short[0], short[1], short[2]
    if len(long := found.get(CONCATENATION_16, b"")) == 4:
        return long[0] << 8 | long[1], long[2], long[3]
    return None


def of_tlvs(octets: bytes) -> tuple[int | None, int | None, int | None]:
    """What the three sar_ TLVs say, each None where it is missing."""
    reference, total, number = (tlvs.int_of(tlvs.tlv_value(octets, tag)) for tag in _SAR)
    return reference, total, number
