"""Keys of clients' systems for the customer API. A key is shown once, when it was made; only its digest is kept."""

from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django import forms
from django.db.models import Case, CharField, QuerySet, Value, When
from django.db.models.functions import Now
from django.urls import reverse

from relais.pages.entity import Action, Block, Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import OPEN, Badge, Choice, Computed, Flag, Id, Instant, Kind, Name, Number, Reference
from relais.pages.viewer import MANAGE, Viewer
from relais.records.parties.models import Company
from relais.records.people.actions.change_api_key import change_api_key, renew_webhook_secret, show_webhook_secret
from relais.records.people.actions.create_api_key import LIMITS, create_api_key, revoke_api_key
from relais.records.people.models import RIGHTS_ALL, ApiKey, ApiKeyRight, WebhookEvents
from relais.records.traffic.models import CallbackStop
from relais.records.traffic.webhooks import allow_again, send_test_event, webhook_secrets

RIGHTS = {ApiKeyRight.SEND: "Send messages", ApiKeyRight.STATUS: "Read statuses", ApiKeyRight.BALANCE: "Read balance"}
IN_FORCE, REVOKED, EXPIRED = "in_force", "revoked", "expired"
STATUSES = {IN_FORCE: ("In force", "ok"), REVOKED: ("Revoked", "mute"), EXPIRED: ("Expired", "warn")}
STATUS_CHOICES = [(status, label) for status, (label, _) in STATUSES.items()]
SHOWN_ONCE, SECRETS = "api-key", "webhook-secrets"


class WebhookField(forms.URLField):
    def __init__(self) -> None:
        super().__init__(
            label="Webhook URL",
            required=False,
            assume_scheme="https",
            help_text="Told of messages that name no address themselves",
        )


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


HELP = {
    "name": "What the key is for, so that it can be told from others",
    "sandbox": "What it sends is judged and answered like any message, and neither charged nor sent",
    "networks": "Addresses and ranges it is taken from, separated by commas; left blank, from anywhere",
    "rps_limit": "Messages a second at each gateway; left blank, as many as it can",
    "expires_at": "From then on it is refused; left blank, never",
    "webhook_events": "Unless a message says otherwise",
}
LABELS = {
    "rps_limit": "Messages a second",
    "networks": "Allowed addresses",
    "expires_at": "Valid until",
    "webhook_events": "Webhook events",
}


class NewApiKeyForm(RecordForm):
    company = ReferenceField(lambda viewer, chosen: viewer.rows(Company), help_text="Whose systems use the key")
    rights = RightsField(initial=RIGHTS_ALL)
    webhook_url = WebhookField()

    class Meta:
        model = ApiKey
        fields = ("name", "company", "rights", "sandbox", *LIMITS)
        help_texts: ClassVar = HELP
        labels: ClassVar = LABELS

    def store(self) -> ApiKey:
        wanted = self.cleaned_data
        record, key = create_api_key(
            wanted["company"].pk, wanted["name"], wanted["rights"], sandbox=wanted["sandbox"],
            limits={name: wanted[name] for name in LIMITS},
        )  # fmt: skip
        self.viewer.hand_over(f"{SHOWN_ONCE}-{record.pk}", key)
        return record


class ApiKeyForm(RecordForm):
    rights = RightsField()
    webhook_url = WebhookField()
    fixed = ("company", "sandbox")

    class Meta:
        model = ApiKey
        fields = ("name", "rights", *LIMITS)
        help_texts: ClassVar = HELP
        labels: ClassVar = LABELS

    def store(self) -> ApiKey:
        wanted = self.cleaned_data
        limits = {name: wanted[name] for name in LIMITS}
        return change_api_key(self.instance.pk, wanted["name"], wanted["rights"], limits=limits)


def _rights(key: ApiKey) -> tuple[str, str]:
    names = ", ".join(label for right, label in RIGHTS.items() if key.rights & right)
    return names, names


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    status = Case(
        When(revoked_at__isnull=False, then=Value(REVOKED)),
        When(expires_at__lte=Now(), then=Value(EXPIRED)),
        default=Value(IN_FORCE),
        output_field=CharField(),
    )
    return rows.annotate(status=status).select_related("company")


def _blocks(key: ApiKey, viewer: Viewer) -> list[Block]:
    text = viewer.handed_over(f"{SHOWN_ONCE}-{key.pk}")
    blocks = [Block("backoffice/key_shown_once.html", {"key": text}, before=True)] if text else []
    shown = {
        "url": key.webhook_url,
        "secrets": viewer.handed_over(f"{SECRETS}-{key.pk}").split(),
        "stops": viewer.rows(CallbackStop).filter(api_key=key).order_by("pk"),
        "deliveries": f"{reverse('webhook-deliveries-list')}?api_key={key.pk}" if viewer.may("Webhooks") else "",
    }
    return [*blocks, Block("backoffice/key_webhook.html", shown)]


def _show_secret(key: ApiKey, viewer: Viewer, data: dict[str, Any]) -> None:
    _hand_over(show_webhook_secret(key.pk, viewer.now), viewer)


def _renew_secret(key: ApiKey, viewer: Viewer, data: dict[str, Any]) -> None:
    _hand_over(renew_webhook_secret(key.pk, viewer.now), viewer)


def _hand_over(key: ApiKey, viewer: Viewer) -> None:
    viewer.hand_over(f"{SECRETS}-{key.pk}", " ".join(webhook_secrets(key, viewer.now)))


def _test(key: ApiKey, viewer: Viewer, data: dict[str, Any]) -> None:
    send_test_event(key.pk, viewer.now)


def _allow_again(key: ApiKey, viewer: Viewer, data: dict[str, Any]) -> None:
    for stop in viewer.rows(CallbackStop, MANAGE).filter(api_key=key):
        allow_again(stop.pk)


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
        Column("webhook_url", "Webhook URL", Kind(), shown=False),
        Column("webhook_events", "Webhook events", Choice(dict(WebhookEvents.choices)), shown=False),
        Column("networks", "Allowed addresses", Kind(), shown=False),
        Column("rps_limit", "Messages a second", Number(), shown=False),
        Column("expires_at", "Valid until", Instant(none=OPEN), shown=False),
        Column("created_at", "Created", Instant()),
        Column("revoked_at", "Revoked", Instant()),
    ),
    filters=(
        Filter("company", "Company", "reference", of=Company),
        Filter("status", "Status", "choice", choices=STATUS_CHOICES),
        Filter("webhook_events", "Webhook events", "choice", choices=WebhookEvents.choices),
        Filter("name", "Name"),
        Filter("created_at", "Created", "day"),
    ),
    search=("name", "company__name"),
    search_hint="Name or company",
    sections=(
        Section("API key", ("name", "company", "rights", "sandbox")),
        Section("Limits", ("networks", "rps_limit", "expires_at")),
        Section("Validity", ("status", "created_at", "revoked_at")),
        Section("Webhook", ("webhook_url", "webhook_events")),
    ),
    rows=_rows,
    form=ApiKeyForm,
    form_of_new=NewApiKeyForm,
    actions=(
        Action("test", "Test event", _test, shown=lambda key: bool(key.webhook_url) and key.revoked_at is None),
        Action("secret", "Show secret", _show_secret, shown=lambda key: key.revoked_at is None),
        Action(
            "renew-secret",
            "Renew secret…",
            _renew_secret,
            shown=lambda key: key.revoked_at is None,
            confirm="Events are signed with a new secret from now on, and for a day with the former one beside it: until then "
            "the client's system has to know the new one.",
        ),
        Action(
            "allow-again",
            "Allow again",
            _allow_again,
            shown=lambda key: CallbackStop.objects.filter(api_key=key).exists(),
        ),
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
