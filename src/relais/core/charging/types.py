"""State, events and outcomes of charging. Amounts are micros of each agreement's own currency (RSL-47)."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from relais.core.rating.types import Term


class Account(msgspec.Struct, frozen=True, gc=False):
    """Money of one agreement. `credit_limit_micros` None = money never stops its traffic; 0 = prepaid (AG-87)."""

    balance_micros: int
    reserved_micros: int
    credit_limit_micros: int | None


class CounterKey(NamedTuple):
    """Whose volume is counted (SV-253): `node_id` is the scale's `counter_id`; `period_start`, the billing period's."""

    agreement_id: int
    node_id: int
    group: str
    period_start: datetime


class State(msgspec.Struct, frozen=True):
    """What charging reads and changes. Every agreement met must be present; a counter that is absent stands at 0."""

    accounts: Mapping[int, Account]
    counters: Mapping[CounterKey, int]


class Charged(msgspec.Struct, frozen=True, gc=False):
    """What one level was charged (or refunded: negative amounts), as its EDR keeps it.

    `pieces` are (tier index, units, net unit price in micros) in order of volume, and empty where one price holds;
    `counter_position` is the number of units of the period counted before this charge, None without a scale.
    """

    agreement_id: int
    net_micros: int
    tax_micros: int
    pieces: tuple[tuple[int, int, int], ...] = ()
    counter_position: int | None = None


class Reserve(msgspec.Struct, frozen=True, gc=False):
    """Set aside the amounts of a whole chain, client first, or nothing at all."""

    terms: tuple[Term, ...]


class Capture(msgspec.Struct, frozen=True, gc=False):
    """The billing moment of the given levels: all of a chain, or those whose billing rule says now.

    `period_starts` has an entry a term, the start of the billing period that contains this moment (ruling 21), None
    where the term has no scale; None as a whole when no term has one.
    """

    terms: tuple[Term, ...]
    period_starts: tuple[datetime | None, ...] | None = None


class Release(msgspec.Struct, frozen=True, gc=False):
    """The given levels will never be charged: give back what was set aside."""

    terms: tuple[Term, ...]


class Reverse(msgspec.Struct, frozen=True, gc=False):
    """Charges already made are void, because the vendor later reported the message as unsent (SV-257)."""

    charges: tuple[Charged, ...]


Event = Reserve | Capture | Release | Reverse


class Reserved(msgspec.Struct, frozen=True, gc=False):
    """Every level has its amount set aside."""


class Lacking(msgspec.Struct, frozen=True, gc=False):
    """Refused, nothing set aside: `level` (0 = client) is the first one whose available amount is too small."""

    level: int


class Captured(msgspec.Struct, frozen=True, gc=False):
    """One entry a term of the event, in its order."""

    charges: tuple[Charged, ...]


class Released(msgspec.Struct, frozen=True, gc=False):
    """The amounts are available again."""


class Reversed(msgspec.Struct, frozen=True, gc=False):
    """The refunds: the charges of the event with their amounts negated."""

    charges: tuple[Charged, ...]


Outcome = Reserved | Lacking | Captured | Released | Reversed
