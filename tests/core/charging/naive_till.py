"""The rules of packs, bundles, scales and chains once more, as plainly as they can be said: Decimal, one dictionary a thing,
whole histories gone through again for every answer. It shares no code with the product.
"""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

WHOLE = Decimal(1)


@dataclass
class Price:
    """`steps` are (up to, price), the last one open; `kind` "flat", "tier" or "back"."""

    kind: str
    steps: list[tuple[int | None, Decimal]]

    def of(self, number: int) -> Decimal:
        """Of the unit with that number."""
        return next(price for up_to, price in self.steps if up_to is None or number <= up_to)

    @property
    def dearest(self) -> Decimal:
        return max(price for _, price in self.steps)


@dataclass
class Pack:
    """`kind` "units", "money" or "members"."""

    kind: str
    size: int
    used: Decimal = Decimal(0)
    reserved: dict[str, Decimal] = field(default_factory=dict)  # by message
    places: dict[str, str] = field(default_factory=dict)  # of a bundle: message → person
    members: set[str] = field(default_factory=set)

    def left(self) -> Decimal:
        return self.size - self.used - sum(self.reserved.values()) - len(self.waited_for())

    def waited_for(self) -> set[str]:
        """Who has a place and is not counted yet."""
        return set(self.places.values()) - self.members


@dataclass
class Shop:
    """One agreement: what it charges for a message, and the packs before that, oldest first. `price` None = no rate."""

    price: Price | None
    tax: Decimal
    packs: list[Pack]
    bundle: Pack | None = None
    member_price: Price | None = None
    balance: Decimal = Decimal(0)
    credit: Decimal | None = Decimal(0)
    reserved: dict[str, Decimal] = field(default_factory=dict)
    volumes: dict[tuple[str, str], list[tuple[str, int]]] = field(
        default_factory=dict
    )  # (scale, period): (message, units)
    unpaid: set[str] = field(default_factory=set)  # messages whose units a pack paid, or that were paid back
    held: dict[str, int] = field(default_factory=dict)  # units by message, on a scale that may pass a threshold upwards

    def gross(self, net: Decimal) -> Decimal:
        return net + (net * self.tax).quantize(WHOLE, ROUND_HALF_UP)

    def available(self) -> Decimal | None:
        if self.credit is None:
            return None
        return self.balance + self.credit - sum(self.reserved.values()) - self.set_aside() - self.left_for_places()

    def left_for_places(self) -> Decimal:
        """The price of a member for each place that someone reserved and someone else took."""
        if self.bundle is None or self.member_price is None:
            return Decimal(0)
        places = max(self.bundle.size - self.bundle.used, 0)
        return max(len(self.bundle.waited_for()) - places, 0) * self.gross(self.member_price.dearest)

    def covers(self, amount: Decimal, at_all: bool = False) -> bool:
        """Whether there is so much; nothing is asked for nothing, but `at_all`."""
        available = self.available()
        return available is None or amount <= available or (amount == 0 and not at_all)

    @property
    def may_rise(self) -> bool:
        """Whether a threshold can make what came before it dearer."""
        prices = [price for _, price in self.price.steps] if self.price and self.price.kind == "back" else []
        return any(later > earlier for earlier, later in pairwise(prices))

    def set_aside(self) -> Decimal:
        """For thresholds of January that the units under way may pass."""
        if self.price is None or self.price.kind != "back":
            return Decimal(0)
        volume = self.volumes.get(("message", "january"), [])
        counted = sum(units for _, units in volume)
        paid_back = sum(units for name, units in volume if name in self.unpaid)
        coming = sum(self.held.values())
        net = Decimal(0)
        for (up_to, price), (_, following) in pairwise(self.price.steps):
            assert up_to is not None
            if following > price and counted <= up_to < counted + coming:
                net += max(up_to - paid_back, 0) * (following - price)
        return self.gross(net)


@dataclass
class Sent:
    """Of one message at one level: who pays, and whether a bundle counts its person."""

    payer: str = "balance"
    pack: Pack | None = None
    place: bool = False
    beyond: bool = False
    period: str = ""
    price: Decimal = Decimal(0)
    charged: Decimal = Decimal(0)
    member_charged: Decimal = Decimal(0)
    taken: Decimal = Decimal(0)


class NaiveTill:
    """A chain of shops, the client's first."""

    def __init__(self, shops: list[Shop]) -> None:
        self.shops = shops
        self.sent: dict[str, list[Sent]] = {}

    def accept(self, name: str, units: int, person: str) -> str:
        """ "yes", or why not; nothing is left behind of a message that is refused."""
        if not all(shop.price is not None or any(pack.kind == "units" for pack in shop.packs) for shop in self.shops):
            return "no rate"  # at some level, whatever packs hold: that is known before money is asked for
        levels: list[Sent] = []
        for shop in self.shops:
            answer = self._accept_at(shop, name, units, person)
            if isinstance(answer, str):
                for done, sent in zip(self.shops, levels, strict=False):
                    self._forget(done, name, sent)
                return answer
            levels.append(answer)
        self.sent[name] = levels
        return "yes"

    def _accept_at(self, shop: Shop, name: str, units: int, person: str) -> Sent | str:
        sent = self._payer(shop, name, units)
        if sent is None:
            return "no rate"
        due = Decimal(0)
        member_due = Decimal(0)
        if sent.payer == "balance":
            assert shop.price is not None
            due = shop.gross(units * shop.price.dearest)
        if shop.bundle is not None and person not in shop.bundle.members:
            if person in shop.bundle.waited_for() or shop.bundle.left() >= 1:
                sent.place = True
            elif shop.member_price is None:
                return "no rate"
            else:
                sent.beyond = True
                member_due = shop.gross(shop.member_price.dearest)
        if not shop.covers(due):
            return self._refuse(shop, name, sent)
        shop.reserved[name] = due
        if sent.payer != "units" and shop.may_rise:
            shop.held[name] = units
            if not shop.covers(Decimal(0), at_all=True):
                return self._refuse(shop, name, sent)
        if not shop.covers(member_due):
            return self._refuse(shop, name, sent)
        shop.reserved[name + "/member"] = member_due
        if sent.pack is not None:
            sent.pack.reserved[name] = units * (shop.price.dearest if sent.payer == "money" and shop.price else WHOLE)
        if sent.place and shop.bundle is not None:
            shop.bundle.places[name] = person
        return sent

    def _refuse(self, shop: Shop, name: str, sent: Sent) -> str:
        self._forget(shop, name, sent)
        return "no money"

    def _payer(self, shop: Shop, name: str, units: int) -> Sent | None:
        for pack in shop.packs:
            if pack.kind == "units" and pack.left() >= units:
                return Sent("units", pack)
            if pack.kind == "money" and shop.price is not None and pack.left() >= units * shop.price.dearest:
                return Sent("money", pack)
        return None if shop.price is None else Sent()

    def _forget(self, shop: Shop, name: str, sent: Sent) -> None:
        shop.reserved.pop(name, None)
        shop.reserved.pop(name + "/member", None)
        shop.held.pop(name, None)
        for pack in (sent.pack, shop.bundle):
            if pack is not None:
                pack.reserved.pop(name, None)
                pack.places.pop(name, None)

    def drop(self, name: str) -> None:
        """The vendor refused it."""
        for shop, sent in zip(self.shops, self.sent.pop(name), strict=True):
            self._forget(shop, name, sent)

    def bill(self, name: str, units: int, person: str, period: str) -> None:
        for shop, sent in zip(self.shops, self.sent[name], strict=True):
            self._forget(shop, name, sent)
            sent.period = period
            if sent.payer == "units":
                sent.taken = Decimal(units)
            else:
                net = self._net(shop, "message", shop.price, name, units, period, sent)
                if sent.payer == "money":
                    sent.taken = net
                    shop.unpaid.add(name)
                else:
                    sent.charged = shop.gross(net)
            if sent.pack is not None:
                sent.pack.used += sent.taken
            shop.balance -= sent.charged
            if shop.bundle is not None and person not in shop.bundle.members:
                shop.bundle.members.add(person)
                shop.bundle.used += 1
                if shop.bundle.used > shop.bundle.size:
                    net = self._net(shop, "member", shop.member_price, name, 1, period, Sent())
                    sent.member_charged = shop.gross(net)
                    shop.balance -= sent.member_charged

    def _net(
        self, shop: Shop, what: str, price: Price | None, name: str, units: int, period: str, sent: Sent
    ) -> Decimal:
        """What these units cost at their places in the period; a scale that goes back to the first corrects the balance."""
        assert price is not None
        volume = shop.volumes.setdefault((what, period), [])
        before = sum(counted for _, counted in volume)
        volume.append((name, units))
        if price.kind != "back":
            return sum((price.of(before + number) for number in range(1, units + 1)), Decimal(0))
        now = sent.price = price.of(before + units)
        then = price.of(before)
        paid = sum(counted for other, counted in volume[:-1] if other not in shop.unpaid)
        shop.balance -= (
            shop.gross(paid * (now - then)) if paid * (now - then) >= 0 else -shop.gross(paid * (then - now))
        )
        return units * now

    def pay_back(self, name: str, units: int) -> None:
        """The vendor says later that it was never sent."""
        for shop, sent in zip(self.shops, self.sent.pop(name), strict=True):
            shop.balance += sent.charged + sent.member_charged
            if sent.pack is not None:
                sent.pack.used -= sent.taken
            if sent.payer == "balance" and shop.price is not None and shop.price.kind == "back":
                volume = sum(counted for _, counted in shop.volumes[("message", sent.period)])
                difference = units * (sent.price - shop.price.of(volume))
                gross = shop.gross(abs(difference))
                shop.balance -= gross if difference >= 0 else -gross
                shop.unpaid.add(name)
