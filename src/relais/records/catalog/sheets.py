"""Tables that people upload as text: UTF-8, UTF-16 or Windows-1251; columns parted by comma, semicolon or tab."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from relais.records.errors import WHOLE, Invalid

OCTETS_MAX = 64 * 2**20
_DELIMITERS = ",;\t"


class Line(NamedTuple):
    """One row under the heading; `number` is its line in the file, `cells` its trimmed texts by column."""

    number: int
    cells: Mapping[str, str]


def read_lines(content: bytes, columns: Mapping[str, Sequence[str]], required: Sequence[str]) -> Iterator[Line]:
    """Rows that are not empty. `columns`: a column to the headings it may have, compared without case and blanks; others
    are left out. `Invalid` without a heading for a required column, and for what is no text or too large."""
    if len(content) > OCTETS_MAX:
        raise Invalid.of(WHOLE, f"the file is larger than {OCTETS_MAX // 2**20} MB: split it")
    text = decoded(content)
    heading = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    places: dict[str, int] | None = None
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if places is None:
                places = _places(cells, columns, required)
                continue
            yield Line(
                reader.line_num,
                {column: cells[at] if at < len(cells) else "" for column, at in places.items()},
            )
    except csv.Error as error:
        raise Invalid.of(WHOLE, f"line {reader.line_num}: {error}") from error
    if places is None:
        raise Invalid.of(WHOLE, "the file is empty")


def decoded(content: bytes) -> str:
    """UTF-16 when a byte order mark says so, else UTF-8, else Windows-1251. `Invalid` for octets that are no text."""
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "cp1251"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Invalid.of(WHOLE, "the file is not a text in UTF-8, UTF-16 or Windows-1251: save it as CSV")


def _places(cells: Sequence[str], columns: Mapping[str, Sequence[str]], required: Sequence[str]) -> dict[str, int]:
    headings = {_folded(cell): at for at, cell in reversed(list(enumerate(cells)))}
    places = {
        column: headings[_folded(name)]
        for column, names in columns.items()
        for name in reversed(names)
        if _folded(name) in headings
    }
    if missing := [columns[column][0] for column in required if column not in places]:
        raise Invalid.of(WHOLE, f"the heading lacks {', '.join(missing)}")
    return places


def _folded(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
