"""Balances: each agreement of the company has one (CP-56, CP-57)."""

from typing import Any

from django.db.models import QuerySet

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.kinds import Day, Id, Kind, Money, Name
from relais.records.agreements.models import Agreement
from relais.records.agreements.terms import with_credit_limit


def _rows(agreements: QuerySet[Agreement]) -> QuerySet[Any]:
    return with_credit_limit(agreements).select_related("balance", "legal_entity")


BALANCES = Entity(
    name="balances",
    model=Agreement,
    label="Balance",
    plural="Balances",
    line="Balance and payments",
    menu=Menu("Finance", 10),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk", shown=False),
        Column("agreement", "Agreement", Name(), path="agreement_code", phone="m1"),
        Column("balance", "Balance", Money("currency"), path="balance__balance_micros", phone="m2"),
        Column("reserved", "Reserved", Money("currency"), path="balance__reserved_micros"),
        Column("credit_limit", "Credit limit", Money("currency", none="Unlimited"), path="credit_limit_micros"),
        Column("currency", "Currency", Kind(), phone="m4"),
        Column("legal_entity", "Legal entity", Kind(), path="legal_entity__name", phone="m3"),
        Column("agreement_date", "Agreement date", Day(), shown=False),
    ),
    filters=(Filter("agreement", "Agreement code", path="agreement_code"),),
    search=("agreement_code",),
    search_hint="Agreement code",
    order="agreement_code",
    sections=(
        Section("Agreement", ("agreement", "legal_entity", "agreement_date", "currency")),
        Section(
            "Balance", ("balance", "reserved", "credit_limit"), hint="Reserved is what messages on their way will cost"
        ),
    ),
    rows=_rows,
    empty="A balance comes with each agreement. Ask whoever serves your company for one.",
)
