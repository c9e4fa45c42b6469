"""The hot tables for reading: pages look at what the data plane writes. Django makes no migration of them and does not write
them, but for what people may ask of webhooks (`traffic.webhooks`).

Foreign keys are joins only; the database keeps none on hot tables. A message's terms (`agreement_ids` and the arrays beside
it) have an element a level of the chain, the client first.
"""

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_noop

from relais.core.lifecycle import State
from relais.records.traffic.instants import MessageIdField, accepted_at


def _join(to: str, **options: Any) -> Any:
    """A foreign key without a constraint and without a reverse name."""
    return models.ForeignKey(
        to, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", **options
    )


PLATFORM_KEY_ID = 0  # in place of an API key's: the platform sent the message itself, a log-in code


class Encoding(models.IntegerChoices):
    """The SMPP data_coding."""

    GSM7 = 0, "GSM 7-bit"
    UCS2 = 8, "UCS-2"
    BINARY = 4, "Binary"


class Channel(models.IntegerChoices):
    SMS = 1, "SMS"
    WHATSAPP = 2, "WhatsApp"
    RCS = 3, "RCS"


class Entry(models.IntegerChoices):
    """What an EDR says of its level. Reserved is no entry: until one exists the terms of the message stand for it."""

    CAPTURED = 1
    RELEASED = 2
    REVERSED = 3
    CORRECTED = 4  # of earlier units of the period, by a Back-to-First scale (SV-255)
    CORRECTED_BACK = 5  # the same, when such a charge was reversed


class Messages(models.QuerySet["Message"]):
    def with_state(self) -> "Messages":
        """`state` beside `status`: where an open message is, by the rule of the customer API (`pipeline.views.message`)."""
        parts = SentPart.objects.filter(message_id=OuterRef("pk")).values("message_id")
        sent_count = Coalesce(Subquery(parts.annotate(count=models.Count("*")).values("count")), 0)
        return self.annotate(
            state=Case(
                When(status__gte=State.DELIVERED.value, then=F("status")),
                When(Q(segments_count__lte=sent_count), then=Value(State.SENT.value)),
                When(Q(send_at__gt=Now()) & ~models.Exists(parts), then=Value(State.SCHEDULED.value)),
                default=Value(State.QUEUED.value),
                output_field=models.SmallIntegerField(),
            )
        )


class Message(models.Model):
    id = MessageIdField(primary_key=True)
    company = _join("parties.Company")
    api_key = _join("people.ApiKey")
    sender = _join("senders.SenderId")
    connection = _join("connections.VendorSmppConnection")
    network = _join("catalog.Network", null=True)
    send_at = models.DateTimeField(null=True)
    final_at = models.DateTimeField(null=True)
    validity_s = models.IntegerField()
    status = models.SmallIntegerField()
    channel = models.SmallIntegerField(choices=Channel.choices)
    encoding = models.SmallIntegerField(choices=Encoding.choices)
    segments_count = models.SmallIntegerField()
    delivered_rules = models.SmallIntegerField()
    country = _join("catalog.Country", db_column="country")
    source = models.TextField()
    destination = models.TextField()
    body = models.TextField()
    client_ref = models.TextField(null=True)
    callback_url = models.TextField(null=True)
    client_connection = _join("connections.ClientSmppConnection", null=True)
    error = models.TextField(null=True)
    agreement_ids = ArrayField(models.BigIntegerField())
    node_ids = ArrayField(models.BigIntegerField())
    units = ArrayField(models.IntegerField())
    reserved_micros = ArrayField(models.BigIntegerField())
    tax_bp = ArrayField(models.IntegerField(), null=True)
    pack_ids = ArrayField(models.BigIntegerField(), null=True)
    pack_amounts = ArrayField(models.BigIntegerField(), null=True)

    objects = Messages.as_manager()

    class Meta:
        managed = False
        db_table = "traffic_message"

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def accepted_at(self) -> datetime:
        return accepted_at(self.pk)


class SentPart(models.Model):
    """A part that a vendor accepted. The key is (message, part); Django is told its first column, so `pk` is not unique."""

    message = models.OneToOneField(
        Message, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    part = models.SmallIntegerField()
    connection = _join("connections.VendorSmppConnection")
    sent_at = models.DateTimeField()
    vendor_id = models.TextField()

    class Meta:
        managed = False
        db_table = "traffic_sent"


class PartReceipt(models.Model):
    """A vendor's report of one of several parts. The key is (message, part), as with `SentPart`."""

    message = models.OneToOneField(
        Message, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    part = models.SmallIntegerField()
    at = models.DateTimeField()
    status = models.SmallIntegerField()
    error = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "traffic_part_receipt"


class Fallback(models.Model):
    """That a vendor refused the sender of a message, which then went out under `source` (SP-30)."""

    message = models.OneToOneField(
        Message, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    at = models.DateTimeField()
    source = models.TextField()
    error = models.TextField()

    class Meta:
        managed = False
        db_table = "traffic_fallback"


class LookupResult(models.IntegerChoices):
    """As `pipeline.portability.Result` has it."""

    ANSWERED = 1, gettext_noop("Answered")
    FROM_MEMORY = 2, gettext_noop("From memory")
    FAILED = 3, gettext_noop("No answer")
    LEFT_ALONE = 4, gettext_noop("Not asked")


class Lookup(models.Model):
    """What came of looking up who serves a message's number (CO-70). `mccmnc` None: the answer named no operator, and the number
    range counted. `range_network`: what that says."""

    message = models.OneToOneField(
        Message, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    connection = _join("connections.MnpConnection")
    result = models.SmallIntegerField(choices=LookupResult.choices)
    mccmnc = models.TextField(null=True)
    took_ms = models.IntegerField()
    range_network = _join("catalog.Network", null=True)

    class Meta:
        managed = False
        db_table = "traffic_lookup"


class Edr(models.Model):
    """What one level was charged for one message. The key is (message, level, entry), as with `SentPart`."""

    message = models.OneToOneField(
        Message, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    level = models.SmallIntegerField()
    entry = models.SmallIntegerField(choices=Entry.choices)
    agreement = _join("agreements.Agreement")
    node = _join("catalog.RateNode")
    net_micros = models.BigIntegerField()
    tax_micros = models.BigIntegerField()
    at = models.DateTimeField()
    units = models.IntegerField()
    pieces = models.JSONField(null=True)
    pack = _join("catalog.EnabledService", null=True)
    pack_amount = models.BigIntegerField(null=True)
    counter_group = models.TextField(null=True)
    period_start = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "traffic_edr"

    def __str__(self) -> str:
        return f"{self.message_id} level {self.level}"

    @property
    def accepted_at(self) -> datetime:
        return accepted_at(self.message_id)

    @property
    def gross_micros(self) -> int:
        return self.net_micros + self.tax_micros


class PackUse(models.Model):
    """How far an enabled pack is used, in its units, net micros or members; no row before it is first asked. `held_micros` is
    what a bundle keeps of the balance for places that others took."""

    pack = models.OneToOneField(
        "catalog.EnabledService", on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="use"
    )
    used = models.BigIntegerField()
    reserved = models.BigIntegerField()
    held_micros = models.BigIntegerField(default=0)

    class Meta:
        managed = False
        db_table = "traffic_pack"


class Shortage(models.Model):
    """How many messages of an hour were refused because the balance of that agreement did not cover them. `told_at`: when its
    buyer was written to."""

    pk = models.CompositePrimaryKey("agreement_id", "hour")
    agreement = _join("agreements.Agreement")
    hour = models.DateTimeField()
    messages = models.BigIntegerField()
    last_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "traffic_shortage"


class Incoming(models.Model):
    """A message from a phone (MO) and the sender ID that it is for. `asked`: core.opt_out.Asked."""

    id = MessageIdField(primary_key=True)
    received_at = models.DateTimeField()
    connection = _join("connections.VendorSmppConnection")
    company = _join("parties.Company")
    sender = _join("senders.SenderId")
    client_connection = _join("connections.ClientSmppConnection", null=True)
    source = models.TextField()
    destination = models.TextField()
    body = models.TextField()
    asked = models.SmallIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "traffic_incoming"

    def __str__(self) -> str:
        return f"+{self.source.removeprefix('+')}"


class CallbackState(models.IntegerChoices):
    """As `jobs.callbacks` and `store/callbacks.sql` have them."""

    WAITING = 1, "Waiting"
    ANSWERED = 2, "Delivered"
    GIVEN_UP = 3, "Given up"
    STOPPED = 4, "Not sent"


class Callback(models.Model):
    """An event for a client's webhook: for the address of an API key, or of a message that was sent with it, or of a sender ID.
    Kept for a week. `due_at` None: nothing is left to do. Beside the data plane only the verbs of `traffic.webhooks` write it."""

    created_at = models.DateTimeField()
    since = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField()
    company = _join("parties.Company")
    api_key = _join("people.ApiKey", null=True)
    sender = _join("senders.SenderId", null=True)
    message_id = models.UUIDField(null=True)
    url = models.TextField()
    event = models.JSONField()
    state = models.SmallIntegerField(choices=CallbackState.choices)
    status = models.SmallIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "traffic_callback"

    def __str__(self) -> str:
        return self.webhook_id

    @property
    def webhook_id(self) -> str:
        """As its receiver knows it."""
        return f"msg_{self.pk}"


class CallbackAttempt(models.Model):
    """One request to a webhook, and what it was answered. `status` None: no answer came, and `error` says why."""

    pk = models.CompositePrimaryKey("callback_id", "attempt")
    callback = _join("traffic.Callback")
    attempt = models.SmallIntegerField()
    at = models.DateTimeField()
    took_ms = models.IntegerField()
    status = models.SmallIntegerField(null=True)
    error = models.TextField()
    answer = models.TextField()

    class Meta:
        managed = False
        db_table = "traffic_callback_attempt"


class CallbackStop(models.Model):
    """A webhook that answered 410 and gets no more until somebody allows it again."""

    company = _join("parties.Company")
    api_key = _join("people.ApiKey", null=True)
    sender = _join("senders.SenderId", null=True)
    url = models.TextField()
    stopped_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "traffic_callback_stop"


class GatewayBeat(models.Model):
    """What a gateway told of itself at an instant; the last 15 minutes are kept. It is of all companies' connections: who
    shows it picks those that the viewer may see."""

    pk = models.CompositePrimaryKey("at", "gateway")
    at = models.DateTimeField()
    gateway = models.UUIDField()
    beat = models.JSONField()
    events = models.JSONField()

    class Meta:
        managed = False
        db_table = "traffic_gateway_beat"
