"""An HTTP/1.1 client end for many small requests to few servers: connections are kept alive, answers are read no further than
asked.

A general client spends five times as much on a request, and a worker tells thousands of webhooks a second. Redirects are not
followed, compression is not asked for, nothing is kept between requests but connections.
"""

import asyncio
import base64
import ipaddress
import ssl
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import httptools

IDLE_MAX_S = 30.0  # how long a connection is kept for the next request
ADDRESSES_TRIED_MAX = 4
_KEPT = "%/:=&?~!$,;'@()*[]+"  # of a path or query


class Unanswered(OSError):
    """No answer came, or none that is HTTP; the text says why."""


class AddressRefused(Unanswered):
    """Every address of the host is one that is not connected to."""


class Answer(NamedTuple):
    """`body`: its beginning. Header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Target(NamedTuple):
    """Where a URL leads: the server, and what its requests begin with."""

    host: str
    port: int
    tls: bool
    head: bytes


@lru_cache(maxsize=4_096)
def target_of(url: str) -> Target:
    """ValueError for what is no http or https URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no http or https URL")
    host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
    if not host.replace("-", "").replace(".", "").replace(":", "").replace("_", "").isalnum():
        raise ValueError("has no host name that can be")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = quote(parts.path or "/", safe=_KEPT) + (f"?{quote(parts.query, safe=_KEPT)}" if parts.query else "")
    shown = f"[{host}]" if ":" in host else host
    lines = [f"POST {path} HTTP/1.1", f"host: {shown}" if parts.port is None else f"host: {shown}:{port}"]
    if parts.username:
        given = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        lines.append(f"authorization: Basic {base64.b64encode(given).decode()}")
    return Target(host, port, parts.scheme == "https", "\r\n".join([*lines, "user-agent: Relais", ""]).encode())


class HttpClient:
    """`allowed`: whether a resolved address may be connected to, whatever name led there. `answer_octets_max`: how much of a body
    is kept; a longer one ends its connection."""

    def __init__(self, allowed: Callable[[str], bool], *, answer_octets_max: int, connect_within_s: float) -> None:
        self._allowed = allowed
        self._answer_octets_max = answer_octets_max
        self._connect_within_s = connect_within_s
        self._idle: defaultdict[tuple[str, int, bool], list[_Connection]] = defaultdict(list)
        self._tls: ssl.SSLContext | None = None

    async def post(self, url: str, headers: bytes, body: bytes, *, within_s: float) -> Answer:
        """`headers`: whole lines. Raises Unanswered, TimeoutError, or ValueError for the URL. A request on a kept connection that
        its server closed meanwhile is made once more."""
        target = target_of(url)
        request = b"%b%bcontent-length: %d\r\n\r\n%b" % (target.head, headers, len(body), body)
        return await self._answered(target, request, within_s)

    async def get(self, url: str, headers: bytes, *, within_s: float) -> Answer:
        """As `post`, without a body."""
        target = target_of(url)
        request = b"GET%b%b\r\n" % (target.head.removeprefix(b"POST"), headers)
        return await self._answered(target, request, within_s)

    async def _answered(self, target: Target, request: bytes, within_s: float) -> Answer:
        deadline_s = asyncio.get_running_loop().time() + within_s
        connection = self._kept(target)
        if connection is not None:
            try:
                return await self._ask(target, connection, request, deadline_s)
            except _Closed:
                pass
        connection = await self._connect(target)
        try:
            return await self._ask(target, connection, request, deadline_s)
        except _Closed:
            raise Unanswered("the connection was closed without an answer") from None

    def close(self) -> None:
        """End the connections that nobody uses."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _ask(self, target: Target, connection: "_Connection", request: bytes, deadline_s: float) -> Answer:
        answer = await connection.ask(request, deadline_s)
        if connection.reusable:
            self._idle[target[:3]].append(connection)
        else:
            connection.close()
        return answer

    def _kept(self, target: Target) -> "_Connection | None":
        connections = self._idle.get(target[:3])
        now_s = asyncio.get_running_loop().time()
        while connections:
            connection = connections.pop()
            if connection.reusable and now_s - connection.used_s < IDLE_MAX_S:
                return connection
            connection.close()
        return None

    async def _connect(self, target: Target) -> "_Connection":
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._connect_within_s):
            found = await loop.getaddrinfo(target.host, target.port, type=2)  # SOCK_STREAM
            addresses = [each for each in dict.fromkeys(str(place[4][0]) for place in found) if self._allowed(each)]
            if not addresses:
                raise AddressRefused("its address is not public")
            if target.tls and self._tls is None:
                self._tls = ssl.create_default_context()
            failure: OSError | None = None
            for address in addresses[:ADDRESSES_TRIED_MAX]:
                try:
                    _, connection = await loop.create_connection(
                        lambda: _Connection(self._answer_octets_max), address, target.port,
                        ssl=self._tls if target.tls else None, server_hostname=target.host if target.tls else None,
                    )  # fmt: skip
                    return connection
                except OSError as error:
                    failure = error
        raise Unanswered(str(failure)) from failure


class _Closed(Exception):
    """The server ended the connection before it said anything."""


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, answer_octets_max: int) -> None:
        self._answer_octets_max = answer_octets_max
        self._transport: Any = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[Answer] | None = None
        self._headers: dict[str, str] = {}
        self._body = b""
        self._begun = False
        self._headed = False
        self.reusable = False
        self.used_s = 0.0

    async def ask(self, request: bytes, deadline_s: float) -> Answer:
        """`_Closed` when the server was gone already, TimeoutError at the deadline."""
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            raise _Closed
        self._headers, self._body, self._begun, self._headed, self.reusable = {}, b"", False, False, False
        waiting: asyncio.Future[Answer] = loop.create_future()
        self._waiting = waiting
        late = loop.call_at(deadline_s, self._too_late)
        self._transport.write(request)
        try:
            return await waiting
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            late.cancel()
            self.used_s = loop.time()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _too_late(self) -> None:
        self._end(TimeoutError())
        self.close()

    def _end(self, told: Answer | BaseException) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.done():
            return
        if isinstance(told, BaseException):
            waiting.set_exception(told)
        else:
            waiting.set_result(told)

    def _answer(self) -> Answer:
        return Answer(self._parser.get_status_code(), self._headers, self._body[: self._answer_octets_max])

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, octets: bytes) -> None:
        if self._waiting is None:  # nobody asked: what comes now would be taken for the next answer
            self.reusable = False
            self.close()
            return
        self._begun = True
        try:
            self._parser.feed_data(octets)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._end(Unanswered(f"the answer is not HTTP: {error}"[:200]))
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.reusable = False
        if self._headed:  # a body without a length ends with the connection
            self._end(self._answer())
        else:
            self._end(
                Unanswered(str(error) or "the connection was closed in the middle of an answer")
                if self._begun
                else _Closed()
            )

    # What the parser tells.

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self._headers) < 100:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._headed = self._parser.get_status_code() >= 200

    def on_body(self, octets: bytes) -> None:
        self._body += octets[: self._answer_octets_max + 1 - len(self._body)]
        if len(self._body) > self._answer_octets_max:
            self._end(self._answer())
            self.close()

    def on_message_complete(self) -> None:
        if not self._headed:  # 100 Continue and its like go before the answer
            self._headers = {}
            return
        self.reusable = self._parser.should_keep_alive() and self._waiting is not None
        self._end(self._answer())


def is_public(address: str) -> bool:
    """Not private, loopback, link-local (which metadata services use) or otherwise reserved; nor such a one inside IPv6."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner: list[Any] = []
    if isinstance(ip, ipaddress.IPv6Address):
        inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in ipaddress.ip_network("64:ff9b::/96"):
            inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return all(each.is_global and not each.is_multicast for each in (ip, *inner) if each is not None)
