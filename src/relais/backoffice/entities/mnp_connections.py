"""MNP connections: the tenant's servers that know which operator serves a number now (CO-69)."""

import asyncio
import re
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.utils.translation import gettext, gettext_noop

from relais.backoffice.live import SILENT_AFTER
from relais.core.numbers import normalise
from relais.core.portability import RANGE, Serving
from relais.pages.entity import Action, Block, Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm
from relais.pages.kinds import NOTHING, Badge, Choice, Code, Computed, Id, Instant, Kind, Name, Number
from relais.pages.viewer import Viewer
from relais.records.catalog.models import NetworkCode
from relais.records.connections.actions.delete_mnp_connection import delete_mnp_connection
from relais.records.connections.actions.save_mnp_connection import save_mnp_connection
from relais.records.connections.models import MnpConnection, MnpProvider
from relais.records.errors import Invalid
from relais.records.saving import find
from relais.records.secrets import unseal
from relais.records.traffic.models import GatewayBeat
from relais.transport.http import is_public
from relais.transport.number_lookup import Asker, LookupFailed, Server

LINE = "MNP connections"
PROVIDERS = dict(MnpProvider.choices)
ENABLED = {True: ("Enabled", "ok"), False: ("Switched off", "hollow")}
HELD_FOR = {"enum": "kind=enum", "http": "kind=http"}
_LINE_OF_LIFETIMES = re.compile(r"\s*([A-Za-z]{2})\s*[=:\s]\s*([0-9]{1,8})\s*")


class LifetimesField(forms.CharField):
    """`ES=3600, PT=600`: a country's own lifetime of answers, in seconds."""

    def prepare_value(self, value: Any) -> Any:
        return _lifetimes_text(value) if isinstance(value, dict) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or {}) != self.clean(data))
        except ValidationError:
            return True

    def clean(self, value: Any) -> dict[str, int]:
        text, found = super().clean(value), {}
        for part in filter(str.strip, text.replace("\n", ",").replace(";", ",").split(",")):
            match = _LINE_OF_LIFETIMES.fullmatch(part)
            if match is None:
                raise ValidationError(gettext("Takes a country and seconds, such as ES=3600, separated by commas."))
            found[match[1].upper()] = int(match[2])
        return found


class MnpConnectionForm(RecordForm):
    """A blank password keeps the stored one."""

    kind = forms.ChoiceField(choices=MnpProvider.choices, label="Provider type")
    address = forms.CharField(
        required=False,
        help_text="HTTP: a URL with {number}, and {login} and {password} where they belong in it. ENUM: the name server,"
        " or up to four, separated by commas and tried in turn",
    )
    password = forms.CharField(
        strip=False,
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="With a login it is sent as Basic, alone as Bearer, unless the URL holds {password}",
    )
    lifetimes = LifetimesField(
        required=False,
        label="Lifetime by country",
        help_text="Where it differs: ES=3600, PT=600",
    )

    class Meta:
        model = MnpConnection
        fields = (
            "name", "enabled", "kind", "address", "enum_suffix", "mcc_path", "mnc_path", "login", "timeout_ms",
            "lifetime_s", "lifetimes",
        )  # fmt: skip
        labels: ClassVar = {"enum_suffix": "Domain", "mcc_path": "Path of the MCC", "mnc_path": "Path of the MNC",
                            "timeout_ms": "Timeout, ms", "lifetime_s": "Lifetime of answers, s"}  # fmt: skip
        help_texts: ClassVar = {
            "enabled": "Switched off, nobody is asked and the number range counts",
            "enum_suffix": "Put after the digits: e164.arpa, or the provider's own",
            "mcc_path": "Where the answer has it, such as data.mcc or results.0.mcc",
            "mnc_path": "Left blank, the path of the MCC leads to both as one",
            "timeout_ms": "At most 300: then the number range counts",
            "lifetime_s": "How long an answer is kept; 0 = not at all",
        }
        widgets: ClassVar = {"login": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        super().__init__(viewer, *args, **options)
        self.fields["address"].place = "c12"
        self.fields["enum_suffix"].show_when = HELD_FOR["enum"]
        for name in ("mcc_path", "mnc_path", "login", "password"):
            self.fields[name].show_when = HELD_FOR["http"]
        if self.instance.password_encrypted:
            self.fields["password"].help_text = "Left blank, the stored one stays"

    def clean(self) -> dict[str, Any]:
        """What the other kind of provider needs is kept where the form did not send it."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        other = ("enum_suffix",) if cleaned.get("kind") == MnpProvider.HTTP else ("mcc_path", "mnc_path", "login")
        return cleaned | {name: getattr(self.instance, name) for name in other if name not in self.data}

    def store(self) -> MnpConnection:
        return save_mnp_connection(
            self.instance, self.cleaned_data["password"] or None, unchanged_since=self.unchanged_since
        )


class LookUpForm(forms.Form):
    number = forms.CharField(label="Number", max_length=30, help_text="In international form, such as 34612345678")

    def __init__(self, *args: Any, record: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)


def _look_up(connection: MnpConnection, viewer: Viewer, data: dict[str, Any]) -> None:
    """Asks now, past memory and whatever rests; what came of it stands in the drawer afterwards."""
    digits = normalise(data["number"])
    if digits is None:
        raise Invalid.of("", gettext_noop("the number must be in international form, such as 34612345678"))
    if not connection.address:
        raise Invalid.of("", gettext_noop("the connection has no address yet"))
    password = unseal(connection.password_encrypted) if connection.password_encrypted else ""
    server = Server(
        connection.kind, connection.address, connection.enum_suffix, connection.mcc_path, connection.mnc_path,
        connection.login, password,
    )  # fmt: skip
    began = datetime.now()
    try:
        told = _told(_asked(server, digits, connection.timeout_ms / 1000))
    except LookupFailed as failure:
        told = gettext("No answer that can be used: %(reason)s.") % {"reason": str(failure)}
    took_ms = int((datetime.now() - began).total_seconds() * 1000)
    viewer.hand_over(_name_of(connection), f"+{digits}: {told} ({took_ms} ms)")


def _asked(server: Server, digits: str, within_s: float) -> Serving:
    """On a loop of its own, whose end does not wait for a name that is still being resolved."""
    asker = Asker((lambda address: True) if settings.CALLBACKS_ALLOW_PRIVATE else is_public)
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(asker.ask(server, digits, within_s)).serving
    finally:
        asker.close()
        loop.close()


def _told(serving: Serving) -> str:
    if serving == RANGE:
        return gettext("The server names no operator: the number range counts.")
    if serving.routing_number is not None:
        return gettext("Served by the operator of the routing number +%(number)s.") % {"number": serving.routing_number}
    codes = NetworkCode.objects.filter(pk__in=serving.codes).select_related("network")
    found = {code.pk: code.network.name for code in codes}
    known = next((code for code in serving.codes if code in found), None)
    if known is None:
        return gettext("The server says %(code)s, which no network of the dictionary has.") % {"code": serving.codes[0]}
    return gettext("Served by %(network)s, %(code)s.") % {"network": found[known], "code": known}


def _name_of(connection: MnpConnection) -> str:
    return f"number-lookup-{connection.pk}"


def _blocks(connection: MnpConnection, viewer: Viewer) -> list[Block]:
    blocks = [Block("backoffice/mnp_state.html", _state(connection, viewer))]
    if told := viewer.handed_over(_name_of(connection)):
        blocks.append(Block("backoffice/mnp_told.html", {"told": told}, before=True))
    return blocks


def _state(connection: MnpConnection, viewer: Viewer) -> dict[str, Any]:
    """What the gateways that live count of it since each started; the newest error of them."""
    latest: dict[Any, dict[str, Any]] = {}
    beats = GatewayBeat.objects.filter(at__gt=viewer.now - SILENT_AFTER).order_by("at")
    for gateway, told in beats.values_list("gateway", f"beat__mnp__{connection.pk}"):
        if told:
            latest[gateway] = told
    lines = list(latest.values())
    answered = sum(line["answered"] for line in lines)
    last = max(lines, key=lambda line: line["last_error_at"], default=None)
    failed_at = last["last_error_at"] if last else ""
    return {
        "asked": bool(lines),
        "answered": answered,
        "mean_ms": sum(line["asked_ms"] for line in lines) // answered if answered else None,
        "from_memory": sum(line["from_memory"] for line in lines),
        "failed": sum(line["failed"] for line in lines),
        "left_alone": sum(line["left_alone"] for line in lines),
        "resting": any(line["resting"] for line in lines),
        "last_error": last["last_error"] if last else "",
        "last_error_at": datetime.fromisoformat(failed_at) if failed_at else None,
    }


def _lifetimes_text(lifetimes: dict[str, int]) -> str:
    return ", ".join(f"{country}={seconds}" for country, seconds in lifetimes.items())


def _lifetimes(connection: MnpConnection) -> tuple[str, str]:
    words = _lifetimes_text(connection.lifetimes)
    return words or NOTHING, words


def _switch(enabled: bool) -> Any:
    def verb(connection: MnpConnection, viewer: Viewer, data: dict[str, Any]) -> None:
        locked = find(MnpConnection, connection.pk)
        locked.enabled = enabled
        save_mnp_connection(locked, None)

    return verb


MNP_CONNECTIONS = Entity(
    name="mnp-connections",
    model=MnpConnection,
    label="MNP connection",
    plural="MNP connections",
    line=LINE,
    menu=Menu("Settings", 35),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("name", "Name", Name(), phone="m1"),
        Column("enabled", "Enabled", Badge(ENABLED), phone="m4"),
        Column("kind", "Provider type", Choice(PROVIDERS), phone="m2"),
        Column("address", "Address", Code(), phone="m3"),
        Column("companies_count", "Companies", Number()),
        Column("timeout_ms", "Timeout, ms", Number()),
        Column("lifetime_s", "Lifetime of answers, s", Number()),
        Column("lifetimes", "Lifetime by country", Computed(_lifetimes), sort=None, shown=False),
        Column("enum_suffix", "Domain", Code(), shown=False),
        Column("mcc_path", "Path of the MCC", Code(), shown=False),
        Column("mnc_path", "Path of the MNC", Code(), shown=False),
        Column("login", "Login", Kind(), shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("name", "Name"),
        Filter("enabled", "Enabled", "flag"),
        Filter("kind", "Provider type", "choice", choices=MnpProvider.choices),
        Filter("address", "Address"),
        Filter("created_at", "Created", "day"),
    ),
    search=("name", "address"),
    search_hint="Name or address",
    sections=(
        Section("Connection", ("name", "enabled", "kind", "address", "companies_count")),
        Section(
            "What is asked, and how", ("enum_suffix", "mcc_path", "mnc_path", "login", "password"),
            hint="A name server needs the domain; an HTTP server the places of MCC and MNC in its JSON answer",
        ),
        Section("Time", ("timeout_ms", "lifetime_s", "lifetimes")),
    ),
    rows=lambda rows: rows.annotate(companies_count=Count("companies", filter=Q(companies__mnp_requests=True))),
    form=MnpConnectionForm,
    deletes=lambda connection, viewer: delete_mnp_connection(connection.pk),
    actions=(
        Action(
            "look-up",
            "Look up a number…",
            _look_up,
            confirm="The server is asked now, which it may charge for.",
            form=LookUpForm,
        ),
        Action(
            "disable",
            "Switch off…",
            _switch(False),
            shown=lambda connection: connection.enabled,
            confirm="Nobody is asked any more: for messages of its companies the number range counts again.",
            bulk=True,
        ),
        Action("enable", "Switch on", _switch(True), shown=lambda connection: not connection.enabled, bulk=True),
    ),
    blocks=_blocks,
    empty="An MNP connection leads to a server that knows which operator serves a number now. Choose it at a company then.",
)  # fmt: skip
