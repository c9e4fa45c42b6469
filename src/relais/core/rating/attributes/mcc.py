"""MCC: the country code of the recipient's network, 3 digits (SV-284)."""

import re

from relais.core.rating.attributes.attribute import Attribute, Family
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.MCC,
    re.compile(r"[0-9]{3}"),
    frozenset({Family.TRAFFIC}),
)
