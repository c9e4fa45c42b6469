"""Sender IDs that countries ask to be registered, with their document, and who decides about them (WC-13, WC-29)."""

from typing import Any, ClassVar

from django import forms
from django.urls import reverse
from django.utils.html import format_html

from relais.pages.entity import Action, Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Badge, Computed, Id, Instant, Kind, Name, Reference
from relais.pages.viewer import MANAGE, Viewer
from relais.records.catalog.models import Country
from relais.records.parties.models import Company
from relais.records.senders.actions.registrations import decide, delete_registration, save_registration
from relais.records.senders.models import RegistrationStatus, SenderChannel, SenderId, SenderRegistration

DOCUMENT = "sender-registration-document"  # the screen that hands it out
STATUSES = {
    RegistrationStatus.PENDING: ("Pending", "warn"),
    RegistrationStatus.APPROVED: ("Approved", "ok"),
    RegistrationStatus.REFUSED: ("Refused", "bad"),
}
STATUS_CHOICES = [(status, label) for status, (label, _) in STATUSES.items()]


def _senders(viewer: Viewer, chosen: Any) -> Any:
    """Those of the companies that the viewer's decides for."""
    below = viewer.rows(SenderId, MANAGE).filter(channel=SenderChannel.SMS)
    if viewer.company.parent_id is not None:
        below = below.filter(company__parent=viewer.company)
    return below.order_by("sender_id", "pk")


class SenderRegistrationForm(RecordForm):
    fixed = ("sender", "country")

    sender = ReferenceField(_senders, search=("sender_id", "company__name"), label="Sender ID")
    country = ReferenceField(lambda viewer, chosen: viewer.rows(Country), search=("name", "iso"))
    status = forms.ChoiceField(choices=STATUS_CHOICES, initial=RegistrationStatus.PENDING)
    file = forms.FileField(
        label="Document",
        required=False,
        widget=forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg", "class": "form-control"}),
        help_text="PDF, PNG or JPEG of at most 5 MB; takes the place of a former one",
    )

    class Meta:
        model = SenderRegistration
        fields = ("sender", "country", "status", "note")
        help_texts: ClassVar = {"note": "Why it was refused, or what is still missing"}

    def store(self) -> SenderRegistration:
        sent = self.cleaned_data["file"]
        return save_registration(
            self.instance, (sent.name, sent.read()) if sent else None, unchanged_since=self.unchanged_since
        )


def _document(registration: SenderRegistration) -> tuple[str, str]:
    if not registration.document_name:
        return "", ""
    url = reverse(DOCUMENT, args=[registration.pk])
    return format_html('<a href="{}">{}</a>', url, registration.document_name), registration.document_name


def _decide(status: RegistrationStatus) -> Any:
    return lambda registration, viewer, data: decide(registration.pk, status)


SENDER_REGISTRATIONS = Entity(
    name="sender-registrations",
    model=SenderRegistration,
    label="Sender registration",
    plural="Sender registrations",
    line="Sender IDs",
    tab_of="sender-ids",
    menu=Menu("Account management", 53),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("sender", "Sender ID", Name(), path="sender__sender_id", sort="sender__sender_id", phone="m1"),
        Column("company", "Company", Reference("companies"), sort="company__name", phone="m3"),
        Column("country", "Country", Kind(), path="country__name", sort="country__name", phone="m2"),
        Column("status", "Status", Badge(STATUSES), phone="m4"),
        Column("document", "Document", Computed(_document), sort="document_name"),
        Column("note", "Note", Kind()),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant()),
    ),
    filters=(
        Filter("status", "Status", "choice", choices=STATUS_CHOICES),
        Filter("country", "Country", "reference", of=Country),
        Filter("sender", "Sender ID", path="sender__sender_id"),
        Filter("company", "Company", "reference", of=Company),
    ),
    search=("sender__sender_id", "company__name", "country__name"),
    search_hint="Sender ID, company or country",
    sections=(
        Section("Registration", ("sender", "company", "country", "status")),
        Section("What it rests on", ("document", "file", "note")),
    ),
    rows=lambda rows: rows.select_related("sender", "company", "country").defer("document"),
    form=SenderRegistrationForm,
    deletes=lambda registration, viewer: delete_registration(registration.pk),
    actions=(
        Action(
            "approve",
            "Approve",
            _decide(RegistrationStatus.APPROVED),
            shown=lambda registration: registration.status != RegistrationStatus.APPROVED,
            bulk=True,
        ),
        Action(
            "refuse",
            "Refuse…",
            _decide(RegistrationStatus.REFUSED),
            shown=lambda registration: registration.status != RegistrationStatus.REFUSED,
            confirm="Messages from it to that country are refused from now on, where the country asks for a registration.",
            bulk=True,
        ),
    ),
    empty="Where a sender rule asks for it, a sender ID sends to that country once its registration is approved here.",
)
