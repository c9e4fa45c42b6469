"""MCC-MNC: the full code of the network, 5 or 6 digits (SV-84, SV-284)."""

import re

from relais.core.rating.attributes.attribute import Attribute, Family
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.MCCMNC,
    re.compile(r"[0-9]{5,6}"),
    frozenset({Family.TRAFFIC}),
    counts=True,
)
