"""What passes between two SMPP peers, written down by a relay between them, and what Wireshark's dissector makes of it.

Debian's tshark; `.ci/need-peers` installs it.
"""

import asyncio
import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

SMPP_PORT = 2775
TO_SERVER, TO_CLIENT = "O", "I"


class Relay:
    """Listens and hands all octets on to `port`, both ways; `passed` keeps them in their order."""

    def __init__(self, port: int) -> None:
        self.passed: list[tuple[str, bytes]] = []
        self.port = 0
        self._to_port = port
        self._server: asyncio.Server | None = None
        self._ways: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        for way in (self._hand_on(reader, there_writer, TO_SERVER), self._hand_on(there_reader, writer, TO_CLIENT)):
            self._ways.add(asyncio.create_task(way))

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        with contextlib.suppress(ConnectionError):
            while octets := await reader.read(1 << 16):
                self.passed.append((way, octets))
                writer.write(octets)
                await writer.drain()
        writer.close()


class Dissected(NamedTuple):
    """`commands`: the command ids in their order; `complaints`: frames that the dissector calls malformed or in error."""

    commands: list[int]
    complaints: list[str]


def dissect(passed: list[tuple[str, bytes]], folder: Path) -> Dissected:
    """One connection's octets as tshark reads them."""
    if not (shutil.which("tshark") and shutil.which("text2pcap")):
        pytest.fail("tshark is missing; on Debian, as root: sh .ci/need-peers")
    dump, capture = folder / "octets.txt", folder / "octets.pcap"
    lines = [f"{way}\n000000 {octets.hex(' ')}\n" for way, octets in passed]
    dump.write_text("".join(lines), encoding="ascii")
    _run("text2pcap", "-q", "-D", "-T", f"40000,{SMPP_PORT}", str(dump), str(capture))
    read = ("tshark", "-n", "-r", str(capture), "-d", f"tcp.port=={SMPP_PORT},smpp")
    found = _run(*read, "-T", "fields", "-e", "smpp.command_id")
    complaints = _run(*read, "-Y", "_ws.malformed || _ws.expert.severity == error || (tcp.len > 0 && !smpp && data)")
    commands = [int(each, 0) for line in found.split() for each in line.split(",")]
    return Dissected(commands, complaints.splitlines())


def _run(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
