"""Lists of the hosts that links in messages of a sender ID may lead to."""

from typing import ClassVar

from django import forms

from relais.backoffice.guard_words import DOING, DOING_CHOICES, LINE, TAB_OF
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Badge, Computed, Id, Instant, Kind, Name, Reference
from relais.records.guards.actions.save_guard import delete_guard, save_link_list
from relais.records.guards.models import LinkList
from relais.records.senders.models import SenderId

HOSTS_SHOWN_MAX = 3


class LinkListForm(RecordForm):
    fixed = ("sender",)

    sender = ReferenceField(
        lambda viewer, chosen: viewer.rows(SenderId), search=("sender_id", "company__name"), label="Sender ID"
    )
    hosts = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6}), required=False,
        help_text="One a line, such as example.com: what is below it is allowed too. Left blank, no link is",
    )  # fmt: skip
    doing = forms.ChoiceField(choices=DOING_CHOICES, label="Other links")

    class Meta:
        model = LinkList
        fields = ("sender", "hosts", "doing", "note")
        help_texts: ClassVar = {"note": "Why, for colleagues"}

    def store(self) -> LinkList:
        if self.instance.pk is None:
            self.instance.company = self.viewer.company
        return save_link_list(self.instance, unchanged_since=self.unchanged_since)


def _hosts(listed: LinkList) -> tuple[str, str]:
    hosts = listed.hosts.split("\n")
    shown = ", ".join(hosts[:HOSTS_SHOWN_MAX])
    return (f"{shown}, \N{HORIZONTAL ELLIPSIS}" if len(hosts) > HOSTS_SHOWN_MAX else shown or "\N{EN DASH}"), ", ".join(
        hosts
    )


LINK_LISTS = Entity(
    name="link-lists",
    model=LinkList,
    label="List of allowed links",
    plural="Allowed links",
    line=LINE,
    tab_of=TAB_OF,
    menu=Menu("Traffic", 38),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("sender", "Sender ID", Name(), path="sender", sort="sender__sender_id", phone="m1"),
        Column(
            "client",
            "Company",
            Reference("companies"),
            sort="client__name",
            phone="m3",
        ),
        Column("hosts", "Hosts", Computed(_hosts), sort=None, phone="m2"),
        Column("doing", "Other links", Badge(DOING), phone="m4"),
        Column("note", "Note", Kind(), shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("sender", "Sender ID", path="sender__sender_id"),
        Filter("hosts", "Host"),
        Filter("doing", "Other links", "choice", choices=DOING_CHOICES),
    ),
    search=("sender__sender_id", "client__name", "hosts"),
    search_hint="Sender ID, company or host",
    sections=(Section("Links", ("sender", "client", "hosts", "doing", "note")),),
    rows=lambda rows: rows.select_related("sender", "client"),
    form=LinkListForm,
    deletes=lambda listed, viewer: delete_guard(LinkList, listed.pk),
    empty="A list says whose links messages of a sender ID may hold. Addresses that only look alike are other hosts.",
)
