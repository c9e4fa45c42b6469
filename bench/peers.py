"""Kannel beside the product, in one run: `python -m bench.peers`. Debian's package; `.ci/need-peers` installs it.

The same machine, simulator and number of messages: HTTP in, SMPP out, one message a request. Kannel keeps nothing (no
store), rates nothing and charges nothing; the product stores each message and charges two levels before it answers. So this
says what that costs, not which is better.
"""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count as serials
from pathlib import Path

import uvloop

from bench.load import closed_loop
from bench.machine import cpu_s
from bench.measure import numbers, singles
from bench.product import Product, product

MESSAGES, CONNECTIONS, ROUNDS = 3_000, 20, 2
READY_WITHIN_S = 60.0
CONFIGURATION = """
group = core
admin-port = {admin}
admin-password = admin
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
log-level = 4
log-file = {folder}/bearerbox.log

group = smsc
smsc = smpp
smsc-id = centre
host = 127.0.0.1
port = {centre}
smsc-username = kannel
smsc-password = any
system-type = ""
transceiver-mode = true
max-pending-submits = 100

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sending}
log-level = 4
log-file = {folder}/smsbox.log

group = sendsms-user
username = us
password = us

group = sms-service
keyword = default
max-messages = 0
text = none
"""


@contextmanager
def kannel(centre_port: int) -> Iterator[tuple[int, list[int]]]:
    """The port that takes messages, and the process ids."""
    admin, boxes, sending = free_ports(3)
    with tempfile.TemporaryDirectory(prefix="relais-bench-kannel-") as folder:
        text = CONFIGURATION.format(admin=admin, boxes=boxes, sending=sending, centre=centre_port, folder=folder)
        file = Path(folder) / "kannel.conf"
        file.write_text(text, encoding="utf-8")
        running = []
        try:
            for program, port in (("bearerbox", boxes), ("smsbox", sending)):
                running.append(
                    subprocess.Popen(
                        [program, "-v", "4", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                    )
                )
                until_listening(port, running[-1])
            yield sending, [each.pid for each in running]
        finally:
            for each in reversed(running):
                each.kill()
                each.wait()


def free_ports(count: int) -> list[int]:
    """Of loopback, as many as are asked for."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in listeners]
    for each in listeners:
        each.close()
    return ports


def until_listening(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return when `process` takes connections; RuntimeError when it ends or takes too long."""
    deadline_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{process.args} did not become ready")


def _requests() -> Iterator[bytes]:
    recipients = numbers()
    for serial in serials():
        query = (
            f"username=us&password=us&from=Monsters&to={next(recipients)}&text=Your+code+is+{serial % 1_000_000:06d}"
        )
        yield f"GET /cgi-bin/sendsms?{query} HTTP/1.1\r\nHost: kannel\r\n\r\n".encode()


async def _kannel(centre_port: int) -> str:
    with kannel(centre_port) as (port, pids):
        before_s = sum(map(cpu_s, pids))
        result = await closed_loop("127.0.0.1", port, _requests(), MESSAGES, CONNECTIONS)
        took_s = result.ended_s - result.started_s
        spent_s = (sum(map(cpu_s, pids)) - before_s) * 10_000 / MESSAGES
        return (
            f"Kannel: {MESSAGES / took_s:,.0f} accepted/s, p50 {result.percentile_ms(50):.0f} ms,"
            f" p99 {result.percentile_ms(99):.0f} ms, {spent_s:.2f} CPU s for 10,000"
        )


async def _ours(running: Product) -> str:
    measured = await singles(running, MESSAGES, CONNECTIONS)
    spent_s = measured.gateway_cpu_s + measured.database_cpu_s
    return (
        f"Relais: {measured.accepted_per_s:,.0f} accepted/s, p50 {measured.p50_ms:.0f} ms, p99 {measured.p99_ms:.0f} ms,"
        f" {spent_s:.2f} CPU s for 10,000, of which the gateway {measured.gateway_cpu_s:.2f}"
    )


async def _turns(running: Product) -> None:
    await singles(running, 1_000, CONNECTIONS)
    for _ in range(ROUNDS):
        print(await _ours(running), flush=True)
        print(await _kannel(running.simulator_port), flush=True)


def main() -> int:
    with product() as running:
        uvloop.run(_turns(running))
    return 0


if __name__ == "__main__":
    sys.exit(main())
