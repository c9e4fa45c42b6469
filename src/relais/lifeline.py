"""Ties a child process to its supervisor: `python -m relais.lifeline SUPERVISOR_PID COMMAND…` runs `relais COMMAND…`.

When the supervisor ends, however it ends, the kernel sends the child SIGTERM; so a supervisor killed with -9 leaves no
gateway behind that would hold the ports of the next. (prctl(2), PR_SET_PDEATHSIG; the supervisor spawns from its main
thread, because "parent" means the thread that forked.)
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(parent_pid: int) -> None:
    """Asks the kernel for SIGTERM at the parent's end; SystemExit when it has ended already."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        raise SystemExit("the supervisor ended while this process was being started")


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    from relais.cli import main

    main(sys.argv[2:])
