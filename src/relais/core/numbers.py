"""Phone numbers: E.164 digits without "+", and their country and network by the longest known prefix.

A range says to whom numbers were allocated, not where a ported one is served, and nothing here tells whether a number
is in use. National notation is not guessed: without the calling code a number is another number, or none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

DIGITS_MIN, DIGITS_MAX = 7, 15  # ITU-T E.164 §6.2.1; shorter ones are short codes of a country
_PUNCTUATION = str.maketrans("", "", " -().")
_ALL_LENGTHS = frozenset(range(DIGITS_MIN, DIGITS_MAX + 1))


def normalise(text: str) -> str | None:
    """The digits of a number as people write it ("+34 600-000.000", "0034…", "(34) 600…"), or None when it is not one.

    Blanks, hyphens, parentheses and full stops go, then one "+" or "00" in front. None for anything else that is not an
    ASCII digit, for a leading 0 (no calling code has one), and outside 7 to 15 digits.
    """
    digits = text
    if not (digits.isascii() and digits.isdigit()):
        digits = digits.translate(_PUNCTUATION)
        digits = digits[1:] if digits.startswith("+") else digits.removeprefix("00")
        if not (digits.isascii() and digits.isdigit()):
            return None
    elif digits.startswith("00"):
        digits = digits[2:]
    if digits.startswith("0") or not DIGITS_MIN <= len(digits) <= DIGITS_MAX:
        return None
    return digits


@dataclass(frozen=True, slots=True)
class Range:
    """Whose numbers these are."""

    country: str  # ISO 3166-1 alpha-2
    network_id: int | None  # None: not known


class CallingCode(NamedTuple):
    """One country of a calling code; several share one (+1, +7, +44), and one of them is the main one."""

    calling_code: str
    country: str
    main: bool
    national_lengths: tuple[int, ...]  # possible digits after the calling code


class _Entry(NamedTuple):
    range: Range
    lengths: frozenset[int]  # possible digits of whole numbers


class NumberPlan:
    """Ranges by prefix, ready to be asked; immutable.

    Made of prefixes (E.164 digits) with their ranges, and of calling codes: each stands for its main country, and says
    which lengths its numbers may have. A prefix outside every calling code is taken at its word, at any length.
    """

    __slots__ = ("_entries", "_lengths")

    def __init__(self, ranges: Mapping[str, Range], calling_codes: Iterable[CallingCode]) -> None:
        lengths: dict[tuple[str, str], frozenset[int]] = {}
        everywhere: dict[str, frozenset[int]] = {}
        entries: dict[str, _Entry] = {}
        for row in calling_codes:
            whole = frozenset(len(row.calling_code) + national for national in row.national_lengths)
            lengths[row.calling_code, row.country] = whole
            everywhere[row.calling_code] = everywhere.get(row.calling_code, frozenset()) | whole
            if row.main:
                entries[row.calling_code] = _Entry(Range(row.country, None), whole)
        shared: dict[_Entry, _Entry] = {}  # thousands of prefixes of one network hold one entry
        for prefix, given in ranges.items():
            code = next((prefix[:n] for n in range(1, len(prefix) + 1) if prefix[:n] in everywhere), None)
            if code is None:
                entry = _Entry(given, _ALL_LENGTHS)
            else:
                entry = _Entry(given, lengths.get((code, given.country), everywhere[code]))
            entries[prefix] = shared.setdefault(entry, entry)
        self._entries = entries
        found: dict[str, set[int]] = {}
        for prefix in entries:
            for start in (prefix[:2],) if len(prefix) > 1 else [prefix + digit for digit in "0123456789"]:
                found.setdefault(start, set()).add(len(prefix))
        self._lengths = {
            start: tuple(sorted(each, reverse=True)) for start, each in found.items()
        }  # of prefixes, by two digits

    def resolve(self, digits: str) -> Range | None:
        """The range of a normalised number, by its longest known prefix; None for a number that cannot be.

        It cannot when no calling code begins it, or its length is none that numbers of that country have.
        """
        entries = self._entries
        for length in self._lengths.get(digits[:2], ()):
            entry = entries.get(digits[:length])
            if entry is not None:
                return entry.range if len(digits) in entry.lengths else None
        return None
