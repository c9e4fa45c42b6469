"""Random shops, chains, packs, scales and histories: the product and a naive implementation say and charge the same."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.charging.naive_till import NaiveTill, Pack, Price, Shop
from tests.core.rating.rating_samples import FEBRUARY, JANUARY, SMS, rows_of

from relais.core.charging.charge import charge, posted, touched
from relais.core.charging.types import (
    Account,
    Capture,
    Captured,
    Choose,
    Chosen,
    Event,
    Lacking,
    Outcome,
    PackUse,
    Release,
    Reverse,
    State,
    Unrated,
)
from relais.core.rating.message import Level, PackSource, offer_message
from relais.core.rating.tree import compile_tree
from relais.core.rating.types import CoverKind, Term
from relais.core.refusals import Refusal

of_many = settings(max_examples=150, deadline=None)
MEMBER = ("bundle_grouping", "bundle_member")
KINDS = {"units": CoverKind.UNITS, "money": CoverKind.MONEY, "members": CoverKind.MEMBERS}
STARTS = {"january": JANUARY, "february": FEBRUARY}
INCLUDED = compile_tree(rows_of({SMS: "included"}))
MEMBERS = compile_tree(rows_of({MEMBER: "included"}))


@st.composite
def prices(draw: st.DrawFn, kinds: tuple[str, ...]) -> Price:
    kind = draw(st.sampled_from(kinds))
    amounts = [Decimal(draw(st.integers(0, 40))) for _ in range(3)]
    first = draw(st.integers(1, 3))
    return Price(
        kind, [(None, amounts[0])] if kind == "flat" else list(zip((first, first + 3, None), amounts, strict=True))
    )


def often(strategy: st.SearchStrategy[Price]) -> st.SearchStrategy[Price | None]:
    return st.one_of(strategy, strategy, strategy, st.none())


@st.composite
def shops(draw: st.DrawFn) -> Shop:
    packs = draw(
        st.lists(
            st.builds(Pack, st.sampled_from(["units", "money"]), st.integers(1, 90)),
            max_size=draw(st.sampled_from([0, 0, 1, 2])),
        )
    )
    for pack in packs:
        pack.size = pack.size if pack.kind == "money" else 1 + pack.size % 7
    bundled = draw(st.booleans())
    shop = Shop(
        price=draw(often(prices(("flat", "tier", "back", "back")))),
        tax=Decimal(draw(st.sampled_from([0, 7, 21]))) / 100,
        packs=packs,
        bundle=Pack("members", draw(st.integers(1, 2))) if bundled else None,
        member_price=draw(often(prices(("flat", "tier")))) if bundled else None,
        credit=draw(st.sampled_from([None, Decimal(60), Decimal(250), Decimal(1000)])),
    )
    return shop


def shape_of(price: Price) -> Any:
    if price.kind == "flat":
        return micros(price.steps[0][1])
    steps = [(up_to, micros(amount)) for up_to, amount in price.steps]
    return {"kind": "tier" if price.kind == "tier" else "back_to_first", "steps": steps}


def micros(amount: Decimal) -> str:
    """An amount of the naive till is in micros."""
    return f"{amount / 10**6:.6f}"


@dataclass
class Product:
    """The product behind the same verbs as `NaiveTill`."""

    levels: list[Level]
    state: State
    terms: dict[str, tuple[Term, ...]]
    charges: dict[str, Captured]
    outcomes: list[Outcome]

    @classmethod
    def of(cls, shops: list[Shop]) -> "Product":
        levels, accounts, packs = [], {}, {}
        for number, shop in enumerate(shops):
            shapes = {key: shape_of(price) for key, price in ((SMS, shop.price), (MEMBER, shop.member_price)) if price}
            sources = []
            for place, pack in enumerate([*shop.packs, *([shop.bundle] if shop.bundle else [])]):
                pack_id = 10 * (number + 1) + place
                packs[pack_id] = PackUse(pack.size, 0, 0)
                tree = MEMBERS if pack.kind == "members" else INCLUDED
                sources.append(PackSource(pack_id, KINDS[pack.kind], tree))
            levels.append(
                Level(
                    number + 1,
                    int(shop.tax * 10_000),
                    (compile_tree(rows_of(shapes, first_id=100 * number + 100)),),
                    [source for source in sources if source.kind is not CoverKind.MEMBERS],
                    (INCLUDED,),
                    [source for source in sources if source.kind is CoverKind.MEMBERS],
                    JANUARY,
                )
            )
            accounts[number + 1] = Account(0, 0, None if shop.credit is None else int(shop.credit))
        return cls(levels, State(accounts, {}, {}, packs), {}, {}, [])

    def do(self, event: Event) -> Outcome:
        """On a state cut down to what the event is said to touch, as the database would give it."""
        rows = touched([event])
        known = self.state
        cut = State(
            {agreement_id: known.accounts[agreement_id] for agreement_id in rows.agreement_ids},
            {key: known.counters[key] for key in rows.counter_keys if key in known.counters},
            {key: known.holds[key] for key in rows.counter_keys if key in known.holds},
            {pack_id: known.packs[pack_id] for pack_id in rows.pack_ids},
            known.members & set(rows.members),
            {member: known.places[member] for member in rows.members if member in known.places},
        )
        after, (outcome,) = charge(cut, [event])
        self.state = State(
            {**known.accounts, **after.accounts},
            {**known.counters, **after.counters},
            {**known.holds, **after.holds},
            {**known.packs, **after.packs},
            known.members | after.members,
            {**known.places, **after.places},
        )
        self.outcomes.append(outcome)
        return outcome

    def accept(self, name: str, units: int, person: str) -> str:
        offers = [offer_message(level, *SMS, {}, units) for level in self.levels]
        route = tuple(offer for offer in offers if not isinstance(offer, Refusal))
        if len(route) < len(offers):
            return "no rate"
        outcome = self.do(Choose((route,), person))
        if isinstance(outcome, Chosen):
            self.terms[name] = outcome.terms
            return "yes"
        assert isinstance(outcome, Lacking | Unrated)
        return "no money" if isinstance(outcome, Lacking) else "no rate"

    def drop(self, name: str, person: str) -> None:
        self.do(Release(self.terms.pop(name), person))

    def bill(self, name: str, person: str, period: str) -> None:
        starts = tuple(STARTS[period] if term.scale is not None else None for term in self.terms[name])
        outcome = self.do(Capture(self.terms[name], starts, person))
        assert isinstance(outcome, Captured)
        self.charges[name] = outcome

    def pay_back(self, name: str) -> None:
        self.do(Reverse(self.charges.pop(name).charges, self.terms.pop(name)))


def agree(product: Product, naive: NaiveTill) -> None:
    """Money, packs and members are the same; nothing is beyond what is allowed."""
    ledger: dict[int, int] = {}
    for amounts in posted(product.outcomes):
        for agreement_id, amount in amounts.items():
            ledger[agreement_id] = ledger.get(agreement_id, 0) + amount
    for number, shop in enumerate(naive.shops, 1):
        account = product.state.accounts[number]
        assert account.balance_micros == shop.balance == ledger.get(number, 0)
        assert account.reserved_micros == sum(shop.reserved.values()) + shop.set_aside() + shop.left_for_places()
        packs = [*shop.packs, *([shop.bundle] if shop.bundle else [])]
        for place, pack in enumerate(packs):
            use = product.state.packs[10 * number + place]
            assert (use.used, use.reserved) == (pack.used, sum(pack.reserved.values()) + len(pack.waited_for()))
            assert use.used + use.reserved <= use.size or pack.kind == "members"
        members = {member.recipient for member in product.state.members if member.of == 10 * number + len(packs) - 1}
        assert members == (shop.bundle.members if shop.bundle else set())


@of_many
@given(st.integers(1, 3).flatmap(lambda count: st.lists(shops(), min_size=count, max_size=count)), st.data())
def test_both_say_and_charge_the_same(chain: list[Shop], data: st.DataObject) -> None:
    """SV-213, SV-215, SV-220, SV-244, SV-245, SV-253 to SV-257, SV-269, SV-288: whatever the order of events is."""
    naive, product = NaiveTill(chain), Product.of(chain)
    under_way: list[tuple[str, int, str]] = []
    billed: list[tuple[str, int]] = []
    for number in range(data.draw(st.integers(8, 32))):
        verb = data.draw(st.sampled_from(["accept"] * 4 + ["bill"] * 2 + ["drop"] * 2 + ["pay back"]))
        if verb in ("bill", "drop") and under_way:
            name, units, person = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
            if verb == "drop":
                naive.drop(name)
                product.drop(name, person)
            else:
                period = data.draw(st.sampled_from(["january", "january", "february"]))
                naive.bill(name, units, person, period)
                product.bill(name, person, period)
                billed.append((name, units))
        elif verb == "pay back" and billed:
            name, units = billed.pop(data.draw(st.integers(0, len(billed) - 1)))
            naive.pay_back(name, units)
            product.pay_back(name)
        else:
            name, units, person = (
                f"m{number}",
                data.draw(st.sampled_from([1, 1, 2, 3])),
                data.draw(st.sampled_from("abcd")),
            )
            answer = naive.accept(name, units, person)
            assert product.accept(name, units, person) == answer
            if answer == "yes":
                under_way.append((name, units, person))
        agree(product, naive)
