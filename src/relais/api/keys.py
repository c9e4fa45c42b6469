"""Who is calling: from the `Authorization` header (RFC 6750) to a key in force that has the right needed."""

from datetime import UTC, datetime
from hashlib import sha256

from starlette.types import Scope

from relais.api.callers import caller_of, within
from relais.api.ports import Pipeline
from relais.api.problems import EdgeProblem, Problem, problem
from relais.core.refusals import Refusal
from relais.pipeline.configuration import RIGHT_BALANCE, RIGHT_SEND, RIGHT_STATUS, ApiKey, Networks

REMEMBERED_MAX = 10_000
RIGHT_NAMES = {RIGHT_SEND: "send", RIGHT_STATUS: "status", RIGHT_BALANCE: "balance"}


class Gate:
    """Admits requests. Remembers the digests of headers that led to a key, never a verdict: a key that is revoked, or
    whose company is disabled, is refused as soon as the snapshot says so."""

    __slots__ = ("_digests", "_left", "_pipeline", "_proxies")

    def __init__(self, pipeline: Pipeline, proxies: Networks = ()) -> None:
        self._pipeline = pipeline
        self._proxies = proxies
        self._digests: dict[bytes, bytes] = {}
        self._left: dict[int, tuple[float, float]] = {}  # by key with a limit: messages left, and when that was

    def admit(self, headers: dict[bytes, bytes], right: int, peer: str) -> ApiKey | Problem:
        """The caller's key when it may do `right` (one of `RIGHT_*`), else why not. `peer`: who is connected, the caller or a
        proxy."""
        authorization = headers.get(b"authorization", b"")
        digest = self._digests.get(authorization)
        key = self._pipeline.api_key(digest) if digest is not None else self._first_seen(authorization)
        if key is None:
            # Without a snapshot no key is known, and telling a client that its key is wrong would be a lie.
            return problem(EdgeProblem.UNAUTHORIZED if self._pipeline.ready else EdgeProblem.NOT_READY)
        if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
            return problem(EdgeProblem.UNAUTHORIZED, f"The key was valid until {key.expires_at:%Y-%m-%d %H:%M} UTC.")
        if key.networks and not within(caller := caller_of(headers, peer, self._proxies), key.networks):
            return problem(EdgeProblem.ADDRESS_NOT_ALLOWED, f"The key is not taken from {caller or 'where you are'}.")
        if not key.company_enabled:
            return problem(Refusal.COMPANY_DISABLED)
        if not key.rights & right:
            return problem(Refusal.KEY_WITHOUT_RIGHT, f"The key lacks the right `{RIGHT_NAMES[right]}`.")
        return key

    def admit_scope(self, scope: Scope, right: int) -> ApiKey | Problem:
        """The same for a request that came through the application."""
        return self.admit(dict(scope["headers"]), right, peer_of(scope))

    def pace(self, key: ApiKey, messages_count: int, now_s: float) -> Problem | None:
        """Why the key may not hand in that many messages now; each second it earns as many as its limit. What it hands in at once
        above that, it waits for afterwards."""
        if key.rps_limit is None:
            return None
        left, at_s = self._left.get(key.id, (float(key.rps_limit), now_s))
        left = min(left + (now_s - at_s) * key.rps_limit, float(key.rps_limit))
        if left < 1:
            self._left[key.id] = (left, now_s)
            return problem(EdgeProblem.TOO_FAST, f"The key may send {key.rps_limit} messages a second.")
        self._left[key.id] = (left - messages_count, now_s)
        return None

    def _first_seen(self, authorization: bytes) -> ApiKey | None:
        scheme, _, token = authorization.partition(b" ")
        token = token.strip()
        if scheme.lower() != b"bearer" or not token:
            return None
        digest = sha256(token).digest()
        key = self._pipeline.api_key(digest)
        if key is not None:
            if len(self._digests) >= REMEMBERED_MAX:
                self._digests.clear()
            self._digests[authorization] = digest
        return key


def peer_of(scope: Scope) -> str:
    """The address a request came from; "" where there is none."""
    client = scope.get("client")
    return client[0] if client else ""
