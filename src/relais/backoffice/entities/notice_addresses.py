"""Additional e-mails of notices: to whom at this level they go besides (NTF-20, NTF-30)."""

from typing import ClassVar

from django import forms

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm
from relais.pages.kinds import Choice, Id, Instant, Kind
from relais.records.guards.actions.save_notice_addresses import delete_notice_addresses, save_notice_addresses
from relais.records.guards.models import Event, NoticeAddresses

EVENTS = {Event.TRAFFIC: "Traffic of a sender ID fails or stops"}


class NoticeAddressesForm(RecordForm):
    fixed = ("event",)

    event = forms.ChoiceField(choices=list(EVENTS.items()))

    class Meta:
        model = NoticeAddresses
        fields = ("event", "emails", "note")
        labels: ClassVar = {"emails": "Additional emails"}
        help_texts: ClassVar = {
            "emails": "Separated by commas; the client's account emails are told anyway",
            "note": "Whose they are",
        }

    def store(self) -> NoticeAddresses:
        if self.instance.pk is None:
            self.instance.company = self.viewer.company
        return save_notice_addresses(self.instance, unchanged_since=self.unchanged_since)


NOTICE_ADDRESSES = Entity(
    name="notice-addresses",
    model=NoticeAddresses,
    label="Notification",
    plural="Notifications",
    line="Notifications settings",
    menu=Menu("Notifications", 10),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("event", "Event", Choice(EVENTS), phone="m1"),
        Column("emails", "Additional emails", Kind(), phone="m3"),
        Column("note", "Note", Kind()),
        Column("updated_at", "Updated", Instant(), phone="m4"),
    ),
    filters=(Filter("emails", "Additional emails"), Filter("note", "Note")),
    search=("emails", "note"),
    search_hint="E-mail address or note",
    sections=(Section("Notification", ("event", "emails", "note", "updated_at")),),
    form=NoticeAddressesForm,
    deletes=lambda told, viewer: delete_notice_addresses(told.pk),
    empty="Notices go to the client's account emails. Add addresses of your own people who are to be told as well.",
)
