"""Which agreements a message is charged on, and what each of them owes: the chain of resale, client first.

A level is charged on the agreement that its seller buys under: the reselling agreements of the seller's own legal entity
(RSL-44), in the order of RSL-45, up to the company that has no parent. Resolved chains are kept until one of the periods
they rest on begins or ends. Where packs or bundles have a say, what is left of them decides when the message is written: then
the answer is every route that could be charged.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from relais.core.rating.message import Level, Offer, Option, PackSource, Route, offer_message, rate_message
from relais.core.rating.tree import Attributes
from relais.core.rating.types import CoverKind, Domain, Parameter, Resource, Term, Tree
from relais.core.refusals import Refusal
from relais.pipeline.channels import Price
from relais.pipeline.configuration import Agreement, Period, Snapshot, billing_period, in_force

_Values = dict[Parameter, str]

FOREVER = datetime.max.replace(tzinfo=UTC)
RATED_MAX = 10_000  # kinds of messages whose terms are kept
LEVELS_MAX = 20  # deeper chains are taken for a loop in the configuration (RSL-50)


class _Noting:
    """Attributes that note whether the phone number was asked for."""

    def __init__(self, values: _Values) -> None:
        self._values = values
        self.number_asked = False

    def get(self, parameter: Parameter, /) -> str | None:
        if parameter is Parameter.PHONE_NUMBER:
            self.number_asked = True
        return self._values.get(parameter)


class Hop(msgspec.Struct, frozen=True):
    """One level and the ways up from it; `above` is empty at the top of the chain. `refusal` set = nothing goes here.
    `plain` = from here on up nothing but pay-as-you-go has a say."""

    level: Level
    above: tuple["Hop", ...]
    refusal: Refusal | None
    until: datetime

    @property
    def plain(self) -> bool:
        return self.level.plain and all(hop.plain for hop in self.above)


class Routes(msgspec.Struct, frozen=True):
    """What a message can be charged by, to be chosen from in the order of `core.charging.types.Choose`."""

    routes: tuple[Route, ...]


Rated = tuple[Term, ...] | Routes | Refusal


class Chains:
    """Resolves and keeps the chains of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._kept: dict[int, Hop] = {}
        self._rated: dict[Hashable, tuple[Hop, Rated | None]] = {}

    def rate(
        self, agreement_id: int, now: datetime, segments_count: int, kind: Hashable, attributes: Callable[[], _Values]
    ) -> Rated:
        """`rate_chain` of that chain. Messages of one `kind` have the same attributes but for the phone number; unless a
        tree asks for that, they share their terms, and `attributes` are not even made."""
        hop = self.of(agreement_id, now)
        key = (agreement_id, segments_count, kind)
        rated_of, rated = self._rated.get(key, (None, None))
        if rated_of is hop:
            return rate_chain(hop, attributes(), segments_count) if rated is None else rated
        noting = _Noting(attributes())
        terms = rate_chain(hop, noting, segments_count)
        if len(self._rated) >= RATED_MAX:
            self._rated.clear()
        self._rated[key] = (hop, None if noting.number_asked else terms)
        return terms

    def of(self, agreement_id: int, now: datetime) -> Hop:
        """The chain that begins at this agreement, as it stands at `now`."""
        hop = self._kept.get(agreement_id)
        if hop is None or now >= hop.until:
            hop = self._kept[agreement_id] = self._resolve(agreement_id, now, 0)
        return hop

    def _resolve(self, agreement_id: int, now: datetime, depth: int) -> Hop:
        snapshot = self._snapshot
        agreement = snapshot.agreements[agreement_id]
        services = snapshot.services.get(agreement_id, ())
        initiators, packs = snapshot.initiators.get(agreement_id, ()), snapshot.packs.get(agreement_id, ())
        service_ids = {service.item for service in (*services, *initiators)} | {pack.service_id for pack in packs}
        scopes = [scope for service_id in service_ids for scope in snapshot.scopes.get(service_id, ())]
        until = _next_boundary([*agreement.versions, *services, *initiators, *packs, *scopes], now)
        versions = in_force(agreement.versions, now)
        if not versions:
            return self._closed(agreement, Refusal.PROVIDER_UNAVAILABLE if depth else Refusal.AGREEMENT_EXPIRED, until)
        if depth >= LEVELS_MAX or not snapshot.companies[agreement.company_id][1]:
            return self._closed(agreement, Refusal.PROVIDER_UNAVAILABLE if depth else Refusal.COMPANY_DISABLED, until)
        period = billing_period(agreement, now)
        until = min(until, period.end)
        sold = [
            PackSource(pack.id, pack.kind, tree)
            for pack in in_force(packs, now)
            if (tree := self._tree(pack.service_id, now)) is not None
        ]
        level = Level(
            agreement_id,
            versions[0].tax_bp,
            tuple(self._trees(services, now)),
            tuple(pack for pack in sold if pack.kind is not CoverKind.MEMBERS),
            tuple(self._trees(initiators, now)),
            tuple(pack for pack in sold if pack.kind is CoverKind.MEMBERS),
            period.start,
        )
        parent_id, seller_enabled = snapshot.companies[agreement.seller_id]
        if not seller_enabled:
            return self._closed(agreement, Refusal.PROVIDER_UNAVAILABLE, until)
        if parent_id is None:
            return Hop(level, (), None, until)
        associations = snapshot.reselling.get(agreement.own_legal_entity_id, ())
        until = min(until, _next_boundary(associations, now))
        above = tuple(self._resolve(a.item, now, depth + 1) for a in in_force(associations, now))
        if not above:
            return self._closed(agreement, Refusal.PROVIDER_UNAVAILABLE, until)
        return Hop(level, above, None, min(until, *(hop.until for hop in above)))

    def _trees(self, services: Sequence[Period], now: datetime) -> Iterator[Tree]:
        """Those in force of services in force."""
        for service in in_force(services, now):
            tree = self._tree(service.item, now)
            if tree is not None:
                yield tree

    def _tree(self, service_id: int, now: datetime) -> Tree | None:
        """Of several scopes of one service the first made is used (SV-50)."""
        scopes = in_force(self._snapshot.scopes.get(service_id, ()), now)
        return scopes[0].item if scopes else None

    @staticmethod
    def _closed(agreement: Agreement, refusal: Refusal, until: datetime) -> Hop:
        return Hop(Level(agreement.id, 0, ()), (), refusal, until)


def _next_boundary(periods: Sequence[Any], now: datetime) -> datetime:
    """The first begin or end of a period after `now`."""
    instants = [p.effective_from for p in periods] + [p.effective_till for p in periods if p.effective_till]
    return min((instant for instant in instants if instant > now), default=FOREVER)


def rate_chain(hop: Hop, attributes: Attributes, segments_count: int) -> Rated:
    """What every level owes for one SMS, client first; or why nobody may send it."""
    if not hop.plain:
        routes = _routes(hop, attributes, segments_count)
        return routes if isinstance(routes, Refusal) else Routes(routes)
    terms = _plain_chain(hop, attributes, segments_count)
    if isinstance(terms, Refusal) or not any(term.held_from is not None for term in terms):
        return terms
    return Routes((tuple(Offer((Option(term),), Refusal.RATE_NOT_FOUND) for term in terms),))


def _routes(hop: Hop, attributes: Attributes, segments_count: int) -> tuple[Route, ...] | Refusal:
    """Every way up that may have a rate, in the order of RSL-45."""
    if hop.refusal is not None:
        return hop.refusal
    offer = offer_message(hop.level, Domain.SMS_MESSAGING, Resource.SMS_MESSAGE, attributes, segments_count)
    if isinstance(offer, Refusal):
        return offer
    if not hop.above:
        return ((offer,),)
    routes: list[Route] = []
    refusal = Refusal.PROVIDER_UNAVAILABLE
    for above in hop.above:
        upper = _routes(above, attributes, segments_count)
        if isinstance(upper, tuple):
            routes += [(offer, *route) for route in upper]
        elif upper is not Refusal.RATE_NOT_FOUND:
            return tuple(routes) or upper
        else:
            refusal = upper
    return tuple(routes) or refusal


def priced_anew(start: Hop, terms: Sequence[Term], price: Price) -> tuple[Term, ...]:
    """Other terms of the levels of `terms`, on their agreements; a level that is not there, or has no price, keeps its own."""
    hop: Hop | None = start
    made: list[Term] = []
    for former, following in zip(terms, (*terms[1:], None), strict=True):
        term = former if hop is None else price(hop.level)
        made.append(former if isinstance(term, Refusal) else term)
        above = () if hop is None or following is None else hop.above
        hop = next((each for each in above if following and each.level.agreement_id == following.agreement_id), None)
    return tuple(made)


def _plain_chain(hop: Hop, attributes: Attributes, segments_count: int) -> tuple[Term, ...] | Refusal:
    return priced_chain(
        hop,
        lambda level: rate_message(level, Domain.SMS_MESSAGING, Resource.SMS_MESSAGE, attributes, segments_count),
    )


def priced_chain(hop: Hop, price: Price) -> tuple[Term, ...] | Refusal:
    """What every level owes for one message by `price`, client first, whatever packs hold; or why nobody may send it.

    At each level above the client's the first agreement that has a rate is charged (RSL-45).
    """
    if hop.refusal is not None:
        return hop.refusal
    term = price(hop.level)
    if isinstance(term, Refusal):
        return term
    if not hop.above:
        return (term,)
    refusal = Refusal.PROVIDER_UNAVAILABLE
    for above in hop.above:
        upper = priced_chain(above, price)
        if isinstance(upper, tuple):
            return (term, *upper)
        if upper is not Refusal.RATE_NOT_FOUND:
            return upper
        refusal = upper
    return refusal
