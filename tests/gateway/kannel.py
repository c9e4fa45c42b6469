"""Kannel as a peer: its bearerbox bound to SMPP servers of ours, its smsbox in front of it, and what it reports back.

Debian's package; `.ci/need-peers` installs it.
"""

import asyncio
import contextlib
import shutil
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from tests.ports import free_port

WITHIN_S = 20.0
CORE = """
group = core
admin-port = {admin}
admin-password = admin
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
dlr-storage = internal
log-level = 1
log-file = {folder}/bearerbox.log

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sending}
log-level = 1
log-file = {folder}/smsbox.log

group = sendsms-user
username = us
password = us
concatenation = true
max-messages = 9

group = sms-service
keyword = default
catch-all = true
max-messages = 0
text = none
"""
SMSC = """
group = smsc
smsc = smpp
smsc-id = {name}
allowed-smsc-id = {name}
host = 127.0.0.1
port = {port}
smsc-username = {login}
smsc-password = {password}
system-type = ""
transceiver-mode = true
interface-version = 34
reconnect-delay = 1
wait-ack = 30
"""


class Kannel:
    """A running Kannel. `reports`: by the name that a message was sent with, the types of its delivery reports (1 = delivered,
    2 = failed)."""

    def __init__(self, sending_port: int, admin_port: int, reports_port: int) -> None:
        self.reports: dict[str, Counter[str]] = {}
        self._sending_port, self._admin_port, self._reports_port = sending_port, admin_port, reports_port

    async def send(self, name: str, smsc: str, to: str, text: str, **options: str) -> None:
        """Hand a message in, as Kannel's users do."""
        reports = f"http://127.0.0.1:{self._reports_port}/?type=%d&name={name}"
        asked = {"username": "us", "password": "us", "smsc": smsc, "from": "Monsters", "to": to, "text": text,
                 "charset": "UTF-8", "dlr-mask": "3", "dlr-url": reports} | options  # fmt: skip
        answer = await self._get(self._sending_port, "/cgi-bin/sendsms", asked)
        assert answer.startswith("0: Accepted"), answer

    async def status(self) -> str:
        return await self._get(self._admin_port, "/status.txt", {"password": "admin"})

    async def until(self, what: str, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(WITHIN_S):
                while not condition():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"not {what}: {self.reports}\n{await self.status()}")

    async def until_online(self, smscs_count: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while True:
                with contextlib.suppress(OSError):
                    if (await self.status()).count("(online ") == smscs_count:
                        return
                await asyncio.sleep(0.05)

    async def _get(self, port: int, path: str, query: Mapping[str, str]) -> str:
        url = f"http://127.0.0.1:{port}{path}?{urlencode(query)}"
        answer = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=10).read())
        return bytes(answer).decode()

    async def reported(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One HTTP request of smsbox: a delivery report."""
        line = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        asked = parse_qs(urlsplit(line).query)
        self.reports.setdefault(asked["name"][0], Counter())[asked["type"][0]] += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def kannel(folder: Path, smscs: Mapping[str, tuple[int, str, str]]) -> AsyncIterator[Kannel]:
    """Bound to `smscs`: by name the port, login and password of each."""
    if not (shutil.which("bearerbox") and shutil.which("smsbox")):
        pytest.fail("Kannel is missing; on Debian, as root: sh .ci/need-peers")
    running = Kannel(free_port(), free_port(), free_port())
    ports = {"admin": running._admin_port, "sending": running._sending_port, "boxes": free_port()}
    text = CORE.format(folder=folder, **ports)
    for name, (port, login, password) in smscs.items():
        text += SMSC.format(name=name, port=port, login=login, password=password)
    (folder / "kannel.conf").write_text(text, encoding="utf-8")
    reports = await asyncio.start_server(running.reported, "127.0.0.1", running._reports_port)
    boxes = []
    try:
        for program in ("bearerbox", "smsbox"):
            boxes.append(
                await asyncio.create_subprocess_exec(
                    program, "-v", "4", str(folder / "kannel.conf"), cwd=folder,
                    stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
                )
            )  # fmt: skip
            if program == "bearerbox":
                await running.until_online(len(smscs))
        await _listening(running._sending_port)
        yield running
    finally:
        for box in reversed(boxes):
            with contextlib.suppress(ProcessLookupError):
                box.kill()
            await box.wait()
        reports.close()


async def _listening(port: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)
