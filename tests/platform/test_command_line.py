"""The command line: help everywhere and quickly, exit codes, messages a person can act on."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from tests.platform.platform_samples import WITHIN_S, open_folder
from tests.ports import free_port

from relais.cli import COMMANDS, relais

HEAVY = {"django", "asyncpg", "psycopg", "uvicorn", "starlette", "structlog", "cryptography", "yaml", "aiohttp"}


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")}
    return subprocess.run(
        [sys.executable, "-m", "relais", *arguments],
        env=clean | variables, capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip


def every_command() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    for name in COMMANDS:
        command = relais.get_command(click.Context(relais), name)
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, inner) for inner in command.commands]
    return found


@pytest.mark.parametrize("command", every_command(), ids=lambda words: " ".join(words) or "relais")
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    shown = run(*command, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"Usage: relais {' '.join(command)}".rstrip())


def test_help_imports_nothing_heavy() -> None:
    probe = (
        "import sys\nfrom relais.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    shown = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=WITHIN_S, check=True)
    assert not HEAVY & set(shown.stderr.split())


def test_an_unknown_command_and_an_unknown_setting_are_misuse() -> None:
    assert run("fly").returncode == 2
    wrong = run("verify", RELAIS_API_PROT="1")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "relais: RELAIS_API_PROT is not a setting; did you mean RELAIS_API_PORT?\n",
    )


def test_the_url_of_a_database_that_does_not_run_is_not_made_up(tmp_path: Path) -> None:
    said = run("db", "url", RELAIS_DATA_DIR=str(tmp_path / "data"))
    assert said.returncode == 1
    assert said.stdout == ""
    assert "start one with `relais up`, or set RELAIS_DATABASE_URL" in said.stderr
    assert not (tmp_path / "data").exists()


def test_the_url_of_a_server_of_ones_own_is_printed() -> None:
    said = run("db", "url", RELAIS_DATABASE_URL="postgresql://me@db.example/relais")
    assert (said.returncode, said.stdout) == (0, "postgresql://me@db.example/relais\n")


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        (("up",), "RELAIS_API_PORT"),
        (("up",), "RELAIS_WORKER_OPS_PORT"),
        (("up",), "RELAIS_WEB_PORT"),
        (("web",), "RELAIS_WEB_PORT"),
        (("web",), "RELAIS_WEB_OPS_PORT"),
        (("gateway",), "RELAIS_API_PORT"),
        (("gateway",), "RELAIS_SMPP_PORT"),
        (("gateway",), "RELAIS_GATEWAY_OPS_PORT"),
        (("worker",), "RELAIS_WORKER_OPS_PORT"),
        (("api",), "RELAIS_API_PORT"),
        (("simulate", "smsc"), "RELAIS_SIMULATOR_PORT"),
        (("simulate", "smsc"), "RELAIS_SIMULATOR_OPS_PORT"),
        (("demo", "--exit"), "RELAIS_SIMULATOR_PORT"),
    ],
)
def test_a_taken_port_is_told_with_its_setting_before_anything_starts(command: tuple[str, ...], variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, open_folder() as folder:
        names = ("WEB", "API", "SMPP", "GATEWAY_OPS", "WORKER_OPS", "WEB_OPS", "SIMULATOR", "SIMULATOR_OPS")
        free = {f"RELAIS_{name}_PORT": str(free_port()) for name in names}
        port = other.getsockname()[1]
        said = run(
            *command,
            **free | {variable: str(port)},
            RELAIS_DATA_DIR=str(folder / "data"),
            RELAIS_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none",
        )
        assert (said.returncode, said.stdout) == (2, "")
        assert said.stderr == f"relais: 127.0.0.1:{port} is taken by another program; set {variable}\n"
        assert not (folder / "data" / "cluster").exists()


def test_only_the_embedded_database_can_be_reset() -> None:
    said = run("demo", "reset", "--yes", RELAIS_DATABASE_URL="postgresql://me@db.example/relais")
    assert said.returncode == 2
    assert "only the embedded database is reset" in said.stderr
