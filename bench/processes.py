"""Programs of others that stand beside the product in a measurement: had by their package's name, started on free ports of
loopback, ended by their process id."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

READY_WITHIN_S = 60.0
ENDED_WITHIN_S = 20.0


class NotToBeHad(Exception):
    """A program cannot be measured on this machine; says why."""


def program(name: str, package: str, path: str | None = None) -> str:
    """Where program `name` is, of Debian's `package`; root gets that installed on the way. NotToBeHad without it."""
    found = shutil.which(name, path=path)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        # With this RUNLEVEL the package's own service stays off.
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for arguments in (("update",), ("install", "-y", "--no-install-recommends", package)):
            subprocess.run(["apt-get", "-qq", *arguments], env=quiet, check=False, stdout=subprocess.DEVNULL)
        found = shutil.which(name, path=path)
    if found is None:
        raise NotToBeHad(f"{name} is missing; on Debian, as root: apt-get install {package}")
    return found


def free_ports(count: int) -> list[int]:
    """Of loopback, as many as are asked for."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in listeners]
    for each in listeners:
        each.close()
    return ports


@contextmanager
def running(
    arguments: Sequence[str], log: Path, port: int | None, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """The process id of a program that takes connections at `port`, if it is to have one. It and all below it are ended behind
    the block. NotToBeHad, with the end of its `log`, when it ends by itself or takes too long."""
    with log.open("ab") as out:
        child = subprocess.Popen(
            arguments, env={**os.environ, **(environment or {})}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        if port is not None and not _listens(port, child):
            said = log.read_text(errors="replace").strip()[-300:]
            raise NotToBeHad(f"{log.stem} did not become ready: {said or 'it said nothing'}")
        yield child.pid
    finally:
        _end(child)


def _listens(port: int, child: "subprocess.Popen[bytes]") -> bool:
    deadline_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline_s and child.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Ask it first: some leave locks behind when they are killed. What is left of its group then is killed."""
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(ENDED_WITHIN_S)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
