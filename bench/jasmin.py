"""Jasmin for a measurement: SMPP in, SMPP out, receipts told over SMPP.

Its package stands in an environment of its own under `build/`, made on demand; RabbitMQ and Redis are Debian's. The services of
receipts are processes of their own, as its makers advise. In its favour only errors are logged, the rate of connectors is without
limit and there are four of them, and a receipt that it cannot place yet is looked up again after 1 s, not 10: a centre that
reports within 50 ms is ahead of its books. The rest is as it comes.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.processes import READY_WITHIN_S, NotToBeHad, free_ports, program, running
from bench.product import PROJECT
from bench.smpp_load import LOGIN, PASSWORD

VERSION = "0.11.0"  # 0.11.1 loses every receipt: "'SubmitSM' object has no attribute 'response'"
ENVIRONMENT = PROJECT / "build" / f"jasmin-{VERSION}"
CONNECTORS = 4  # each sends one message at a time
SETUP = PROJECT / "bench" / "jasmin_setup.py"
SPECIFICATION = "lib/*/site-packages/txamqp/specs/standard/amqp0-9-1.stripped.xml"  # Jasmin's package lacks its own
RABBITMQ_FOLDER = "/usr/lib/rabbitmq/bin"  # the programs in the PATH change the user, these do not
QUIET = (
    "REDIS_CLIENT", "AMQP_BROKER", "SERVICE_SMPPCLIENT", "SMPP_SERVER", "SMPP_SERVER_PB", "ROUTER", "DLR_THROWER",
    "CLIENT_MANAGEMENT", "DLR", "SM_LISTENER",
)  # fmt: skip
LOOPBACK = ("SMPP_SERVER", "SMPP_SERVER_PB", "ROUTER", "CLIENT_MANAGEMENT")
CONSUMERS = ("DLRLookup-main", "DLRThrower")  # the two that see to receipts


@contextmanager
def jasmin(centre_port: int) -> Iterator[tuple[int, dict[str, int]]]:
    """The port of its SMPP server, and by name the process ids of all that it is made of; bound to the centre. NotToBeHad with
    the reason."""
    python = _python()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relais-bench-jasmin-")))
        pids: dict[str, int] = {}
        amqp, rabbitmq = _rabbitmq(stack, folder, pids)
        redis = _redis(stack, folder, pids)
        smpp, told, router, manager = free_ports(4)
        settings = {
            "ROOT_PATH": str(folder), "LOG_PATH": str(folder / "log"), "AMQP_BROKER_PORT": str(amqp),
            "AMQP_BROKER_SPEC": str(next(ENVIRONMENT.glob(SPECIFICATION))), "REDIS_CLIENT_PORT": str(redis),
            "SMPP_SERVER_PORT": str(smpp), "SMPP_SERVER_PB_PORT": str(told), "SMPP_SERVER_PB_CLIENT_PORT": str(told),
            "ROUTER_PORT": str(router), "CLIENT_MANAGEMENT_PORT": str(manager),
            "DLR_DLR_LOOKUP_RETRY_DELAY": "1", "DLR_DLR_LOOKUP_MAX_RETRIES": "20",
            **{f"{each}_LOG_LEVEL": "ERROR" for each in QUIET}, **{f"{each}_BIND": "127.0.0.1" for each in LOOPBACK},
        }  # fmt: skip
        (folder / "etc/jasmin/store").mkdir(parents=True)
        for daemon, switches, port in (
            ("jasmind", ["--disable-http-api", "--disable-jcli"], told),
            ("dlrlookupd", [], None),
            ("dlrd", [], None),
        ):
            command = [python, str(ENVIRONMENT / "bin" / f"{daemon}.py"), *switches]
            pids[daemon] = stack.enter_context(running(command, folder / f"{daemon}.out", port, settings))
        _until_receipts_are_seen_to(rabbitmq)
        _set_up(python, settings, (router, manager, centre_port, CONNECTORS))
        yield smpp, pids


def _python() -> str:
    """The Python of an environment with Jasmin in it."""
    python = str(ENVIRONMENT / "bin" / "python")
    if (ENVIRONMENT / "bin" / "jasmind.py").exists():  # what it depends on comes before it
        return python
    wanted = (f"jasmin=={VERSION}", "setuptools<81")  # it asks setuptools for its plug-ins, by a door since closed
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted],
    ):
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise NotToBeHad(f"Jasmin could not be installed: {(made.stdout + made.stderr).strip()[-300:]}")
    return python


def _rabbitmq(stack: ExitStack, folder: Path, pids: dict[str, int]) -> tuple[int, dict[str, str]]:
    """Its port, and the environment in which its own programs find it."""
    server = program("rabbitmq-server", "rabbitmq-server", RABBITMQ_FOLDER)
    port, distribution, names = free_ports(3)
    home = folder / "rabbitmq"
    home.mkdir()
    environment = {
        "HOME": str(home), "ERL_EPMD_PORT": str(names), "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"bench{port}@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port), "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"), "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_CONFIG_FILE": str(home / "none"), "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
    }  # fmt: skip
    # Names are served by a child of ours: one that RabbitMQ starts by itself would outlive it.
    epmd = [program("epmd", "erlang-base"), "-port", str(names), "-address", "127.0.0.1"]
    pids["epmd"] = stack.enter_context(running(epmd, home / "epmd.out", names, environment))
    pids["RabbitMQ"] = stack.enter_context(running([server], home / "rabbitmq.out", port, environment))
    return port, environment


def _redis(stack: ExitStack, folder: Path, pids: dict[str, int]) -> int:
    (port,) = free_ports(1)
    home = folder / "redis"
    home.mkdir()
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(home), "--daemonize", "no"]
    server = program("redis-server", "redis-server")
    pids["Redis"] = stack.enter_context(running([server, *arguments], home / "redis.out", port))
    return port


def _set_up(python: str, settings: dict[str, str], figures: tuple[int, ...]) -> None:
    """See `bench/jasmin_setup.py`. With -P it does not look into its own folder: there `jasmin` would be this module."""
    command = [python, "-P", str(SETUP), *map(str, figures), LOGIN, PASSWORD]
    setup = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    if setup.stdout.strip() != "ready":
        raise NotToBeHad(f"Jasmin could not be set up: {(setup.stdout + setup.stderr).strip()[-300:]}")


def _until_receipts_are_seen_to(environment: dict[str, str]) -> None:
    """The two services of receipts consume: what is published before that is lost."""
    command = [f"{RABBITMQ_FOLDER}/rabbitmqctl", "--quiet", "list_consumers", "consumer_tag"]
    deadline_s = time.monotonic() + READY_WITHIN_S
    told = ""
    while time.monotonic() < deadline_s:
        told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
        if all(each in told for each in CONSUMERS):
            return
    raise NotToBeHad(f"Jasmin's services of receipts did not become ready; consumed are {told.split()}")
