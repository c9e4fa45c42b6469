"""Messages: what clients handed over, where it is, and what it cost them. A message opens on a page of its own."""

from relais.pages.choices import COUNTRY_NAMES
from relais.pages.entity import Column, Entity, Filter, Menu
from relais.pages.kinds import Choice, Code, Computed, Instant, Kind, Money, Number
from relais.pages.traffic import STATE, MessageId, network_name, reach_of_messages, state_choices, with_price
from relais.records.catalog.models import Country, Network
from relais.records.parties.models import Company
from relais.records.traffic.models import Encoding, Message

MESSAGES = Entity(
    name="messages",
    model=Message,
    label="Message",
    plural="Messages",
    line="Messages",
    menu=Menu("Traffic", 20),
    columns=(
        Column("id", "ID", MessageId(), path="pk"),
        Column("accepted", "Accepted", Instant(seconds=True), path="accepted_at", sort="pk", phone="m3"),
        Column("status", "Status", STATE, path="state", sort=None, phone="m4"),
        Column("company", "Company", Kind(), path="company_name", sort=None),
        Column("sender", "Sender ID", Kind(), path="source", sort=None),
        Column("destination", "Destination", Kind(), sort=None, phone="m1"),
        Column("network", "Network", Computed(network_name), sort=None),
        Column("segments", "Segments", Number(), path="segments_count", sort=None, shown=False),
        Column("price", "Price", Money("currency", decimals=4), path="price_micros", sort=None, phone="m2"),
        Column("client_ref", "Client reference", Kind(), sort=None, shown=False),
        Column("error", "Vendor status", Code(), sort=None),
        Column("country", "Country", Choice(COUNTRY_NAMES), path="country_id", sort=None, shown=False),
        Column("encoding", "Encoding", Choice(dict(Encoding.choices)), sort=None, shown=False),
        Column("send_at", "Scheduled for", Instant(), sort=None, shown=False),
        Column("final_at", "Final", Instant(seconds=True), sort=None, shown=False),
        Column("api_key", "API key", Kind(), path="api_key_name", sort=None, shown=False),
    ),
    filters=(
        Filter("accepted", "Accepted", "instant", path="id"),
        Filter("status", "Status", "choice", path="state", choices=state_choices),
        Filter("company", "Company", "reference", of=Company),
        Filter("sender", "Sender ID", path="source"),
        Filter("destination", "Destination"),
        Filter("country", "Country", "reference", of=Country),
        Filter("network", "Network", "reference", of=Network),
        Filter("client_ref", "Client reference"),
        Filter("error", "Vendor status"),
    ),
    search=("id",),
    search_hint="Message ID",
    rows=with_price,
    reach=reach_of_messages,
    own_page="message",
    empty=(
        "Messages appear here as soon as a client sends one. It needs an agreement, an enabled service, a sender ID, "
        "an API key and a vendor connection."
    ),
)
