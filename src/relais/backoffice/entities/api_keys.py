"""Keys of clients' systems for the customer API. A key is shown once, when it was made; only its digest is kept."""

from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django import forms
from django.db.models import Case, CharField, QuerySet, Value, When

from relais.pages.entity import Action, Block, Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Badge, Computed, Flag, Id, Instant, Name, Reference
from relais.pages.viewer import Viewer
from relais.records.parties.models import Company
from relais.records.people.actions.change_api_key import change_api_key
from relais.records.people.actions.create_api_key import create_api_key, revoke_api_key
from relais.records.people.models import RIGHTS_ALL, ApiKey, ApiKeyRight

RIGHTS = {ApiKeyRight.SEND: "Send messages", ApiKeyRight.STATUS: "Read statuses", ApiKeyRight.BALANCE: "Read balance"}
IN_FORCE, REVOKED = "in_force", "revoked"
STATUSES = {IN_FORCE: ("In force", "ok"), REVOKED: ("Revoked", "mute")}
STATUS_CHOICES = [(status, label) for status, (label, _) in STATUSES.items()]
SHOWN_ONCE = "api-key"


class RightsField(forms.TypedMultipleChoiceField):
    """Ticked rights as one number of bits."""

    def __init__(self, **options: Any) -> None:
        choices = [(right.value, label) for right, label in RIGHTS.items()]
        super().__init__(choices=choices, coerce=int, widget=forms.CheckboxSelectMultiple, **options)

    def prepare_value(self, value: Any) -> Any:
        return [right.value for right in RIGHTS if value & right] if isinstance(value, int) else value

    def clean(self, value: Any) -> int:
        return reduce(or_, super().clean(value), 0)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return set(map(str, self.prepare_value(initial) or [])) != set(map(str, data or []))


class NewApiKeyForm(RecordForm):
    company = ReferenceField(lambda viewer, chosen: viewer.rows(Company), help_text="Whose systems use the key")
    rights = RightsField(initial=RIGHTS_ALL)

    class Meta:
        model = ApiKey
        fields = ("name", "company", "rights", "sandbox")
        help_texts: ClassVar = {
            "name": "What the key is for, so that it can be told from others",
            "sandbox": "What it sends is judged and answered like any message, and neither charged nor sent",
        }

    def store(self) -> ApiKey:
        wanted = self.cleaned_data
        record, key = create_api_key(wanted["company"].pk, wanted["name"], wanted["rights"], sandbox=wanted["sandbox"])
        self.viewer.hand_over(f"{SHOWN_ONCE}-{record.pk}", key)
        return record


class ApiKeyForm(RecordForm):
    rights = RightsField()
    fixed = ("company", "sandbox")

    class Meta:
        model = ApiKey
        fields = ("name", "rights")

    def store(self) -> ApiKey:
        return change_api_key(self.instance.pk, self.cleaned_data["name"], self.cleaned_data["rights"])


def _rights(key: ApiKey) -> tuple[str, str]:
    names = ", ".join(label for right, label in RIGHTS.items() if key.rights & right)
    return names, names


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    status = Case(When(revoked_at=None, then=Value(IN_FORCE)), default=Value(REVOKED), output_field=CharField())
    return rows.annotate(status=status).select_related("company")


def _blocks(key: ApiKey, viewer: Viewer) -> list[Block]:
    text = viewer.handed_over(f"{SHOWN_ONCE}-{key.pk}")
    return [Block("backoffice/key_shown_once.html", {"key": text}, before=True)] if text else []


def _revoke(key: ApiKey, viewer: Viewer, data: dict[str, Any]) -> None:
    revoke_api_key(key.pk, viewer.now)


API_KEYS = Entity(
    name="api-keys",
    model=ApiKey,
    label="API key",
    plural="API keys",
    line="API keys",
    menu=Menu("Account management", 60),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("name", "Name", Name(), phone="m1"),
        Column("company", "Company", Reference("companies"), sort="company__name", phone="m3"),
        Column("rights", "Rights", Computed(_rights), sort="rights", phone="m2"),
        Column("status", "Status", Badge(STATUSES), phone="m4"),
        Column("sandbox", "Sandbox", Flag()),
        Column("created_at", "Created", Instant()),
        Column("revoked_at", "Revoked", Instant()),
    ),
    filters=(
        Filter("company", "Company", "reference", of=Company),
        Filter("status", "Status", "choice", choices=STATUS_CHOICES),
        Filter("name", "Name"),
        Filter("created_at", "Created", "day"),
    ),
    search=("name", "company__name"),
    search_hint="Name or company",
    sections=(
        Section("API key", ("name", "company", "rights", "sandbox")),
        Section("Validity", ("status", "created_at", "revoked_at")),
    ),
    rows=_rows,
    form=ApiKeyForm,
    form_of_new=NewApiKeyForm,
    actions=(
        Action(
            "revoke",
            "Revoke…",
            _revoke,
            shown=lambda key: key.revoked_at is None,
            confirm="Requests with this key are refused within a second: what sends with it stops, and statuses and the "
            "balance can no longer be asked for. A revoked key stays revoked; messages accepted before go on.",
            bulk=True,
        ),
    ),
    blocks=_blocks,
    empty="With an API key a company's systems send messages over HTTP. Add the company, its agreement and a service first.",
)
