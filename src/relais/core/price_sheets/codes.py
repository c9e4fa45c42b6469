"""Network codes as price sheets write them (RI-69 to RI-72), and what a code says of its network."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

_SEPARATORS = re.compile(r"[\s\-/.\u2010-\u2015]+")
_SEVERAL = re.compile(r"[/,;+&]|\s\s*")
MCC_DIGITS = 3
MNC_DIGITS_MAX = 3


class Network(NamedTuple):
    """A network of the dictionary; `codes` are its MCCMNC."""

    id: str
    iso: str
    name: str
    operator: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """What a cell means: `mccmnc` of the dictionary, or None for all networks of the MCC. `completed`: zeros that the sheet lost
    are taken from the dictionary."""

    mcc: str
    mccmnc: str | None
    completed: bool = False


class Codes:
    """All codes of the dictionary with their networks."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self.networks = {network.id: network for network in networks}
        self.network_of = {code: network for network in self.networks.values() for code in network.codes}
        self._by_number: dict[tuple[str, int], list[str]] = defaultdict(list)
        isos: dict[str, set[str]] = defaultdict(set)
        for code in sorted(self.network_of):
            self._by_number[code[:MCC_DIGITS], int(code[MCC_DIGITS:])].append(code)
            isos[code[:MCC_DIGITS]].add(self.network_of[code].iso)
        self._isos = {mcc: frozenset(found) for mcc, found in isos.items()}

    def knows(self, mcc: str) -> bool:
        return mcc in self._isos

    def country_of(self, mcc: str) -> str | None:
        """Of an MCC that is one country's alone."""
        isos = self._isos.get(mcc, frozenset())
        return next(iter(isos)) if len(isos) == 1 else None

    def read(self, text: str) -> Code:
        """MCC and MNC in one text; ValueError with the reason for what is no code of the dictionary or could be two."""
        digits = _SEPARATORS.sub("", text)
        if not (digits.isascii() and digits.isdigit()) or not MCC_DIGITS <= len(digits) <= MCC_DIGITS + MNC_DIGITS_MAX:
            raise ValueError("is not an MCC of three digits with an MNC of two or three")
        return self.read_apart(digits[:MCC_DIGITS], digits[MCC_DIGITS:])

    def read_apart(self, mcc: str, mnc: str) -> Code:
        """The same from two columns; an MNC is compared as a number of three digits (RI-70)."""
        if not self.knows(mcc):
            raise ValueError(f"{mcc} is no MCC of the dictionary")
        if not mnc:
            return Code(mcc, None)
        if not (mnc.isascii() and mnc.isdigit() and len(mnc) <= MNC_DIGITS_MAX):
            raise ValueError("is not an MNC of two or three digits")
        found = self._by_number.get((mcc, int(mnc)), [])
        if not found:
            raise ValueError("is no code of the dictionary")
        if len(found) > 1:
            raise ValueError(f"may be {' or '.join(f'{code[:3]}-{code[3:]}' for code in found)}")
        return Code(mcc, found[0], completed=len(mnc) < len(found[0]) - MCC_DIGITS)


def mncs_of(text: str) -> list[str]:
    """The MNCs that one cell names: "04/18, 19" are three."""
    return [part for part in _SEVERAL.split(text.strip()) if part]
