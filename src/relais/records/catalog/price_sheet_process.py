"""Reads an uploaded file in a process of its own, with bounds on what it may use (RI-99): a file that unpacks to gigabytes,
or that a reader stumbles over, ends that process and nothing else.

Run as a module it is that process: options and file from stdin, the sheets or the reason to stdout.
"""

import resource
import subprocess
import sys

import msgspec

from relais.core.price_sheets.cells import Book
from relais.core.price_sheets.workbook import UnreadableFile, read_book
from relais.records.errors import WHOLE, Invalid, Reason

OCTETS_MAX = 20 * 2**20
ROWS_MAX = 200_000
_MEMORY_OCTETS_MAX = 2 * 2**30
_CPU_S_MAX = 60
_READ_WITHIN_S = 120
_REFUSED = 3
TOO_COSTLY = Reason("The file unpacks to more than can be read. Split it, or save it as CSV.")


class _Task(msgspec.Struct):
    content: bytes
    rows_max: int
    encoding: str
    separator: str


def read_file(content: bytes, *, encoding: str = "", separator: str = "", octets_max: int = OCTETS_MAX) -> Book:
    """The sheets of a file; `Invalid` with a text for whoever chose it when they cannot be read."""
    if len(content) > octets_max:
        raise Invalid.of(WHOLE, "The file is larger than %(megabytes)s MB. Split it.", megabytes=octets_max // 2**20)
    task = msgspec.msgpack.encode(_Task(content, ROWS_MAX, encoding, separator))
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=task,
            capture_output=True,
            timeout=_READ_WITHIN_S,
            check=False,
            env={"LANG": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        raise Invalid.of(WHOLE, TOO_COSTLY) from None
    if done.returncode == _REFUSED:
        raise Invalid.of(WHOLE, done.stdout.decode())
    if done.returncode != 0:
        raise Invalid.of(WHOLE, TOO_COSTLY)
    return msgspec.msgpack.decode(done.stdout, type=Book)


def _run() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_OCTETS_MAX, _MEMORY_OCTETS_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S_MAX, _CPU_S_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    task = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Task)
    try:
        book = read_book(task.content, task.rows_max, task.encoding, task.separator)
    except UnreadableFile as why:
        sys.stdout.write(str(why))
        return _REFUSED
    sys.stdout.buffer.write(msgspec.msgpack.encode(book))
    return 0


if __name__ == "__main__":
    sys.exit(_run())
