"""Tables that people upload as text, whatever its encoding; columns parted by comma, semicolon or tab."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from relais.core.price_sheets.workbook import UnreadableFile, decoded
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
        raise Invalid.of(WHOLE, "the file is larger than %(megabytes)s MB: split it", megabytes=OCTETS_MAX // 2**20)
    try:
        text = decoded(content)
    except UnreadableFile as why:
        raise Invalid.of(WHOLE, str(why)) from None
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


def _places(cells: Sequence[str], columns: Mapping[str, Sequence[str]], required: Sequence[str]) -> dict[str, int]:
    headings = {_folded(cell): at for at, cell in reversed(list(enumerate(cells)))}
    places = {
        column: headings[_folded(name)]
        for column, names in columns.items()
        for name in reversed(names)
        if _folded(name) in headings
    }
    if missing := [columns[column][0] for column in required if column not in places]:
        raise Invalid.of(WHOLE, "the heading lacks %(columns)s", columns=missing)
    return places


def _folded(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
