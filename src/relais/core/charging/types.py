"""State, events and outcomes of charging. Amounts are micros of each agreement's own currency (RSL-47)."""

from collections.abc import Mapping, Set
from datetime import datetime
from typing import NamedTuple

import msgspec

from relais.core.rating.message import Route
from relais.core.rating.types import Term
from relais.core.refusals import Refusal


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


class Hold(msgspec.Struct, frozen=True, gc=False):
    """What a counter of a Back-to-First scale keeps beside its units: those `reserved`, those of the counted that are
    `void` (paid back, or paid by a pack), and the gross micros set aside for thresholds that may be passed (SV-256)."""

    reserved: int = 0
    void: int = 0
    micros: int = 0


class PackUse(msgspec.Struct, frozen=True, gc=False):
    """A pack on an agreement: `size`, `used` and `reserved` in its units, net micros, or members; a bundle pack can be
    used beyond its size. `held_micros`: gross, what members who came with the price of one more left for the places that
    they took of those reserved."""

    size: int
    used: int
    reserved: int
    held_micros: int = 0


class Member(NamedTuple):
    """A recipient who is counted: of a bundle pack by its id, or of a session by its name."""

    of: int | str
    recipient: str


class State(msgspec.Struct, frozen=True):
    """What charging reads and changes. Every agreement and pack met must be present; a counter or hold that is absent
    stands at 0. `places`: how many messages under way reserve the place of that person in a bundle; one holds it as well as
    ten."""

    accounts: Mapping[int, Account]
    counters: Mapping[CounterKey, int]
    holds: Mapping[CounterKey, Hold] = {}
    packs: Mapping[int, PackUse] = {}
    members: Set[Member] = frozenset()
    places: Mapping[Member, int] = {}


class Charged(msgspec.Struct, frozen=True, gc=False):
    """What one level was charged (or refunded: negative amounts), as its EDR keeps it.

    `pieces` are (tier index, units, net unit price in micros) in order of volume, and empty where one price holds;
    `counter_position` is the number of units of the period counted before this charge, None without a scale;
    `period_start` that of the counter's billing period. `taken` came from the term's pack: units, net micros, or the place
    of one member. The correction is the difference for earlier units of the period that this charge made (SV-255).
    """

    agreement_id: int
    net_micros: int
    tax_micros: int
    pieces: tuple[tuple[int, int, int], ...] = ()
    counter_position: int | None = None
    period_start: datetime | None = None
    taken: int = 0
    correction_net_micros: int = 0
    correction_tax_micros: int = 0


class Reserve(msgspec.Struct, frozen=True, gc=False):
    """Set aside the amounts of a whole chain, client first, or nothing at all."""

    terms: tuple[Term, ...]


class Choose(msgspec.Struct, frozen=True, gc=False):
    """The same where packs or bundles have a say: the first route whose every level has a source with room for the whole
    message (ruling 2). `recipient` is whom a bundle counts."""

    routes: tuple[Route, ...]
    recipient: str


class Capture(msgspec.Struct, frozen=True, gc=False):
    """The billing moment of the given levels: all of a chain, or those whose billing rule says now.

    `period_starts` has an entry a term, the start of the billing period that contains this moment (ruling 21), None
    where the term has no scale; None as a whole when no term has one. `recipient` is needed where a term has a cover.
    """

    terms: tuple[Term, ...]
    period_starts: tuple[datetime | None, ...] | None = None
    recipient: str = ""


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """What is reserved turns out to be something else: Meta names another category (SV-280). The message is sent already,
    so nothing is refused. `recipient`: as reserved."""

    former: tuple[Term, ...]
    terms: tuple[Term, ...]
    recipient: str = ""


class Release(msgspec.Struct, frozen=True, gc=False):
    """The given levels will never be charged: give back what was set aside. `recipient` is needed where a term has a cover."""

    terms: tuple[Term, ...]
    recipient: str = ""


class Reverse(msgspec.Struct, frozen=True, gc=False):
    """Charges already made are void, because the vendor later reported the message as unsent (SV-257). `terms` are those
    charged, needed where one has a cover or a Back-to-First scale."""

    charges: tuple[Charged, ...]
    terms: tuple[Term, ...] = ()


Event = Reserve | Choose | Capture | Exchange | Release | Reverse


class Reserved(msgspec.Struct, frozen=True, gc=False):
    """Every level has its amount set aside."""


class Chosen(msgspec.Struct, frozen=True, gc=False):
    """As `Reserved`, with what was chosen: a term a level, client first, then the members that bundles count."""

    terms: tuple[Term, ...]


class Unrated(msgspec.Struct, frozen=True, gc=False):
    """Refused, nothing set aside: at some level no source is left."""

    refusal: Refusal


class Lacking(msgspec.Struct, frozen=True, gc=False):
    """Refused, nothing set aside: `level` (0 = client) is the first one whose agreement has too little available."""

    level: int
    agreement_id: int


class Captured(msgspec.Struct, frozen=True, gc=False):
    """One entry a term of the event, in its order."""

    charges: tuple[Charged, ...]


class Released(msgspec.Struct, frozen=True, gc=False):
    """The amounts are available again."""


class Reversed(msgspec.Struct, frozen=True, gc=False):
    """The refunds: the charges of the event with their amounts negated."""

    charges: tuple[Charged, ...]


Outcome = Reserved | Chosen | Unrated | Lacking | Captured | Released | Reversed
