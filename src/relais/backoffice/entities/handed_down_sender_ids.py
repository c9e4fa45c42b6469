"""Sender IDs that the level has handed down, wherever below they are used now, and how it takes them back (RSL-54).

Of what is further down only the company directly below is shown (RSL-52).
"""

from relais.pages.entity import Action, Column, Entity, Filter, Menu, Section
from relais.pages.kinds import Choice, Id, Instant, Name, Reference
from relais.pages.words import SENDER_CHANNELS
from relais.records.parties.models import Company
from relais.records.senders.actions.withdraw_sender_id import withdraw_sender_id
from relais.records.senders.models import Handover

HANDED_DOWN_SENDER_IDS = Entity(
    name="handed-down-sender-ids",
    model=Handover,
    label="Handed-down sender ID",
    plural="Handed-down sender IDs",
    line="Sender IDs",
    menu=Menu("Account management", 51),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk", shown=False),
        Column("sender_id", "Sender ID", Name(), path="sender__sender_id", phone="m1"),
        Column("channel", "Channel", Choice(SENDER_CHANNELS), path="sender__channel", phone="m2"),
        Column("company", "Company", Reference("companies"), sort="company__name", phone="m3"),
        Column("created_at", "Handed down", Instant(), phone="m4"),
    ),
    filters=(
        Filter("sender_id", "Sender ID", path="sender__sender_id"),
        Filter("company", "Company", "reference", of=Company),
        Filter("created_at", "Handed down", "day"),
    ),
    search=("sender__sender_id", "company__name"),
    search_hint="Sender ID or company",
    sections=(Section("Handed down", ("sender_id", "channel", "company", "created_at")),),
    rows=lambda rows: rows.select_related("sender", "company"),
    actions=(
        Action(
            "withdraw",
            "Withdraw…",
            lambda step, viewer, data: withdraw_sender_id(step.pk, viewer.now),
            confirm="It is taken from the company and from all below it, and messages from it are refused there from now on. "
            "It is yours again, without an agreement.",
            bulk=True,
            ends=True,
        ),
    ),
    empty="A sender ID over a connection of yours that is given to a company below stays under your control: it stands here.",
)
