"""What each country takes as sender of an SMS (WC-12, WC-13, WC-28): everybody looks at it, the System owner keeps it."""

from typing import ClassVar

from django import forms

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Badge, Code, Id, Instant, Kind, Name
from relais.records.catalog.models import Country
from relais.records.senders.actions.registrations import delete_sender_rule, save_sender_rule
from relais.records.senders.models import SenderRule, SenderUse

USES = {
    SenderUse.ALLOWED: ("Allowed", "ok"),
    SenderUse.NOT_ALLOWED: ("Not allowed", "bad"),
    SenderUse.REGISTERED: ("Once registered", "info"),
    SenderUse.DOCUMENTED: ("Once registered, with a document", "warn"),
}
USE_CHOICES = [(use, label) for use, (label, _) in USES.items()]


class SenderRuleForm(RecordForm):
    fixed = ("country",)

    country = ReferenceField(lambda viewer, chosen: viewer.rows(Country), search=("name", "iso"))
    names = forms.ChoiceField(label="Names", choices=USE_CHOICES, help_text="Sender IDs with letters, such as Monsters")
    numbers = forms.ChoiceField(label="Numbers", choices=USE_CHOICES, help_text="Sender IDs of digits, short codes too")

    class Meta:
        model = SenderRule
        fields = ("country", "names", "numbers", "documents")
        labels: ClassVar = {"documents": "Documents asked for"}
        help_texts: ClassVar = {"documents": "As your provider tells; clients read it when they are refused"}

    def store(self) -> SenderRule:
        return save_sender_rule(self.instance, unchanged_since=self.unchanged_since)


SENDER_RULES = Entity(
    name="sender-rules",
    model=SenderRule,
    label="Sender rule",
    plural="Sender rules",
    line="MCCMNC",
    menu=Menu("MCCMNC", 45),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk", shown=False),
        Column("country", "Country", Name(), path="country__name", sort="country__name", phone="m1"),
        Column("iso", "ISO code", Code(), path="country_id", phone="m3"),
        Column("names", "Names", Badge(USES), phone="m2"),
        Column("numbers", "Numbers", Badge(USES), phone="m4"),
        Column("documents", "Documents asked for", Kind()),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("country", "Country", "reference", of=Country),
        Filter("names", "Names", "choice", choices=USE_CHOICES),
        Filter("numbers", "Numbers", "choice", choices=USE_CHOICES),
    ),
    search=("country__name", "country__iso"),
    search_hint="Country or ISO code",
    sections=(
        Section("Country", ("country",)),
        Section(
            "What it takes as sender",
            ("names", "numbers", "documents"),
            hint="What it does not take is refused at every entrance before anything is charged",
        ),
    ),
    rows=lambda rows: rows.select_related("country"),
    form=SenderRuleForm,
    deletes=lambda rule, viewer: delete_sender_rule(rule.pk),
    empty="Countries without a rule take every sender. Add one where names are refused, or have to be registered first.",
)
