"""Numbers that no guard rail stops or counts: test phones, say."""

from typing import Any, ClassVar

from django import forms

from relais.backoffice.guard_words import LINE, TAB_OF
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm
from relais.pages.kinds import Id, Instant, Kind, Name
from relais.records.guards.actions.save_guard import delete_guard, trust_numbers
from relais.records.guards.models import TrustedNumber


class NewTrustedForm(RecordForm):
    numbers = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="In international form, one a line: a column of a table can be pasted",
    )

    class Meta:
        model = TrustedNumber
        fields = ("note",)
        help_texts: ClassVar = {"note": "Why, for colleagues"}

    def store(self) -> TrustedNumber:
        wanted: dict[str, Any] = self.cleaned_data
        lines = [line for line in wanted["numbers"].replace(",", "\n").replace(";", "\n").splitlines() if line.strip()]
        entry, _ = trust_numbers(self.viewer.company, lines, note=wanted["note"])
        return entry


class TrustedForm(RecordForm):
    fixed = ("number",)

    class Meta:
        model = TrustedNumber
        fields = ("note",)


TRUSTED_NUMBERS = Entity(
    name="trusted-numbers",
    model=TrustedNumber,
    label="Trusted number",
    plural="Trusted numbers",
    line=LINE,
    tab_of=TAB_OF,
    menu=Menu("Traffic", 39),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("number", "Number", Name(), phone="m1"),
        Column("note", "Note", Kind(), phone="m3"),
        Column("created_at", "Since", Instant(), phone="m4"),
    ),
    filters=(Filter("number", "Number"), Filter("note", "Note"), Filter("created_at", "Since", "day")),
    search=("number", "note"),
    search_hint="Number or note",
    sections=(Section("Number", ("numbers", "number", "note", "created_at")),),
    form=TrustedForm,
    form_of_new=NewTrustedForm,
    deletes=lambda entry, viewer: delete_guard(TrustedNumber, entry.pk),
    empty="Numbers that no guard rail of yours, or of a level below, stops or counts: those of your test phones, say.",
)
