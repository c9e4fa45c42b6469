"""The one way money moves for traffic: a batch of events over a state gives the next state and one outcome an event.

Events are worked off in order, each sees what those before it left, so a batch may be cut anywhere with the same
result. Nothing is waited for, stored or logged; the caller locks what `touched` names, in that order.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from relais.core.charging.types import (
    Account,
    Capture,
    Captured,
    Charged,
    CounterKey,
    Event,
    Lacking,
    Outcome,
    Release,
    Released,
    Reserve,
    Reserved,
    Reverse,
    Reversed,
    State,
)
from relais.core.money import add_tax
from relais.core.rating.scale import tier_pieces
from relais.core.rating.types import Term

_RESERVED = Reserved()
_RELEASED = Released()


class _OpenAccount:
    """An account while a batch works on it. Available = balance - reserved + credit limit, kept beside them."""

    __slots__ = ("available_micros", "balance_micros", "bounded", "credit_limit_micros", "reserved_micros")

    def __init__(self, account: Account) -> None:
        self.balance_micros = account.balance_micros
        self.reserved_micros = account.reserved_micros
        self.credit_limit_micros = account.credit_limit_micros
        self.bounded = account.credit_limit_micros is not None
        self.available_micros = account.balance_micros - account.reserved_micros + (account.credit_limit_micros or 0)

    def free(self, reserved_micros: int, spent_micros: int) -> None:
        """Ends a reservation of which `spent_micros` were charged."""
        assert 0 <= spent_micros <= reserved_micros, "a capture exceeds its reservation"
        assert reserved_micros <= self.reserved_micros, "more is captured or released than was reserved"
        self.balance_micros -= spent_micros
        self.reserved_micros -= reserved_micros
        self.available_micros += reserved_micros - spent_micros

    def close(self) -> Account:
        return Account(self.balance_micros, self.reserved_micros, self.credit_limit_micros)


class _Books(dict[int, _OpenAccount]):
    """Accounts and counters opened so far, over a state that stays as it is."""

    __slots__ = ("counters", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.counters: dict[CounterKey, int] = {}

    def __missing__(self, agreement_id: int) -> _OpenAccount:
        account = self[agreement_id] = _OpenAccount(self.state.accounts[agreement_id])
        return account

    def counted(self, key: CounterKey) -> int:
        units = self.counters.get(key)
        return self.state.counters.get(key, 0) if units is None else units


def charge(state: State, events: Sequence[Event]) -> tuple[State, list[Outcome]]:
    """The state after all events, and an outcome for each, in order. `state` itself is not changed.

    KeyError for an agreement that is not in the state, AssertionError for a capture or release of what was never
    reserved: both are faults of the caller, and nothing of the batch holds then.
    """
    books = _Books(state)
    outcomes: list[Outcome] = []
    for event in events:
        if isinstance(event, Reserve):
            outcomes.append(_reserve(books, event.terms))
        elif isinstance(event, Capture):
            outcomes.append(_capture(books, event.terms, event.period_starts))
        elif isinstance(event, Release):
            outcomes.append(_release(books, event.terms))
        else:
            outcomes.append(_reverse(books, event.charges))
    accounts = {**state.accounts, **{agreement_id: account.close() for agreement_id, account in books.items()}}
    counters = {**state.counters, **books.counters} if books.counters else state.counters
    return State(accounts, counters), outcomes


def touched(events: Iterable[Event]) -> tuple[list[int], list[CounterKey]]:
    """Agreements and counters that the events read or change, each sorted: the order in which rows are to be locked."""
    agreement_ids: set[int] = set()
    keys: set[CounterKey] = set()
    for event in events:
        if isinstance(event, Reverse):
            for charged in event.charges:
                agreement_ids.add(charged.agreement_id)
            continue
        for term in event.terms:
            agreement_ids.add(term.agreement_id)
        if isinstance(event, Capture) and event.period_starts is not None:
            for term, period_start in zip(event.terms, event.period_starts, strict=True):
                if term.scale is not None:
                    keys.add(counter_key(term, period_start))
    return sorted(agreement_ids), sorted(keys)


def counter_key(term: Term, period_start: datetime | None) -> CounterKey:
    """The counter of a term with a scale, in the billing period that starts then."""
    assert term.scale is not None and period_start is not None, "a scale is captured in a billing period"
    return CounterKey(term.agreement_id, term.scale.counter_id, term.counter_group, period_start)


def posted(outcomes: Iterable[Outcome]) -> tuple[dict[int, int], dict[int, int]]:
    """What the captures and what the reversals did to the balance of each agreement, gross, in micros: ledger entries.

    Captures are negative, reversals positive; an agreement that was charged nothing but zeros is not named.
    """
    captured: dict[int, int] = {}
    reversed_: dict[int, int] = {}
    for outcome in outcomes:
        if isinstance(outcome, Captured | Reversed):
            sums = captured if isinstance(outcome, Captured) else reversed_
            for charged in outcome.charges:
                gross_micros = charged.net_micros + charged.tax_micros
                if gross_micros:
                    sums[charged.agreement_id] = sums.get(charged.agreement_id, 0) - gross_micros
    return captured, reversed_


def _reserve(books: _Books, terms: tuple[Term, ...]) -> Outcome:
    """AG-87 at every level, or nothing at any (RSL-42). A level at which nothing is due is not stopped for money."""
    for level, term in enumerate(terms):
        amount_micros = term.reserved_micros
        account = books[term.agreement_id]
        if amount_micros > account.available_micros and amount_micros and account.bounded:
            _release(books, terms[:level])
            return Lacking(level)
        account.reserved_micros += amount_micros
        account.available_micros -= amount_micros
    return _RESERVED


def _capture(books: _Books, terms: tuple[Term, ...], period_starts: tuple[datetime | None, ...] | None) -> Captured:
    """Each level pays its real price and gets its reservation back."""
    charges: list[Charged] = []
    for level, term in enumerate(terms):
        if term.scale is None:
            net_micros = term.units * term.unit_price_micros
            tax_micros = add_tax(net_micros, term.tax_bp) if term.tax_bp else 0
            charges.append(Charged(term.agreement_id, net_micros, tax_micros))
        else:
            charged = _charge_scale(books, term, None if period_starts is None else period_starts[level])
            net_micros, tax_micros = charged.net_micros, charged.tax_micros
            charges.append(charged)
        books[term.agreement_id].free(term.reserved_micros, net_micros + tax_micros)
    return Captured(tuple(charges))


def _charge_scale(books: _Books, term: Term, period_start: datetime | None) -> Charged:
    """The units at their positions; the counter moves on. Volume counts now and only now (SV-253, SV-256)."""
    scale = term.scale
    assert scale is not None
    key = counter_key(term, period_start)
    position = books.counted(key)
    pieces = tier_pieces(scale, position, term.units)
    books.counters[key] = position + term.units
    net_micros = sum([units * price_micros for _, units, price_micros in pieces])
    tax_micros = add_tax(net_micros, term.tax_bp) if term.tax_bp else 0
    return Charged(term.agreement_id, net_micros, tax_micros, pieces, position)


def _release(books: _Books, terms: tuple[Term, ...]) -> Released:
    for term in terms:
        books[term.agreement_id].free(term.reserved_micros, 0)
    return _RELEASED


def _reverse(books: _Books, charges: tuple[Charged, ...]) -> Reversed:
    """Pays back exactly what was charged. Counters stand: no later unit may get a position already used (SV-254)."""
    refunds: list[Charged] = []
    for charged in charges:
        gross_micros = charged.net_micros + charged.tax_micros
        account = books[charged.agreement_id]
        account.balance_micros += gross_micros
        account.available_micros += gross_micros
        pieces = tuple([(tier, -units, price_micros) for tier, units, price_micros in charged.pieces])
        refunds.append(Charged(charged.agreement_id, -charged.net_micros, -charged.tax_micros, pieces))
    return Reversed(tuple(refunds))
