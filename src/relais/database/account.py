"""Which account PostgreSQL runs under, and what that account can reach.

PostgreSQL refuses to run as root. Root therefore lends it an account without privileges: the owner of the files when
they exist already, else the first of `UNPRIVILEGED` that this machine has. No account is ever created: that is the
administrator's decision, and every Debian has `nobody`. An ordinary user runs the server as itself.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from relais.database.faults import EmbeddedFault

UNPRIVILEGED = ("relais", "postgres", "nobody")  # the first that exists; the dedicated ones before the shared one
COMMAND_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the operating system. `switch` = this process is root and has to become it to act as it."""

    uid: int
    gid: int
    switch: bool

    @property
    def name(self) -> str:
        """The account's name, or its number when it has none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def run(self, argv: Sequence[str | Path], *, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end as this account, in an environment of our own. The caller judges the exit code."""
        return subprocess.run(
            [str(part) for part in argv],
            cwd=cwd or "/",
            env={"PATH": COMMAND_PATH, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def can_execute(self, path: Path) -> bool:
        """Whether this account may execute (a folder: pass through) `path`: the kernel's answer, not a guess."""
        return self.run(["test", "-x", path]).returncode == 0

    def can_read(self, path: Path) -> bool:
        """Whether this account may read `path`."""
        return self.run(["test", "-r", path]).returncode == 0

    def own(self, path: Path) -> None:
        """Hands `path` to this account; nothing to do when we are it."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def server_account(cluster: Path) -> Account:
    """The account that serves the files in `cluster`, which need not exist yet.

    Raises `EmbeddedFault` when the files belong to somebody else, or when root finds no account to lend.
    """
    uid = os.geteuid()
    owner = _owner(cluster)
    if uid != 0:
        if owner is not None and owner.uid != uid:
            raise EmbeddedFault(
                f"{cluster} belongs to user {owner.name}: run Relais as that user or as root, "
                "or set RELAIS_DATA_DIR to a folder of your own"
            )
        return Account(uid, os.getegid(), switch=False)
    if owner is not None and owner.uid != 0:
        return owner
    return lent_account()


def lent_account() -> Account:
    """The account root lends to a new server: the first of `UNPRIVILEGED` that exists."""
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, switch=True)
    raise EmbeddedFault(
        f"PostgreSQL does not run as root and none of the users {', '.join(UNPRIVILEGED)} exists: "
        "add one (useradd --system relais) or set RELAIS_DATABASE_URL to a server of your own"
    )


def _owner(path: Path) -> Account | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise EmbeddedFault(f"{path} cannot be read: set RELAIS_DATA_DIR to a folder of your own") from error
    return Account(status.st_uid, status.st_gid, switch=True)
