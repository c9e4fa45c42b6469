"""WhatsApp region: Meta's region that a message goes to (SV-148)."""

from relais.core.rating.attributes.attribute import WORD, Attribute, Family
from relais.core.rating.types import Parameter

ATTRIBUTE = Attribute(
    Parameter.WHATSAPP_REGION,
    WORD,
    frozenset({Family.WHATSAPP}),
)

# Meta's markets since 1 Oct 2026, as its rate cards name them.
REGIONS = (
    "Argentina", "Bangladesh", "Brazil", "Chile", "Colombia", "Egypt", "France", "Germany", "Hong Kong", "Hungary", "India",
    "Indonesia", "Iraq", "Israel", "Italy", "Kazakhstan", "Kuwait", "Malaysia", "Mexico", "Morocco", "Nepal", "Netherlands",
    "Nigeria", "North America", "Oman", "Other", "Pakistan", "Peru", "Poland", "Qatar", "Rest of Africa",
    "Rest of Asia Pacific", "Rest of Central & Eastern Europe", "Rest of Latin America", "Rest of Middle East",
    "Rest of Western Europe", "Romania", "Russia", "Saudi Arabia", "Singapore", "South Africa", "Spain", "Sri Lanka", "Turkey",
    "Ukraine", "United Arab Emirates", "United Kingdom",
)  # fmt: skip
