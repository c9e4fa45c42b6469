"""Additional service: the key of an additional service (SV-79)."""

from relais.core.rating.attributes.attribute import WORD, Attribute, Family
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.ADDITIONAL_SERVICE,
    WORD,
    frozenset({Family.ADDITIONAL}),
)
