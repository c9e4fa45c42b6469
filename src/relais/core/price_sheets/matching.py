"""Which entry of a dictionary a value of a sheet means: by key, or by a dictionary attribute in full or by likeness (RI-73 to
RI-79)."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from relais.core.price_sheets.cells import folded

KEY = "key"
LIKENESS_MIN = 0.4
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """`texts`: dictionary attribute to its value; `spellings`: other values of the first one. `within`: the entry's group where
    texts are told apart by it, as the networks of a country are."""

    key: str
    texts: dict[str, str] = field(default_factory=dict)
    within: str = ""
    spellings: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return next(iter(self.texts.values()), self.key)

    def values_of(self, attribute: str) -> tuple[str, ...]:
        is_first = attribute == next(iter(self.texts), None)
        return (self.texts.get(attribute, ""), *(self.spellings if is_first else ()))


class Dictionary:
    """Entries of an attribute's values. `attributes`: what a definition has, name to label; `folds_keys`: keys are compared as
    texts are, else as they stand."""

    def __init__(self, label: str, entries: Iterable[Entry], attributes: dict[str, str] | None = None) -> None:
        self.label = label
        self.attributes = attributes or {}
        self.entries = {entry.key: entry for entry in sorted(entries, key=_order)}
        self._keys = {folded(key): key for key in reversed(self.entries)}
        self._full: dict[str, dict[tuple[str, str], str]] = {}
        self._grams: dict[tuple[str, str], _Likeness] = {}

    def by_key(self, text: str) -> str | None:
        """Always in full (RI-74)."""
        return self._keys.get(folded(text))

    def by_attribute(self, attribute: str, text: str, *, best: bool, within: str = "") -> str | None:
        """In full first, by likeness only when that finds nothing (RI-77); of several the smallest key (RI-76, RI-78)."""
        known = self._full.get(attribute)
        if known is None:
            known = self._full[attribute] = self._index(attribute)
        found = known.get((folded(text), within))
        if found is None and best:
            likeness = self._grams.get((attribute, within))
            if likeness is None:
                entries = self.entries.values()
                texts = [
                    (text, entry.key)
                    for entry in entries
                    if within in ("", entry.within)
                    for text in entry.values_of(attribute)
                ]
                likeness = self._grams[attribute, within] = _Likeness(texts)
            found = likeness.nearest(text)
        return found

    def _index(self, attribute: str) -> dict[tuple[str, str], str]:
        """By text alone and by text within its group; smaller keys win."""
        found: dict[tuple[str, str], str] = {}
        for entry in self.entries.values():
            for text in filter(None, map(folded, entry.values_of(attribute))):
                found.setdefault((text, ""), entry.key)
                found.setdefault((text, entry.within), entry.key)
        return found

    def search(self, term: str, *, within: str = "", limit: int = 20) -> list[Entry]:
        """Entries with the term in their key or one of their texts, those that begin with it first (RI-63)."""
        wanted = folded(term)
        found = [
            (min(place for place in places if place >= 0), entry)
            for entry in self.entries.values()
            if within in ("", entry.within)
            and max(places := [folded(text).find(wanted) for text in (*entry.texts.values(), entry.key)]) >= 0
        ]
        return [entry for _, entry in sorted(found, key=lambda each: (each[0] > 0, each[1].label.casefold()))[:limit]]


class _Likeness:
    """Texts by the share of trigrams they have in common with another, as pg_trgm counts it."""

    def __init__(self, texts: Sequence[tuple[str, str]]) -> None:
        self._sizes: list[int] = []
        self._keys: list[str] = []
        self._places: dict[str, list[int]] = defaultdict(list)
        for text, key in texts:
            grams = trigrams(text)
            if grams:
                for gram in grams:
                    self._places[gram].append(len(self._keys))
                self._keys.append(key)
                self._sizes.append(len(grams))

    def nearest(self, text: str) -> str | None:
        grams = trigrams(text)
        common = Counter(place for gram in grams for place in self._places.get(gram, ()))
        best: tuple[float, int] | None = None
        for place, count in common.items():
            likeness = count / (len(grams) + self._sizes[place] - count)
            if likeness >= LIKENESS_MIN and (best is None or (likeness, -place) > best):
                best = (likeness, -place)
        return None if best is None else self._keys[-best[1]]


def trigrams(text: str) -> frozenset[str]:
    """Of each word with two blanks before and one behind it, as pg_trgm has them."""
    padded = (f"  {word} " for word in _WORDS.findall(folded(text)))
    return frozenset(word[at : at + 3] for word in padded for at in range(len(word) - 2))


def likeness_of(one: str, other: str) -> float:
    first, second = trigrams(one), trigrams(other)
    return len(first & second) / len(first | second) if first or second else 0.0


def _order(entry: Entry) -> tuple[int, str]:
    """Numbers by their size, then words."""
    return (len(entry.key), entry.key) if entry.key.isdecimal() else (64, entry.key)
