"""What processes cost: CPU seconds and memory out of /proc, WAL out of PostgreSQL."""

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_OCTETS = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> list[int]:
    """`pid` and every process below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            stat = _stat(int(entry.name))
            if stat is not None:
                children.setdefault(int(stat[1]), []).append(int(entry.name))
    found, left = [], [pid]
    while left:
        current = left.pop()
        found.append(current)
        left.extend(children.get(current, []))
    return found


def cpu_s(pid: int) -> float:
    """CPU seconds of `pid`, its threads, its living descendants, and the children that each of them has reaped."""
    total = 0
    for each in descendants(pid):
        stat = _stat(each)
        if stat is not None:
            total += sum(int(stat[n]) for n in (11, 12, 13, 14))
    return total / _TICKS_PER_S


def memory_octets(pid: int) -> int:
    """Resident memory of `pid` and its descendants; shared pages count for each."""
    total = 0
    for each in descendants(pid):
        try:
            total += int(Path(f"/proc/{each}/statm").read_text().split()[1]) * _PAGE_OCTETS
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat after the command's name: [0] state, [1] parent, [11] utime, [12] stime, …"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
