"""Banks: profiles that are handed down the chain. Everybody uses those of the levels above; each level edits its own (BK)."""

from typing import Any

from django import forms

from relais.pages.choices import COUNTRY_NAMES, country_choices
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm
from relais.pages.kinds import Choice, Code, Id, Instant, Kind, Name
from relais.records.parties.actions.delete_bank import delete_bank
from relais.records.parties.actions.save_bank import save_bank
from relais.records.parties.models import Bank

LABELS = {"swift_code": "SWIFT code", "branch_code": "Branch code", "bank_code": "Bank code"}
HINTS = {
    "name": "Official registered name of the bank or institution",
    "country": "In which the bank is registered",
    "address": "Legal address of the bank",
    "swift_code": "Exactly eight letters and digits",
    "branch_code": "Exactly three letters and digits",
    "bank_code": "The bank's internal code",
}
WIDGETS = {name: forms.Textarea(attrs={"rows": 2}) for name in ("description", "address")}


class BankForm(RecordForm):
    country = forms.ChoiceField(choices=country_choices, help_text=HINTS["country"])

    class Meta:
        model = Bank
        fields = ("name", "description", "country", "address", "swift_code", "branch_code", "bank_code")
        labels = LABELS
        help_texts = HINTS
        widgets = WIDGETS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("swift_code", "branch_code"):
            self.fields[name].counted = True

    def store(self) -> Bank:
        if self.instance.pk is None:
            self.instance.company = self.viewer.company
        return save_bank(self.instance, unchanged_since=self.unchanged_since)


BANKS = Entity(
    name="banks",
    model=Bank,
    label="Bank",
    plural="Banks",
    line="Banks",
    menu=Menu("Account management", 100),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("name", "Name", Name(), phone="m1"),
        Column("country", "Country", Choice(COUNTRY_NAMES), phone="m4"),
        Column("swift_code", "SWIFT code", Code(), phone="m3"),
        Column("branch_code", "Branch code", Code(), phone="m2"),
        Column("description", "Description", shown=False),
        Column("address", "Address", shown=False),
        Column("bank_code", "Bank code", Code(), shown=False),
        Column("company", "Kept by", Kind(), path="company__name", shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("name", "Name"),
        Filter("country", "Country", "choice", choices=country_choices),
        Filter("swift_code", "SWIFT code"),
        Filter("created_at", "Created", "day"),
    ),
    search=("name", "swift_code", "bank_code"),
    search_hint="Name, SWIFT or bank code",
    sections=(
        Section("Bank", ("name", "description", "country", "address")),
        Section("Codes", ("swift_code", "branch_code", "bank_code"), hint="SWIFT and branch code together are the BIC"),
    ),
    rows=lambda rows: rows.select_related("company"),
    form=BankForm,
    deletes=lambda bank, viewer: delete_bank(bank.pk),
    empty="Banks are chosen when bank accounts are added, and their details stand on invoices.",
)
