"""Who is calling: from the `Authorization` header (RFC 6750) to a key in force that has the right needed."""

from hashlib import sha256

from relais.api.ports import Pipeline
from relais.api.problems import EdgeProblem, Problem, problem
from relais.core.refusals import Refusal
from relais.pipeline.configuration import RIGHT_BALANCE, RIGHT_SEND, RIGHT_STATUS, ApiKey

REMEMBERED_MAX = 10_000
RIGHT_NAMES = {RIGHT_SEND: "send", RIGHT_STATUS: "status", RIGHT_BALANCE: "balance"}


class Gate:
    """Admits requests. Remembers the digests of headers that led to a key, never a verdict: a key that is revoked, or
    whose company is disabled, is refused as soon as the snapshot says so."""

    __slots__ = ("_digests", "_pipeline")

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._digests: dict[bytes, bytes] = {}

    def admit(self, headers: dict[bytes, bytes], right: int) -> ApiKey | Problem:
        """The caller's key when it may do `right` (one of `RIGHT_*`), else why not."""
        authorization = headers.get(b"authorization", b"")
        digest = self._digests.get(authorization)
        key = self._pipeline.api_key(digest) if digest is not None else self._first_seen(authorization)
        if key is None:
            # Without a snapshot no key is known, and telling a client that its key is wrong would be a lie.
            return problem(EdgeProblem.UNAUTHORIZED if self._pipeline.ready else EdgeProblem.NOT_READY)
        if not key.company_enabled:
            return problem(Refusal.COMPANY_DISABLED)
        if not key.rights & right:
            return problem(Refusal.KEY_WITHOUT_RIGHT, f"The key lacks the right `{RIGHT_NAMES[right]}`.")
        return key

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
