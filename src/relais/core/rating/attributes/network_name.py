"""Network name: the same by name alone, whatever the country (SV-284)."""

from relais.core.rating.attributes.attribute import WORD, Attribute, Family
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.NETWORK_NAME,
    WORD,
    frozenset({Family.TRAFFIC}),
)
