"""The product as its users meet it: processes of its own command line, on ports and a database of the test's own."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.conftest import SECRET_KEY, in_memory, new_database
from tests.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]
API_KEY = "rk_test_telecom_monsters"
READY_WITHIN_S = 90.0


@dataclass
class House:
    """A folder and ports for one running product."""

    folder: Path
    environment: dict[str, str]
    api_url: str
    ops_url: str
    simulator_port: int

    def relais(self, *arguments: str, within_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "relais", *arguments],
            env=self.environment, cwd=PROJECT, capture_output=True, text=True, timeout=within_s, check=False,
        )  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that runs until it is stopped; its output goes to a file in the folder."""
        output = (self.folder / f"{arguments[0]}.log").open("ab")
        return subprocess.Popen(
            [sys.executable, "-m", "relais", *arguments],
            env=self.environment, cwd=PROJECT, stdout=output, stderr=output,
        )  # fmt: skip

    def output(self, command: str) -> str:
        return (self.folder / f"{command}.log").read_text(encoding="utf-8", errors="replace")

    def post(
        self, body: object, *, key: str | None = None, api_key: str = API_KEY, within_s: float = 15
    ) -> tuple[int, dict[str, Any]]:
        """POST a message; status and body. OSError when nobody answers, or not to the end."""
        headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        request = urllib.request.Request(f"{self.api_url}/api/v1/messages", json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=within_s) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except http.client.HTTPException as error:  # killed between the head and the body of the answer
            raise OSError(str(error)) from error

    def get(self, path: str, api_key: str = API_KEY) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.api_url}{path}", headers={"Authorization": f"Bearer {api_key}"})
        with urllib.request.urlopen(request, timeout=15) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def until(self, holds: Callable[[], bool], within_s: float = READY_WITHIN_S) -> None:
        """Until `holds` says so; what it cannot reach does not hold yet."""
        deadline_s = time.monotonic() + within_s
        while True:
            try:
                if holds():
                    return
            except (OSError, ValueError):
                pass
            assert time.monotonic() < deadline_s, "it did not come about in time"
            time.sleep(0.05)

    def bound(self) -> bool:
        """Whether the gateway's vendor connection carries messages."""
        with urllib.request.urlopen(f"{self.ops_url}/metrics", timeout=5) as answer:
            return b'relais_connection_ready{connection="Simulator"} 1.0' in answer.read()


def product_environment() -> dict[str, str]:
    """The environment without any setting of the product, but for vendors on this machine."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")}
    return clean | {"RELAIS_CONNECTIONS_ALLOW_PRIVATE": "yes"}


def stop(process: subprocess.Popen[bytes]) -> int:
    """SIGINT, as Ctrl-C; the exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        return process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def open_count(dsn: str) -> int:
    """Messages that are not final; OSError while the database is away."""
    try:
        with psycopg.connect(dsn, connect_timeout=5) as database:
            row = database.execute("SELECT count(*) FROM traffic_message WHERE status < 10").fetchone()
    except psycopg.OperationalError as error:
        raise OSError(str(error)) from error
    assert row is not None
    return int(row[0])


@pytest.fixture
def house() -> Iterator[House]:
    with new_house() as made:
        yield made


@contextmanager
def house_in_spain(server_dsn: str, spain_template: str) -> Iterator[tuple[House, str]]:
    """A house on a database of its own with the Spain scenario, whose vendor is the house's simulator; and its DSN."""
    with new_database(server_dsn, spain_template) as dsn, new_house() as house:
        house.environment |= {"RELAIS_DATABASE_URL": dsn, "RELAIS_SECRET_KEY": SECRET_KEY}
        spain = house.folder / "spain.yaml"
        text = (PROJECT / "scenarios" / "spain.yaml").read_text(encoding="utf-8")
        spain.write_text(text.replace("port: 2776", f"port: {house.simulator_port}"), encoding="utf-8")
        applied = house.relais("apply", str(spain))
        assert applied.returncode == 0, applied.stderr
        yield house, dsn


@contextmanager
def new_house() -> Iterator[House]:
    """Ports that are free, and a data folder that root's database can reach."""
    with tempfile.TemporaryDirectory(prefix="relais-story-", dir=in_memory()) as folder:
        Path(folder).chmod(0o711)
        ports = {
            name: free_port()
            for name in ("WEB", "API", "GATEWAY_OPS", "WORKER_OPS", "WEB_OPS", "SIMULATOR", "SIMULATOR_OPS", "SMPP")
        }
        environment = product_environment() | {f"RELAIS_{name}_PORT": str(port) for name, port in ports.items()}
        environment |= {"RELAIS_DATA_DIR": f"{folder}/data", "RELAIS_LOG_FORMAT": "json"}
        yield House(
            Path(folder), environment, f"http://127.0.0.1:{ports['API']}",
            f"http://127.0.0.1:{ports['GATEWAY_OPS']}", ports["SIMULATOR"],
        )  # fmt: skip
