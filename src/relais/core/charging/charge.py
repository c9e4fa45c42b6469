"""The one way money moves for traffic: a batch of events over a state gives the next state and one outcome an event.

Events are worked off in order, each sees what those before it left, so a batch may be cut anywhere with the same
result. Nothing is waited for, stored or logged; the caller locks what `touched` names, in that order.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import NamedTuple

from relais.core.charging.books import Books, counter_key, give_back, member_of
from relais.core.charging.capture import capture, pay_back
from relais.core.charging.reserve import choose, exchange, reserve
from relais.core.charging.types import (
    Capture,
    Captured,
    Charged,
    Choose,
    CounterKey,
    Event,
    Exchange,
    Member,
    Outcome,
    Release,
    Released,
    Reserve,
    Reverse,
    Reversed,
    State,
)
from relais.core.money import add_tax
from relais.core.rating.types import Term

_RELEASED = Released()


def charge(state: State, events: Sequence[Event]) -> tuple[State, list[Outcome]]:
    """The state after all events, and an outcome for each, in order. `state` itself is not changed.

    KeyError for an agreement that is not in the state, AssertionError for a capture or release of what was never
    reserved: both are faults of the caller, and nothing of the batch holds then.
    """
    books = Books(state)
    outcomes: list[Outcome] = []
    for event in events:
        if isinstance(event, Reserve):
            outcomes.append(reserve(books, event.terms))
        elif isinstance(event, Capture):
            outcomes.append(_capture(books, event))
        elif isinstance(event, Choose):
            outcomes.append(choose(books, event))
        elif isinstance(event, Release):
            for term in event.terms:
                give_back(books, term, event.recipient)
            outcomes.append(_RELEASED)
        elif isinstance(event, Exchange):
            outcomes.append(exchange(books, event))
        else:
            terms = event.terms or [None] * len(event.charges)
            outcomes.append(Reversed(tuple(map(pay_back, repeat(books), event.charges, terms))))
    return books.close(), outcomes


class Touched(NamedTuple):
    """Rows that events read or change, each list sorted: the order in which they are to be locked."""

    agreement_ids: list[int]
    counter_keys: list[CounterKey]
    pack_ids: list[int]
    members: list[Member]


def touched(events: Iterable[Event]) -> Touched:
    """Everything of a state that `charge` may look at for these events."""
    agreement_ids: set[int] = set()
    keys: set[CounterKey] = set()
    pack_ids: set[int] = set()
    members: set[Member] = set()

    def touch(term: Term, recipient: str) -> None:
        """What is beside the balance."""
        if term.held_from is not None:
            keys.add(counter_key(term, term.held_from))
        if term.cover is not None:
            if term.cover.id:
                pack_ids.add(term.cover.id)
            member = member_of(term, recipient)
            if member is not None and recipient:
                members.add(member)

    for event in events:
        if isinstance(event, Reverse):
            for charged in event.charges:
                agreement_ids.add(charged.agreement_id)
            for charged, term in zip(event.charges, event.terms, strict=False):
                touch(term, "")
                if term.scale is not None and charged.period_start is not None:
                    keys.add(counter_key(term, charged.period_start))
            continue
        terms: Iterable[Term]
        if isinstance(event, Choose):
            terms = _offered(event)
        else:
            terms = (*event.former, *event.terms) if isinstance(event, Exchange) else event.terms
        recipient = "" if isinstance(event, Reserve) else event.recipient
        for term in terms:
            agreement_ids.add(term.agreement_id)
            if term.cover is not None or term.held_from is not None:
                touch(term, recipient)
        if isinstance(event, Capture) and event.period_starts is not None:
            for term, period_start in zip(event.terms, event.period_starts, strict=True):
                if term.scale is not None:
                    keys.add(counter_key(term, period_start))
    return Touched(sorted(agreement_ids), sorted(keys), sorted(pack_ids), sorted(members, key=_by_text))


def _by_text(member: Member) -> tuple[str, str]:
    return str(member.of), member.recipient


def _offered(event: Choose) -> Iterator[Term]:
    """Every term that may be chosen."""
    for route in event.routes:
        for offer in route:
            for option in offer.options:
                yield option.term
                for bundle in option.bundles:
                    yield bundle.inside
                    if isinstance(bundle.beyond, Term):
                        yield bundle.beyond


class Posted(NamedTuple):
    """Gross micros by agreement: what captures took (negative), reversals gave back, corrections did. Without zeros."""

    captured: dict[int, int]
    reversed: dict[int, int]
    corrected: dict[int, int]


def posted(outcomes: Iterable[Outcome]) -> Posted:
    """What outcomes did to the balance of each agreement: ledger entries."""
    sums = Posted({}, {}, {})
    for outcome in outcomes:
        if isinstance(outcome, Captured | Reversed):
            by_kind = sums.captured if isinstance(outcome, Captured) else sums.reversed
            for charged in outcome.charges:
                for amounts, gross_micros in (
                    (by_kind, charged.net_micros + charged.tax_micros),
                    (sums.corrected, charged.correction_net_micros + charged.correction_tax_micros),
                ):
                    if gross_micros:
                        amounts[charged.agreement_id] = amounts.get(charged.agreement_id, 0) - gross_micros
    return sums


def _capture(books: Books, event: Capture) -> Captured:
    """Each level pays its real price and gets its reservation back."""
    charges: list[Charged] = []
    for level, term in enumerate(event.terms):
        if term.scale is None and term.cover is None:
            net_micros = term.units * term.unit_price_micros
            tax_micros = add_tax(net_micros, term.tax_bp) if term.tax_bp else 0
            charges.append(Charged(term.agreement_id, net_micros, tax_micros))
            books[term.agreement_id].free(term.reserved_micros, net_micros + tax_micros)
        else:
            period_start = None if event.period_starts is None else event.period_starts[level]
            charges.append(capture(books, term, period_start, event.recipient))
    return Captured(tuple(charges))
