"""EDRs: what each level was charged for a message, or not. Of a chain a company sees the levels it sells and buys at."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.expressions import Col
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from relais.pages import traffic
from relais.pages.choices import COUNTRY_NAMES
from relais.pages.entity import Column, Entity, Filter, Menu
from relais.pages.kinds import Choice, Computed, Instant, Kind, Money, Number
from relais.pages.traffic import ENTRY, MessageId, network_name
from relais.records.agreements.models import Agreement
from relais.records.catalog.models import Country, Network
from relais.records.parties.models import Company
from relais.records.traffic.instants import first_id_from
from relais.records.traffic.models import Edr, Entry, Message


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With the message's number and network, but not with its text or its sender: a level above may see the charge only."""
    return rows.defer("pieces").annotate(
        destination=F("message__destination"),
        country=F("message__country"),
        network_name=F("message__network__name"),
        agreement_code=F("agreement__agreement_code"),
        company_name=F("agreement__company__name"),
        currency=F("agreement__currency"),
    )


_ASKED_OF_THE_MESSAGE = frozenset({"destination", "country", "network"})
# As `message__id` Django compares the EDR's own column.
_JOINED_ID = Col(Message._meta.db_table, Message._meta.pk)


def _reach(rows: QuerySet[Any], values: Mapping[str, Any]) -> tuple[QuerySet[Any], str]:
    """Where a filter joins the messages, the bounds are told of both tables: the planner carries none of them over the join,
    and would go through all messages for a number that none of them has."""
    least, words = traffic.reach_back(values, traffic.REACH_EDRS_MESSAGES_COUNT)
    end = values["accepted"].stop if "accepted" in values else None
    joined = bool(values.keys() & _ASKED_OF_THE_MESSAGE)
    if least is not None:
        rows = rows.filter(message__id__gte=least)
        rows = rows.filter(GreaterThanOrEqual(_JOINED_ID, least)) if joined else rows
    if joined and end is not None:
        rows = rows.filter(LessThan(_JOINED_ID, first_id_from(end)))
    return rows, words


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
        Column("company", "Company", Kind(), path="company_name", sort=None, phone="m1"),
        Column("agreement", "Agreement", Kind(), path="agreement_code", sort=None),
        Column("destination", "Destination", Kind(), sort=None),
        Column("country", "Country", Choice(COUNTRY_NAMES), sort=None, shown=False),
        Column("network", "Network", Computed(network_name), sort=None),
        Column("units", "Units", Number(), sort=None),
        Column("total", "Amount", Money("currency", decimals=4), path="gross_micros", sort=None, phone="m2"),
        Column("net", "Net", Money("currency", decimals=4), path="net_micros", sort=None, shown=False),
        Column("tax", "Tax", Money("currency", decimals=4), path="tax_micros", sort=None, shown=False),
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
