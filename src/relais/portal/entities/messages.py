"""Messages of the company, with what they cost it; what its seller pays for them is shown to nobody here."""

from relais.pages.choices import COUNTRY_NAMES
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.kinds import Choice, Code, Computed, Instant, Kind, Money, Number
from relais.pages.traffic import STATE, MessageId, network_name, reach_of_messages, state_choices, with_price
from relais.records.catalog.models import Country, Network
from relais.records.traffic.models import Message

MESSAGES = Entity(
    name="messages",
    model=Message,
    label="Message",
    plural="Messages",
    line="Messages",
    menu=Menu("Statistics", 20),
    columns=(
        Column("id", "ID", MessageId(), path="pk"),
        Column("accepted", "Accepted", Instant(seconds=True), path="accepted_at", sort="pk", phone="m3"),
        Column("status", "Status", STATE, path="state", sort=None, phone="m4"),
        Column("sender", "Sender ID", Kind(), path="source", sort=None),
        Column("destination", "Destination", Kind(), sort=None, phone="m1"),
        Column("country", "Country", Choice(COUNTRY_NAMES), path="country_id", sort=None),
        Column("network", "Network", Computed(network_name), sort=None),
        Column("segments", "Segments", Number(), path="segments_count", sort=None),
        Column("price", "Price", Money("currency", decimals=4), path="price_micros", sort=None, phone="m2"),
        Column("client_ref", "Client reference", Kind(), sort=None, shown=False),
        Column("error", "Error", Code(), sort=None, shown=False),
        Column("send_at", "Scheduled for", Instant(), sort=None, shown=False),
        Column("final_at", "Final", Instant(seconds=True), sort=None, shown=False),
    ),
    filters=(
        Filter("accepted", "Accepted", "instant", path="id"),
        Filter("status", "Status", "choice", path="state", choices=state_choices),
        Filter("sender", "Sender ID", path="source"),
        Filter("destination", "Destination"),
        Filter("country", "Country", "reference", of=Country),
        Filter("network", "Network", "reference", of=Network),
        Filter("client_ref", "Client reference"),
    ),
    search=("id",),
    search_hint="Message ID",
    sections=(
        Section("Message", ("status", "sender", "destination", "country", "network", "client_ref")),
        Section("Progress", ("accepted", "send_at", "final_at", "error")),
        Section("Price", ("segments", "price")),
    ),
    rows=with_price,
    reach=reach_of_messages,
    empty="Messages appear here as soon as your company sends one. It needs an enabled service and a sender ID.",
)
