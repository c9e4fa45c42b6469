"""What a term costs at its billing moment, and what is paid back of it when the message turns out unsent."""

from datetime import datetime

from relais.core.charging.books import PAID_BY_PACK, Books, counter_key, member_of
from relais.core.charging.types import Charged, CounterKey
from relais.core.money import add_tax
from relais.core.rating.scale import tier_of, tier_pieces
from relais.core.rating.types import CoverKind, Scale, Term

_Pieces = tuple[tuple[int, int, int], ...]


def capture(books: Books, term: Term, period_start: datetime | None, recipient: str) -> Charged:
    """A term with a cover or a scale: its pack is asked first, its counter moves on, its reservation ends."""
    cover = term.cover
    if cover is not None and cover.kind is CoverKind.UNITS:
        books.pack(cover.id).free(term.cover_amount, term.units)
        return Charged(term.agreement_id, 0, 0, taken=term.units)
    account = books[term.agreement_id]
    due, taken = True, 0
    if cover is not None:
        due, taken = _asked_of_cover(books, term, recipient)
    net_micros = correction_micros = 0
    pieces: _Pieces = ()
    position: int | None = None
    key: CounterKey | None = None
    if due and term.scale is not None:
        key = counter_key(term, period_start)
        position = books.counted(key)
        pieces, correction_micros = _priced(books, term.scale, key, position, term.units)
        net_micros = sum([units * price_micros for _, units, price_micros in pieces])
        books.counters[key] = position + term.units
    elif due:
        net_micros = term.units * term.unit_price_micros
    if cover is not None and cover.kind is CoverKind.MONEY:
        net_micros, taken = 0, net_micros
    tax_micros = add_tax(net_micros, term.tax_bp) if term.tax_bp else 0
    reserved_micros, gross_micros = term.reserved_micros, net_micros + tax_micros
    if taken or term.cover_amount:
        assert cover is not None
        reserved_micros += books.leave(term, recipient, taken, reserved_micros)
        if term.cover_amount and gross_micros > reserved_micros:  # the price of a member rose meanwhile
            account.reserve(gross_micros - reserved_micros)
            reserved_micros = gross_micros
    account.free(reserved_micros, gross_micros)
    correction_tax_micros = add_tax(correction_micros, term.tax_bp) if term.tax_bp else 0
    account.post(-correction_micros - correction_tax_micros)
    if term.scale is not None and term.scale.back_to_first:
        _move_hold(books, term, key, void=term.units if cover is not None and cover.kind is CoverKind.MONEY else 0)
    return Charged(
        term.agreement_id,
        net_micros,
        tax_micros,
        pieces,
        position,
        None if key is None else key.period_start,
        taken,
        correction_micros,
        correction_tax_micros,
    )


def pay_back(books: Books, charged: Charged, term: Term | None) -> Charged:
    """Exactly what was charged, and what was taken of a pack. Counters and members stand: no later unit may get a position
    already used (SV-254). What Back-to-First made of the price since then is corrected with it."""
    net_micros, tax_micros = charged.net_micros, charged.tax_micros
    account = books[charged.agreement_id]
    account.post(net_micros + tax_micros)
    taken = correction_micros = correction_tax_micros = 0
    if term is not None and term.cover is not None and term.cover.kind in PAID_BY_PACK:
        books.pack(term.cover.id).free(0, -charged.taken)
        taken = -charged.taken
    elif term is not None and term.scale is not None and term.scale.back_to_first and charged.period_start is not None:
        key = counter_key(term, charged.period_start)
        price_micros = term.scale.prices_micros[tier_of(term.scale, books.counted(key))]
        correction_micros = net_micros - term.units * price_micros
        correction_tax_micros = add_tax(correction_micros, term.tax_bp) if term.tax_bp else 0
        account.post(-correction_micros - correction_tax_micros)
        account.reserve(books.hold(term, key, 0, term.units))
    return Charged(
        charged.agreement_id,
        -net_micros,
        -tax_micros,
        tuple([(tier, -units, price_micros) for tier, units, price_micros in charged.pieces]),
        None,
        charged.period_start,
        taken,
        correction_micros,
        correction_tax_micros,
    )


def _asked_of_cover(books: Books, term: Term, recipient: str) -> tuple[bool, int]:
    """Whether the price of the term is due, and what its pack gives, if that is no money."""
    cover = term.cover
    assert cover is not None
    if cover.kind is CoverKind.MONEY:
        return True, 0
    member = member_of(term, recipient)
    assert member is not None
    if books.is_member(member):
        return False, 0
    books.members.add(member)
    if cover.kind is CoverKind.SESSION:
        return True, 0
    pack = books.pack(cover.id)
    return pack.used >= pack.size and (pack.held_micros > 0 or not term.cover_amount), 1


def _priced(books: Books, scale: Scale, key: CounterKey, position: int, units: int) -> tuple[_Pieces, int]:
    """The units by tier, and the net difference for those before them where Back-to-First passes a threshold."""
    if not scale.back_to_first:
        return tier_pieces(scale, position, units), 0
    tier = tier_of(scale, position + units)
    price_micros = scale.prices_micros[tier]
    former_micros = scale.prices_micros[tier_of(scale, position)]
    charged_units = position - books.held(key).void
    return ((tier, units, price_micros),), charged_units * (price_micros - former_micros)


def _move_hold(books: Books, term: Term, key: CounterKey | None, void: int) -> None:
    """The counter of the reservation lets go of the units; the one that counted them has less ahead of it."""
    account = books[term.agreement_id]
    if term.held_from is not None:
        held_key = counter_key(term, term.held_from)
        account.reserve(books.hold(term, held_key, -term.units))
    if key is not None and (void or key in books.holds or key in books.state.holds):
        account.reserve(books.hold(term, key, 0, void))
