"""Direction: whether a message goes out, A2P (MT), or comes in, P2A (MO) (SV-85)."""

from relais.core.rating.attributes.attribute import Attribute, Family, one_of
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.DIRECTION,
    one_of("A2P", "P2A"),
    frozenset({Family.TRAFFIC}),
)
