"""Legal entities, in whose name companies deal: those of clients (LE), and under Settings one's own (OLE). A reseller's is one
record with two roles: a client's for the level above, an own one for the reseller (RSL-53)."""

from typing import Any

from django import forms

from relais.backoffice.kinds import Truth
from relais.backoffice.levels import clients_of, of_clients, of_own_company
from relais.backoffice.reselling import reselling_block
from relais.pages.choices import COUNTRY_NAMES, country_choices
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import NOTHING, Choice, Computed, Id, Instant, Name, Reference
from relais.pages.viewer import Viewer
from relais.records.hanging import what_hangs_on
from relais.records.parties.actions.delete_legal_entity import delete_legal_entity
from relais.records.parties.actions.save_legal_entity import save_legal_entity
from relais.records.parties.models import Company, LegalEntity

NUMBERS = ("tax_id_number", "legal_id_number", "vat_id_number")
ADDRESSES = ("legal_address", "billing_address")
LABELS = {
    "legal_company_name": "Legal company name",
    "tax_id_number": "Tax ID number",
    "legal_id_number": "Legal ID number",
    "vat_id_number": "VAT ID number",
    "legal_address": "Legal address",
    "billing_address": "Billing address",
    "is_default": "Is Default",
}
HINTS = {
    "legal_id_number": "Registration number in the country of registration",
    "vat_id_number": "Of companies registered in the EU",
    "billing_address": "Left blank, invoices show the legal address",
    "is_default": "Preselected in every form that asks for a legal entity",
}
WIDGETS = {name: forms.Textarea(attrs={"rows": 2}) for name in ADDRESSES}


class OwnLegalEntityForm(RecordForm):
    """Without a field Company: the entity is the viewer's company's (OLE-18)."""

    country = forms.ChoiceField(choices=country_choices)

    class Meta:
        model = LegalEntity
        fields = ("name", "legal_company_name", "country", *NUMBERS, *ADDRESSES, "is_default")
        labels = LABELS
        help_texts = HINTS
        widgets = WIDGETS

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        super().__init__(viewer, *args, **options)
        self._require_legal_id()

    def _require_legal_id(self) -> None:
        self.fields["legal_id_number"].required = True

    def store(self) -> LegalEntity:
        if self.instance.pk is None:
            self.instance.company = self.viewer.company
        return save_legal_entity(self.instance, own=True, unchanged_since=self.unchanged_since)


class LegalEntityForm(OwnLegalEntityForm):
    """Company is fixed once something refers to the entity (LE-27)."""

    company = ReferenceField(lambda viewer, chosen: clients_of(viewer))

    class Meta(OwnLegalEntityForm.Meta):
        fields = ("name", "company", "legal_company_name", "country", *NUMBERS, *ADDRESSES, "is_default")

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        stored = options.get("instance")
        if stored is not None and what_hangs_on(stored):
            self.fixed = ("company",)
        super().__init__(viewer, *args, **options)

    def _require_legal_id(self) -> None:
        """A client's may lack one (LE-14)."""

    def store(self) -> LegalEntity:
        return save_legal_entity(self.instance, unchanged_since=self.unchanged_since)


def _columns() -> tuple[Column, ...]:
    return (
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("name", "Name", Name(), phone="m1"),
        Column("company", "Company", Reference("companies"), sort="company__name", phone="m3"),
        Column("country", "Country", Choice(COUNTRY_NAMES), phone="m4"),
        Column("portal", "Portal", Computed(lambda entity: (NOTHING, "")), sort=None, shown=False),
        Column("legal_address", "Legal address"),
        Column("billing_address", "Billing address", shown=False),
        Column("legal_company_name", "Legal company name"),
        Column("tax_id_number", "Tax ID number"),
        Column("legal_id_number", "Legal ID number"),
        Column("vat_id_number", "VAT ID number"),
        Column("is_default", "Is Default", Truth()),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    )


def _own_columns() -> tuple[Column, ...]:
    """Portal stands first (OLE-2)."""
    id_column, *rest = _columns()
    portal = next(column for column in rest if column.key == "portal")
    return (id_column, portal, *(column for column in rest if column is not portal))


FILTERS = (
    Filter("name", "Name"),
    Filter("country", "Country", "choice", choices=country_choices),
    Filter("legal_company_name", "Legal company name"),
    Filter("vat_id_number", "VAT ID number"),
    Filter("is_default", "Is Default", "flag"),
    Filter("created_at", "Created", "day"),
)
SECTIONS = (
    Section("Legal entity", ("name", "company", "legal_company_name", "country", "is_default")),
    Section("Numbers", NUMBERS),
    Section("Addresses", ADDRESSES),
)
SEARCH = ("name", "legal_company_name", *NUMBERS)

LEGAL_ENTITIES = Entity(
    name="legal-entities",
    model=LegalEntity,
    label="Legal entity",
    plural="Legal entities",
    line="Legal entities",
    menu=Menu("Account management", 20),
    columns=_columns(),
    filters=(FILTERS[0], Filter("company", "Company", "reference", of=Company), *FILTERS[1:]),
    search=(*SEARCH, "company__name"),
    search_hint="Name, company or number",
    sections=SECTIONS,
    of=of_clients,
    rows=lambda rows: rows.select_related("company"),
    form=LegalEntityForm,
    deletes=lambda entity, viewer: delete_legal_entity(entity.pk),
    blocks=reselling_block,
    empty="A legal entity is the body in whose name a company deals. Add the company first, then its legal entity.",
)

OWN_LEGAL_ENTITIES = Entity(
    name="own-legal-entities",
    model=LegalEntity,
    label="Own legal entity",
    plural="Own legal entities",
    line="Own legal entities",
    menu=Menu("Settings", 30),
    columns=_own_columns(),
    filters=FILTERS,
    search=SEARCH,
    search_hint="Name or number",
    sections=SECTIONS,
    of=of_own_company,
    rows=lambda rows: rows.select_related("company"),
    form=OwnLegalEntityForm,
    deletes=lambda entity, viewer: delete_legal_entity(entity.pk, own=True),
    empty="You sell in the name of your own legal entities. The first one becomes the default.",
)
