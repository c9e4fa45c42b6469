"""Guard rails (decision 24): caps, flood filters, lists of links, trusted numbers, and what they stopped.

`company` is the level that keeps a guard and alone sees it; `client` is whom it holds for, with everybody below. A guard
refuses, or only watches. What counts is in `pipeline.guard_rails`.
"""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from relais.records.columns import TEXT_LENGTH_MAX, Editable, blank_text, closed_set, flag, owner

LIMIT_MAX = 2**31 - 1
FLOOD_MAX = 100  # messages an hour to one number; gateways remember no more of one


class Doing(models.TextChoices):
    """What a guard does when its limit is passed."""

    WATCH = "watch"
    REFUSE = "refuse"


class CapPeriod(models.TextChoices):
    HOUR = "hour"
    DAY = "day"


def _limit(most: int) -> Any:
    return models.IntegerField(null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(most)])


def _doing(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(doing__in=Doing.values), name=name)


class Cap(Editable):
    """At most so many messages, or so much money, in an hour or day (UTC) of a client, perhaps of one API key or SMPP connection,
    country or prefix."""

    company = owner("parties.Company", related_name="+")
    client = owner("parties.Company", related_name="+")
    api_key = models.ForeignKey("people.ApiKey", models.CASCADE, null=True, blank=True, related_name="+")
    client_connection = models.ForeignKey(
        "connections.ClientSmppConnection", models.CASCADE, null=True, blank=True, related_name="+"
    )
    country = owner("catalog.Country", null=True, blank=True, related_name="+")
    prefix = models.CharField(max_length=15, blank=True, default="", db_default="")
    period = closed_set(CapPeriod, default=CapPeriod.DAY, db_default=CapPeriod.DAY)
    messages_max = _limit(LIMIT_MAX)
    spend_max_micros = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    doing = closed_set(Doing, default=Doing.WATCH, db_default=Doing.WATCH)
    note = blank_text()

    class Meta:
        constraints = [
            _doing("cap_doing"),
            models.CheckConstraint(condition=Q(period__in=CapPeriod.values), name="cap_period"),
            models.CheckConstraint(
                condition=Q(api_key__isnull=True) | Q(client_connection__isnull=True), name="cap_of_one_entrance",
                violation_error_message="api_key and client_connection exclude each other",
            ),
            models.CheckConstraint(condition=Q(prefix__regex=r"^[0-9]{0,15}$"), name="cap_prefix",
                                   violation_error_message="prefix is digits of a number, country code first"),
            models.CheckConstraint(condition=Q(messages_max__isnull=True) | Q(messages_max__gte=1), name="cap_messages"),
            models.CheckConstraint(
                condition=Q(messages_max__isnull=False) | Q(spend_max_micros__isnull=False), name="cap_has_a_limit",
                violation_error_message="messages_max or spend_max is required",
            ),
            models.CheckConstraint(
                condition=Q(spend_max_micros__isnull=True, currency="") | (Q(spend_max_micros__gt=0) & ~Q(currency="")),
                name="cap_spend_has_a_currency",
                violation_error_message="spend_max is more than 0 and has a currency",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.client}, {self.period}"


class FloodFilter(Editable):
    """How many messages one number may get of a client in any sixty minutes: of the same text, and of different texts."""

    company = owner("parties.Company", related_name="+")
    client = owner("parties.Company", related_name="+")
    sender = models.ForeignKey("senders.SenderId", models.CASCADE, null=True, blank=True, related_name="+")
    identical_max = _limit(FLOOD_MAX)
    different_max = _limit(FLOOD_MAX)
    doing = closed_set(Doing, default=Doing.WATCH, db_default=Doing.WATCH)
    note = blank_text()

    class Meta:
        constraints = [
            _doing("flood_filter_doing"),
            models.UniqueConstraint(
                fields=["company", "client", "sender"], name="flood_filter_once", nulls_distinct=False,
                violation_error_message="client has such a filter already: change that one",
            ),
            models.CheckConstraint(
                condition=Q(identical_max__range=(1, FLOOD_MAX)) | Q(different_max__range=(1, FLOOD_MAX)),
                name="flood_filter_has_a_limit",
                violation_error_message="identical_max or different_max is required",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.sender or self.client)


class LinkList(Editable):
    """Whose links messages of a sender ID may hold: those hosts and what is below them. Without hosts, no link at all."""

    company = owner("parties.Company", related_name="+")
    client = owner("parties.Company", related_name="+")  # whose the sender ID was when the list was made
    sender = models.ForeignKey("senders.SenderId", models.CASCADE, related_name="+")
    hosts = models.TextField(blank=True, default="", db_default="")  # one a line, as typed
    doing = closed_set(Doing, default=Doing.WATCH, db_default=Doing.WATCH)
    note = blank_text()

    class Meta:
        constraints = [
            _doing("link_list_doing"),
            models.UniqueConstraint(fields=["company", "sender"], name="link_list_once",
                                    violation_error_message="sender has a list already: change that one"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.sender)


class TrustedNumber(models.Model):
    """A number that no guard of the company, or of anybody below it, stops or counts."""

    company = owner("parties.Company", related_name="+")
    number = models.CharField(max_length=15)  # E.164 digits
    note = blank_text()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "number"], name="trusted_number_once",
                                    violation_error_message="number is trusted already"),
            models.CheckConstraint(condition=Q(number__regex=r"^[0-9]{7,15}$"), name="trusted_number_digits"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number


class Why(models.TextChoices):
    """Which limit a message passed."""

    MESSAGES = "messages"
    SPEND = "spend"
    IDENTICAL = "identical"
    DIFFERENT = "different"
    LINK = "link"


class Guarded(models.Model):
    """Messages that a guard stopped or noted, written by gateways. `client`: as the keeper of the guard knows them, the one
    that it serves; the sender only where it is that one's own. `recipient` "" stands for further ones of the same tick."""

    at = models.DateTimeField()
    company = owner("parties.Company", related_name="+")
    client = owner("parties.Company", related_name="+")
    sender = blank_text(100)
    recipient = blank_text(15)
    country = blank_text(2)
    why = closed_set(Why)
    guard_id = models.BigIntegerField()  # of the table that `why` is of
    detail = blank_text()  # the host of a link, else the limit
    refused = flag()
    messages = models.IntegerField()

    class Meta:
        managed = False
        db_table = "guards_guarded"

    def __str__(self) -> str:
        return f"{self.client}, {self.why}"


class Trouble(models.TextChoices):
    FAILING = "failing"
    SILENT = "silent"


class TrafficNotice(models.Model):
    """That too many messages of a sender ID fail, or that it sends none any more (SID-2, SID-44, SID-239). `company` is the level
    directly above the sender ID's, told of it (SID-252). `true_at`: when it was so last; `ended_at`: since when it is not."""

    company = models.ForeignKey("parties.Company", models.CASCADE, related_name="+")
    client = models.ForeignKey("parties.Company", models.CASCADE, related_name="+")
    sender = models.ForeignKey("senders.SenderId", models.CASCADE, related_name="+")
    trouble = closed_set(Trouble)
    at = models.DateTimeField()
    true_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    window_minutes = models.IntegerField()
    messages = models.BigIntegerField()  # in the window when it began; of silence, in the window before
    failed = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["company", "at"], name="traffic_notice_company")]
        constraints = [
            models.CheckConstraint(condition=Q(trouble__in=Trouble.values), name="traffic_notice_trouble"),
            models.UniqueConstraint(fields=["sender", "trouble"], condition=Q(ended_at=None), name="traffic_notice_stands_once"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.sender}, {self.trouble}"


class Event(models.TextChoices):
    """Notices that a level can have sent to further addresses."""

    TRAFFIC = "traffic"


class NoticeAddresses(Editable):
    """To whom at a company a notice goes besides (NTF-20, NTF-30)."""

    company = models.ForeignKey("parties.Company", models.CASCADE, related_name="+")
    event = closed_set(Event, default=Event.TRAFFIC, db_default=Event.TRAFFIC)
    emails = models.CharField(max_length=TEXT_LENGTH_MAX)
    note = blank_text()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(event__in=Event.values), name="notice_addresses_event"),
        ]

    def __str__(self) -> str:
        return self.event
