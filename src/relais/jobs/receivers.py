"""Clients' servers as the sender of callbacks sees them: how much each may have at once, and when one that does not answer is
left alone for a while. No I/O and no clock: a receiver that is slow, or gone, holds up nobody but itself.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlsplit

RUNNING_MAX = 32  # requests to one server at once
WAITING_MIN, WAITING_MAX = (
    200,
    4_000,
)  # events that one server may have in hand: what it answers in two seconds, between these
FAILURES_BEFORE_REST = 5  # in a row
REST_MIN_S, REST_MAX_S = 5.0, 300.0
PUT_BACK_S = 1.0
PACE_S = 0.25  # over which a server's pace is measured

E = TypeVar("E")


@dataclass
class Receiver(Generic[E]):
    """One server: scheme, host and port of an address."""

    running: int = 0
    failures: int = 0  # in a row, without an answer or with one that says "not now"
    resting_until_s: float = 0.0
    waiting: deque[E] = field(default_factory=deque)
    waiting_max: int = WAITING_MIN
    _answered: int = 0  # since then
    _since_s: float = 0.0

    def take(self, event: E, now_s: float) -> float | None:
        """None when the event waits here now; else in how many seconds it is to be brought again."""
        if now_s < self.resting_until_s:
            return self.resting_until_s - now_s
        if len(self.waiting) >= self.waiting_max:
            return PUT_BACK_S
        self.waiting.append(event)
        return None

    def next(self, now_s: float) -> E | None:
        """An event to send now. One that failed often is tried with one request at first."""
        at_once = RUNNING_MAX if self.failures < FAILURES_BEFORE_REST else 1
        if not self.waiting or self.running >= at_once or now_s < self.resting_until_s:
            return None
        self.running += 1
        return self.waiting.popleft()

    def ended(self, well: bool, now_s: float) -> list[E]:
        """A request has ended. The events that are to go back because the server rests from now on."""
        self.running -= 1
        if well:
            self.failures = 0
            self._measure(now_s)
            return []
        self.failures += 1
        over = self.failures - FAILURES_BEFORE_REST
        if over < 0 or now_s < self.resting_until_s:
            return []
        self.resting_until_s = now_s + min(REST_MIN_S * 2 ** min(over, 10), REST_MAX_S)
        given_back, self.waiting = list(self.waiting), deque()
        return given_back

    def _measure(self, now_s: float) -> None:
        self._answered += 1
        took_s = now_s - self._since_s
        if took_s >= PACE_S:
            self.waiting_max = min(max(int(2 * self._answered / took_s), WAITING_MIN), WAITING_MAX)
            self._answered, self._since_s = 0, now_s

    @property
    def idle(self) -> bool:
        return not self.running and not self.waiting and not self.failures


def server_of(url: str) -> str:
    """What tells one server from another."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
