"""Flood filters: how much one number may get within sixty minutes."""

from typing import ClassVar

from django import forms

from relais.backoffice.guard_words import DOING, DOING_CHOICES, LINE, TAB_OF, served
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Badge, Id, Instant, Kind, Name, Number, Reference
from relais.records.guards.actions.save_guard import delete_guard, save_flood_filter
from relais.records.guards.models import FloodFilter
from relais.records.parties.models import Company
from relais.records.senders.models import SenderId


class FloodFilterForm(RecordForm):
    fixed = ("client", "sender")

    client = ReferenceField(served, label="Company", help_text="With everybody below it")
    sender = ReferenceField(
        lambda viewer, chosen: viewer.rows(SenderId).filter(company=chosen["client"]), depends_on=("client",),
        search=("sender_id",), label="Sender ID", required=False, help_text="Left blank: of all together",
    )  # fmt: skip
    doing = forms.ChoiceField(choices=DOING_CHOICES, label="Above the limit")

    class Meta:
        model = FloodFilter
        fields = ("client", "sender", "identical_max", "different_max", "doing", "note")
        labels: ClassVar = {"identical_max": "Messages of the same text", "different_max": "Different texts"}
        help_texts: ClassVar = {"identical_max": "To one number in sixty minutes; blank: any number",
                      "different_max": "To one number in sixty minutes; blank: any number",
                      "note": "Why, for colleagues"}  # fmt: skip

    def store(self) -> FloodFilter:
        if self.instance.pk is None:
            self.instance.company = self.viewer.company
        return save_flood_filter(self.instance, unchanged_since=self.unchanged_since)


FLOOD_FILTERS = Entity(
    name="flood-filters",
    model=FloodFilter,
    label="Flood filter",
    plural="Flood filters",
    line=LINE,
    tab_of=TAB_OF,
    menu=Menu("Traffic", 37),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("client", "Company", Name(), path="client", sort="client__name", phone="m1"),
        Column("sender", "Sender ID", Reference("sender-ids"), sort="sender__sender_id", phone="m3"),
        Column("identical_max", "Messages of the same text", Number(), phone="m2"),
        Column("different_max", "Different texts", Number()),
        Column("doing", "Above the limit", Badge(DOING), phone="m4"),
        Column("note", "Note", Kind(), shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("client", "Company", "reference", of=Company),
        Filter("sender", "Sender ID", path="sender__sender_id"),
        Filter("doing", "Above the limit", "choice", choices=DOING_CHOICES),
    ),
    search=("client__name", "sender__sender_id", "note"),
    search_hint="Company or sender ID",
    sections=(
        Section("Of which messages", ("client", "sender")),
        Section(
            "Limit",
            ("identical_max", "different_max", "doing", "note"),
            hint="Exact over all gateways, of what is accepted from the moment the filter is there",
        ),
    ),
    rows=lambda rows: rows.select_related("client", "sender"),
    form=FloodFilterForm,
    deletes=lambda filter, viewer: delete_guard(FloodFilter, filter.pk),
    empty="A flood filter keeps one number from getting the same text, or many texts, again and again within an hour.",
)
