"""Clients' servers as the sender of callbacks sees them: how much each may have at once, and when one that does not answer is
left alone for a while. No I/O and no clock: a receiver that is slow, or gone, holds up nobody but itself.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlsplit

RUNNING_MAX = 32  # requests to one server at once
WAITING_MIN, WAITING_MAX = 200, 4_000  # events that one server may have in hand: the more the faster it takes them
FAILURES_BEFORE_REST = 5  # in a row
REST_MIN_S, REST_MAX_S = 5.0, 300.0
PUT_BACK_S = 1.0
DRAINED_WITHIN_S = 2.0  # a server that has had enough and is done with it by then may have twice as much next time
FORGOTTEN_AFTER_S = 60.0  # without an event

E = TypeVar("E")


@dataclass
class Receiver(Generic[E]):
    """One server: scheme, host and port of an address."""

    running: int = 0
    failures: int = 0  # in a row, without an answer or with one that says "not now"
    resting_until_s: float = 0.0
    waiting: deque[E] = field(default_factory=deque)
    waiting_max: int = WAITING_MIN
    _filled_s: float = 0.0  # since when there are some
    _had_enough: bool = False  # since then
    _used_s: float = 0.0

    def take(self, event: E, now_s: float) -> float | None:
        """None when the event waits here now; else in how many seconds it is to be brought again."""
        if now_s < self.resting_until_s:
            return self.resting_until_s - now_s
        if len(self.waiting) >= self.waiting_max:
            self._had_enough = True
            return PUT_BACK_S
        if not self.waiting:
            self._filled_s, self._had_enough = now_s, False
        self._used_s = now_s
        self.waiting.append(event)
        return None

    def next(self, now_s: float) -> E | None:
        """An event to send now. One that failed often is tried with one request at first."""
        at_once = RUNNING_MAX if self.failures < FAILURES_BEFORE_REST else 1
        if not self.waiting or self.running >= at_once or now_s < self.resting_until_s:
            return None
        self.running += 1
        event = self.waiting.popleft()
        if not self.waiting:
            self._adapt(now_s - self._filled_s)
        return event

    def ended(self, well: bool, now_s: float) -> list[E]:
        """A request has ended. The events that are to go back because the server rests from now on."""
        self.running -= 1
        if well:
            self.failures = 0
            return []
        self.failures += 1
        over = self.failures - FAILURES_BEFORE_REST
        if over < 0 or now_s < self.resting_until_s:
            return []
        self.resting_until_s = now_s + min(REST_MIN_S * 2 ** min(over, 10), REST_MAX_S)
        given_back, self.waiting = list(self.waiting), deque()
        return given_back

    def _adapt(self, drained_in_s: float) -> None:
        if drained_in_s > 2 * DRAINED_WITHIN_S:
            self.waiting_max = max(self.waiting_max // 2, WAITING_MIN)
        elif self._had_enough and drained_in_s < DRAINED_WITHIN_S:
            self.waiting_max = min(self.waiting_max * 2, WAITING_MAX)

    def forgotten(self, now_s: float) -> bool:
        """Whether nothing needs to be known of it any more."""
        busy = self.running or self.waiting or self.failures
        return not busy and now_s - self._used_s > FORGOTTEN_AFTER_S


def server_of(url: str) -> str:
    """What tells one server from another."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
