"""A file's octets to its sheets: XLSX and XLS, or CSV whose encoding and separator are found out (RI-14, RI-16, RI-96 to RI-98).

Formulas are their stored results, hidden rows and merged cells plain values. What a workbook costs to unpack is bounded by
whoever runs this: a process of its own.
"""

import csv
import datetime
import io
from collections.abc import Iterable, Sequence

import charset_normalizer
import python_calamine

from relais.core.price_sheets.cells import Book, Cell, Sheet

COLUMNS_MAX = 256
ROWS_MAX = 200_000
SEPARATORS = {",": "Comma", ";": "Semicolon", "\t": "Tab"}
ENCODINGS = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252", "cp1251": "Windows-1251"}
NO_TABLE = "The file is neither a workbook nor a text. Save it as XLSX or CSV."
DAMAGED = "The file is neither an XLSX nor an XLS workbook, or it is damaged."
ENCRYPTED = "The workbook is encrypted. Save it without a password."
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode(
    "utf-16-le"
)  # what an XLSX file with a password holds ([MS-OFFCRYPTO] 2.3.4)
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_ZEROS_SHARE = 0.08  # of UTF-16: digits, separators and ends of lines have them, whatever the letters
_GUESSED_OCTETS = 64 * 2**10
_LINES_LOOKED_AT = 200


class UnreadableFile(ValueError):
    """The file gives no table; why, in words for whoever chose it."""


def read_book(content: bytes, rows_max: int = ROWS_MAX, encoding: str = "", separator: str = "") -> Book:
    """The sheets that hold anything. `encoding` and `separator` of a CSV file are those given, or else found out."""
    if not content.strip():
        raise UnreadableFile("The file is empty.")
    if content.startswith((_ZIP, _OLE)):
        return Book(_workbook_sheets(content, rows_max))
    encoding = encoding or _encoding_of(content)
    text = _decoded(content, encoding)
    separator = separator or _separator_of(text)
    rows = _rows_of(text, separator, rows_max)
    return Book([Sheet("", rows)], encoding, separator)


def decoded(content: bytes) -> str:
    """The text of a CSV file in whatever encoding it is found to have."""
    return _decoded(content, _encoding_of(content))


def _workbook_sheets(content: bytes, rows_max: int) -> list[Sheet]:
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = []
        for about in workbook.sheets_metadata:
            if about.typ is not python_calamine.SheetTypeEnum.WorkSheet:
                continue
            sheet = workbook.get_sheet_by_name(about.name)
            if sheet.total_height >= rows_max:
                raise UnreadableFile(f"Sheet {about.name!r} has more than {rows_max} rows. Split the file.")
            if sheet.total_width >= COLUMNS_MAX:
                raise UnreadableFile(
                    f"Sheet {about.name!r} has more than {COLUMNS_MAX} columns. Leave out those not needed."
                )
            rows = [_cells(row) for row in sheet.to_python(skip_empty_area=False)]
            if any(rows):
                sheets.append(Sheet(about.name, rows))
    except python_calamine.PasswordError:
        raise UnreadableFile(ENCRYPTED) from None
    except (python_calamine.CalamineError, OSError) as error:
        is_encrypted = "password" in str(error).casefold() or _ENCRYPTED_PACKAGE in content
        raise UnreadableFile(ENCRYPTED if is_encrypted else DAMAGED) from None
    if not sheets:
        raise UnreadableFile("The workbook has no sheet with anything in it.")
    return sheets


def _cells(row: Sequence[object]) -> list[Cell]:
    """As long as the last cell that holds anything."""
    cells = [_cell(value) for value in row]
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return None if value is None else str(value)


def _encoding_of(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        content.decode("utf-8")
        if b"\0" not in content:
            return "utf-8-sig"
    except UnicodeDecodeError:
        pass
    zeros = [content[start:_GUESSED_OCTETS:2].count(0) for start in (0, 1)]
    if any(zeros):
        if all(zeros) or max(zeros) < len(content[:_GUESSED_OCTETS]) * _ZEROS_SHARE:
            raise UnreadableFile(NO_TABLE)
        return "utf-16-le" if zeros[1] else "utf-16-be"
    letters = b"\n".join(line for line in content[: 2**20].splitlines() if not line.isascii())[:_GUESSED_OCTETS]
    found = charset_normalizer.from_bytes(letters, cp_isolation=["cp1251", "cp1252"]).best()
    return found.encoding if found is not None else "cp1252"


def _decoded(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        raise UnreadableFile(f"The file is not a text in {ENCODINGS.get(encoding, encoding)}.") from None
    if "\0" in text:
        raise UnreadableFile(NO_TABLE)
    return text


def _separator_of(text: str) -> str:
    """The one that parts most cells of the first lines, in the most even way."""
    lines = text.splitlines()[:_LINES_LOOKED_AT]

    def columns_sum(separator: str) -> int:
        try:
            return sum(len(row) - 1 for row in csv.reader(lines, delimiter=separator))
        except csv.Error:
            return 0

    return max(SEPARATORS, key=columns_sum)


def _rows_of(text: str, separator: str, rows_max: int) -> list[list[Cell]]:
    """Numbered by the lines of the file would be no help where a quoted cell has several: rows are counted."""
    rows: list[list[Cell]] = []
    reader: Iterable[list[str]] = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for row in reader:
            if len(rows) == rows_max:
                raise UnreadableFile(f"The file has more than {rows_max} rows. Split it.")
            if len(row) > COLUMNS_MAX:
                raise UnreadableFile(f"The file has more than {COLUMNS_MAX} columns. Leave out those not needed.")
            rows.append(_cells(row))
    except csv.Error as error:
        raise UnreadableFile(f"Row {len(rows) + 1} cannot be read: {error}.") from None
    if not any(rows):
        raise UnreadableFile("The file is empty.")
    return rows
