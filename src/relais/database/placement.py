"""Where things lie: the data folder of a checkout, the files inside it, and the folder of the server's socket.

Everything is derived from the data folder, so two checkouts never meet. Nothing is written here except the socket
folder, which has to be made with care because it may lie in a folder that everybody can write to.
"""

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from relais.database.account import Account, lent_account
from relais.database.faults import EmbeddedFault

FOLDER_NAME = ".relais"
SYSTEM_FOLDER = Path("/var/lib/relais")  # Filesystem Hierarchy Standard 3.0 §5.8: state of one application
SOCKET_FILE = ".s.PGSQL.5432"
SOCKET_PATH_OCTETS_MAX = 107  # sockaddr_un.sun_path has 108 with its final NUL (unix(7))


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one embedded server."""

    data_dir: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own folder (PGDATA)."""
        return self.data_dir / "cluster"

    @property
    def cluster_unfinished(self) -> Path:
        """Where `initdb` works; renamed to `cluster` only when it is complete."""
        return self.data_dir / "cluster.unfinished"

    @property
    def lock(self) -> Path:
        """Held (flock) for as long as somebody keeps the server; the kernel lets go of it when that process dies."""
        return self.data_dir / "launcher.lock"

    @property
    def log(self) -> Path:
        return self.data_dir / "postgres.log"

    @property
    def owner_password(self) -> Path:
        """Password of `relais`, the role the product uses."""
        return self.data_dir / "relais.password"

    @property
    def superuser_password(self) -> Path:
        """Password of `postgres`, used to make the product's role and database and for nothing else."""
        return self.data_dir / "superuser.password"

    @property
    def url(self) -> Path:
        """The DSN of the running server; stale after a crash, hence believed only together with a live process."""
        return self.data_dir / "database.url"

    @property
    def socket_folder(self) -> Path:
        """Beside the data; where that path is too long for a socket, a temporary folder named after it."""
        beside = self.data_dir / "socket"
        if len(os.fsencode(beside / SOCKET_FILE)) <= SOCKET_PATH_OCTETS_MAX:
            return beside
        return Path(tempfile.gettempdir()) / f"relais-{digest_of(self.data_dir)}"


def digest_of(path: Path) -> str:
    """Twelve hexadecimal digits that stand for an absolute path."""
    return hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:12]


def default_data_dir(start: Path) -> Path:
    """`.relais` of the nearest folder, from `start` upwards, that has one or is a project; else of `start` itself.

    Root's server runs under an account that may be unable to pass through the folders above (a home folder of mode
    0700): the files then go to `/var/lib/relais/<digest of the folder>`. Creates nothing.
    """
    start = start.absolute()
    anchor = next(
        (folder for folder in (start, *start.parents) if (folder / FOLDER_NAME).is_dir() or _is_project(folder)), start
    )
    if os.geteuid() == 0 and not lent_account().can_execute(anchor):
        return SYSTEM_FOLDER / digest_of(anchor)
    return anchor / FOLDER_NAME


def _is_project(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file()


def make_data_dir(places: Places, account: Account) -> None:
    """Makes the data folder; fails clearly when the server's account could not pass through it.

    Lent accounts may pass (0711) but not list: the folder itself stays with the launcher, so that the server cannot
    touch the lock, the passwords or the log's name.
    """
    folder = places.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(0o711 if account.switch else 0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError
    except (FileExistsError, NotADirectoryError) as error:
        raise EmbeddedFault(f"{folder} is not a folder: set RELAIS_DATA_DIR to one") from error
    except PermissionError as error:
        raise EmbeddedFault(f"{folder} cannot be written to: set RELAIS_DATA_DIR to a folder of your own") from error
    if not account.can_execute(folder):
        raise EmbeddedFault(
            f"user {account.name}, under whom PostgreSQL runs, cannot reach {folder}: "
            "set RELAIS_DATA_DIR to a folder whose parents it may pass through"
        )


def make_socket_folder(places: Places, account: Account) -> Path:
    """The socket's folder, mode 0700, the server account's own, or `EmbeddedFault` when something else stands there."""
    folder = places.socket_folder
    if len(os.fsencode(folder / SOCKET_FILE)) > SOCKET_PATH_OCTETS_MAX:
        raise EmbeddedFault(
            f"{folder} is too long for a socket's path (at most {SOCKET_PATH_OCTETS_MAX} octets): set TMPDIR"
        )
    try:
        folder.mkdir(mode=0o700)
        account.own(folder)
    except FileExistsError:
        pass
    status = folder.lstat()  # lstat: a link that somebody planted is not followed
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != account.uid:
        raise EmbeddedFault(f"{folder} is not a folder of user {account.name}: remove it, or set TMPDIR")
    folder.chmod(0o700)
    return folder
