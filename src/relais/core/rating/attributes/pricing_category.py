"""Pricing category: what Meta takes a message for (SV-149)."""

from relais.core.rating.attributes.attribute import Attribute, Family, one_of
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.PRICING_CATEGORY,
    one_of(
        "authentication",
        "authentication_international",
        "marketing",
        "marketing_lite",
        "utility",
        "service",
        "referral_conversion",
    ),
    frozenset({Family.WHATSAPP}),
)
