"""The accounts of the SMPP server: who may bind, how much an account may ask, and what became of it.

Limits hold for all sessions of an account together. Where several gateways have sessions of one, each lets it have its share
(docs/decisions/0026); their number is limited by `pipeline.seats`.
"""

import hmac
import ipaddress
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final

from relais.pipeline.configuration import ClientConnection, Snapshot
from relais.pipeline.deliveries import Delivery
from relais.pipeline.origin import ForClient
from relais.transport.smpp import SmppEnd
from relais.wire.smpp import statuses
from relais.wire.smpp.pdus import Bind

SESSIONS_DEFAULT, WINDOW_DEFAULT, RPS_DEFAULT = 10, 1_000, 10_000
FAILURES_MAX: Final = 5  # of an address, within the time below: then it is refused unheard
FAILURES_KEPT_S: Final = 60.0
ADDRESSES_MAX: Final = 10_000

Waiting = tuple[Delivery, ForClient]


class Account:
    """One client SMPP connection while anybody is bound with it."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.password = connection.password  # that its sessions were bound with
        self.ends: list[SmppEnd] = []
        self.waiting: deque[Waiting] = deque()
        self.elsewhere_count = 0  # sessions that hand messages in, at other gateways
        self.open_count = 0  # requests not answered yet
        self.accepted = self.refused = self.throttled = self.delivered = 0
        self._tokens = math.inf  # until the first message: then what may come in a second
        self._refilled_at_s = time.monotonic()

    @property
    def receivers(self) -> list[SmppEnd]:
        return [end for end in self.ends if end.session.may_deliver]

    @property
    def senders_count(self) -> int:
        return sum(end.session.may_submit for end in self.ends)

    def admit(self, messages_count: int) -> bool:
        """Whether that many messages are within the account's window and rate; they are taken for asked then."""
        limits = self.connection
        window, rate = limits.window_limit or WINDOW_DEFAULT, limits.rps_limit or RPS_DEFAULT
        if self.elsewhere_count:
            window, rate = self.share_of(window), self.share_of(rate)
        if self.open_count >= window:
            self.throttled += 1
            return False
        now_s = time.monotonic()
        # A second's worth may come at once: clients pace by the second.
        self._tokens = min(float(rate), self._tokens + (now_s - self._refilled_at_s) * rate)
        self._refilled_at_s = now_s
        if self._tokens < 1.0:
            self.throttled += 1
            return False
        self._tokens -= messages_count
        return True

    def share_of(self, limit: int) -> int:
        """What of a limit falls to the sessions here that hand messages in; one at least."""
        return max(1, limit * self.senders_count // max(1, self.senders_count + self.elsewhere_count))

    def told(self) -> dict[str, Any]:
        """For `pipeline.beats`."""
        return {
            "sessions": len(self.ends),
            "senders": self.senders_count,
            "receivers": len(self.receivers),
            "open": self.open_count,
            "accepted": self.accepted,
            "refused": self.refused,
            "throttled": self.throttled,
            "delivered": self.delivered,
            "waiting": len(self.waiting),
        }


class Door:
    """Decides about binds (CSMPP-19), but for the number of sessions."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()  # address → how many, since when

    def decide(self, bind: Bind, peer_host: str, *, tls: bool) -> int:
        """A command status, 0 to let in. An address that guessed too often is refused whatever it says."""
        count, since_s = self._failures.get(peer_host, (0, 0.0))
        if count >= FAILURES_MAX and time.monotonic() - since_s < FAILURES_KEPT_S:
            return statuses.ESME_RBINDFAIL
        status = self._status(bind, peer_host, tls)
        if status in (statuses.ESME_RINVSYSID, statuses.ESME_RINVPASWD):
            self._note_failure(peer_host)
        elif status == statuses.ESME_ROK:
            self._failures.pop(peer_host, None)
        return status

    def _status(self, bind: Bind, peer_host: str, tls: bool) -> int:
        connection = self._snapshot().client_connections.get(bind.system_id)
        if connection is None or not _allowed(connection, peer_host):
            return statuses.ESME_RINVSYSID
        if not hmac.compare_digest(connection.password.encode(), bind.password.encode("latin-1", "replace")):
            return statuses.ESME_RINVPASWD
        if connection.disabled or not connection.key.company_enabled or (connection.tls and not tls):
            return statuses.ESME_RBINDFAIL
        if connection.system_type and bind.system_type and bind.system_type != connection.system_type:
            return statuses.ESME_RINVSYSTYP
        return statuses.ESME_ROK

    def _note_failure(self, peer_host: str) -> None:
        now_s = time.monotonic()
        count, since_s = self._failures.pop(peer_host, (0, now_s))
        if now_s - since_s >= FAILURES_KEPT_S:
            count, since_s = 0, now_s
        self._failures[peer_host] = (count + 1, since_s)
        if len(self._failures) > ADDRESSES_MAX:
            self._failures.popitem(last=False)


def _allowed(connection: ClientConnection, peer_host: str) -> bool:
    if not connection.networks:
        return True
    try:
        address = ipaddress.ip_address(peer_host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in connection.networks)
