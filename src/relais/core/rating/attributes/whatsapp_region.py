"""WhatsApp region: Meta's region that a message goes to (SV-148)."""

from relais.core.rating.attributes.attribute import WORD, Attribute, Family
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.WHATSAPP_REGION,
    WORD,
    frozenset({Family.WHATSAPP}),
)
