"""The stop list: recipients that companies do not write to, and who put them there."""

from typing import Any, ClassVar

from django import forms

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Choice, Id, Instant, Kind, Name, Reference
from relais.records.parties.models import Company
from relais.records.senders.actions.stop_numbers import stop_numbers, write_again
from relais.records.senders.models import SenderId, StopEntry, StopOrigin

ORIGINS = {StopOrigin.HAND: "By hand", StopOrigin.WORD: "The recipient", StopOrigin.API: "Over the API"}


class NewStopForm(RecordForm):
    company = ReferenceField(lambda viewer, chosen: viewer.rows(Company))
    sender = ReferenceField(
        lambda viewer, chosen: viewer.rows(SenderId).filter(company=chosen["company"]),
        depends_on=("company",),
        search=("sender_id",),
        label="Sender ID",
        required=False,
        help_text="Left blank, none of the company's writes to them",
    )
    numbers = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="In international form, one a line: a column of a table can be pasted",
    )

    class Meta:
        model = StopEntry
        fields = ("company", "sender", "note")
        help_texts: ClassVar = {"note": "Why, for colleagues"}

    def store(self) -> StopEntry:
        wanted: dict[str, Any] = self.cleaned_data
        lines = [line for line in wanted["numbers"].replace(",", "\n").replace(";", "\n").splitlines() if line.strip()]
        entry, _ = stop_numbers(wanted["company"].pk, wanted["sender"], lines, note=wanted["note"])
        return entry


class StopForm(RecordForm):
    fixed = ("company", "sender", "number")

    class Meta:
        model = StopEntry
        fields = ("note",)


STOP_LIST = Entity(
    name="stop-list",
    model=StopEntry,
    label="Stop list entry",
    plural="Stop list",
    line="Sender IDs",
    menu=Menu("Account management", 55),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("number", "Number", Name(), phone="m1"),
        Column("company", "Company", Reference("companies"), sort="company__name", phone="m3"),
        Column("sender", "Sender ID", Reference("sender-ids"), sort="sender__sender_id", phone="m2"),
        Column("origin", "Put there by", Choice(ORIGINS), phone="m4"),
        Column("note", "Note", Kind()),
        Column("created_at", "Since", Instant()),
    ),
    filters=(
        Filter("number", "Number"),
        Filter("company", "Company", "reference", of=Company),
        Filter("sender", "Sender ID", path="sender__sender_id"),
        Filter("origin", "Put there by", "choice", choices=[(value, label) for value, label in ORIGINS.items()]),
        Filter("created_at", "Since", "day"),
    ),
    search=("number", "company__name"),
    search_hint="Number or company",
    sections=(Section("Recipient", ("company", "sender", "numbers", "number", "origin", "note", "created_at")),),
    rows=lambda rows: rows.select_related("company", "sender"),
    form=StopForm,
    form_of_new=NewStopForm,
    deletes=lambda entry, viewer: write_again(entry.pk),
    empty="Recipients who answer STOP stand here, and those whom you add: messages to them are refused at every entrance.",
)
