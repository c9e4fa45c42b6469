"""What a session tells its owner. A `Pdu` among the events is a request of the peer: answer it (or, for outbind and
alert_notification, do not)."""

from typing import Any

import msgspec

from relais.wire.smpp.pdus import Bind, BindResp, Pdu


class BindRequested(msgspec.Struct, frozen=True):
    """Server end: decide with `Session.accept_bind` or `Session.refuse_bind`."""

    bind: Bind


class Bound(msgspec.Struct, frozen=True):
    """Client end: the peer accepted the bind. `interface_version` is the peer's, None when it did not say."""

    response: BindResp
    interface_version: int | None


class BindRefused(msgspec.Struct, frozen=True):
    """Client end: the peer answered the bind with this status; `Closed` follows."""

    status: int


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The response to a request of ours, which may be a generic_nack; `context` is what was given to `Session.send`."""

    context: Any
    response: Pdu


class Unanswered(msgspec.Struct, frozen=True, gc=False):
    """No response within the time limit, or the session ended before: nobody knows what the peer did with it."""

    context: Any


class StrayResponse(msgspec.Struct, frozen=True, gc=False):
    """A response to nothing we wait for: repeated, late, wrongly numbered or of an unknown command. Dropped."""

    command_id: int
    sequence: int
    status: int


class Declined(msgspec.Struct, frozen=True, gc=False):
    """A request that the session itself answered with `status`: unreadable, unknown, out of place or one too many."""

    command_id: int
    sequence: int
    status: int


class Closed(msgspec.Struct, frozen=True):
    """The session is over: send what is left, close the connection. Nothing follows but `Unanswered` of what was open.

    `reason` is a phrase for people and logs.
    """

    reason: str


Event = Pdu | BindRequested | Bound | BindRefused | Answered | Unanswered | StrayResponse | Declined | Closed
