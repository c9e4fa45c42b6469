"""Phone number: the number of the recipient, E.164 digits without the plus sign (SV-84)."""

import re

from relais.core.rating.attributes.attribute import Attribute, Family
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.PHONE_NUMBER,
    re.compile(r"[1-9][0-9]{6,14}"),
    frozenset({Family.TRAFFIC}),
)
