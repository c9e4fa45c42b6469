"""Starts the product for a measurement: its own database, gateway and SMSC simulator, each a process of its own.

The scenario is the demo's, with a client rich enough and a vendor connection without brakes.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from relais.database.embedded import Embedded

PROJECT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 60.0
SECRET_KEY = "a key for measurements, the same always"


@dataclass(frozen=True)
class Product:
    """A running product: its database, the ports of its API, its SMPP server and the simulator, and the process ids of its
    parts."""

    dsn: str
    api_port: int
    smpp_port: int
    simulator_port: int
    database_pid: int
    gateway_pid: int
    simulator_pid: int
    worker_pid: int | None = None


@contextmanager
def product(*, third_level: bool = False, worker: bool = False, final_only: bool = False) -> Iterator[Product]:
    """The product runs inside the block, on a database that is thrown away. With a `third_level` another reseller stands between
    the client and its provider; with a `worker` webhooks are told, of final statuses only where `final_only`."""
    with tempfile.TemporaryDirectory(prefix="relais-bench-") as folder:
        Path(folder).chmod(0o711)
        with Embedded(Path(folder) / "data") as server:
            ports = _free_ports()
            environment = _environment(server.dsn, ports)
            applied = Path(folder) / "bench.yaml"
            applied.write_text(
                scenario(ports.simulator, third_level=third_level, final_only=final_only), encoding="utf-8"
            )
            for arguments in (("migrate",), ("apply", str(applied))):
                subprocess.run(
                    [sys.executable, "-m", "relais", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL
                )
            children = [_spawn(environment, "simulate", "smsc"), _spawn(environment, "gateway")]
            if worker:
                children.append(_spawn(environment, "worker"))
            try:
                _await_ready(children, ports.ops)
                assert server.pid is not None
                yield Product(
                    server.dsn, ports.api, ports.smpp, ports.simulator, server.pid, children[1].pid, children[0].pid,
                    children[2].pid if worker else None,
                )  # fmt: skip
            finally:
                for child in reversed(children):
                    child.send_signal(signal.SIGTERM)
                    child.wait(timeout=30)


class _Ports(NamedTuple):
    api: int
    smpp: int
    ops: int
    simulator: int
    simulator_ops: int
    worker_ops: int


def _free_ports() -> _Ports:
    """Of this machine, now: a measurement may run beside a product."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in _Ports._fields]
        return _Ports(*(listener.getsockname()[1] for listener in listeners))


def _environment(dsn: str, ports: _Ports) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")}
    return clean | {
        "RELAIS_DATABASE_URL": dsn,
        "RELAIS_SECRET_KEY": SECRET_KEY,
        "RELAIS_API_PORT": str(ports.api),
        "RELAIS_SMPP_PORT": str(ports.smpp),
        "RELAIS_GATEWAY_OPS_PORT": str(ports.ops),
        "RELAIS_SIMULATOR_PORT": str(ports.simulator),
        "RELAIS_SIMULATOR_OPS_PORT": str(ports.simulator_ops),
        "RELAIS_WORKER_OPS_PORT": str(ports.worker_ops),
        "RELAIS_CALLBACKS_ALLOW_PRIVATE": "yes",
        "RELAIS_LOG_LEVEL": "warning",
        "RELAIS_CONNECTIONS_ALLOW_PRIVATE": "yes",
    }


def scenario(simulator_port: int, *, third_level: bool = False, final_only: bool = False) -> str:
    """The demo's, as YAML, with a client rich enough and a vendor connection without brakes; see `product`."""
    text = (PROJECT / "scenarios" / "spain.yaml").read_text(encoding="utf-8")
    events = "final" if final_only else "every"
    for old, new in (
        ('payment_amount: "1000.00"', 'payment_amount: "1000000.00"'),
        ('payment_amount: "100.00"', 'payment_amount: "1000000.00"'),
        ("port: 2776", f"port: {simulator_port}"),
        ("rps_limit: 1000, window_limit: 100", "rps_limit: 50000, window_limit: 1000"),
        ("password: smpp-tm1}", "password: smpp-tm1, sessions_limit: 1000}"),
        ("rights: [send, status, balance]", f"rights: [send, status, balance], webhook_events: {events}"),
    ):
        assert old in text, f"the scenario no longer says {old}"
        text = text.replace(old, new)
    return _with_a_reseller_between(text) if third_level else text


def _with_a_reseller_between(text: str) -> str:
    """Middle buys what the client bought before, and sells it on at one price."""
    document: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    began = "2025-01-01T00:00:00+01:00"
    del document["roles"], document["users"]  # nobody looks on
    client = next(each for each in document["companies"] if each["name"] == "Telecom Monsters")
    terms = next(each for each in document["agreements"] if each["agreement_code"] == "TM-1")
    middle = {"name": "Middle", "type": "reseller", "parent": client["parent"]}
    document["companies"].insert(document["companies"].index(client), middle)
    client["parent"] = "Middle"
    entity = {"name": "Middle SL", "company": "Middle", "legal_company_name": "Middle SL", "country": "ES"}
    document["legal_entities"].append(entity | {"tax_id_number": "7654321"})
    account = next(each for each in document["bank_accounts"] if each["name"] == "HH EUR")
    document["bank_accounts"].append(deepcopy(account) | {"name": "Middle EUR", "legal_entity": "Middle SL"})
    document["agreements"].insert(
        document["agreements"].index(terms),
        deepcopy(terms) | {"agreement_code": "MM-1", "company": "Middle", "legal_entity": "Middle SL"},
    )
    terms |= {"own_legal_entity": "Middle SL", "own_bank_account": "Middle EUR"}
    document["reselling_agreements"].append({"legal_entity": "Middle SL", "agreement": "MM-1", "effective_from": began})
    sold = next(each for each in document["services"] if each["company"] == "System owner")
    document["services"].append(deepcopy(sold) | {"name": "SMS of Middle", "company": "Middle"})
    enabled = next(each for each in document["enabled_services"] if each["agreement"] == "TM-1")
    document["enabled_services"].append(deepcopy(enabled) | {"agreement": "MM-1"})
    enabled["service"] = "SMS of Middle"
    paid = next(each for each in document["payments"] if each["agreement"] == "TM-1")
    document["payments"].append(deepcopy(paid) | {"agreement": "MM-1", "reference_code": "MM-0001"})
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def _spawn(environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "relais", *arguments], env=environment, stdout=subprocess.DEVNULL)


def _await_ready(children: list[subprocess.Popen[bytes]], ops_port: int) -> None:
    """The gateway is ready and its vendor connection bound."""
    deadline_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline_s:
        for child in children:
            if child.poll() is not None:
                raise RuntimeError(f"a process ended with {child.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{ops_port}/metrics", timeout=2) as answer:
                if b'relais_connection_ready{connection="Simulator"} 1.0' in answer.read():
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the product did not become ready")
