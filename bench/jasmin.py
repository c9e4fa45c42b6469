"""Jasmin beside the product: `python -m bench.jasmin ENVIRONMENT`, where that is a virtual environment with Jasmin in it.

RabbitMQ and Redis (Debian's packages) and Jasmin, its receipts' services in one process with it, are started in a folder that is
thrown away; SMPP in over 4 sessions of window 50, SMPP out to the simulator, every receipt told, as `bench.measure.smpp` loads
the product. Its levels of logging are lowered, its connector's rate raised; the rest is as it comes.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import uvloop

from bench.measure import numbers
from bench.measure import smpp as ours
from bench.peers import free_ports, until_listening
from bench.product import Product, product
from bench.smpp_load import LOGIN, PASSWORD, smpp_closed_loop

MESSAGES, ROUNDS, WARM_UP = 3_000, 2, 300
SPECIFICATION = (
    "lib/*/site-packages/txamqp/specs/standard/amqp0-9-1.stripped.xml"  # Jasmin's package comes without its own
)
SECTIONS = (
    "REDIS_CLIENT", "AMQP_BROKER", "JCLI", "SERVICE_SMPPCLIENT", "SMPP_SERVER", "SMPP_SERVER_PB", "ROUTER", "DELIVERSM_THROWER",
    "DLR_THROWER", "CLIENT_MANAGEMENT", "DLR", "SM_LISTENER", "HTTP_API",
)  # fmt: skip


@contextmanager
def _running(
    arguments: list[str], environment: Mapping[str, str], log: Path, port: int
) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as out:
        process = subprocess.Popen(arguments, env={**os.environ, **environment}, stdout=out, stderr=out)
    try:
        until_listening(port, process)
        yield process
    except RuntimeError:
        sys.stderr.write(log.read_text(errors="replace")[-2_000:])
        raise
    finally:
        every = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        process.terminate()  # Jasmin leaves a lock behind when it is killed
        _, left = psutil.wait_procs(every, timeout=10)
        for each in left:
            each.kill()
        process.wait()


@contextmanager
def jasmin(environment: Path, centre_port: int) -> Iterator[tuple[int, list[int]]]:
    """The port of its SMPP server, and the process ids of the three."""
    amqp, distribution, names, redis, jcli, smpp, pb, router, manager, http = free_ports(10)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relais-bench-jasmin-")))
        for each in ("etc/jasmin/store", "var/log/jasmin", "rabbit", "redis"):
            (folder / each).mkdir(parents=True)
        rabbit = {
            "RABBITMQ_NODENAME": f"bench{amqp}@localhost", "RABBITMQ_NODE_PORT": str(amqp),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(folder / "rabbit"), "RABBITMQ_LOG_BASE": str(folder / "rabbit"),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"), "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "ERL_EPMD_PORT": str(names), "ERL_EPMD_ADDRESS": "127.0.0.1", "HOME": str(folder),
        }  # fmt: skip
        broker = stack.enter_context(_running([_program("rabbitmq-server")], rabbit, folder / "rabbit.log", amqp))
        arguments = ["--port", str(redis), "--dir", str(folder / "redis"), "--save", "", "--daemonize", "no"]
        store = stack.enter_context(_running([_program("redis-server"), *arguments], {}, folder / "redis.log", redis))
        settings = {
            "ROOT_PATH": str(folder), "LOG_PATH": str(folder / "var/log/jasmin"), "AMQP_BROKER_PORT": str(amqp),
            "REDIS_CLIENT_PORT": str(redis), "JCLI_PORT": str(jcli), "JCLI_AUTHENTICATION": "False",
            "SMPP_SERVER_PORT": str(smpp),
            "SMPP_SERVER_PB_PORT": str(pb), "SMPP_SERVER_PB_CLIENT_PORT": str(pb), "ROUTER_PORT": str(router),
            "AMQP_BROKER_SPEC": str(next(environment.glob(SPECIFICATION))), "CLIENT_MANAGEMENT_PORT": str(manager),
            "HTTP_API_PORT": str(http), **{f"{each}_LOG_LEVEL": "ERROR" for each in SECTIONS},
        }  # fmt: skip
        command = [str(environment / "bin/python"), str(environment / "bin/jasmind.py")]
        switches = ["--enable-dlr-thrower", "--enable-dlr-lookup", "--enable-deliver-thrower", "--disable-http-api"]
        gateway = stack.enter_context(_running([*command, *switches], settings, folder / "jasmin.log", jcli))
        until_listening(smpp, gateway)
        _configure(jcli, centre_port)
        yield smpp, [broker.pid, store.pid, gateway.pid]


def _program(name: str) -> str:
    """Debian's own rabbitmq-server in /usr/sbin changes the user; the one below it does not."""
    found = shutil.which(name, path="/usr/lib/rabbitmq/bin") or shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed")
    return found


def _configure(port: int, centre_port: int) -> None:
    """A group, a user, a connector and the route to it, by its console."""
    dialogue = [
        "group -a", "gid g", "ok", "user -a", f"username {LOGIN}", f"password {PASSWORD}", "gid g", "uid u", "ok",
        "smppccm -a", "cid c", "host 127.0.0.1", f"port {centre_port}", "username any", "password any", "bind transceiver",
        "submit_throughput 0", "ok", "smppccm -1 c", "mtrouter -a", "type defaultroute", "connector smppc(c)", "rate 0.0", "ok",
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", port), timeout=20) as console:
        _answer(console)
        for line in dialogue:
            console.sendall(line.encode() + b"\r")
            answer = _answer(console)
            if re.search(r"error|unknown|incorrect|fail", answer, re.IGNORECASE):
                raise RuntimeError(f"Jasmin's console on {line!r}: {answer}")


def _answer(console: socket.socket) -> str:
    """Up to the next prompt, without what is for a terminal."""
    octets = b""
    while (
        not (said := re.sub(rb"\x1b\[?[0-9;]*[A-Za-z]|\xff[\xfb-\xfe].", b"", octets))
        .rstrip()
        .endswith((b"jcli :", b">"))
    ):
        part = console.recv(4096)
        if not part:
            raise RuntimeError(f"Jasmin's console closed: {octets!r}")
        octets += part
    return said.decode("latin-1")


def _cpu_s(pids: list[int]) -> float:
    """User and system time of these processes and of all below them."""
    every = [each for pid in pids for each in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))]
    return sum(times.user + times.system for times in (each.cpu_times() for each in every))


async def _theirs(port: int, pids: list[int], messages: int) -> str:
    before_s = _cpu_s(pids)
    result = await smpp_closed_loop("127.0.0.1", port, numbers(), messages)
    whole_s, spent_s = time.perf_counter() - result.started_s, _cpu_s(pids) - before_s
    return (
        f"Jasmin: {result.per_second:,.0f} accepted/s, {messages / whole_s:,.0f}/s with the last receipt,"
        f" p50 {result.percentile_ms(50):.0f} ms, p99 {result.percentile_ms(99):.0f} ms,"
        f" {spent_s * 10_000 / messages:.1f} CPU s for 10,000, refused {result.refused or 'none'}"
    )


async def _turns(running: Product, environment: Path) -> None:
    with jasmin(environment, running.simulator_port) as (port, pids):
        await _theirs(port, pids, WARM_UP)
        await ours(running, WARM_UP)
        for _ in range(ROUNDS):
            measured = await ours(running, MESSAGES)
            spent_s = measured.gateway_cpu_s + measured.database_cpu_s
            print(
                f"Relais: {measured.accepted_per_s:,.0f} accepted/s, {measured.end_to_end_per_s:,.0f}/s with the last receipt, "
                f"p50 {measured.p50_ms:.0f} ms, p99 {measured.p99_ms:.0f} ms, {spent_s:.1f} CPU s for 10,000",
                flush=True,
            )
            print(await _theirs(port, pids, MESSAGES), flush=True)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    with product() as running:
        uvloop.run(_turns(running, Path(sys.argv[1]).absolute()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
