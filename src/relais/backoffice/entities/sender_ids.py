"""SMS sender IDs: names and numbers that companies send from (SID). Further channels get pages of their own form.

What the vendor's side of a sender is stays with the level whose connection it uses (SID-231): others see it as handed down.
"""

from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_noop

from relais.backoffice.sender_fees import SetupFeeForm
from relais.pages.approvals import approvals_needed
from relais.pages.entity import Action, Block, Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField, explained
from relais.pages.kinds import Badge, Choice, Code, Flag, Id, Instant, Kind, Name, Number, Reference
from relais.pages.viewer import MANAGE, Viewer
from relais.pages.widgets import GuidInput
from relais.pages.words import SENDER_CHANNELS, SENDER_STATUS_CHOICES, SENDER_STATUSES, in_words
from relais.records.agreements.models import Agreement
from relais.records.connections.models import ClientSmppConnection, VendorSmppConnection
from relais.records.parties.models import Company
from relais.records.saving import find
from relais.records.senders.actions.delete_sender_id import delete_sender_id
from relais.records.senders.actions.fees import charge_setup_fee, has_setup_fee
from relais.records.senders.actions.renew_webhook_secret import renew_sender_webhook_secret
from relais.records.senders.actions.save_sender_id import doubts_about, save_sender_id
from relais.records.senders.models import SenderId, SenderStatus, VendorType
from relais.records.traffic.models import CallbackStop
from relais.records.traffic.webhooks import allow_again, sender_webhook_secrets

VENDOR_TYPES = {VendorType.SMPP: "SMPP"}
VENDOR_FIELDS = ("vendor_type", "smpp_connection", "second_smpp_connection", "service_type")
SECRET = "sender-webhook-secret"
LENT_FIELDS = ("sender_id", "mcc", "keyword")  # what a sender ID is stays with its owner too (RSL-54)
OPT_OUT_FIELDS = ("stop_words", "stop_answer", "start_words", "start_answer", "help_words", "help_answer")
NOTIFICATION_FIELDS = ("trigger_percent", "minimal_message_count", "window_size_minutes")
LENGTHS_USUAL = gettext_noop("Most networks take up to 11 letters, or a number of 3 to 15 digits")
EXPLAINED = {
    "minimal_message_count": gettext_noop(
        "How many messages there must be in the window before failures are looked for: of a few, one that fails says nothing."
    ),
    "window_size_minutes": gettext_noop(
        "The last minutes that are looked at: the messages in them are counted, and those of them that failed."
    ),
}


def _agreements(viewer: Viewer, chosen: Any) -> Any:
    return viewer.rows(Agreement).filter(company=chosen["company"])


def _connections(viewer: Viewer, chosen: Any) -> Any:
    """Those of the viewer's level that the company may use (VSMPP-12); disabled ones are listed (HTTPC-47)."""
    rows = viewer.rows(VendorSmppConnection)
    return rows.filter(companies=None) | rows.filter(companies=chosen["company"])


class AgreementField(ReferenceField):
    """`{code}, {currency}` (SID-35)."""

    def label_from_instance(self, obj: Agreement) -> str:
        return f"{obj.agreement_code}, {obj.currency}"


class ConnectionField(ReferenceField):
    """`{name} (enabled)` (SID-38)."""

    def label_from_instance(self, obj: VendorSmppConnection) -> str:
        return f"{obj.name} ({'disabled' if obj.disabled else 'enabled'})"


class SenderIdForm(RecordForm):
    company = ReferenceField(lambda viewer, chosen: viewer.rows(Company))
    agreement = AgreementField(_agreements, depends_on=("company",), search=("agreement_code",), required=False)
    status = forms.ChoiceField(choices=SENDER_STATUS_CHOICES, initial=SenderStatus.DRAFT)
    webhook_guid = forms.UUIDField(
        label="Webhook GUID",
        required=False,
        widget=GuidInput,
        help_text="Names this sender ID when status updates and incoming messages arrive by webhook",
    )
    mcc = forms.CharField(label="MCC", required=False, help_text="Country in which a short code is used: three digits")
    webhook_url = forms.URLField(label="Webhook URL", required=False, assume_scheme="https")
    vendor_type = forms.ChoiceField(choices=list(VENDOR_TYPES.items()))
    smpp_connection = ConnectionField(_connections, depends_on=("company",), label="Connection")
    second_smpp_connection = ConnectionField(
        _connections,
        depends_on=("company",),
        label="Second connection",
        required=False,
        help_text="New messages leave by it while the first one is down",
    )
    client_smpp_connection = ReferenceField(
        lambda viewer, chosen: viewer.rows(ClientSmppConnection).filter(company=chosen["company"]),
        depends_on=("company",),
        label="WebHook SMPPAPI Connection",
        required=False,
        help_text="The client's message centre that is told what comes for this sender ID",
    )
    notifications = forms.BooleanField(
        label="Notification settings",
        required=False,
        help_text="Tell when too many messages fail, or when traffic stops",
    )

    class Meta:
        model = SenderId
        fields = (
            "sender_id", "name", "company", "agreement", "status", "is_default", "webhook_guid", "mcc", "webhook_url",
            "client_smpp_connection", "keyword", "vendor_type", "smpp_connection", "second_smpp_connection",
            "service_type", "notifications", *NOTIFICATION_FIELDS, "opt_out_words", *OPT_OUT_FIELDS,
        )  # fmt: skip
        labels: ClassVar = {"sender_id": "Sender ID", "is_default": "Default sender", "trigger_percent": "Trigger percent",
                  "minimal_message_count": "Minimal message count for starting detecting",
                  "window_size_minutes": "Window size", "opt_out_words": "Understands STOP, START and HELP",
                  "stop_words": "Further words for STOP", "stop_answer": "Answer to STOP",
                  "start_words": "Further words for START", "start_answer": "Answer to START",
                  "help_words": "Further words for HELP", "help_answer": "Answer to HELP"}  # fmt: skip
        help_texts: ClassVar = {"is_default": "Of messages of its company that name none",
                      "name": "Shown in messages", "keyword": "From the provider, on a shared short code",
                      "service_type": "Without function so far", "trigger_percent": "Of messages failed, in percent",
                      "minimal_message_count": "On fewer messages no failure counts",
                      "window_size_minutes": "In minutes", "stop_words": "Separated by commas",
                      "start_words": "Separated by commas", "help_words": "Separated by commas",
                      "stop_answer": "Sent by itself, and charged; left blank, none is",
                      "start_answer": "Left blank, none is sent", "help_answer": "Left blank, none is sent"}  # fmt: skip

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        super().__init__(viewer, *args, **options)
        self.fields["sender_id"].help_text = " ".join(_doubts(self.instance)) or LENGTHS_USUAL
        if viewer.company.parent_id is not None:
            self.fields["agreement"].required = True
        else:
            self.fields["agreement"].help_text = gettext_noop("Left blank for sender IDs of your own only")
            self.fields["is_default"].help_text = gettext_noop(
                "Of messages of its company that name none; one of your own also of clients that have no sender ID"
            )
        if self.instance.pk is None and not viewer.rows(VendorSmppConnection).exists():
            self.fields["smpp_connection"].help_text = gettext_noop(
                "There is none yet: add one under Settings, Vendors SMPP connections"
            )
        self.fields["webhook_guid"].place = self.fields["notifications"].place = "c12"
        for name in NOTIFICATION_FIELDS:
            self.fields[name].show_when = "notifications=true"
        self.fields["opt_out_words"].place = "c12"
        for name in OPT_OUT_FIELDS:
            self.fields[name].show_when = "opt_out_words=true"
        for name, words in EXPLAINED.items():
            explained(self.fields[name], words)
        if not _shows_vendor(self.instance, viewer):
            self.fixed = LENT_FIELDS
            for name in (*LENT_FIELDS, *VENDOR_FIELDS):
                del self.fields[name]
        elif self.instance.smpp_connection_id:
            # what it uses now stays a choice, even when it was reserved for others meanwhile
            for name in ("smpp_connection", "second_smpp_connection"):
                field = self.fields[name]
                used = viewer.rows(VendorSmppConnection).filter(pk=getattr(self.instance, f"{name}_id"))
                field.queryset = (field.queryset | used).distinct()

    def clean(self) -> dict[str, Any]:
        """The numbers stay while the notifications are off (SID-43)."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("notifications"):
            cleaned |= {name: getattr(self.instance, name) for name in NOTIFICATION_FIELDS}
        return cleaned

    def store(self) -> SenderId:
        return save_sender_id(self.instance, self.viewer.now, unchanged_since=self.unchanged_since)


def _doubts(sender: SenderId) -> list[str]:
    return (
        [f"{told[:1].upper()}{told[1:]}." for told in map(in_words, doubts_about(sender))] if sender.sender_id else []
    )


def _shows_vendor(sender: SenderId, viewer: Viewer) -> bool:
    """Whether the viewer's level has made the connection, or there is none yet."""
    return sender.smpp_connection is None or sender.smpp_connection.company_id == viewer.company.pk


def _blocks(sender: SenderId, viewer: Viewer) -> list[Block]:
    blocks = [Block("backoffice/sender_vendor.html", {"sender": sender, "own": _shows_vendor(sender, viewer)})]
    if told := _doubts(sender) + approvals_needed(sender):
        blocks.append(Block("backoffice/warnings.html", {"warnings": told}, before=True))
    secrets = viewer.handed_over(f"{SECRET}-{sender.pk}").split()
    stops = list(viewer.rows(CallbackStop).filter(sender=sender).order_by("pk"))
    if secrets or stops:
        blocks.append(Block("backoffice/sender_webhook.html", {"secrets": secrets, "stops": stops}, before=True))
    return blocks


def _show_secret(sender: SenderId, viewer: Viewer, data: dict[str, Any]) -> None:
    _hand_over_secret(sender, viewer)


def _renew_secret(sender: SenderId, viewer: Viewer, data: dict[str, Any]) -> None:
    _hand_over_secret(renew_sender_webhook_secret(sender.pk, viewer.now), viewer)


def _hand_over_secret(sender: SenderId, viewer: Viewer) -> None:
    viewer.hand_over(f"{SECRET}-{sender.pk}", " ".join(sender_webhook_secrets(sender, viewer.now)))


def _allow_again(sender: SenderId, viewer: Viewer, data: dict[str, Any]) -> None:
    for stop in viewer.rows(CallbackStop, MANAGE).filter(sender=sender):
        allow_again(stop.pk)


def _set_status(status: SenderStatus) -> Any:
    def verb(sender: SenderId, viewer: Viewer, data: dict[str, Any]) -> None:
        locked = find(SenderId, sender.pk)
        locked.status = status
        save_sender_id(locked, viewer.now)

    return verb


SENDER_IDS = Entity(
    name="sender-ids",
    model=SenderId,
    label="Sender ID",
    plural="Sender IDs",
    line="Sender IDs",
    menu=Menu("Account management", 50),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("company", "Company", Reference("companies"), sort="company__name", phone="m3"),
        Column("channel", "Channel", Choice(SENDER_CHANNELS)),
        Column("sender_id", "Sender ID", Name(), phone="m1"),
        Column("name", "Name", Kind()),
        Column("status", "Status", Badge(SENDER_STATUSES), phone="m4"),
        Column("webhook_guid", "Webhook GUID", Code()),
        Column("agreement", "Agreement", Reference("agreements"), sort="agreement__agreement_code", phone="m2"),
        Column("vendor_type", "Vendor type", Choice(VENDOR_TYPES)),
        Column("created_at", "Created", Instant()),
        Column("updated_at", "Updated", Instant()),
        Column("is_default", "Default sender", Flag(), shown=False),
        Column("mcc", "MCC", Code(), shown=False),
        Column("keyword", "Keyword", shown=False),
        Column("webhook_url", "Webhook URL", shown=False),
        Column(
            "client_smpp_connection",
            "WebHook SMPPAPI Connection",
            Reference("client-smpp-connections"),
            sort="client_smpp_connection__name",
            shown=False,
        ),
        Column("opt_out_words", "Understands STOP, START and HELP", Flag(), shown=False),
        Column("stop_words", "Further words for STOP", shown=False),
        Column("stop_answer", "Answer to STOP", shown=False),
        Column("start_words", "Further words for START", shown=False),
        Column("start_answer", "Answer to START", shown=False),
        Column("help_words", "Further words for HELP", shown=False),
        Column("help_answer", "Answer to HELP", shown=False),
        Column("notifications", "Notification settings", Flag(), shown=False),
        Column("trigger_percent", "Trigger percent", Number(), shown=False),
        Column("minimal_message_count", "Minimal message count for starting detecting", Number(), shown=False),
        Column("window_size_minutes", "Window size, minutes", Number(), shown=False),
    ),
    filters=(
        Filter("company", "Company", "reference", of=Company),
        Filter("status", "Status", "choice", choices=SENDER_STATUS_CHOICES),
        Filter("sender_id", "Sender ID"),
        Filter("name", "Name"),
        Filter("agreement", "Agreement code", path="agreement__agreement_code"),
        Filter("is_default", "Default sender", "flag"),
        Filter("notifications", "Notification settings", "flag"),
        Filter("created_at", "Created", "day"),
    ),
    search=("sender_id", "name", "company__name"),
    search_hint="Sender ID, name or company",
    sections=(
        Section("Sender", ("sender_id", "name", "company", "agreement", "status", "is_default")),
        Section(
            "Webhook and two-way messages", ("webhook_guid", "mcc", "webhook_url", "client_smpp_connection", "keyword")
        ),
        Section("Vendor", VENDOR_FIELDS),
        Section("Notifications", ("notifications", *NOTIFICATION_FIELDS), hint="Of failing or missing traffic"),
        Section(
            "Opt-out words",
            ("opt_out_words", *OPT_OUT_FIELDS),
            hint="Who answers STOP, in any of several languages, goes on this sender ID's stop list; START takes them off",
        ),
    ),
    rows=lambda rows: rows.select_related(
        "company", "agreement", "smpp_connection", "second_smpp_connection", "client_smpp_connection"
    ),
    form=SenderIdForm,
    deletes=lambda sender, viewer: delete_sender_id(sender.pk, viewer.company.pk, viewer.now),
    actions=(
        Action(
            "setup-fee",
            "Setup fee…",
            lambda sender, viewer, data: charge_setup_fee(
                sender.pk,
                data["sender_id_type"],
                data["mno"],
                viewer.now,
                user=viewer.user,
                known_count=data["known_count"] or 0,
            ),
            shown=lambda sender: has_setup_fee(sender, timezone.now()),
            confirm="The registration fee of the service is taken once, from the balance of the sender ID's agreement.",
            form=SetupFeeForm,
        ),
        Action("webhook-secret", "Show secret", _show_secret, shown=lambda sender: bool(sender.webhook_url)),
        Action(
            "renew-secret",
            "Renew secret…",
            _renew_secret,
            shown=lambda sender: bool(sender.webhook_url),
            confirm="Events are signed with a new secret from now on, and for a day with the former one beside it: until then "
            "the client's system has to know the new one.",
        ),
        Action(
            "allow-again",
            "Allow again",
            _allow_again,
            shown=lambda sender: CallbackStop.objects.filter(sender=sender).exists(),
        ),
        Action(
            "block",
            "Block…",
            _set_status(SenderStatus.BLOCKED),
            shown=lambda sender: sender.status != SenderStatus.BLOCKED,
            confirm="Messages from it are refused from now on, and incoming ones are not processed. Unblock takes it back.",
            bulk=True,
        ),
        Action(
            "unblock",
            "Unblock",
            _set_status(SenderStatus.ACTIVE),
            shown=lambda sender: sender.status == SenderStatus.BLOCKED,
            bulk=True,
        ),
    ),
    blocks=_blocks,
    empty="A sender ID is the name or number that recipients see. Add the vendor's connection first, then the sender ID.",
)
