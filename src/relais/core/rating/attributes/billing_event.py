"""Billing event: what kind of RCS message it is (SV-180)."""

from relais.core.rating.attributes.attribute import Attribute, Family, one_of
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.BILLING_EVENT,
    one_of("basic", "conversation", "single"),
    frozenset({Family.RCS}),
)
