"""Reads the named SQL blocks of `*.sql` files in this folder.

A block starts at a line `-- name: <name>`; the comment lines below it explain the block and each `$n`. A test prepares
every block on a migrated database.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).parent
_NAME = re.compile(r"^-- name: (\w+)\n", re.M)


@cache
def blocks(file_name: str) -> Mapping[str, str]:
    """The blocks of `file_name` (without ".sql"), name to SQL. A repeated name or an empty block is an error."""
    text = (_FOLDER / f"{file_name}.sql").read_text(encoding="utf-8")
    pieces = _NAME.split(text)
    found: dict[str, str] = {}
    for name, sql in zip(pieces[1::2], pieces[2::2], strict=True):
        statement = sql.strip()
        if name in found or not statement:
            raise ValueError(f"{file_name}.sql: block {name!r} is repeated or empty")
        found[name] = statement
    return MappingProxyType(found)


def all_blocks() -> dict[str, str]:
    """Every block of every file, as `file.name` to SQL."""
    return {
        f"{path.stem}.{name}": sql for path in sorted(_FOLDER.glob("*.sql")) for name, sql in blocks(path.stem).items()
    }
