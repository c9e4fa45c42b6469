"""Becomes PostgreSQL: drops root, asks the kernel to be stopped with its launcher, then replaces itself.

A program of its own, started as `python -I -S trampoline.py LAUNCHER_PID UID GID SWITCH COMMAND…`: the same steps in
a `preexec_fn` would run Python between fork and exec, where another thread's lock can hang it. Imports no Relais.

The order matters: the kernel forgets the death signal when the user changes (prctl(2), PR_SET_PDEATHSIG), and a
launcher that died before the request is noticed only by looking at the parent afterwards.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """Never returns: exec, or an exit code of 1 when the launcher is gone already."""
    launcher_pid, uid, gid, switch = (int(argument) for argument in arguments[:4])
    command = arguments[4:]
    libc = ctypes.CDLL(None, use_errno=True)
    if switch:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0) != 0:  # SIGINT is PostgreSQL's fast, clean shutdown
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != launcher_pid:
        raise SystemExit("the launcher died while PostgreSQL was being started")
    os.umask(0o077)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
