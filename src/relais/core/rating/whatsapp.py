"""Pricing of WhatsApp messages: Meta says afterwards which category and type a message was (SV-146 to SV-170, SV-280)."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import replace

from relais.core.rating.tree import has_own_node, lookup
from relais.core.rating.types import Answer, Domain, Parameter, PriceType, Rate, Resource, Tree

REGULAR = "regular"
FREE_TYPES = frozenset({"free_customer_service", "free_entry_point"})

# What a template of a category, or no template, may be reported as.
REPORTED_AS: Mapping[str | None, tuple[str, ...]] = MappingProxyType(
    {
        "authentication": ("authentication", "authentication_international"),
        "marketing": ("marketing", "marketing_lite"),
        "utility": ("utility",),
        None: ("service",),
    }
)

_MESSAGE = (Domain.WHATSAPP_MESSAGING, Resource.WHATSAPP_MESSAGE)


def reported_rate(tree: Tree, attributes: Mapping[Parameter, str]) -> Rate | Answer | None:
    """The rate of a message whose category and pricing type Meta has reported, both in `attributes`.

    A type that is free costs nothing unless it has a node of its own (SV-169); a price without types is that of Regular.
    """
    if attributes.get(Parameter.PRICING_TYPE) not in FREE_TYPES or has_own_node(
        tree, *_MESSAGE, attributes, Parameter.PRICING_TYPE
    ):
        return lookup(tree, *_MESSAGE, attributes)
    rate = lookup(tree, *_MESSAGE, {**attributes, Parameter.PRICING_TYPE: REGULAR})
    if not isinstance(rate, Rate):
        return rate
    return replace(rate, price_type=PriceType.FREE, price_micros=0, scale=None, dearest_micros=0)


def rate_to_reserve(
    tree: Tree, attributes: Mapping[Parameter, str], template_category: str | None
) -> Rate | Answer | None:
    """The dearest that a message may be reported as, before Meta has said anything; None = no template (SV-280)."""
    answers = [
        lookup(
            tree,
            *_MESSAGE,
            {**attributes, Parameter.PRICING_CATEGORY: category, Parameter.PRICING_TYPE: REGULAR},
        )
        for category in REPORTED_AS[template_category]
    ]
    rates = [answer for answer in answers if isinstance(answer, Rate)]
    return max(rates, key=lambda rate: rate.dearest_micros) if rates else answers[0]
