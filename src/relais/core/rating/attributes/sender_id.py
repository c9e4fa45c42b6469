"""Sender ID: the record of the sender ID, by its id (SV-84, SV-98)."""

from relais.core.rating.attributes.attribute import ID, Attribute, Family
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.SENDER_ID,
    ID,
    frozenset({Family.TRAFFIC}),
    counts=True,
)
