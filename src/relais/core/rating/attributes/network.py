"""Network: one network of the dictionary within a country, by its id (SV-284)."""

from relais.core.rating.attributes.attribute import ID, Attribute, Family
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.NETWORK,
    ID,
    frozenset({Family.TRAFFIC}),
    counts=True,
)
