"""What clients' message centres bind to our SMPP server with (CSMPP): they hand in messages and are told what became of them."""

from typing import Any, ClassVar

from django import forms
from django.db.models import (
    Case,
    CharField,
    F,
    Func,
    JSONField,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Now
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from relais.backoffice.live import SILENT_AFTER
from relais.pages.entity import Action, Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Badge, Choice, Code, Computed, Id, Instant, Name, Number, Reference
from relais.pages.viewer import Viewer
from relais.records.connections.actions.delete_client_smpp_connection import delete_client_smpp_connection
from relais.records.connections.actions.save_client_smpp_connection import (
    LONG_PASSWORD_CHARACTERS_MAX,
    save_client_smpp_connection,
)
from relais.records.connections.models import ClientSmppConnection, Datacoding, SslType
from relais.records.parties.models import Company
from relais.records.saving import find
from relais.records.traffic.models import GatewayBeat

ACTIVE, DISABLED = "active", "disabled"
STATUSES = {ACTIVE: ("Active", "ok"), DISABLED: ("Disabled", "hollow")}
STATUS_CHOICES = [(status, label) for status, (label, _tone) in STATUSES.items()]


class ClientSmppConnectionForm(RecordForm):
    """A blank password keeps the stored one (HTTPC-50)."""

    company = ReferenceField(
        lambda viewer, chosen: viewer.rows(Company), help_text="Whose message centre binds with it"
    )
    fixed = ("company",)
    network = forms.CharField(
        required=False,
        max_length=1000,
        help_text="IP addresses and ranges that it binds from, separated by commas; 0.0.0.0/0, ::/0 = from anywhere",
    )
    login = forms.CharField(
        max_length=15,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="The system_id, up to 15 characters; once in the whole installation",
    )
    password = forms.CharField(
        strip=False,
        required=False,
        max_length=LONG_PASSWORD_CHARACTERS_MAX,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Up to eight characters, as SMPP has it",
    )
    long_password = forms.BooleanField(
        label="Longer password", required=False, help_text="Up to 64 characters; not every client can send so many"
    )
    ssl_type = forms.ChoiceField(
        label="SSL type", choices=SslType.choices, help_text="TLS 1.2 and 1.3 are spoken, nothing older"
    )
    default_data_coding = forms.ChoiceField(
        label="Default datacoding", choices=Datacoding.choices, help_text="How texts of data_coding 0 are read"
    )
    sessions_limit = forms.IntegerField(required=False, min_value=1, help_text="Sessions at a time; blank = 10")
    rps_limit = forms.IntegerField(label="RPS limit", required=False, min_value=1, help_text="Messages a second")
    window_limit = forms.IntegerField(required=False, min_value=1, help_text="Requests that wait for their answer")
    disabled = forms.BooleanField(label="Disable SMPP connection", required=False)

    class Meta:
        model = ClientSmppConnection
        fields = (
            "name", "company", "network", "login", "system_type", "ssl_type", "default_data_coding", "sessions_limit",
            "rps_limit", "window_limit", "disabled",
        )  # fmt: skip
        help_texts: ClassVar = {"system_type": "Binds that name another are refused; blank = any"}

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        super().__init__(viewer, *args, **options)
        stored = self.instance.pk is not None
        self.fields["password"].required = not stored
        self.fields["network"].required = not stored or bool(self.instance.network)  # CSMPP-8; some have none (CSMPP-4)
        if stored:
            self.fields["password"].help_text = "Left blank, the stored one stays"

    def store(self) -> ClientSmppConnection:
        sent = self.cleaned_data
        return save_client_smpp_connection(
            self.instance,
            sent["password"] or None,
            long_password=sent["long_password"],
            unchanged_since=self.unchanged_since,
        )


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """`told`: what a gateway last said of its sessions."""
    clients = Func(F("beat"), Value("clients"), Cast(OuterRef("pk"), TextField()), function="jsonb_extract_path",
                   output_field=JSONField())  # fmt: skip
    beats = (
        GatewayBeat.objects.filter(at__gt=Now() - SILENT_AFTER).annotate(client=clients).filter(client__isnull=False)
    )
    rows = rows.annotate(told=Subquery(beats.order_by("-at").values("client")[:1]))
    status = Case(When(disabled=True, then=Value(DISABLED)), default=Value(ACTIVE), output_field=CharField())
    return rows.annotate(status=status).select_related("company")


def _sessions(connection: ClientSmppConnection) -> tuple[str, str]:
    """Whether it is bound now, as gateways tell it."""
    told = connection.told or {}
    count = told.get("sessions", 0)
    if not count:
        text = _("not bound")
        return format_html('<span class="st st-hollow">{}</span>', text), text
    text = ngettext("{} session", "{} sessions", count).format(count)
    why = _("{accepted} taken, {refused} refused, {throttled} throttled, {waiting} receipts wait").format(**told)
    tone = "warn" if told["waiting"] and not told["receivers"] else "ok"
    return format_html(
        '<span class="st st-{}">{}</span> <span class="sm t3">{}</span>', tone, text, why
    ), f"{text}: {why}"


def _switch(disabled: bool) -> Any:
    def verb(connection: ClientSmppConnection, viewer: Viewer, data: dict[str, Any]) -> None:
        locked = find(ClientSmppConnection, connection.pk)
        locked.disabled = disabled
        save_client_smpp_connection(locked, None)

    return verb


CLIENT_SMPP_CONNECTIONS = Entity(
    name="client-smpp-connections",
    model=ClientSmppConnection,
    label="Client SMPP connection",
    plural="Client SMPP connections",
    line="Client SMPP connections",
    menu=Menu("Settings", 15),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("name", "Name", Name(), phone="m1"),
        Column("company", "Company", Reference("companies"), sort="company__name", phone="m3"),
        Column("network", "Network", Code()),
        Column("login", "Login", Code(), phone="m2"),
        Column("status", "Status", Badge(STATUSES), phone="m4"),
        Column("sessions", "Sessions", Computed(_sessions), sort=None),
        Column("ssl_type", "SSL type", Choice(dict(SslType.choices)), shown=False),
        Column("default_data_coding", "Default datacoding", Choice(dict(Datacoding.choices)), shown=False),
        Column("system_type", "System type", shown=False),
        Column("sessions_limit", "Sessions limit", Number(), shown=False),
        Column("rps_limit", "RPS limit", Number(), shown=False),
        Column("window_limit", "Window limit", Number(), shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("company", "Company", "reference", of=Company),
        Filter("status", "Status", "choice", choices=STATUS_CHOICES),
        Filter("name", "Name"),
        Filter("login", "Login"),
        Filter("created_at", "Created", "day"),
    ),
    search=("name", "login", "company__name"),
    search_hint="Name, login or company",
    sections=(
        Section("Connection", ("name", "company", "network", "system_type")),
        Section(
            "Credentials",
            ("login", "password", "long_password", "ssl_type"),
            hint="Chosen here and given to the client",
        ),
        Section("Texts", ("default_data_coding",)),
        Section("Limits", ("sessions_limit", "rps_limit", "window_limit"), hint="For all its sessions together"),
        Section("State", ("status", "sessions", "disabled")),
    ),
    rows=_rows,
    form=ClientSmppConnectionForm,
    deletes=lambda connection, viewer: delete_client_smpp_connection(connection.pk),
    actions=(
        Action(
            "disable",
            "Disable…",
            _switch(True),
            shown=lambda connection: not connection.disabled,
            confirm="Its sessions end within a second and no new one is taken. Messages that were accepted go on; their receipts "
            "wait until it is enabled again, three days at most.",
            bulk=True,
        ),
        Action("enable", "Enable", _switch(False), shown=lambda connection: connection.disabled, bulk=True),
    ),
    empty="With a client SMPP connection a company's message centre binds to ours. Add the company and its agreement first.",
)
