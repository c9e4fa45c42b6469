"""Connections to the providers that take SMS over SMPP (VSMPP). They belong to the level that made them (HTTPC-51)."""

from typing import Any, ClassVar

from django import forms
from django.db.models import Case, CharField, F, Func, JSONField, OuterRef, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Now
from django.utils import timezone

from relais.backoffice import binds
from relais.backoffice.kinds import Truth
from relais.backoffice.live import SILENT_AFTER
from relais.backoffice.statuses_map import StatusesMap, StatusesMapField
from relais.pages.entity import Action, Block, Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm
from relais.pages.kinds import Badge, Choice, Code, Computed, Flag, Id, Instant, Name, Number
from relais.pages.viewer import Viewer
from relais.pages.widgets import ReferencesField
from relais.records.connections.actions.delete_vendor_smpp_connection import delete_vendor_smpp_connection
from relais.records.connections.actions.save_vendor_smpp_connection import save_vendor_smpp_connection
from relais.records.connections.models import SslType, VendorSmppConnection
from relais.records.parties.models import Company
from relais.records.saving import find
from relais.records.traffic.models import GatewayBeat

ACTIVE, DISABLED = "active", "disabled"
STATUSES = {ACTIVE: ("Active", "ok"), DISABLED: ("Disabled", "hollow")}
STATUS_CHOICES = [(status, label) for status, (label, _) in STATUSES.items()]
WINDOW_RECOMMENDED_MAX = 100  # VSMPP-21


class VendorSmppConnectionForm(RecordForm):
    """A blank password keeps the stored one (HTTPC-50); Limits switches both limits (VSMPP-19)."""

    companies = ReferencesField(
        lambda viewer, chosen: viewer.rows(Company),
        label="Company IDs",
        required=False,
        help_text="Only their sender IDs use the connection; blank = all companies",
    )
    port = forms.IntegerField(min_value=1, max_value=65_535)
    system_id = forms.CharField(
        label="System ID",
        max_length=15,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="The login given by the provider",
    )
    password = forms.CharField(
        strip=False,
        required=False,
        max_length=64,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    use_tls = forms.TypedChoiceField(
        label="SSL type",
        required=False,
        choices=[("", "None"), ("True", SslType.TLS.label)],
        coerce=lambda chosen: chosen == "True",
        empty_value=False,
        help_text="As given by the provider; TLS 1.2 and 1.3 are spoken, nothing older",
    )
    limits = forms.BooleanField(required=False, help_text="Without, the limits of the system apply")
    rps_limit = forms.IntegerField(label="RPS limit", required=False, min_value=1, help_text="Requests a second")
    window_limit = forms.IntegerField(
        required=False, min_value=1, help_text="Unanswered requests; at most 100 is recommended"
    )
    statuses_map = StatusesMapField(
        required=False, help_text="Unsent is never charged; Undelivered is charged where billing is by submission"
    )
    disabled = forms.BooleanField(label="Disable SMPP connection", required=False)

    class Meta:
        model = VendorSmppConnection
        fields = (
            "name", "companies", "host_name", "port", "system_id", "system_type", "use_tls", "rps_limit", "window_limit",
            "use_tlv", "inverse_address_mode", "fallback_sender", "statuses_map", "disabled",
        )  # fmt: skip
        labels: ClassVar = {"use_tlv": "Use TLV", "fallback_sender": "Fallback sender ID"}
        help_texts: ClassVar = {
            "fallback_sender": "Messages whose sender the vendor refuses go out under it, once and at no further charge"
        }

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        super().__init__(viewer, *args, **options)
        stored = self.instance.pk is not None
        self.initial.setdefault("limits", bool(self.instance.rps_limit or self.instance.window_limit))
        self.fields["password"].required = not stored
        self.fields["limits"].place = self.fields["statuses_map"].place = "c12"
        self.fields["rps_limit"].show_when = self.fields["window_limit"].show_when = "limits=true"
        if stored:
            self.fields["password"].help_text = "Left blank, the stored one stays"

    def store(self) -> VendorSmppConnection:
        if self.instance.pk is None:
            self.instance.company = self.viewer.company
        sent = self.cleaned_data
        return save_vendor_smpp_connection(
            self.instance,
            sent["password"] or None,
            companies=sent["companies"],
            limits=sent["limits"],
            unchanged_since=self.unchanged_since,
        )


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """`told`: what a gateway last said of the bind."""
    lane = Func(F("beat"), Value("connections"), Cast(OuterRef("pk"), TextField()), function="jsonb_extract_path",
                output_field=JSONField())  # fmt: skip
    beats = GatewayBeat.objects.filter(at__gt=Now() - SILENT_AFTER).annotate(lane=lane).filter(lane__isnull=False)
    rows = rows.annotate(told=Subquery(beats.order_by("-at").values("lane")[:1]))
    status = Case(When(disabled=True, then=Value(DISABLED)), default=Value(ACTIVE), output_field=CharField())
    return rows.annotate(status=status).prefetch_related("companies")


def _companies(connection: VendorSmppConnection) -> tuple[str, str]:
    names = ", ".join(company.name for company in connection.companies.all())
    return names or "All", names


def _blocks(connection: VendorSmppConnection, viewer: Viewer) -> list[Block]:
    if (connection.window_limit or 0) <= WINDOW_RECOMMENDED_MAX:
        return []
    told = f"The window limit is {connection.window_limit}: more than {WINDOW_RECOMMENDED_MAX} is not recommended."
    return [Block("backoffice/warnings.html", {"warnings": [told]}, before=True)]


def _switch(**values: bool) -> Any:
    """The verb that sets these; with `disconnected=False` it asks for new sessions, too."""

    def verb(connection: VendorSmppConnection, viewer: Viewer, data: dict[str, Any]) -> None:
        locked = find(VendorSmppConnection, connection.pk)
        for name, value in values.items():
            setattr(locked, name, value)
        if values.get("disconnected") is False:
            locked.reconnect_at = timezone.now()
        save_vendor_smpp_connection(locked, None)

    return verb


VENDOR_SMPP_CONNECTIONS = Entity(
    name="vendor-smpp-connections",
    model=VendorSmppConnection,
    label="Vendor SMPP connection",
    plural="Vendors SMPP connections",
    line="Vendors SMPP connections",
    menu=Menu("Settings", 10),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("name", "Name", Name(), phone="m1"),
        Column("host_name", "Host name", Code(), phone="m3"),
        Column("port", "Port", Id(), phone="m2"),
        Column("system_id", "System ID", Code()),
        Column("status", "Status", Badge(STATUSES)),
        binds.column("bind", phone="m4"),
        Column("inverse_address_mode", "MO inverse address mode", Truth()),
        binds.column("sessions"),
        binds.column("window"),
        binds.column("now"),
        binds.column("queued"),
        binds.column("last_error"),
        Column("rps_limit", "RPS limit", Number(), shown=False),
        Column("window_limit", "Window limit", Number(), shown=False),
        Column("companies", "Company IDs", Computed(_companies), sort=None, shown=False),
        Column("system_type", "System type", shown=False),
        Column("use_tls", "SSL type", Choice({False: "None", True: SslType.TLS.label}), shown=False),
        Column("use_tlv", "Use TLV", Flag(), shown=False),
        Column("fallback_sender", "Fallback sender ID", shown=False),
        Column("statuses_map", "Statuses map", StatusesMap(), sort=None, shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("name", "Name"),
        Filter("host_name", "Host name"),
        Filter("system_id", "System ID"),
        Filter("status", "Status", "choice", choices=STATUS_CHOICES),
        Filter("created_at", "Created", "day"),
    ),
    search=("name", "host_name", "system_id"),
    search_hint="Name, host or system ID",
    sections=(
        Section(
            "Connection", ("name", "companies", "host_name", "port", "system_id", "password", "system_type", "use_tls")
        ),
        Section("Limits", ("limits", "rps_limit", "window_limit")),
        Section("Ways of the vendor", ("use_tlv", "inverse_address_mode", "fallback_sender")),
        Section("Charging", ("statuses_map",), hint="What the vendor's statuses and codes mean for it"),
        Section("State", ("status", "disabled")),
        Section("Now", ("bind", "sessions", "window", "now", "queued", "last_error"), hint="Renewed by itself"),
    ),
    rows=_rows,
    form=VendorSmppConnectionForm,
    deletes=lambda connection, viewer: delete_vendor_smpp_connection(connection.pk),
    actions=(
        Action(
            "connect",
            "Connect",
            _switch(disconnected=False),
            shown=lambda connection: connection.disconnected and not connection.disabled,
            bulk=True,
        ),
        Action(
            "reconnect",
            "Reconnect…",
            _switch(disconnected=False),
            shown=lambda connection: not connection.disabled and not connection.disconnected,
            confirm="Its sessions are unbound and bound anew, within seconds. What the vendor has not answered goes out again.",
            bulk=True,
        ),
        Action(
            "disconnect",
            "Disconnect…",
            _switch(disconnected=True),
            shown=lambda connection: not connection.disabled and not connection.disconnected,
            confirm="Its sessions are unbound and stay so until somebody connects it again. Messages wait here, or leave by the "
            "second connection of their sender ID.",
            bulk=True,
        ),
        Action(
            "disable",
            "Disable…",
            _switch(disabled=True),
            shown=lambda connection: not connection.disabled,
            confirm="Its sender IDs stop sending at once. Queued messages leave by the second connection of their "
            "sender ID; others wait until it is enabled again or their validity ends, when what was reserved is released.",
            bulk=True,
        ),
        Action("enable", "Enable", _switch(disabled=False), shown=lambda connection: connection.disabled, bulk=True),
    ),
    blocks=_blocks,
    empty="A connection leads to a provider that takes SMS over SMPP. It comes first; then the sender IDs that use it.",
)
