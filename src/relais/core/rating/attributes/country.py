"""Country: the ISO 3166 country of the recipient, alpha-2 (SV-284)."""

import re

from relais.core.rating.attributes.attribute import Attribute, Family
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.COUNTRY,
    re.compile(r"[A-Z]{2}"),
    frozenset({Family.TRAFFIC}),
    counts=True,
)
