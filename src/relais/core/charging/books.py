"""Accounts, counters and packs while a batch works on them, over a state that stays as it is."""

from datetime import datetime

from relais.core.charging.types import Account, CounterKey, Hold, Member, PackUse, State
from relais.core.money import add_tax
from relais.core.rating.scale import held_net_micros
from relais.core.rating.types import CoverKind, Term


class OpenAccount:
    """Available = balance - reserved + credit limit, kept beside them."""

    __slots__ = ("available_micros", "balance_micros", "bounded", "credit_limit_micros", "reserved_micros")

    def __init__(self, account: Account) -> None:
        self.balance_micros = account.balance_micros
        self.reserved_micros = account.reserved_micros
        self.credit_limit_micros = account.credit_limit_micros
        self.bounded = account.credit_limit_micros is not None
        self.available_micros = account.balance_micros - account.reserved_micros + (account.credit_limit_micros or 0)

    def has(self, amount_micros: int) -> bool:
        """Whether so much can be reserved (AG-87). Nothing due is never stopped for money."""
        return amount_micros <= self.available_micros or not amount_micros or not self.bounded

    def reserve(self, amount_micros: int) -> None:
        """Sets aside, or gives back what is negative."""
        self.reserved_micros += amount_micros
        self.available_micros -= amount_micros
        assert self.reserved_micros >= 0, "more is given back than was reserved"

    def post(self, amount_micros: int) -> None:
        """Raises the balance; a negative amount lowers it."""
        self.balance_micros += amount_micros
        self.available_micros += amount_micros

    def free(self, reserved_micros: int, spent_micros: int) -> None:
        """Ends a reservation of which `spent_micros` were charged."""
        assert 0 <= spent_micros <= reserved_micros, "a capture exceeds its reservation"
        assert reserved_micros <= self.reserved_micros, "more is captured or released than was reserved"
        self.balance_micros -= spent_micros
        self.reserved_micros -= reserved_micros
        self.available_micros += reserved_micros - spent_micros

    def close(self) -> Account:
        return Account(self.balance_micros, self.reserved_micros, self.credit_limit_micros)


class OpenPack:
    """A pack's size, and what of it is used and reserved.

    A place in a bundle is reserved for a person who may never be counted, while others who came with the price are. So only
    `used` says who is beyond the size and pays; and whoever came with the price but found a place, while no more are left
    than are reserved, leaves the price with the pack: for whoever finds the place taken that was reserved for them.
    """

    __slots__ = ("held_micros", "reserved", "size", "used")

    def __init__(self, pack: PackUse) -> None:
        self.size = pack.size
        self.used = pack.used
        self.reserved = pack.reserved
        self.held_micros = pack.held_micros

    @property
    def contested(self) -> int:
        """Of the places reserved in a bundle, those that others have taken."""
        return max(self.reserved - max(self.size - self.used, 0), 0)

    def has(self, amount: int) -> bool:
        """Whether it holds enough for the whole of it (ruling 2)."""
        return self.used + self.reserved + amount <= self.size

    def free(self, reserved: int, taken: int, brought_micros: int = 0) -> int:
        """Ends a reservation of which `taken` was used, and of the balance `brought_micros`. What the pack gives of the money
        it holds, in gross micros; negative is what it keeps of what was brought."""
        assert reserved <= self.reserved, "more of a pack is captured or released than was reserved"
        before = self.contested
        self.reserved -= reserved
        self.used += taken
        after = self.contested
        given_micros = 0
        if after > before:
            given_micros = -brought_micros
        elif after < before:
            given_micros = self.held_micros // before if after else self.held_micros
        self.held_micros -= given_micros
        return given_micros

    def close(self) -> PackUse:
        return PackUse(self.size, self.used, self.reserved, self.held_micros)


class Books(dict[int, OpenAccount]):
    """What was opened so far: accounts by agreement, and the rest beside them."""

    __slots__ = ("counters", "holds", "members", "packs", "places", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.counters: dict[CounterKey, int] = {}
        self.holds: dict[CounterKey, Hold] = {}
        self.packs: dict[int, OpenPack] = {}
        self.members: set[Member] = set()
        self.places: dict[Member, int] = {}

    def __missing__(self, agreement_id: int) -> OpenAccount:
        account = self[agreement_id] = OpenAccount(self.state.accounts[agreement_id])
        return account

    def counted(self, key: CounterKey) -> int:
        """Units of that counter which have a position."""
        units = self.counters.get(key)
        return self.state.counters.get(key, 0) if units is None else units

    def held(self, key: CounterKey) -> Hold:
        hold = self.holds.get(key)
        return self.state.holds.get(key, _NOTHING_HELD) if hold is None else hold

    def pack(self, pack_id: int) -> OpenPack:
        pack = self.packs.get(pack_id)
        if pack is None:
            pack = self.packs[pack_id] = OpenPack(self.state.packs[pack_id])
        return pack

    def is_member(self, member: Member) -> bool:
        return member in self.members or member in self.state.members

    def holds_place(self, member: Member) -> int:
        """By how many messages under way."""
        count = self.places.get(member)
        return self.state.places.get(member, 0) if count is None else count

    def take(self, term: Term, recipient: str) -> None:
        """Reserves what the term takes of its pack: of a bundle one place, however many messages to its person are under way."""
        assert term.cover is not None
        amount = term.cover_amount
        if term.cover.kind is CoverKind.MEMBERS:
            member = Member(term.cover.id, recipient)
            count = self.holds_place(member)
            self.places[member] = count + 1
            amount = 0 if count else 1
        self.pack(term.cover.id).reserved += amount

    def leave(self, term: Term, recipient: str, taken: int = 0, brought_micros: int = 0) -> int:
        """Ends what `take` reserved, and uses `taken`; gives what `OpenPack.free` gives. A person who is counted needs no place
        any more, whichever message it was that counted."""
        assert term.cover is not None
        amount = term.cover_amount
        if term.cover.kind is CoverKind.MEMBERS:
            member = Member(term.cover.id, recipient)
            count = self.holds_place(member)
            left = 0 if taken else max(count - amount, 0)
            if left != count:
                self.places[member] = left
            amount = 1 if count and not left else 0
        return self.pack(term.cover.id).free(amount, taken, brought_micros)

    def hold(self, term: Term, key: CounterKey, reserved: int, void: int = 0) -> int:
        """Moves what the counter has reserved and void by so many units; how much more is to be set aside for thresholds
        that may be passed now, gross in micros. The account is the caller's to move. Units that were reserved before the
        terms of billing changed are unknown to the counter, and not missed."""
        hold = self.held(key)
        reserved, void = max(hold.reserved + reserved, 0), hold.void + void
        net_micros = held_net_micros(term.scale, self.counted(key), reserved, void) if term.scale else 0
        gross_micros = net_micros + (add_tax(net_micros, term.tax_bp) if term.tax_bp else 0)
        self.holds[key] = Hold(reserved, void, gross_micros)
        return gross_micros - hold.micros

    def close(self) -> State:
        """The state after all that was done."""
        state = self.state
        return State(
            {**state.accounts, **{agreement_id: account.close() for agreement_id, account in self.items()}},
            {**state.counters, **self.counters} if self.counters else state.counters,
            {**state.holds, **self.holds} if self.holds else state.holds,
            {**state.packs, **{pack_id: pack.close() for pack_id, pack in self.packs.items()}}
            if self.packs
            else state.packs,
            state.members | self.members if self.members else state.members,
            {**state.places, **self.places} if self.places else state.places,
        )


_NOTHING_HELD = Hold()
PAID_BY_PACK = frozenset({CoverKind.UNITS, CoverKind.MONEY})


def counter_key(term: Term, period_start: datetime | None) -> CounterKey:
    """The counter of a term with a scale, in the billing period that starts then."""
    assert term.scale is not None and period_start is not None, "a scale is captured in a billing period"
    return CounterKey(term.agreement_id, term.scale.counter_id, term.counter_group, period_start)


def member_of(term: Term, recipient: str) -> Member | None:
    """Who is counted by the term's bundle pack or session; None where there is neither."""
    cover = term.cover
    if cover is None or cover.kind in PAID_BY_PACK:
        return None
    return Member(cover.session or cover.id, recipient)


def give_back(books: Books, term: Term, recipient: str) -> None:
    """Ends what is reserved for a term, without charging anything."""
    account = books[term.agreement_id]
    account.free(term.reserved_micros, 0)
    if term.cover_amount and term.cover is not None:
        account.reserve(-books.leave(term, recipient))
    if term.held_from is not None:
        account.reserve(books.hold(term, counter_key(term, term.held_from), -term.units))
