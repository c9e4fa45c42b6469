"""MNO: the operator company of the dictionary, which may run several networks (SV-284, SID-248)."""

from relais.core.rating.attributes.attribute import WORD, Attribute, Family
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.MNO,
    WORD,
    frozenset({Family.TRAFFIC, Family.SETUP_FEE, Family.USAGE_FEE}),
)
