"""Pricing type: whether Meta bills a message, or why not (SV-150)."""

from relais.core.rating.attributes.attribute import Attribute, Family, one_of
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.PRICING_TYPE,
    one_of("regular", "free_customer_service", "free_entry_point"),
    frozenset({Family.WHATSAPP}),
)
