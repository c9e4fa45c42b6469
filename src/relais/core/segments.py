"""A text as the parts that are sent and billed: encoding, cutting, user data headers (3GPP TS 23.040 §9.2.3.24).

GSM 7-bit when every character is in its tables, else UTF-16BE under the name of UCS-2. Parts are counted by building
them, and in no other way. Texts are taken as they are; `composed` is for the intake.
"""

import unicodedata
from contextlib import suppress
from typing import Literal

import msgspec

from relais.core.gsm0338 import ESCAPE, SHIFT_LOCKING, SHIFT_SINGLE, Language, alphabet, has_locking_table

PARTS_COUNT_MAX = 255  # the header counts parts in one octet
OCTETS_MAX = 140  # of a short message, header included
GSM7_ALONE, UCS2_ALONE = 160, 70  # septets, 16-bit units; parts of a longer text hold less: their header is in the 140

Encoding = Literal["gsm7", "ucs2", "binary"]  # binary: octets that a client cut itself; nothing here makes them
ReferenceBits = Literal[8, 16]

_CONCATENATION_8, _CONCATENATION_16 = 0x00, 0x08  # information element identifiers, §9.2.3.24.1 and .8
_GSM7_DATA_CODING, _UCS2_DATA_CODING = 0x00, 0x08


class TooManyParts(ValueError):
    """The text needs more parts than a header can count."""


class NotEncodable(ValueError):
    """The text holds NUL or half of a surrogate pair: no encoding carries it."""


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """A text ready to send."""

    encoding: Encoding
    units: int  # septets (pairs count two) or 16-bit units, of all parts together
    parts: tuple[bytes, ...]  # without headers: one septet an octet, or UTF-16BE; one empty part for the empty text
    data_coding: int  # of SMPP and TP-DCS: 0 or 8
    shift_elements: bytes = b""  # national tables, for the header of every part, a single one too
    ref_bits: ReferenceBits = 8  # that the parts were cut for


_DEFAULT = alphabet()


def encode(text: str, *, national: Language | None = None, ref_bits: ReferenceBits = 8) -> Encoded:
    """The parts of `text`; with `national`, that language's shift tables where they save the text from UCS-2.

    `NotEncodable`, `TooManyParts`. Cuts fall between characters: never in an escape pair or a surrogate pair.
    """
    septets = _DEFAULT.septets(text)
    if septets is not None:
        if len(septets) <= GSM7_ALONE:
            return Encoded("gsm7", len(septets), (septets,), _GSM7_DATA_CODING, b"", ref_bits)
        return _of_septets(septets, b"", ref_bits)
    units = _utf16(text)
    if national is not None and (shifted := _shifted(text, national, ref_bits)) is not None:
        return shifted
    count = len(units) // 2
    if count <= UCS2_ALONE:
        return Encoded("ucs2", count, (units,), _UCS2_DATA_CODING, b"", ref_bits)
    return Encoded("ucs2", count, _cut_units(units, _header_octets(ref_bits, b"")), _UCS2_DATA_CODING, b"", ref_bits)


def segment_count(text: str, *, national: Language | None = None, ref_bits: ReferenceBits = 8) -> int:
    """Number of parts of `text` as `encode` builds them, at least 1; its exceptions too (SV-259)."""
    return len(encode(text, national=national, ref_bits=ref_bits).parts)


def decode(encoded: Encoded) -> str:
    """The text that a receiver of all parts shows."""
    octets = b"".join(encoded.parts)
    if encoded.encoding == "ucs2":
        return octets.decode("utf-16-be")
    elements = encoded.shift_elements
    languages = {elements[i]: Language(elements[i + 2]) for i in range(0, len(elements), 3)}
    return alphabet(languages.get(SHIFT_LOCKING), languages.get(SHIFT_SINGLE)).text(octets)


def concatenation_headers(
    parts_count: int, reference: int, ref_bits: ReferenceBits = 8, shift_elements: bytes = b""
) -> tuple[bytes, ...]:
    """User data header of each part, length octet included; empty for a single part without shift elements.

    The reference is taken modulo its width: it need only differ between messages under way to one recipient.
    """
    if not 1 <= parts_count <= PARTS_COUNT_MAX:
        raise ValueError(f"a header counts 1 to {PARTS_COUNT_MAX} parts, not {parts_count}")
    if parts_count == 1:
        return (bytes((len(shift_elements),)) + shift_elements if shift_elements else b"",)
    length = _header_octets(ref_bits, shift_elements) - 1
    if ref_bits == 16:
        start = bytes((length, _CONCATENATION_16, 4, reference >> 8 & 0xFF, reference & 0xFF, parts_count))
    else:
        start = bytes((length, _CONCATENATION_8, 3, reference & 0xFF, parts_count))
    return tuple(start + bytes((number,)) + shift_elements for number in range(1, parts_count + 1))


def composed(text: str) -> str:
    """The canonical composition (NFC) of `text`: e and a combining acute become é, one septet instead of two units."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _of_septets(septets: bytes, shift_elements: bytes, ref_bits: ReferenceBits) -> Encoded:
    """Parts of a text in GSM 7-bit, whatever its length."""
    alone_max = _septets_beside(len(shift_elements) + 1) if shift_elements else GSM7_ALONE
    if len(septets) <= alone_max:
        parts: tuple[bytes, ...] = (septets,)
    else:
        parts = _cut_septets(septets, _septets_beside(_header_octets(ref_bits, shift_elements)))
    return Encoded("gsm7", len(septets), parts, _GSM7_DATA_CODING, shift_elements, ref_bits)


def _shifted(text: str, language: Language, ref_bits: ReferenceBits) -> Encoded | None:
    """With those tables of the language that hold `text` in the fewest parts; None when none holds it.

    Among equals the shorter header, and the single shift before the locking one: a phone that knows neither then spoils
    a few characters instead of any.
    """
    tables = [alphabet(single=language)]
    if has_locking_table(language):
        tables += [alphabet(locking=language), alphabet(locking=language, single=language)]
    encodings: list[Encoded] = []
    for table in tables:
        septets = table.septets(text)
        if septets is None:
            continue
        with suppress(TooManyParts):  # with another table it may need fewer
            encodings.append(_of_septets(septets, table.shift_elements, ref_bits))
    return min(encodings, key=lambda each: (len(each.parts), len(each.shift_elements)), default=None)


def _utf16(text: str) -> bytes:
    if "\0" in text:
        raise NotEncodable("the text holds NUL")
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise NotEncodable("the text holds half of a surrogate pair") from error


def _header_octets(ref_bits: ReferenceBits, shift_elements: bytes) -> int:
    """Octets of the header of one of several parts, its length octet included."""
    return (7 if ref_bits == 16 else 6) + len(shift_elements)


def _septets_beside(header_octets: int) -> int:
    """Septets that a short message holds beside a header: they start at a septet's border."""
    return (OCTETS_MAX - header_octets) * 8 // 7


def _cut_septets(septets: bytes, length: int) -> tuple[bytes, ...]:
    parts: list[bytes] = []
    start = 0
    while start < len(septets):
        end = start + length
        if end < len(septets) and septets[end - 1] == ESCAPE:
            end -= 1
        parts.append(septets[start:end])
        start = end
    return _counted(parts)


def _cut_units(units: bytes, header_octets: int) -> tuple[bytes, ...]:
    length = (OCTETS_MAX - header_octets) // 2 * 2
    parts: list[bytes] = []
    start = 0
    while start < len(units):
        end = start + length
        if end < len(units) and units[end - 2] & 0xFC == 0xD8:  # a high surrogate: its other half would be cut off
            end -= 2
        parts.append(units[start:end])
        start = end
    return _counted(parts)


def _counted(parts: list[bytes]) -> tuple[bytes, ...]:
    if len(parts) > PARTS_COUNT_MAX:
        raise TooManyParts(f"the text needs {len(parts)} parts, and {PARTS_COUNT_MAX} is the most")
    return tuple(parts)
