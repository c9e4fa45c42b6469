"""Message ids: UUIDv7 (RFC 9562 §5.7), rising within a process, so that index pages fill in order."""

import secrets
import struct
from datetime import UTC, datetime
from uuid import UUID

from asyncpg.pgproto.pgproto import (
    UUID as FastUUID,  # the driver's own, in C: made, written and hashed 4 to 8 x as fast
)

_SEQUENCE_BITS = 28  # rises by one a message; the low bits double as the reference of concatenated parts
_SEQUENCE_MASK = (1 << _SEQUENCE_BITS) - 1
_NODE_BITS = 62 - _SEQUENCE_BITS
_halves = struct.Struct(">QQ").pack


class MessageIds:
    """Source of ids for one process: 48 bits of ms, 12 bits 0, 34 random bits of the process, 28 bits of sequence.

    The clock is an argument; should it step back, ids go on from the latest ms, so that they never fall.
    """

    def __init__(self) -> None:
        self._node = secrets.randbits(_NODE_BITS) << _SEQUENCE_BITS
        self._sequence = secrets.randbits(_SEQUENCE_BITS)
        self._last_ms = 0

    def take(self, now_s: float) -> UUID:
        """A new id; `now_s` seconds since the epoch."""
        now_ms = int(now_s * 1000)
        if now_ms > self._last_ms:
            self._last_ms = now_ms
        self._sequence = (self._sequence + 1) & _SEQUENCE_MASK
        low = 0x8000000000000000 | self._node | self._sequence
        taken: UUID = FastUUID(_halves(self._last_ms << 16 | 0x7000, low))
        return taken


def accepted_at(message_id: UUID) -> datetime:
    """The instant in the id, to the millisecond."""
    return datetime.fromtimestamp((message_id.int >> 80) / 1000, UTC)


def floor(at: datetime) -> UUID:
    """The least id of that instant."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def concatenation_reference(message_id: UUID, bits: int = 8) -> int:
    """Reference that joins the parts of one message (3GPP TS 23.040 §9.2.3.24.1): the same after a restart, and
    different for consecutive messages of a process."""
    return message_id.int & ((1 << bits) - 1)
