"""One agreement with packs and bundles on a pay-as-you-go tree: sends messages through rating and charging."""

from collections.abc import Mapping

from tests.core.rating.rating_samples import AGREEMENT, JANUARY

from relais.core.charging.charge import charge
from relais.core.charging.types import Account, Capture, Captured, Choose, Chosen, Event, Outcome, PackUse, State
from relais.core.money import parse_micros
from relais.core.rating.message import Level, PackSource, offer_message
from relais.core.rating.types import CoverKind, Parameter, Term, Tree
from relais.core.refusals import Refusal

Key = tuple[str, str]


class Shop:
    """`balance` is what the agreement begins with; without credit."""

    def __init__(self, *sources: Tree, balance: str = "0", tax_bp: int = 0) -> None:
        self.level = Level(AGREEMENT, tax_bp, sources, period_start=JANUARY)
        self.state = State({AGREEMENT: Account(parse_micros(balance), 0, 0)}, {})
        self._made_count = 0

    def _with(self, size: int, **parts: object) -> int:
        fields = {name: getattr(self.level, name) for name in Level.__struct_fields__}
        self.level = Level(**(fields | parts))
        self.state = State(
            self.state.accounts,
            self.state.counters,
            self.state.holds,
            {**self.state.packs, self._made_count: PackUse(size, 0, 0)},
            self.state.members,
            self.state.places,
        )
        return self._made_count

    def add_pack(self, tree: Tree, size: int, kind: CoverKind = CoverKind.UNITS) -> int:
        """Enables a unit or monetary pack; its id."""
        self._made_count += 1
        return self._with(size, packs=(*self.level.packs, PackSource(self._made_count, kind, tree)))

    def add_bundle(self, initiator: Tree, pack: Tree, size: int) -> int:
        """Enables a bundle pack with an initiator; its id."""
        self._made_count += 1
        source = PackSource(self._made_count, CoverKind.MEMBERS, pack)
        parts = {"initiators": (*self.level.initiators, initiator)}
        return self._with(size, **parts, bundle_packs=(*self.level.bundle_packs, source))

    def buy(self, price: str) -> None:
        """What enabling a pack takes from the balance: the books of fees are not this test's matter."""
        account = self.state.accounts[AGREEMENT]
        paid = Account(account.balance_micros - parse_micros(price), account.reserved_micros, 0)
        self.state = State({AGREEMENT: paid}, *(getattr(self.state, f) for f in State.__struct_fields__[1:]))

    def do(self, *events: Event) -> list[Outcome]:
        self.state, outcomes = charge(self.state, events)
        return outcomes

    def reserve(
        self, key: Key, attributes: Mapping[Parameter, str], segments_count: int = 1, recipient: str = "1"
    ) -> tuple[Term, ...] | Outcome | Refusal:
        offer = offer_message(self.level, *key, attributes, segments_count)
        if isinstance(offer, Refusal):
            return offer
        (outcome,) = self.do(Choose(((offer,),), recipient))
        return outcome.terms if isinstance(outcome, Chosen) else outcome

    def send(
        self, key: Key, attributes: Mapping[Parameter, str], segments_count: int = 1, recipient: str = "1"
    ) -> Captured | Outcome | Refusal:
        """Accepts and bills one message; its charges."""
        terms = self.reserve(key, attributes, segments_count, recipient)
        if not isinstance(terms, tuple):
            return terms
        starts = tuple(JANUARY if term.scale is not None else None for term in terms)
        (captured,) = self.do(Capture(terms, starts, recipient))
        return captured

    def send_many(self, count: int, key: Key, attributes: Mapping[Parameter, str], first_recipient: int = 0) -> None:
        """Messages to as many recipients, or all to one when `first_recipient` is negative."""
        for number in range(count):
            recipient = "same" if first_recipient < 0 else str(first_recipient + number)
            assert isinstance(self.send(key, attributes, 1, recipient), Captured)

    @property
    def reserved(self) -> str:
        return f"{self.state.accounts[AGREEMENT].reserved_micros / 10**6:.4f}"

    @property
    def balance(self) -> str:
        account = self.state.accounts[AGREEMENT]
        assert account.reserved_micros == 0
        return f"{account.balance_micros / 10**6:.4f}"

    def used(self, pack_id: int) -> tuple[int, int]:
        """(used, reserved)."""
        pack = self.state.packs[pack_id]
        return pack.used, pack.reserved
