"""Reselling agreements: what a reseller's legal entity sells is bought under which agreement, and when (RSL-12). They are reached
from the legal entity; the list is for searching over many."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from relais.backoffice.agreement_parts import AgreementLink
from relais.backoffice.reselling import STATUSES, status_of
from relais.pages.entity import Column, Entity, Filter, Section
from relais.pages.forms import FROM_EXPLAINED, TILL_EXPLAINED, RecordForm, ReferenceField, ZonedField, explained
from relais.pages.kinds import Badge, Computed, Id, Instant, Name, Reference
from relais.pages.viewer import Viewer
from relais.records.agreements.actions.save_reselling_agreement import (
    delete_reselling_agreement,
    save_reselling_agreement,
)
from relais.records.agreements.models import Agreement, ResellingAgreement
from relais.records.parties.models import CompanyType, LegalEntity

INSTANT = "%d.%m.%Y, %H:%M:%S"


def _resellers_entities(viewer: Viewer, chosen: Any) -> QuerySet[LegalEntity]:
    return viewer.rows(LegalEntity).filter(company__parent_id=viewer.company.pk, company__type=CompanyType.RESELLER)


def _bought(viewer: Viewer, chosen: Any) -> QuerySet[Agreement]:
    """Those between the viewer's company and the reseller whose entity is chosen (LE-29)."""
    return viewer.rows(Agreement, "manage").filter(company__legal_entities=chosen["legal_entity"])


def _instant(label: str, *, required: bool, hint: str = "") -> forms.DateTimeField:
    widget = forms.DateTimeInput(format=INSTANT, attrs={"placeholder": "dd.mm.yyyy, hh:mm:ss", "autocomplete": "off"})
    formats = (*ZonedField.FORMATS, "%Y-%m-%d %H:%M:%S")
    return forms.DateTimeField(label=label, required=required, help_text=hint, input_formats=formats, widget=widget)


class _BoughtField(ReferenceField):
    """The company is chosen, so the code and currency are enough (GEN-60)."""

    def label_from_instance(self, agreement: Agreement) -> str:  # type: ignore[override]  # of agreements only
        return f"{agreement.agreement_code}, {agreement.currency}"


class _AgreementName(AgreementLink, Name):
    """The agreement is what a row is known by."""


class ResellingAgreementForm(RecordForm):
    fixed = ("legal_entity", "agreement")

    legal_entity = ReferenceField(_resellers_entities, label="Legal entity")
    agreement = _BoughtField(_bought, depends_on=("legal_entity",), search=("agreement_code",))
    effective_from = explained(_instant("Effective from", required=True, hint="In your time zone"), FROM_EXPLAINED)
    effective_till = explained(
        _instant("Effective till", required=False, hint="In your time zone; left blank, it has no end"), TILL_EXPLAINED
    )

    class Meta:
        model = ResellingAgreement
        fields = ("legal_entity", "agreement", "effective_from", "effective_till")

    def store(self) -> ResellingAgreement:
        return save_reselling_agreement(self.instance, unchanged_since=self.unchanged_since)


def _status(link: ResellingAgreement) -> tuple[Any, str]:
    status = status_of(link, timezone.now())
    badge = Badge(STATUSES)
    return badge.html(status, link), badge.text(status, link)


RESELLING_AGREEMENTS = Entity(
    name="reselling-agreements",
    model=ResellingAgreement,
    label="Reselling agreement",
    plural="Reselling agreements",
    line="Legal entities",
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("agreement", "Agreement", _AgreementName(), sort="agreement__agreement_code", phone="m1"),
        Column("legal_entity", "Legal entity", Reference("legal-entities"), sort="legal_entity__name", phone="m3"),
        Column("status", "Status", Computed(_status), sort=None, phone="m4"),
        Column("effective_from", "Effective from", Instant(seconds=True), phone="m2"),
        Column("effective_till", "Effective till", Instant(none="∞", seconds=True)),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("legal_entity", "Legal entity", "reference", of=LegalEntity),
        Filter("effective_from", "Effective from", "day"),
        Filter("effective_till", "Effective till", "day"),
    ),
    search=("agreement__agreement_code", "legal_entity__name"),
    search_hint="Agreement or legal entity",
    sections=(
        Section("Reselling agreement", ("legal_entity", "agreement", "status")),
        Section("In force", ("effective_from", "effective_till")),
    ),
    rows=lambda rows: rows.select_related("agreement__company", "legal_entity"),
    form=ResellingAgreementForm,
    deletes=lambda link, viewer: delete_reselling_agreement(link.pk),
    empty="What a reseller's legal entity sells is bought under the agreements linked with it. Add one from a legal entity.",
)
