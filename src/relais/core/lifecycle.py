"""The life of a message as a table. Final states are sticky: late or repeated reports change nothing (SV-258)."""

from enum import IntEnum
from types import MappingProxyType


class State(IntEnum):
    """Stored as smallint; from `DELIVERED` on every state is final. The name in lower case is the API's `status`."""

    ACCEPTED = 1
    SCHEDULED = 2
    QUEUED = 3
    SENT = 4
    DELIVERED = 10
    READ = 11
    UNDELIVERED = 12
    EXPIRED = 13
    REJECTED = 14
    FAILED = 15  # never accepted by a vendor, or reported as Unsent: released under either billing rule (SV-257)
    CANCELED = 16

    @property
    def label(self) -> str:
        """The customer API's word for it."""
        return self.name.lower()

    @property
    def final(self) -> bool:
        return self >= State.DELIVERED


_ENDS_BEFORE_SENDING = frozenset({State.EXPIRED, State.FAILED, State.CANCELED})
_ENDS_AFTER_SENDING = frozenset({State.DELIVERED, State.UNDELIVERED, State.EXPIRED, State.REJECTED, State.FAILED})

NEXT: MappingProxyType[State, frozenset[State]] = MappingProxyType(
    {
        State.ACCEPTED: frozenset({State.SCHEDULED, State.QUEUED, State.SENT}) | _ENDS_BEFORE_SENDING,
        State.SCHEDULED: frozenset({State.QUEUED, State.SENT}) | _ENDS_BEFORE_SENDING,
        State.QUEUED: frozenset({State.SENT}) | _ENDS_BEFORE_SENDING,
        State.SENT: _ENDS_AFTER_SENDING,
        State.DELIVERED: frozenset({State.READ}),
        State.READ: frozenset(),
        State.UNDELIVERED: frozenset(),
        State.EXPIRED: frozenset(),
        State.REJECTED: frozenset(),
        State.FAILED: frozenset(),
        State.CANCELED: frozenset(),
    }
)


def may_follow(current: State, following: State) -> bool:
    """Whether a message in `current` may go to `following`."""
    return following in NEXT[current]
