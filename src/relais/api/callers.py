"""Which request it is, and where it came from: an id for every answer, and the address behind proxies that are trusted."""

import ipaddress
from collections.abc import Mapping

from relais.api.replies import PROBLEM_JSON, Reply
from relais.pipeline.configuration import Networks
from relais.request_ids import request_id_of

REQUEST_ID = b"x-request-id"
FORWARDED_FOR = b"x-forwarded-for"


def request_id_in(headers: Mapping[bytes, bytes]) -> bytes:
    """The client's own, where it is well-formed, else a new one."""
    return request_id_of(headers.get(REQUEST_ID))


def body_with(reply: Reply, request_id: bytes) -> bytes:
    """The reply's body; a problem's names the request, as the header does."""
    if reply.content_type != PROBLEM_JSON:
        return reply.body
    return b'%b,"request_id":"%b"}' % (reply.body[:-1], request_id)


def caller_of(headers: Mapping[bytes, bytes], peer: str, trusted: Networks) -> str:
    """The address a request came from: the right-most of `X-Forwarded-For` that is no trusted proxy's, as long as every hop after
    it is. From anybody else the header says nothing."""
    if not trusted or not within(peer, trusted):
        return peer
    for told in reversed(headers.get(FORWARDED_FOR, b"").decode("latin-1").split(",")):
        address = _bare(told.strip())
        if address is None:
            break
        peer = address
        if not within(address, trusted):
            break
    return peer


def within(text: str, networks: Networks) -> bool:
    """Whether it is an address in one of them; v4 inside v6 counts as v4."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in networks)


def _bare(text: str) -> str | None:
    """Without the port that some proxies add; None for what is no address."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
