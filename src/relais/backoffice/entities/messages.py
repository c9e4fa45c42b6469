"""Messages: what clients handed over, where it is, and what it cost them. A message opens on a page of its own."""

from collections.abc import Mapping
from typing import Any

from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from relais.backoffice import traffic
from relais.backoffice.choices import COUNTRY_NAMES
from relais.backoffice.traffic import STATE, MessageId, network_name, state_choices
from relais.pages.entity import Column, Entity, Filter, Menu
from relais.pages.kinds import Choice, Code, Computed, Instant, Kind, Money, Number
from relais.records.agreements.models import Agreement
from relais.records.catalog.models import Country, Network
from relais.records.parties.models import Company
from relais.records.traffic.models import Edr, Encoding, Message


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With where each is and its price at the client's level: reserved, then what is in force of it."""
    charged = Edr.objects.filter(message=OuterRef("pk"), level=0).values("message")
    agreement = Agreement.objects.filter(pk=OuterRef("agreement_ids__0"))
    return (
        rows.with_state()
        .select_related("company", "network", "api_key")
        .defer("body", "node_ids", "units", "tax_bp")
        .annotate(
            price_micros=Coalesce(
                Subquery(charged.annotate(sum=Sum(F("net_micros") + F("tax_micros"))).values("sum")),
                F("reserved_micros__0"),
                output_field=BigIntegerField(),
            ),
            currency=Subquery(agreement.values("currency")),
        )
    )


def _reach(rows: QuerySet[Any], values: Mapping[str, Any]) -> tuple[QuerySet[Any], str]:
    return traffic.reach(rows, values, "pk", traffic.REACH_MESSAGES_COUNT)


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
        Column("company", "Company", Kind(), path="company__name", sort=None),
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
        Column("api_key", "API key", Kind(), path="api_key__name", sort=None, shown=False),
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
    rows=_rows,
    reach=_reach,
    own_page="message",
    empty=(
        "Messages appear here as soon as a client sends one. It needs an agreement, an enabled service, a sender ID, "
        "an API key and a vendor connection."
    ),
)
