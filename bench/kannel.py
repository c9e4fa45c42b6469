"""Kannel for a measurement: HTTP in, SMPP out, each step of a message reported to a URL. Debian's package.

What it takes is kept in a file until it is sent, as an operator would have it; its table of awaited reports is in memory, as it
comes. It rates and charges nothing.
"""

import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count as serials
from pathlib import Path
from urllib.parse import quote

from bench.processes import READY_WITHIN_S, NotToBeHad, free_ports, program, running

REPORTS_A_MESSAGE = 2  # taken by the centre, and what became of it: the steps of which the product tells a webhook
CONFIGURATION = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = admin
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
store-type = file
store-location = {folder}/kannel.store
dlr-storage = internal
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
max-pending-submits = 1000

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sending}
sendsms-interface = 127.0.0.1
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
def kannel(centre_port: int) -> Iterator[tuple[int, dict[str, int]]]:
    """The port that takes messages, and its processes' ids by name; bound to the centre. NotToBeHad with the reason."""
    programs = {name: program(name, "kannel") for name in ("bearerbox", "smsbox")}
    admin, boxes, sending = free_ports(3)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relais-bench-kannel-")))
        text = CONFIGURATION.format(admin=admin, boxes=boxes, sending=sending, centre=centre_port, folder=folder)
        file = folder / "kannel.conf"
        file.write_text(text, encoding="utf-8")
        pids = {
            name: stack.enter_context(running([programs[name], "-v", "4", str(file)], folder / f"{name}.out", port))
            for name, port in (("bearerbox", boxes), ("smsbox", sending))
        }
        _until_bound(admin)
        yield sending, pids


def _until_bound(admin_port: int) -> None:
    deadline_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline_s:
        with (
            suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/status.txt?password=admin", timeout=2) as answer,
        ):
            if b"(online " in answer.read():
                return
        time.sleep(0.05)
    raise NotToBeHad("Kannel did not bind to the centre")


def requests(numbers: Iterator[str], reports_port: int) -> Iterator[bytes]:
    """Requests of one message each, whose steps are to be told to `reports_port`."""
    url = quote(f"http://127.0.0.1:{reports_port}/?type=%d", safe="")
    for serial in serials():
        query = (
            f"username=us&password=us&from=Monsters&to={next(numbers)}&text=Your+code+is+{serial % 1_000_000:06d}"
            f"&dlr-mask=31&dlr-url={url}"
        )
        yield f"GET /cgi-bin/sendsms?{query} HTTP/1.1\r\nHost: kannel\r\n\r\n".encode()
