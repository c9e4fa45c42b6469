"""The GSM 7-bit default alphabet, its extension table and the national shift tables in use (3GPP TS 23.038 §6.2.1).

Text <-> septets, one septet an octet as SMPP carries them, and septets <-> packed octets (§6.1.2.1). Choice of an
encoding and cutting into parts are `segments.py`'s. Nothing is transliterated: what is not in a table is not encodable.
Small ç is not Ç: septet 0x09 is the capital.
"""

import codecs
from enum import IntEnum
from functools import cache
from types import MappingProxyType

ESCAPE = 0x1B
CARRIAGE_RETURN = 0x0D
SHIFT_SINGLE, SHIFT_LOCKING = 0x24, 0x25  # information element identifiers, 3GPP TS 23.040 §9.2.3.24.15 and .16

_NOT_A_CHARACTER = "\ufffe"  # the place of the escape: encodes from nothing
DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ" + _NOT_A_CHARACTER + "ÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)  # by septet
EXTENSION: MappingProxyType[int, str] = MappingProxyType(
    {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€"}
)  # by the septet after the escape


class Language(IntEnum):
    """National languages whose tables are here; the value is the octet of the shift element (TS 23.038 §6.2.1.2.4)."""

    TURKISH = 1
    SPANISH = 2
    PORTUGUESE = 3


# Latin small letter dotless i stands as an escape: on a screen it passes for an i.
_LOCKING_CHANGES: dict[Language, dict[int, str]] = {  # what replaces the default table; Spanish has no such table
    Language.TURKISH: {
        0x04: "€", 0x07: "\u0131", 0x0B: "Ğ", 0x0C: "ğ", 0x1C: "Ş", 0x1D: "ş", 0x40: "İ", 0x60: "ç",
    },
    Language.PORTUGUESE: {
        0x04: "ê", 0x06: "ú", 0x07: "í", 0x08: "ó", 0x09: "ç", 0x0B: "Ô", 0x0C: "ô", 0x0E: "Á", 0x0F: "á",
        0x12: "ª", 0x13: "Ç", 0x14: "À", 0x15: "∞", 0x16: "^", 0x17: "\\", 0x18: "€", 0x19: "Ó", 0x1A: "|",
        0x1C: "Â", 0x1D: "â", 0x1E: "Ê", 0x24: "º", 0x40: "Í", 0x5B: "Ã", 0x5C: "Õ", 0x5D: "Ú", 0x60: "~",
        0x7B: "ã", 0x7C: "õ", 0x7D: "`",
    },
}  # fmt: skip
_SINGLE_ADDITIONS: dict[Language, dict[int, str]] = {  # beside the ten of the default extension table
    Language.TURKISH: {0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "\u0131", 0x73: "ş"},
    Language.SPANISH: {
        0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x61: "á", 0x69: "í", 0x6F: "ó", 0x75: "ú",
    },
    Language.PORTUGUESE: {
        0x05: "ê", 0x09: "ç", 0x0B: "Ô", 0x0C: "ô", 0x0E: "Á", 0x0F: "á", 0x12: "Φ", 0x13: "Γ", 0x15: "Ω", 0x16: "Π",
        0x17: "Ψ", 0x18: "Σ", 0x19: "Θ", 0x1F: "Ê", 0x41: "À", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x5B: "Ã", 0x5C: "Õ",
        0x61: "Â", 0x69: "í", 0x6F: "ó", 0x75: "ú", 0x7B: "ã", 0x7C: "õ", 0x7F: "â",
    },
}  # fmt: skip


class Alphabet:
    """A table with its extension table, by the shift elements that announce them (none: the default tables).

    ValueError for a locking table that the language does not have.
    """

    def __init__(self, locking: Language | None = None, single: Language | None = None) -> None:
        changes = {} if locking is None else _LOCKING_CHANGES.get(locking)
        if changes is None:
            raise ValueError(f"{locking!r} has no locking shift table")
        self.characters = "".join(changes.get(septet, character) for septet, character in enumerate(DEFAULT))
        self.extension = {**EXTENSION, **_SINGLE_ADDITIONS.get(single, {})} if single else dict(EXTENSION)
        self.shift_elements = b""  # for the user data header of every part, without the header's length octet
        if single is not None:
            self.shift_elements += bytes((SHIFT_SINGLE, 1, single))
        if locking is not None:
            self.shift_elements += bytes((SHIFT_LOCKING, 1, locking))
        # The C encoder is fast only if U+0000 stands at 0 and every character gives one octet. So "@", which is
        # septet 0, and the characters of two septets stand from 0x80 on; `septets` puts them right, if there are any.
        pairs = {character: bytes((ESCAPE, septet)) for septet, character in self.extension.items()}
        pairs_only = [character for character in reversed(pairs) if character not in self.characters]  # "€" before "["
        high = [self.characters[0], *pairs_only]
        self._encoding_map = codecs.charmap_build("\0" + self.characters[1:] + "".join(high))
        self._stand_ins = tuple((bytes((0x80 + i,)), pairs.get(character, b"\0")) for i, character in enumerate(high))

    def septets(self, text: str) -> bytes | None:
        """`text`, one septet an octet, escape pairs included; None when a character of it is in neither table."""
        try:
            octets = codecs.charmap_encode(text, "strict", self._encoding_map)[0]
        except UnicodeEncodeError:
            return None
        if b"\0" in octets:  # U+0000, which is in no table
            return None
        if octets.isascii():
            return octets
        for stand_in, septets in self._stand_ins:
            octets = octets.replace(stand_in, septets)
            if octets.isascii():
                break
        return octets

    def text(self, septets: bytes) -> str:
        """What a receiver shows; ValueError for an octet above 0x7F.

        A pair of no meaning shows the second septet's character, two escapes a blank, an escape at the end nothing
        (TS 23.038 §6.2.1.1, notes 1 and 3).
        """
        if not septets.isascii():
            raise ValueError("a septet has seven bits")
        if ESCAPE not in septets:
            return codecs.charmap_decode(septets, "strict", self.characters)[0]  # type: ignore[arg-type]  # text is a map, as in the codecs of the library
        shown: list[str] = []
        position = 0
        while position < len(septets):
            septet = septets[position]
            position += 1
            if septet != ESCAPE:
                shown.append(self.characters[septet])
            elif position < len(septets):
                following = septets[position]
                position += 1
                shown.append(" " if following == ESCAPE else self.extension.get(following, self.characters[following]))
        return "".join(shown)


@cache
def alphabet(locking: Language | None = None, single: Language | None = None) -> Alphabet:
    """The one `Alphabet` of these shifts."""
    return Alphabet(locking, single)


def has_locking_table(language: Language) -> bool:
    return language in _LOCKING_CHANGES


def pack(septets: bytes, *, fill_bits: int = 0, pad_with_cr: bool = False) -> bytes:
    """Septets packed from the least significant bit, after `fill_bits` (0 to 6) zero bits that follow a header.

    `pad_with_cr`: as on the air interface (§6.1.2.3.1), where 7 spare bits at the end would read as "@", and a text
    that ends on the octet border in CR gets a second one. Receivers that are told the count of septets need neither.
    """
    if pad_with_cr:
        bits_used = (fill_bits + 7 * len(septets)) % 8
        if bits_used == 1 or (bits_used == 0 and septets.endswith(b"\r")):
            septets += b"\r"
    packed = 0
    for septet in reversed(septets):
        packed = packed << 7 | septet
    bits_count = fill_bits + 7 * len(septets)
    return (packed << fill_bits).to_bytes((bits_count + 7) // 8, "little")


def unpack(octets: bytes, septets_count: int, *, fill_bits: int = 0) -> bytes:
    """The first `septets_count` septets of packed octets; ValueError when there are fewer."""
    if fill_bits + 7 * septets_count > 8 * len(octets):
        raise ValueError(f"{len(octets)} octets do not hold {septets_count} septets")
    packed = int.from_bytes(octets, "little") >> fill_bits
    return bytes(packed >> 7 * position & 0x7F for position in range(septets_count))


def fill_bits_after(header_octets: int) -> int:
    """Bits between a user data header of that many octets (its length octet included) and the first septet."""
    return -header_octets * 8 % 7
