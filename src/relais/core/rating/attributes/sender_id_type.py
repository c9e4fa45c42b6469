"""Sender ID type: what kind of sender ID it is (SV-87)."""

from relais.core.rating.attributes.attribute import Attribute, Family, one_of
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.SENDER_ID_TYPE,
    one_of("alphanumeric", "short_code", "long_code"),
    frozenset({Family.TRAFFIC, Family.SETUP_FEE, Family.USAGE_FEE}),
)
