"""Periodicity: how often a fee is due (SV-86, SID-30)."""

from relais.core.rating.attributes.attribute import Attribute, Family, one_of
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.PERIODICITY,
    one_of("monthly", "weekly"),
    frozenset({Family.USAGE_FEE}),
)
