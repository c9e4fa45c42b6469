"""Messages alike but for their number share their terms, unless a price depends on the number."""

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, cast

from relais.core.rating.message import Level
from relais.core.rating.types import (
    BillingRule,
    Domain,
    Node,
    Parameter,
    PriceType,
    QuantityRule,
    Rate,
    Resource,
    Split,
    Tree,
)
from relais.core.refusals import Refusal
from relais.pipeline.rate import FOREVER, Chains, Hop

NOW = datetime(2031, 1, 1, tzinfo=UTC)


def price(node_id: int, micros: int) -> Rate:
    return Rate(node_id, PriceType.FLAT, micros, None, BillingRule.SUBMITTED, QuantityRule.SEGMENTS, micros)


def split(parameter: Parameter, children: dict[str | None, Node], others: Node = None) -> Split:
    return Split(parameter, MappingProxyType(children), others)


class OneChain(Chains):
    """A chain of one level over a tree that a test may replace."""

    def __init__(self, node: Node) -> None:
        super().__init__(cast(Any, None))
        self.replace(node)

    def replace(self, node: Node) -> None:
        tree = Tree(MappingProxyType({(Domain.SMS_MESSAGING, Resource.SMS_MESSAGE): node}))
        self.hop = Hop(Level(1, 0, (tree,)), (), None, FOREVER)

    def of(self, agreement_id: int, now: datetime) -> Hop:
        return self.hop

    def owed(self, country: str, number: str, segments_count: int = 1) -> int | Refusal:
        values = {Parameter.COUNTRY: country, Parameter.PHONE_NUMBER: number}
        terms = self.rate(1, NOW, segments_count, (7, country, None), lambda: values)
        return terms if isinstance(terms, Refusal) else terms[0].reserved_micros


def test_terms_are_made_once_for_a_kind_and_number_of_segments() -> None:
    chain = OneChain(split(Parameter.COUNTRY, {"ES": price(1, 40_000)}, price(2, 90_000)))
    first = chain.rate(1, NOW, 1, (7, "ES", None), lambda: {Parameter.COUNTRY: "ES"})
    assert chain.rate(1, NOW, 1, (7, "ES", None), lambda: cast(Any, 1 / 0)) is first
    assert [chain.owed("ES", "34600", 3), chain.owed("FR", "33600"), chain.owed("ES", "34611")] == [
        120_000,
        90_000,
        40_000,
    ]


def test_a_price_that_depends_on_the_number_is_asked_for_every_message() -> None:
    numbers = split(Parameter.PHONE_NUMBER, {"34600": price(1, 10_000)}, price(2, 20_000))
    chain = OneChain(split(Parameter.COUNTRY, {"ES": numbers}, price(3, 90_000)))
    owed = [chain.owed("ES", number) for number in ("34600", "34601", "34600", "34601")]
    assert owed == [10_000, 20_000, 10_000, 20_000]


def test_refusals_are_shared_too_and_a_new_chain_is_asked_anew() -> None:
    chain = OneChain(split(Parameter.COUNTRY, {"ES": price(1, 40_000)}))
    assert [chain.owed("FR", "33600"), chain.owed("FR", "33601")] == [Refusal.RATE_NOT_FOUND] * 2
    chain.replace(price(2, 50_000))
    assert [chain.owed("FR", "33600"), chain.owed("ES", "34600")] == [50_000, 50_000]
