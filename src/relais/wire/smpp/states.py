"""Roles, states and limits of a session, and what may arrive when (SMPP 3.4 §2.2, §2.3): tables."""

from enum import Enum
from types import MappingProxyType
from typing import Final

import msgspec

from relais.wire.smpp import commands


class Role(Enum):
    """Which end of the session we are."""

    CLIENT = "client"  # ESME
    SERVER = "server"  # message centre


class State(Enum):
    """SMPP 3.4 §2.2."""

    OPEN = "open"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    CLOSED = "closed"


class SessionSettings(msgspec.Struct, frozen=True):
    """Time limits in seconds and sizes of one session. `inactivity_s` None: never close for silence.

    `enquire_link_required`: whether a peer that does not answer enquire_link, nor sends anything else, is given up.
    `incoming_window` bounds the peer's requests that we have not answered yet; those above are declined at once.
    """

    bind_timeout_s: float = 20.0
    response_timeout_s: float = 60.0
    enquire_link_s: float | None = 30.0
    enquire_link_required: bool = True
    inactivity_s: float | None = None
    incoming_window: int = 10_000


ALWAYS: Final = frozenset({commands.ENQUIRE_LINK, commands.UNBIND})
_FROM_CLIENT = ALWAYS | {
    commands.SUBMIT_SM,
    commands.SUBMIT_MULTI,
    commands.DATA_SM,
    commands.QUERY_SM,
    commands.CANCEL_SM,
    commands.REPLACE_SM,
}
_FROM_SERVER = ALWAYS | {commands.DELIVER_SM, commands.DATA_SM, commands.ALERT_NOTIFICATION}
_NOTHING: frozenset[int] = frozenset()

# Requests that the peer may send, by our own role.
RECEIVABLE: Final = MappingProxyType(
    {
        (Role.SERVER, State.OPEN): ALWAYS | commands.BINDS,
        (Role.SERVER, State.BOUND_TX): _FROM_CLIENT,
        (Role.SERVER, State.BOUND_RX): ALWAYS,
        (Role.SERVER, State.BOUND_TRX): _FROM_CLIENT,
        (Role.SERVER, State.CLOSED): _NOTHING,
        (Role.CLIENT, State.OPEN): ALWAYS | {commands.OUTBIND},
        (Role.CLIENT, State.BOUND_TX): ALWAYS,
        (Role.CLIENT, State.BOUND_RX): _FROM_SERVER,
        (Role.CLIENT, State.BOUND_TRX): _FROM_SERVER,
        (Role.CLIENT, State.CLOSED): _NOTHING,
    }
)

STATE_AFTER_BIND: Final = MappingProxyType(
    {
        commands.BIND_TRANSMITTER: State.BOUND_TX,
        commands.BIND_RECEIVER: State.BOUND_RX,
        commands.BIND_TRANSCEIVER: State.BOUND_TRX,
    }
)
