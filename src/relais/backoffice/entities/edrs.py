"""EDRs: what each level was charged for a message, or not. Of a chain a company sees the levels it sells and buys at."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from relais.pages import traffic
from relais.pages.choices import COUNTRY_NAMES
from relais.pages.entity import Column, Entity, Filter, Menu
from relais.pages.kinds import Choice, Computed, Instant, Kind, Money, Number
from relais.pages.traffic import ENTRY, MessageId, network_name
from relais.records.agreements.models import Agreement
from relais.records.catalog.models import Country, Network
from relais.records.parties.models import Company
from relais.records.traffic.models import Edr, Entry


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With the message's number and network, but not with its text or its sender: a level above may see the charge only."""
    return rows.select_related("message__network", "agreement__company").only(
        "level", "entry", "net_micros", "tax_micros", "at", "units",
        "message__destination", "message__country", "message__network__name",
        "agreement__agreement_code", "agreement__currency", "agreement__company__name",
    )  # fmt: skip


def _reach(rows: QuerySet[Any], values: Mapping[str, Any]) -> tuple[QuerySet[Any], str]:
    return traffic.reach(rows, values, "message__id", traffic.REACH_EDRS_MESSAGES_COUNT)


EDRS = Entity(
    name="edrs",
    model=Edr,
    label="EDR",
    plural="EDRs",
    line="EDRs",
    menu=Menu("Traffic", 30),
    columns=(
        Column("id", "Message ID", MessageId(), path="pk"),
        Column("accepted", "Accepted", Instant(seconds=True), path="accepted_at", sort="pk", phone="m3"),
        Column("at", "Billed", Instant(seconds=True), sort=None, shown=False),
        Column("entry", "Charge", ENTRY, sort=None, phone="m4"),
        Column("company", "Company", Kind(), path="agreement__company__name", sort=None, phone="m1"),
        Column("agreement", "Agreement", Kind(), path="agreement__agreement_code", sort=None),
        Column("destination", "Destination", Kind(), path="message__destination", sort=None),
        Column("country", "Country", Choice(COUNTRY_NAMES), path="message__country_id", sort=None, shown=False),
        Column("network", "Network", Computed(network_name), sort=None),
        Column("units", "Units", Number(), sort=None),
        Column("total", "Amount", Money("agreement__currency", decimals=4), path="gross_micros", sort=None, phone="m2"),
        Column("net", "Net", Money("agreement__currency", decimals=4), path="net_micros", sort=None, shown=False),
        Column("tax", "Tax", Money("agreement__currency", decimals=4), path="tax_micros", sort=None, shown=False),
        Column("level", "Level", Number(), sort=None, shown=False),
    ),
    filters=(
        Filter("accepted", "Accepted", "instant", path="message__id"),
        Filter("at", "Billed", "instant"),
        Filter("entry", "Charge", "choice", choices=Entry.choices),
        Filter("agreement", "Agreement", "reference", of=Agreement),
        Filter("company", "Company", "reference", path="agreement__company", of=Company),
        Filter("destination", "Destination", path="message__destination"),
        Filter("country", "Country", "reference", path="message__country", of=Country),
        Filter("network", "Network", "reference", path="message__network", of=Network),
    ),
    search=("message__id",),
    search_hint="Message ID",
    identity=("pk", "level", "entry"),
    order="-pk -level -entry",
    rows=_rows,
    reach=_reach,
    own_page="edr",
    empty="An EDR is written for every level of the chain when a message is charged, or released without a charge.",
)
