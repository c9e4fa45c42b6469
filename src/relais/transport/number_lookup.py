"""Asks a number portability server who serves a phone number: over HTTP, answered in JSON, or by ENUM, which is DNS.

One question, one answer; nothing is kept here but HTTP connections. docs/reference/number-lookup.md says what servers may say.
"""

import asyncio
import base64
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import quote

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
import msgspec

from relais.core.portability import RANGE, Malformed, Naptr, Serving, enum_name, of_json, of_naptr
from relais.transport.http import AddressRefused, HttpClient, Unanswered

HTTP, ENUM = "http", "enum"
DNS_PORT = 53
ANSWER_OCTETS_MAX: Final = 16_384
RESOLVED_FOR_S: Final = 60.0
NAME_SERVERS_MAX: Final = 4
ASKED_LAST_FOR_S: Final = 30.0  # a name server that failed, where there are others
NUMBER = "{number}"
_GONE = 404  # of HTTP: the server does not know the number


class LookupFailed(Exception):
    """No answer that can be used; the text says why."""


class Told(NamedTuple):
    """`keep_s`: how long the server says that its answer holds; None where it does not say."""

    serving: Serving
    keep_s: int | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """`address`: of HTTP a URL that holds {number}, and may hold {login} and {password}; of ENUM hosts,
    with a port if need be, separated by commas: tried in turn until one answers.
    A login and password that the URL does not hold go as Basic, a password alone as Bearer."""

    kind: str
    address: str
    suffix: str = "e164.arpa"
    mcc_path: str = "mcc"
    mnc_path: str = "mnc"
    login: str = ""
    password: str = field(default="", repr=False)


def places_of(addresses: str) -> list[tuple[str, int]]:
    """Hosts and ports of name servers, separated by commas; ValueError for what is none. A v6 address with a port stands in
    brackets."""
    return list(dict.fromkeys(_place_of(address.strip()) for address in addresses.split(",")))


def _place_of(address: str) -> tuple[str, int]:
    host, port = address, ""
    if address.startswith("["):
        host, _, port = address[1:].partition("]")
        port = port.removeprefix(":")
    elif address.count(":") == 1:
        host, _, port = address.partition(":")
    if not host or any(not (character.isalnum() or character in ".-_:") for character in host):
        raise ValueError("is no host name or address")
    if port and not (port.isascii() and port.isdecimal() and 1 <= int(port[:6]) <= 65_535):
        raise ValueError("has a port that is none")
    return host, int(port) if port else DNS_PORT


class Asker:
    """Asks servers whose addresses are `allowed`. `close` at the end."""

    def __init__(self, allowed: Callable[[str], bool]) -> None:
        self._allowed = allowed
        self._addresses: dict[str, tuple[str, float]] = {}  # of name servers, and until when they are believed
        self._last_until_s: dict[tuple[str, int], float] = {}  # name servers that others go before, and until when
        self._http = HttpClient(allowed, answer_octets_max=ANSWER_OCTETS_MAX, connect_within_s=1.0)

    async def ask(self, server: Server, digits: str, within_s: float) -> Told:
        """Raises `LookupFailed`, at the latest after `within_s`."""
        try:
            async with asyncio.timeout(within_s):
                return await (self._over_http if server.kind == HTTP else self._by_enum)(server, digits, within_s)
        except (TimeoutError, dns.exception.Timeout):
            raise LookupFailed(f"no answer within {within_s * 1000:.0f} ms") from None
        except AddressRefused:
            raise LookupFailed("the server's address is not public") from None
        except (Unanswered, OSError, Malformed, ValueError, dns.exception.DNSException) as error:
            raise LookupFailed(str(error)[:200] or type(error).__name__) from error

    def close(self) -> None:
        self._http.close()

    async def _over_http(self, server: Server, digits: str, within_s: float) -> Told:
        secrets = {"{login}": server.login, "{password}": server.password}
        url, headers = server.address.replace(NUMBER, digits), b"accept: application/json\r\n"
        held = [name for name in secrets if name in url]
        for name in held:
            url = url.replace(name, quote(secrets[name], safe=""))
        if server.password and not held:
            headers += _authorization(server)
        answer = await self._http.get(url, headers, within_s=within_s)
        if answer.status == _GONE:
            return Told(RANGE)
        if answer.status != 200:
            raise LookupFailed(f"the server answered with status {answer.status}")
        try:
            document = msgspec.json.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise LookupFailed("the answer is not JSON") from None
        return Told(of_json(document, server.mcc_path, server.mnc_path))

    async def _by_enum(self, server: Server, digits: str, within_s: float) -> Told:
        """Of several name servers each has its share of the time that is left; one that failed is asked last for a while."""
        question = dns.message.make_query(enum_name(digits, server.suffix), dns.rdatatype.NAPTR)
        clock = asyncio.get_running_loop().time
        began_s = clock()
        places = sorted(places_of(server.address), key=lambda place: self._last_until_s.get(place, 0.0) > began_s)
        for further_count, place in zip(reversed(range(len(places))), places, strict=True):
            share_s = (began_s + within_s - clock()) / (further_count + 1)
            try:
                async with asyncio.timeout(share_s):
                    return await self._of_name_server(question, *place, share_s)
            except (LookupFailed, TimeoutError, AddressRefused, OSError, dns.exception.DNSException):
                if not further_count:
                    raise
                self._last_until_s[place] = clock() + ASKED_LAST_FOR_S
        raise AssertionError("there is always one")

    async def _of_name_server(self, question: dns.message.Message, host: str, port: int, within_s: float) -> Told:
        answer, _ = await dns.asyncquery.udp_with_fallback(
            question, await self._resolved(host, port), within_s, port, ignore_unexpected=True, ignore_errors=True
        )
        rcode = answer.rcode()
        if rcode == dns.rcode.NXDOMAIN:
            return Told(RANGE)
        if rcode != dns.rcode.NOERROR:
            raise LookupFailed(f"the server answered {dns.rcode.to_text(rcode)}")
        records, keep_s = [], None
        for rrset in answer.answer:
            if rrset.rdtype == dns.rdatatype.NAPTR:
                keep_s = rrset.ttl if keep_s is None else min(keep_s, rrset.ttl)
                texts = ((each.flags, each.service, each.regexp) for each in rrset)
                places = ((each.order, each.preference) for each in rrset)
                records += [
                    Naptr(*place, *(octets.decode("utf-8", "replace") for octets in text))
                    for place, text in zip(places, texts, strict=True)
                ]
        return Told(of_naptr(records), keep_s)

    async def _resolved(self, host: str, port: int) -> str:
        """An address of the name server that may be asked."""
        loop = asyncio.get_running_loop()
        known = self._addresses.get(host)
        if known is not None and loop.time() < known[1]:
            return known[0]
        try:
            found = [str(ipaddress.ip_address(host))]
        except ValueError:
            found = [str(place[4][0]) for place in await loop.getaddrinfo(host, port, type=2)]  # SOCK_DGRAM
        address = next((each for each in found if self._allowed(each)), None)
        if address is None:
            raise AddressRefused("its address is not public")
        self._addresses[host] = (address, loop.time() + RESOLVED_FOR_S)
        return address


def _authorization(server: Server) -> bytes:
    if not server.login:
        return b"authorization: Bearer %b\r\n" % server.password.encode()
    return b"authorization: Basic %b\r\n" % base64.b64encode(f"{server.login}:{server.password}".encode())
