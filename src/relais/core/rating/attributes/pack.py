"""Pack: the pack that is bought, by the id of its service (SV-77)."""

from relais.core.rating.attributes.attribute import ID, Attribute, Family
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.PACK,
    ID,
    frozenset({Family.PACK}),
)
