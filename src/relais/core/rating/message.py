"""What a message owes at one level of its chain: its sources are asked in order, the answer becomes a `Term`.

Net prices become gross reservations here (ruling 19). Which chain, agreement and scope hold is the caller's knowledge.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from relais.core.money import add_tax
from relais.core.rating.quantity import units_of
from relais.core.rating.tree import Attributes, lookup
from relais.core.rating.types import (
    Answer,
    BillingRule,
    Cover,
    CoverKind,
    Domain,
    Rate,
    Resource,
    Scale,
    Term,
    Tree,
)
from relais.core.refusals import Refusal


class PackSource(msgspec.Struct, frozen=True):
    """A pack on an agreement with the tree that says what it includes. `kind` is UNITS, MONEY or MEMBERS."""

    id: int
    kind: CoverKind
    tree: Tree


class Level(msgspec.Struct, frozen=True):
    """One level of a chain as a snapshot holds it: who pays, the tax of the version in force, and the rate sources.

    `sources` are the pay-as-you-go trees; `packs` are asked before them, the oldest first (SV-245). `initiators` say what
    the `bundle_packs` count beside the sources (SV-220). `period_start` is that of the billing period now; it is needed
    where a scale `holds`.
    """

    agreement_id: int
    tax_bp: int
    sources: Sequence[Tree]
    packs: Sequence[PackSource] = ()
    initiators: Sequence[Tree] = ()
    bundle_packs: Sequence[PackSource] = ()
    period_start: datetime | None = None

    @property
    def plain(self) -> bool:
        """Whether nothing but the pay-as-you-go trees has a say."""
        return not self.packs and not (self.initiators and self.bundle_packs)


class Bundle(msgspec.Struct, frozen=True, gc=False):
    """What a bundle pack makes of the recipient: `known` in it already; a place `inside`; or one `beyond` its size, at the
    price of a member, or refused where there is no such price."""

    known: Term
    inside: Term
    beyond: Term | Refusal


class Option(msgspec.Struct, frozen=True, gc=False):
    """A source that includes the message, and the bundle packs that count its recipient, the oldest first."""

    term: Term
    bundles: tuple[Bundle, ...] = ()


class Offer(msgspec.Struct, frozen=True, gc=False):
    """What one level can be charged by, in the order of the sources; `refusal` when none of them has room."""

    options: tuple[Option, ...]
    refusal: Refusal


Route = tuple[Offer, ...]
"""One offer a level, client first."""


def rate_message(
    level: Level, domain: str, resource: str, attributes: Attributes, segments_count: int
) -> Term | Refusal:
    """What one message of `segments_count` >= 1 segments owes at `level`.

    `DESTINATION_BLOCKED` as soon as a source blocks it; `RATE_NOT_FOUND` when no source includes it (SV-244 to SV-246).
    """
    for tree in level.sources:
        rate = lookup(tree, domain, resource, attributes)
        if rate is None:
            continue
        if isinstance(rate, Answer):
            return Refusal.DESTINATION_BLOCKED
        return term_of(level, rate, attributes, segments_count)
    return Refusal.RATE_NOT_FOUND


def term_of(level: Level, rate: Rate, attributes: Attributes, segments_count: int, duration_s: int = 0) -> Term:
    """The term of a rate already found. It depends on nothing but the arguments, so a caller may keep and share it. A call
    is reserved with one unit, and exchanged for the term of its duration once that is known."""
    units = units_of(rate.quantity_rule, segments_count, duration_s)
    tax_bp = level.tax_bp
    reserved_micros = units * rate.dearest_micros
    if tax_bp:
        reserved_micros += add_tax(reserved_micros, tax_bp)
    delivered = rate.billing_rule is BillingRule.DELIVERED
    scale = rate.scale
    if scale is None:
        return Term(
            level.agreement_id, rate.node_id, units, rate.price_micros, reserved_micros, tax_bp, delivered, None, ""
        )
    return Term(
        level.agreement_id,
        rate.node_id,
        units,
        rate.price_micros,
        reserved_micros,
        tax_bp,
        delivered,
        scale,
        counter_group(scale, attributes),
        held_from=level.period_start if scale.holds else None,
    )


def offer_message(
    level: Level, domain: str, resource: str, attributes: Attributes, segments_count: int
) -> Offer | Refusal:
    """Everything that the message could be charged by at `level`; a refusal when that is nothing, whatever packs hold."""
    last = rate_message(level, domain, resource, attributes, segments_count)
    price = None if isinstance(last, Refusal) else last
    options: list[Option] = []
    refusal = last if isinstance(last, Refusal) else Refusal.RATE_NOT_FOUND
    for pack in level.packs:
        included = lookup(pack.tree, domain, resource, attributes)
        if isinstance(included, Answer):
            price, refusal = None, Refusal.DESTINATION_BLOCKED
            break
        term = None if included is None else _term_of_pack(level, pack, included, price, attributes, segments_count)
        if term is not None:
            options.append(_with_bundles(level, term, domain, resource, attributes))
    if price is not None:
        options.append(_with_bundles(level, price, domain, resource, attributes))
    return Offer(tuple(options), refusal) if options else refusal


def _term_of_pack(
    level: Level, pack: PackSource, included: Rate, price: Term | None, attributes: Attributes, segments_count: int
) -> Term | None:
    """What the pack would pay, at the billing moment that its own tree says; None when a monetary pack has no price to go by
    (SV-56). It pays net: the tax was paid with the pack (SV-288)."""
    term = term_of(level, included, attributes, segments_count)
    cover = Cover(pack.kind, pack.id)
    if pack.kind is CoverKind.UNITS:
        return replace(term, reserved_micros=0, tax_bp=0, cover=cover, cover_amount=term.units)
    if price is None:
        return None
    net_micros = price.units * (max(price.scale.prices_micros) if price.scale else price.unit_price_micros)
    return replace(price, reserved_micros=0, delivered=term.delivered, cover=cover, cover_amount=net_micros)


def _with_bundles(level: Level, term: Term, domain: str, resource: str, attributes: Attributes) -> Option:
    """The option with what its member costs, if an initiator includes the message; counted when the term is (SV-220)."""
    if not level.bundle_packs or not any(
        isinstance(lookup(initiator, domain, resource, attributes), Rate) for initiator in level.initiators
    ):
        return Option(term)
    priced = rate_message(level, Domain.BUNDLE_GROUPING, Resource.BUNDLE_MEMBER, attributes, 1)
    bundles = []
    for pack in level.bundle_packs:
        counted = lookup(pack.tree, Domain.BUNDLE_GROUPING, Resource.BUNDLE_MEMBER, attributes)
        if isinstance(counted, Rate):
            cover = Cover(CoverKind.MEMBERS, pack.id)
            unpriced = term_of(level, counted, attributes, 1)
            base = replace(
                priced if isinstance(priced, Term) else unpriced, delivered=term.delivered, cover=cover, held_from=None
            )
            known = replace(base, reserved_micros=0)
            beyond = replace(base, held_from=priced.held_from) if isinstance(priced, Term) else priced
            bundles.append(Bundle(known, replace(known, cover_amount=1), beyond))
    return Option(term, tuple(bundles))


def restore_term(
    agreement_id: int,
    rate: Rate,
    units: int,
    reserved_micros: int,
    tax_bp: int,
    delivered: bool,
    attributes: Attributes,
    cover: Cover | None = None,
    cover_amount: int = 0,
    held_from: datetime | None = None,
) -> Term:
    """The term of a message stored earlier, from what its row keeps and the rate of its node (`rates_of_nodes`).

    `attributes` need to hold the parameters of counter groups only: sender ID, country, network, MCC-MNC. `held_from` is
    the start of the billing period of acceptance; it counts where the scale `holds`.
    """
    scale = rate.scale
    group = "" if scale is None else counter_group(scale, attributes)
    known = cover is not None and cover.kind is CoverKind.MEMBERS and not reserved_micros
    held_from = held_from if scale is not None and scale.holds and not known else None
    return Term(
        agreement_id, rate.node_id, units, rate.price_micros, reserved_micros, tax_bp, delivered, scale, group,
        cover, cover_amount, held_from,
    )  # fmt: skip


def counter_group(scale: Scale, attributes: Attributes) -> str:
    """Which of the scale's counters counts these attributes: one counter a combination of values (SV-285).

    Values of groups are ids and codes, so "/" cannot occur in them; what is not known counts together.
    """
    if not scale.counter_group:
        return ""
    return "/".join([attributes.get(parameter) or "" for parameter in scale.counter_group])
