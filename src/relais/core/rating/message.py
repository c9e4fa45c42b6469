"""What a message owes at one level of its chain: its sources are asked in order, the answer becomes a `Term`.

Net prices become gross reservations here (ruling 19). Which chain, agreement and scope hold is the caller's knowledge.
"""

from collections.abc import Sequence

import msgspec

from relais.core.money import add_tax
from relais.core.rating.tree import Attributes, lookup
from relais.core.rating.types import Answer, BillingRule, QuantityRule, Rate, Scale, Term, Tree
from relais.core.refusals import Refusal


class Level(msgspec.Struct, frozen=True):
    """One level of a chain as a snapshot holds it: who pays, the tax of the version in force, and the rate sources.

    `sources` are in the order in which they are asked (SV-245): the packs will come first, pay-as-you-go is the last.
    """

    agreement_id: int
    tax_bp: int
    sources: Sequence[Tree]


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


def term_of(level: Level, rate: Rate, attributes: Attributes, segments_count: int) -> Term:
    """The term of a rate already found. It depends on nothing but the arguments, so a caller may keep and share it."""
    units = segments_count if rate.quantity_rule is QuantityRule.SEGMENTS else 1
    tax_bp = level.tax_bp
    reserved_micros = units * rate.dearest_micros
    if tax_bp:
        reserved_micros += add_tax(reserved_micros, tax_bp)
    scale = rate.scale
    return Term(
        level.agreement_id,
        rate.node_id,
        units,
        rate.price_micros,
        reserved_micros,
        tax_bp,
        rate.billing_rule is BillingRule.DELIVERED,
        scale,
        "" if scale is None else counter_group(scale, attributes),
    )


def restore_term(
    agreement_id: int,
    rate: Rate,
    units: int,
    reserved_micros: int,
    tax_bp: int,
    delivered: bool,
    attributes: Attributes,
) -> Term:
    """The term of a message stored earlier, from what its row keeps and the rate of its node (`rates_of_nodes`).

    `attributes` need to hold the parameters of counter groups only: sender ID, country, network, MCC-MNC.
    """
    scale = rate.scale
    group = "" if scale is None else counter_group(scale, attributes)
    return Term(agreement_id, rate.node_id, units, rate.price_micros, reserved_micros, tax_bp, delivered, scale, group)


def counter_group(scale: Scale, attributes: Attributes) -> str:
    """Which of the scale's counters counts these attributes: one counter a combination of values (SV-285).

    Values of groups are ids and codes, so "/" cannot occur in them; what is not known counts together.
    """
    if not scale.counter_group:
        return ""
    return "/".join([attributes.get(parameter) or "" for parameter in scale.counter_group])
