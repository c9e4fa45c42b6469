"""What the numbers of a numbering pattern begin with; patterns are those of phonenumbers' metadata.

Of regular expressions these use digits, "[…]", `\\d`, "(?:…|…)", "?", "{n}" and "{n,m}". A pattern is followed until
its first place for any digit, and no further than `DIGITS_MAX`: beyond it, numbers no longer differ by country.
"""

from collections.abc import Iterator

DIGITS_MAX = 8
_DIGITS = "0123456789"

_Start = tuple[str, bool]  # digits, and whether more may follow that are still fixed


def starts(pattern: str) -> set[str]:
    """Every number that fits `pattern` begins with one of these, and each of these begins such a number.

    ValueError for a pattern of other forms.
    """
    reader = _Reader(pattern)
    found = {digits for digits, _ in reader.alternatives()}
    if not reader.at_end():
        raise ValueError(f"not a numbering pattern: {pattern}")
    return found


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._position = 0

    def at_end(self) -> bool:
        return self._position == len(self._pattern)

    def alternatives(self) -> set[_Start]:
        """Up to a closing parenthesis or the end."""
        found = self._sequence()
        while self._take("|"):
            found |= self._sequence()
        return found

    def _sequence(self) -> set[_Start]:
        found: set[_Start] = {("", True)}
        while not self.at_end() and self._pattern[self._position] not in "|)":
            atom = self._atom()
            least, most = self._repeats()
            found = _repeated(found, atom, least, most)
        return found

    def _atom(self) -> set[_Start]:
        if self._take("(?:"):
            found = self.alternatives()
            self._expect(")")
            return found
        if self._take("\\d"):
            return {("", False)}
        if self._take("["):
            return {(digit, True) for digit in self._class()}
        digit = self._pattern[self._position]
        if digit not in _DIGITS:
            raise ValueError(f"not a numbering pattern: {self._pattern}")
        self._position += 1
        return {(digit, True)}

    def _class(self) -> Iterator[str]:
        end = self._pattern.index("]", self._position)
        body = self._pattern[self._position : end]
        self._position = end + 1
        while body:
            if body[1:2] == "-":
                yield from _DIGITS[int(body[0]) : int(body[2]) + 1]
                body = body[3:]
            else:
                yield body[0]
                body = body[1:]

    def _repeats(self) -> tuple[int, int]:
        if self._take("?"):
            return 0, 1
        if not self._take("{"):
            return 1, 1
        end = self._pattern.index("}", self._position)
        least, _, most = self._pattern[self._position : end].partition(",")
        self._position = end + 1
        return int(least), int(most or least)

    def _take(self, text: str) -> bool:
        taken = self._pattern.startswith(text, self._position)
        if taken:
            self._position += len(text)
        return taken

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise ValueError(f"not a numbering pattern: {self._pattern}")


def _repeated(heads: set[_Start], atom: set[_Start], least: int, most: int) -> set[_Start]:
    found: set[_Start] = set()
    for count in range(most + 1):
        if count >= least:
            found |= heads
        heads = _joined(heads, atom)
    return found


def _joined(heads: set[_Start], tails: set[_Start]) -> set[_Start]:
    found: set[_Start] = set()
    for head, is_open in heads:
        if not is_open or len(head) >= DIGITS_MAX:
            found.add((head, False))
        else:
            found |= {(head + tail, tail_is_open) for tail, tail_is_open in tails}
    return found
