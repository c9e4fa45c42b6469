"""Starts the product for a measurement: its own database, gateway and SMSC simulator, each a process of its own.

The scenario is the demo's, with a client rich enough and a vendor connection without brakes.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from relais.database.embedded import Embedded

PROJECT = Path(__file__).resolve().parent.parent
API_PORT, OPS_PORT, SIMULATOR_PORT = 18001, 18101, 12776
READY_WITHIN_S = 60.0


@dataclass(frozen=True)
class Product:
    """A running product: its database, and the process ids of its parts."""

    dsn: str
    database_pid: int
    gateway_pid: int
    simulator_pid: int


@contextmanager
def product() -> Iterator[Product]:
    """The product runs inside the block, on a database that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="relais-bench-") as folder:
        Path(folder).chmod(0o711)
        with Embedded(Path(folder) / "data") as server:
            environment = _environment(server.dsn)
            scenario = Path(folder) / "bench.yaml"
            scenario.write_text(_scenario(), encoding="utf-8")
            for arguments in (("migrate",), ("apply", str(scenario))):
                subprocess.run(
                    [sys.executable, "-m", "relais", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL
                )
            children = [_spawn(environment, "simulate", "smsc"), _spawn(environment, "gateway")]
            try:
                _await_ready(children)
                assert server.pid is not None
                yield Product(server.dsn, server.pid, children[1].pid, children[0].pid)
            finally:
                for child in reversed(children):
                    child.send_signal(signal.SIGTERM)
                    child.wait(timeout=30)


def _environment(dsn: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")}
    return clean | {
        "RELAIS_DATABASE_URL": dsn,
        "RELAIS_SECRET_KEY": "a key for measurements, the same always",
        "RELAIS_API_PORT": str(API_PORT),
        "RELAIS_GATEWAY_OPS_PORT": str(OPS_PORT),
        "RELAIS_SIMULATOR_PORT": str(SIMULATOR_PORT),
        "RELAIS_LOG_LEVEL": "warning",
    }


def _scenario() -> str:
    text = (PROJECT / "scenarios" / "spain.yaml").read_text(encoding="utf-8")
    for old, new in (
        ('payment_amount: "1000.00"', 'payment_amount: "1000000.00"'),
        ('payment_amount: "100.00"', 'payment_amount: "1000000.00"'),
        ("port: 2776", f"port: {SIMULATOR_PORT}"),
        ("rps_limit: 1000, window_limit: 100", "rps_limit: 50000, window_limit: 1000"),
    ):
        assert old in text, f"the scenario no longer says {old}"
        text = text.replace(old, new)
    return text


def _spawn(environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "relais", *arguments], env=environment, stdout=subprocess.DEVNULL)


def _await_ready(children: list[subprocess.Popen[bytes]]) -> None:
    """The gateway is ready and its vendor connection bound."""
    deadline_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline_s:
        for child in children:
            if child.poll() is not None:
                raise RuntimeError(f"a process ended with {child.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{OPS_PORT}/metrics", timeout=2) as answer:
                if b'relais_connection_ready{connection="Simulator"} 1.0' in answer.read():
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the product did not become ready")
