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

# ISO codes of the countries of each market; every other country is in Other.
_COUNTRIES = {
    "Argentina": "AR",
    "Bangladesh": "BD",
    "Brazil": "BR",
    "Chile": "CL",
    "Colombia": "CO",
    "Egypt": "EG",
    "France": "FR",
    "Germany": "DE",
    "Hong Kong": "HK",
    "Hungary": "HU",
    "India": "IN",
    "Indonesia": "ID",
    "Iraq": "IQ",
    "Israel": "IL",
    "Italy": "IT",
    "Kazakhstan": "KZ",
    "Kuwait": "KW",
    "Malaysia": "MY",
    "Mexico": "MX",
    "Morocco": "MA",
    "Nepal": "NP",
    "Netherlands": "NL",
    "Nigeria": "NG",
    "North America": "AS CA GU MP US VI",
    "Oman": "OM",
    "Pakistan": "PK",
    "Peru": "PE",
    "Poland": "PL",
    "Qatar": "QA",
    "Rest of Africa": (
        "AO BF BI BJ BW CG CI CM DZ ER ET GA GH GM GW KE LR LS LY MG ML MR MW MZ NA NE RW SD SL SN SO SS "
        "SZ TD TG TN TZ UG ZM ZW"
    ),
    "Rest of Asia Pacific": "AF AU CN JP KH LA MN NZ PG PH TH TJ TM TW UZ VN",
    "Rest of Central & Eastern Europe": "AL AM AZ BG BY CZ GE GR HR LT LV MD MK RS SI SK",
    "Rest of Latin America": "BO CR DO EC GT HN HT JM NI PA PR PY SV UY VE",
    "Rest of Middle East": "BH JO LB YE",
    "Rest of Western Europe": "AT BE CH DK FI IE NO PT SE",
    "Romania": "RO",
    "Russia": "RU",
    "Saudi Arabia": "SA",
    "Singapore": "SG",
    "South Africa": "ZA",
    "Spain": "ES",
    "Sri Lanka": "LK",
    "Turkey": "TR",
    "Ukraine": "UA",
    "United Arab Emirates": "AE",
    "United Kingdom": "GB",
}
_REGION_OF = {iso: region for region, isos in _COUNTRIES.items() for iso in isos.split()}


def region_of(iso: str) -> str:
    """The market that a country belongs to."""
    return _REGION_OF.get(iso, "Other")
