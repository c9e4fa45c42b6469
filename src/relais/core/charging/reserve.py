"""Setting aside what a message may cost: of the balance, of packs, and places in bundles. All of it, or nothing."""

from typing import NamedTuple

from relais.core.charging.books import Books, counter_key, give_back, member_of
from relais.core.charging.types import Choose, Chosen, Exchange, Lacking, Outcome, Reserved, Unrated
from relais.core.rating.message import Bundle, Offer, Route
from relais.core.rating.types import Term
from relais.core.refusals import Refusal

_RESERVED = Reserved()


def reserve(books: Books, terms: tuple[Term, ...]) -> Outcome:
    """AG-87 at every level, or nothing at any (RSL-42). A level at which nothing is due is not stopped for money."""
    for level, term in enumerate(terms):
        amount_micros = term.reserved_micros
        account = books[term.agreement_id]
        if amount_micros > account.available_micros and amount_micros and account.bounded:
            for earlier in terms[:level]:
                give_back(books, earlier, "")
            return Lacking(level, term.agreement_id)
        account.reserved_micros += amount_micros
        account.available_micros -= amount_micros
    return _RESERVED


def choose(books: Books, event: Choose) -> Outcome:
    """The first route that goes. Only a level above the client's that has no rate lets the next one be tried (RSL-45)."""
    outcome: Outcome = Unrated(Refusal.RATE_NOT_FOUND)
    for route in event.routes:
        outcome, level = _take(books, route, event.recipient)
        if not isinstance(outcome, Unrated) or outcome.refusal is not Refusal.RATE_NOT_FOUND or not level:
            return outcome
    return outcome


def exchange(books: Books, event: Exchange) -> Outcome:
    """Other terms in the place of the former ones, whatever the balance says."""
    for term in event.former:
        give_back(books, term, event.recipient)
    for term in event.terms:
        _reserve(books, term, event.recipient)
    return _RESERVED


def _take(books: Books, route: Route, recipient: str) -> tuple[Outcome, int]:
    """Every level of one route, or nothing of it; and the level at which it ended."""
    taken: list[Term] = []
    members: list[Term] = []
    level = 0
    for level, offer in enumerate(route):
        wanted = _wanted(books, offer, recipient)
        failure: Outcome | None = None
        if isinstance(wanted, Refusal):
            failure = Unrated(wanted)
        elif not _set_aside(books, wanted.term, recipient):
            failure = Lacking(level, wanted.term.agreement_id)
        else:
            taken.append(wanted.term)
            if wanted.member is not None and not _set_aside(books, wanted.member, recipient):
                failure = Lacking(level, wanted.term.agreement_id)
            elif wanted.member is not None:
                members.append(wanted.member)
        if failure is not None:
            for term in (*taken, *members):
                give_back(books, term, recipient)
            return failure, level
    return Chosen((*taken, *members)), level


class _Wanted(NamedTuple):
    """What one level is to be charged by: the message's term, and its member's where a bundle counts."""

    term: Term
    member: Term | None


def _wanted(books: Books, offer: Offer, recipient: str) -> _Wanted | Refusal:
    """The first source with room for the whole message (ruling 2), with the member it makes if there is a bundle."""
    for option in offer.options:
        term = option.term
        if term.cover_amount and term.cover is not None and not books.pack(term.cover.id).has(term.cover_amount):
            continue
        if not option.bundles:
            return _Wanted(term, None)
        member = _member(books, option.bundles, recipient)
        return member if isinstance(member, Refusal) else _Wanted(term, member)
    return offer.refusal


def _member(books: Books, bundles: tuple[Bundle, ...], recipient: str) -> Term | Refusal:
    """Known to one of the bundle packs already; else the place another message holds; else one in the first that has one; else
    one more of the first."""
    for bundle in bundles:
        member = member_of(bundle.known, recipient)
        if member is not None and books.is_member(member):
            return bundle.known
    for bundle in bundles:
        member = member_of(bundle.inside, recipient)
        if member is not None and books.holds_place(member):
            return bundle.inside
    for bundle in bundles:
        if bundle.inside.cover is not None and books.pack(bundle.inside.cover.id).has(1):
            return bundle.inside
    return bundles[0].beyond


def _set_aside(books: Books, term: Term, recipient: str) -> bool:
    """False when the agreement lacks the money; nothing is set aside then."""
    account = books[term.agreement_id]
    if not account.has(term.reserved_micros):
        return False
    _reserve(books, term, recipient)
    if term.held_from is not None and account.bounded and account.available_micros < 0:
        give_back(books, term, recipient)  # what passing a threshold costs is more than there is
        return False
    return True


def _reserve(books: Books, term: Term, recipient: str) -> None:
    account = books[term.agreement_id]
    account.reserve(term.reserved_micros)
    if term.cover_amount and term.cover is not None:
        books.take(term, recipient)
    if term.held_from is not None:
        account.reserve(books.hold(term, counter_key(term, term.held_from), term.units))
