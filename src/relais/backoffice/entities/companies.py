"""Companies: those that the viewer's company serves (CO-1). A company's own page is `backoffice/screens/company.py`."""

from typing import Any

from django import forms
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.utils.translation import gettext

from relais.backoffice.kinds import DayOf, Truth
from relais.backoffice.levels import default_entity, own_entities
from relais.pages.entity import Action, Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import NOTHING, Badge, Choice, Computed, Id, Instant, Name, Reference
from relais.pages.viewer import Viewer
from relais.records.connections.models import DEFAULT_MNP, MnpConnection
from relais.records.parties.actions.delete_company import delete_company
from relais.records.parties.actions.save_company import (
    block_company,
    save_company,
    unblock_company,
    users_without_phone,
)
from relais.records.parties.models import Channel, Company, CompanyType, LegalEntity

TYPES = {CompanyType.CLIENT: "Client", CompanyType.RESELLER: "Reseller"}
MNP_FIELDS = ("mnp_requests", "mnp_connection", "mnp_channels")
LABELS = {
    "name": "Company",
    "creator_of_resellers": "Creator of resellers",
    "mnp_requests": "MNP Requests",
    "two_factor_required": "Two Factor Authentication",
}
HINTS = {
    "enabled": "The company has access to the interfaces",
    "creator_of_resellers": "Takes effect only when Type is Reseller",
    "mnp_requests": "Ask the MNP server for the network that serves a recipient",
    "moderation": "Chatbots and campaigns of its users wait for approval. Broadcasts are held once the user's "
    "Client portal was refreshed, for example with F5.",
    "two_factor_required": "For every user of the company; a user without a valid phone number cannot get in. "
    "When off, it can still be turned on for single users.",
}
WIDGETS = {"description": forms.Textarea(attrs={"rows": 2})}


class MnpConnectionField(ReferenceField):
    """With a word where nobody is asked."""

    def label_from_instance(self, obj: MnpConnection) -> str:
        return str(obj) if obj.enabled else f"{obj} ({gettext('switched off')})"


class CompanyForm(RecordForm):
    """The MNP group is the tenant's (CO-18, CO-64); what it holds is kept while the requests are off (CO-21)."""

    own_legal_entity = ReferenceField(
        lambda viewer, chosen: own_entities(viewer),
        label="Own legal entity",
        help_text="It serves this company, and cannot be changed later",
    )
    type = forms.ChoiceField(initial=CompanyType.CLIENT)
    mnp_connection = MnpConnectionField(
        lambda viewer, chosen: viewer.rows(MnpConnection),
        required=False,
        label="MNP Connection",
        preselects=lambda rows: rows.filter(name=DEFAULT_MNP).first(),
    )
    mnp_channels = forms.MultipleChoiceField(choices=Channel.choices, required=False, label="Channels")
    lockout_intended = forms.BooleanField(required=False)

    class Meta:
        model = Company
        fields = (
            "name", "enabled", "own_legal_entity", "description", "type", "creator_of_resellers", *MNP_FIELDS,
            "moderation", "two_factor_required",
        )  # fmt: skip
        labels = LABELS
        help_texts = HINTS
        widgets = WIDGETS

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        stored = options.get("instance")
        if stored is not None and stored.own_legal_entity_id:
            self.fixed = ("own_legal_entity",)
        super().__init__(viewer, *args, **options)
        if not self.initial.get("own_legal_entity") and (default := default_entity(viewer)) is not None:
            self.initial["own_legal_entity"] = default.pk
        self.fields["type"].choices = [
            (value, label)
            for value, label in TYPES.items()
            if value != CompanyType.RESELLER or viewer.company.creator_of_resellers or self.instance.type == value
        ]
        if viewer.company.parent_id is not None:
            for name in MNP_FIELDS:
                del self.fields[name]
        else:
            for name in MNP_FIELDS[1:]:
                self.fields[name].show_when = "mnp_requests=true"
                self.fields[name].required = not self.is_bound or "mnp_requests" in self.data
        self._offer_lockout()

    def _offer_lockout(self) -> None:
        """Whoever makes two-factor sign-in mandatory sees whom that locks out, and says so (CO-65)."""
        locked_out = [] if self.instance.two_factor_required else users_without_phone(self.instance)
        if not locked_out:
            del self.fields["lockout_intended"]
            return
        field = self.fields["lockout_intended"]
        field.label = f"Lock out {len(locked_out)} without a phone number"
        field.help_text = ", ".join(user.login for user in locked_out)
        field.show_when = "two_factor_required=true"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if "mnp_requests" in self.fields and not cleaned.get("mnp_requests"):
            cleaned |= {name: getattr(self.instance, name) for name in MNP_FIELDS[1:]}
        return cleaned

    def store(self) -> Company:
        if self.instance.pk is None:
            self.instance.parent = self.viewer.company
        intended = self.cleaned_data.get("lockout_intended", False)
        return save_company(self.instance, lockout_intended=intended, unchanged_since=self.unchanged_since)


def _clients(viewer: Viewer) -> Q:
    """Without the viewer's own company, whose page can be looked at all the same."""
    return Q(parent_id=viewer.company.pk)


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    reseller = ExpressionWrapper(Q(type=CompanyType.RESELLER), output_field=BooleanField())
    return rows.select_related("own_legal_entity", "mnp_connection").annotate(is_reseller=reseller)


def _channels(company: Company) -> tuple[str, str]:
    words = ", ".join(Channel(channel).label for channel in company.mnp_channels)
    return words or NOTHING, words


COMPANIES = Entity(
    name="companies",
    model=Company,
    label="Company",
    plural="Companies",
    line="Companies",
    menu=Menu("Account management", 10),
    own_page="companies-view",
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("name", "Company", Name(), phone="m1"),
        Column("own_legal_entity", "Own legal entity", Reference("own-legal-entities"), sort="own_legal_entity__name",
               phone="m3"),
        Column("portal", "Portal", Computed(lambda company: (NOTHING, "")), sort=None),
        Column("is_reseller", "Is reseller", Truth()),
        Column("creator_of_resellers", "Creator of resellers", Truth()),
        Column("moderation", "Moderation", Truth()),
        Column("created_at", "Created", DayOf(), phone="m2"),
        Column("updated_at", "Updated", DayOf()),
        Column("enabled", "Enabled", Badge({True: ("Enabled", "ok"), False: ("Blocked", "bad")}), shown=False),
        Column("type", "Type", Choice(TYPES), shown=False),
        Column("description", "Description", shown=False),
        Column("mnp_requests", "MNP Requests", Truth(), shown=False),
        Column(
            "mnp_connection",
            "MNP Connection",
            Reference("mnp-connections"),
            sort="mnp_connection__name",
            shown=False,
        ),
        Column("mnp_channels", "Channels", Computed(_channels), sort=None, shown=False),
        Column("two_factor_required", "Two Factor Authentication", Truth(), shown=False),
        Column("created", "Created at", Instant(seconds=True), path="created_at", shown=False),
        Column("updated", "Updated at", Instant(seconds=True), path="updated_at", shown=False),
    ),
    filters=(
        Filter("name", "Company"),
        Filter("own_legal_entity", "Own legal entity", "reference", of=LegalEntity),
        Filter("type", "Type", "choice", choices=list(TYPES.items())),
        Filter("enabled", "Enabled", "flag"),
        Filter("creator_of_resellers", "Creator of resellers", "flag"),
        Filter("moderation", "Moderation", "flag"),
        Filter("created_at", "Created", "day"),
    ),
    search=("name", "own_legal_entity__name", "description"),
    search_hint="Company or own legal entity",
    sections=(
        Section("Company", ("name", "enabled", "own_legal_entity", "description")),
        Section("Kind", ("type", "creator_of_resellers")),
        Section("MNP", MNP_FIELDS, hint="Number portability is asked for before a message is rated and routed"),
        Section("Control", ("moderation", "two_factor_required", "lockout_intended")),
    ),
    of=_clients,
    rows=_rows,
    form=CompanyForm,
    deletes=lambda company, viewer: delete_company(company.pk),
    actions=(
        Action(
            "block",
            "Block",
            lambda company, viewer, data: block_company(company.pk),
            shown=lambda company: company.enabled,
            confirm="Its users cannot sign in any more, their sessions end, and its API traffic is refused; of a reseller, "
            "so is the traffic of everybody below it. Its data stay.",
            bulk=True,
        ),
        Action(
            "unblock",
            "Unblock",
            lambda company, viewer, data: unblock_company(company.pk),
            shown=lambda company: not company.enabled,
            confirm="Its users can sign in again, and its API traffic is taken.",
            bulk=True,
        ),
    ),
    empty="Companies are your clients. Add one, then a legal entity and an agreement for it.",
)  # fmt: skip
