"""Fees of sender IDs that were taken or could not be (SID-241, SID-244)."""

from typing import Any

from django.db.models import Case, CharField, QuerySet, Value, When

from relais.backoffice.agreement_parts import AgreementLink
from relais.backoffice.sender_fees import FEE_KINDS, FEE_TYPES
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.kinds import Badge, Choice, Id, Instant, Kind, Money, Name, Number
from relais.records.senders.models import SenderFee

STATES = {"charged": ("Charged", "ok"), "failed": ("Not charged", "bad")}


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    state = Case(When(charged_at=None, then=Value("failed")), default=Value("charged"), output_field=CharField())
    return rows.select_related("sender", "agreement__company").annotate(state=state)


SENDER_FEES = Entity(
    name="sender-fees",
    model=SenderFee,
    label="Sender ID fee",
    plural="Sender ID fees",
    line="Sender IDs",
    tab_of="sender-ids",
    menu=Menu("Account management", 53),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("sender", "Sender ID", Name(), path="sender__sender_id", sort="sender__sender_id", phone="m1"),
        Column("kind", "Fee", Choice(FEE_KINDS), phone="m3"),
        Column("agreement", "Agreement", AgreementLink(), sort="agreement__agreement_code"),
        Column("state", "State", Badge(STATES), phone="m4"),
        Column("net_micros", "Net", Money("agreement__currency"), phone="m2"),
        Column("tax_micros", "Tax", Money("agreement__currency")),
        Column("period_start", "Period from", Instant()),
        Column("period_end", "Period till", Instant()),
        Column("charged_at", "Charged at", Instant()),
        Column("reason", "Reason", Kind()),
        Column("tries", "Tries", Number(), shown=False),
        Column("tried_at", "Tried at", Instant(), shown=False),
        Column("sender_id_type", "Sender ID type", Choice(FEE_TYPES), shown=False),
        Column("mno", "MNO", Kind(), shown=False),
        Column("created_at", "Created", Instant(), shown=False),
    ),
    filters=(
        Filter("state", "State", "choice", choices=[(state, label) for state, (label, _) in STATES.items()]),
        Filter("kind", "Fee", "choice", choices=list(FEE_KINDS.items())),
        Filter("sender", "Sender ID", path="sender__sender_id"),
        Filter("charged_at", "Charged at", "day"),
    ),
    search=("sender__sender_id", "agreement__agreement_code", "mno"),
    search_hint="Sender ID, agreement or operator",
    sections=(
        Section("Fee", ("sender", "kind", "agreement", "sender_id_type", "mno", "period_start", "period_end")),
        Section("Charge", ("state", "net_micros", "tax_micros", "charged_at", "reason", "tries", "tried_at")),
    ),
    rows=_rows,
    empty="Setup fees are taken with an action of a sender ID, usage fees by the periodic rules.",
)
