"""What a crash leaves behind: a server whose launcher is gone, backends without a server, files naming dead processes.

Called only by the holder of the launcher's lock, hence nothing found here belongs to a live launcher. Processes are
recognised by what they are (a `postgres` whose working folder is our cluster), never by a number in a file alone:
numbers are used again after a restart of the machine.
"""

import contextlib
import os
import select
import signal
from pathlib import Path

from relais.database.faults import CannotStart
from relais.database.placement import SOCKET_FILE, Places

CLEAN_STOP_WITHIN_S = 60.0  # a fast shutdown writes one checkpoint
HARD_STOP_WITHIN_S = 10.0


def postmaster_pid(places: Places) -> int | None:
    """Process id of the live server of this cluster, or None. None also for users who may not look."""
    try:
        pid = int((places.cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if _serves(pid, places.cluster) else None


def clear_leftovers(places: Places) -> None:
    """Ends every process that still serves the cluster and removes the files that would refuse the next start.

    The server is asked to shut down cleanly first. Raises `CannotStart` when a process survives even SIGKILL.
    """
    if (server := postmaster_pid(places)) is not None:
        _signal_and_wait([server], signal.SIGINT, CLEAN_STOP_WITHIN_S)
    for number in (signal.SIGQUIT, signal.SIGKILL):
        _signal_and_wait(_serving(places.cluster), number, HARD_STOP_WITHIN_S)
    if survivors := _serving(places.cluster):
        raise CannotStart(f"processes {survivors} still use {places.cluster} and cannot be ended")
    (places.cluster / "postmaster.pid").unlink(missing_ok=True)
    for name in (SOCKET_FILE, f"{SOCKET_FILE}.lock"):
        (places.socket_folder / name).unlink(missing_ok=True)
    places.url.unlink(missing_ok=True)


def _serving(cluster: Path) -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal() and _serves(int(name), cluster)]


def _serves(pid: int, cluster: Path) -> bool:
    process = Path("/proc", str(pid))
    try:
        program = os.readlink(process / "exe").removesuffix(" (deleted)")
        folder = os.readlink(process / "cwd").removesuffix(" (deleted)")
    except OSError:  # gone, a zombie, or somebody else's
        return False
    return Path(program).name == "postgres" and folder == os.path.realpath(cluster)


def _signal_and_wait(pids: list[int], number: signal.Signals, within_s: float) -> None:
    """Signals each process and waits for its end; returns after `within_s` at the latest for each."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            try:
                signal.pidfd_send_signal(descriptor, number)
                waiting = select.poll()
                waiting.register(descriptor, select.POLLIN)
                waiting.poll(within_s * 1000)
            finally:
                os.close(descriptor)
