"""Dictionaries of numbering, services with their rate trees, and which service is enabled for which agreement.

Migration 0002 adds what the ORM cannot say: rate nodes never change but for being retired once.
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.timezone import localtime

from relais.records.agreements.models import CURRENCY
from relais.records.columns import (
    NAME_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    Editable,
    blank_text,
    closed_set,
    flag,
    name_text,
    owner,
)


class Country(models.Model):
    iso = models.CharField(max_length=2, primary_key=True)
    name = name_text()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(iso__regex=r"^[A-Z]{2}$"), name="country_iso")]

    def __str__(self) -> str:
        return self.name


class Network(models.Model):
    """Everything one brand runs in one country; rate trees name it by its id (SV-284)."""

    country = owner("catalog.Country", related_name="networks")
    name = name_text()
    operator = blank_text()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["country", "name"], name="network_name_once_a_country")]

    def __str__(self) -> str:
        return self.name


class NetworkCode(models.Model):
    mccmnc = models.CharField(max_length=6, primary_key=True)
    mcc = models.CharField(max_length=3)
    mnc = models.CharField(max_length=3)
    network = owner("catalog.Network", related_name="codes")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(mcc__regex=r"^[0-9]{3}$", mnc__regex=r"^[0-9]{2,3}$"), name="network_code_digits"
            )
        ]

    def __str__(self) -> str:
        return self.mccmnc


class NumberPrefix(models.Model):
    """Leading E.164 digits of a range, its country and, where known, the network it was allocated to."""

    prefix = models.CharField(max_length=15, primary_key=True)
    country = owner("catalog.Country", related_name="+", db_index=False)
    network = owner("catalog.Network", null=True, blank=True, related_name="+")
    source = blank_text(100)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(prefix__regex=r"^[0-9]+$"), name="number_prefix_digits")]

    def __str__(self) -> str:
        return self.prefix


class CallingCode(models.Model):
    """A country of a calling code; `main` is the one that numbers belong to when no prefix says otherwise."""

    calling_code = models.CharField(max_length=7)
    country = owner("catalog.Country", related_name="+")
    main = flag()
    national_lengths = ArrayField(models.IntegerField())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["calling_code", "country"], name="calling_code_once_a_country"),
            models.UniqueConstraint(fields=["calling_code"], condition=Q(main=True), name="calling_code_one_main"),
        ]


class ServiceType(models.TextChoices):
    PAY_AS_YOU_GO = "pay_as_you_go"
    UNIT_PACK = "unit_pack"
    MONETARY_PACK = "monetary_pack"
    BUNDLE_INITIATOR = "bundle_initiator"
    BUNDLE_PACK = "bundle_pack"


TYPES_WITH_CURRENCY = [ServiceType.PAY_AS_YOU_GO, ServiceType.MONETARY_PACK]
PACK_TYPES = [ServiceType.UNIT_PACK, ServiceType.MONETARY_PACK]
CHARGEABLE_TYPES = [*PACK_TYPES, ServiceType.BUNDLE_PACK]
TYPES_WITH_SIZE = [ServiceType.UNIT_PACK, ServiceType.MONETARY_PACK, ServiceType.BUNDLE_PACK]


class Service(Editable):
    """A rate plan of the company that sells it. Names may repeat (SV-8); type and currency are final (SV-262)."""

    company = owner("parties.Company", related_name="services")
    name = name_text()
    type = closed_set(ServiceType)
    currency = models.CharField(max_length=3, null=True, blank=True, validators=[CURRENCY])
    size = models.BigIntegerField(  # units; micros of the currency for a monetary pack; members for a bundle pack
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    description = blank_text(TEXT_LENGTH_MAX)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(type__in=ServiceType.values), name="service_type"),
            models.CheckConstraint(
                condition=Q(type__in=TYPES_WITH_CURRENCY, currency__isnull=False)
                | (~Q(type__in=TYPES_WITH_CURRENCY) & Q(currency=None)),
                name="service_currency_by_type",
                violation_error_message="currency goes with pay_as_you_go and monetary_pack, and is required there",
            ),
            models.CheckConstraint(
                condition=Q(currency=None) | Q(currency__regex=r"^[A-Z]{3}$"), name="service_currency"
            ),
            models.CheckConstraint(
                condition=Q(type__in=TYPES_WITH_SIZE, size__isnull=False, size__gt=0)
                | (~Q(type__in=TYPES_WITH_SIZE) & Q(size=None)),
                name="service_size_by_type",
                violation_error_message="size goes with packs, and is required there",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Scope(Editable):
    """A period of validity of a service's rates. Overlaps are allowed: the first one made is used (SV-50)."""

    service = owner("catalog.Service", related_name="scopes")
    draft = flag()
    effective_from = models.DateTimeField()
    effective_till = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(effective_till=None) | Q(effective_till__gt=F("effective_from")),
                name="scope_ends_after_its_start",
                violation_error_message="effective_till must be later than effective_from",
            )
        ]

    def __str__(self) -> str:
        """Its period in the zone that is active."""
        start, till = (
            f"{localtime(at):%d.%m.%Y %H:%M}" if at else "∞" for at in (self.effective_from, self.effective_till)
        )
        return f"{start} - {till}"


class RateNode(models.Model):
    """A record of a rate tree, final once made: an edit retires it and makes another (SV-261, SV-281).

    The top of a resource has no parent, no value and is not Others. A NETWORK value is the network's id as text.
    """

    scope = owner("catalog.Scope", related_name="nodes")
    # That what is named exists is checked a statement, not a row (0009_final_nodes.sql): records come by the ten thousand.
    parent = owner("self", null=True, blank=True, related_name="children", db_constraint=False)
    domain = models.CharField(max_length=40)
    resource = models.CharField(max_length=40)
    is_others = flag()
    value = models.CharField(max_length=NAME_LENGTH_MAX, null=True, blank=True)
    price_type = models.CharField(max_length=20)
    split_by = models.CharField(max_length=40, null=True, blank=True)
    price_micros = models.BigIntegerField(null=True, blank=True)
    scale = models.JSONField(null=True, blank=True)
    billing_rule = models.CharField(max_length=20, null=True, blank=True)
    quantity_rule = models.CharField(max_length=20, null=True, blank=True)
    # The first version of a scale's node, whose volume this one carries on (SV-253); null = its own.
    counter = owner("self", null=True, blank=True, related_name="+", db_index=False, db_constraint=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "domain", "resource"],
                condition=Q(parent=None, retired_at=None),
                name="rate_node_resource_once_a_scope",
            ),
            models.UniqueConstraint(
                fields=["parent", "value"],
                condition=Q(parent__isnull=False, is_others=False, retired_at=None),
                name="rate_node_value_once_a_parent",
            ),
            models.UniqueConstraint(
                fields=["parent"], condition=Q(is_others=True, retired_at=None), name="rate_node_others_once_a_parent"
            ),
            models.CheckConstraint(
                condition=Q(parent=None, value=None, is_others=False)
                | Q(parent__isnull=False, value=None, is_others=True)
                | Q(parent__isnull=False, value__isnull=False, is_others=False),
                name="rate_node_value_or_others",
            ),
            models.CheckConstraint(
                condition=Q(price_micros=None) | Q(price_micros__gte=0), name="rate_node_price_not_negative"
            ),
            models.CheckConstraint(
                condition=(Q(price_micros=None) | Q(price_type="flat"))
                & (Q(scale=None) | Q(price_type="scale"))
                & (Q(split_by=None) | Q(price_type="depends_on")),
                name="rate_node_terms_by_price_type",
            ),
        ]


class CountryPrices(Editable):
    """A price list of SMS by country: the rates of `service`, written from the costs of `cost_service` by a profit rate (WC-33).

    `by_hand`: ISO codes of countries whose price was entered; the rate leaves those alone until it is asked to overwrite them.
    """

    company = owner("parties.Company", related_name="country_prices")
    service = models.OneToOneField("catalog.Service", on_delete=models.PROTECT, related_name="country_prices")
    cost_service = owner("catalog.Service", related_name="+")
    profit_bp = models.IntegerField(default=0, db_default=0)  # hundredths of a percent of the cost
    by_hand = ArrayField(models.CharField(max_length=2), default=list, db_default=[], blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)  # when prices were last written from the costs
    trouble = blank_text(TEXT_LENGTH_MAX)  # why they could not be the last time

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(profit_bp__gt=-10_000, profit_bp__lte=10_000_000), name="country_prices_profit"
            ),
            models.CheckConstraint(condition=~Q(service=F("cost_service")), name="country_prices_have_costs"),
        ]

    def __str__(self) -> str:
        return str(self.service)


class EnabledService(Editable):
    """A service bought for an agreement (ES-2); service and agreement are final (ES-23)."""

    agreement = owner("agreements.Agreement", related_name="enabled_services")
    service = owner("catalog.Service", related_name="enabled")
    effective_from = models.DateTimeField()
    effective_from_timezone = models.CharField(max_length=64, default="Etc/UTC", db_default="Etc/UTC")
    effective_till = models.DateTimeField(null=True, blank=True)
    effective_till_timezone = models.CharField(max_length=64, default="Etc/UTC", db_default="Etc/UTC")
    hidden_from_client = flag()
    auto_extend = flag()  # of a bundle pack: another one follows in the next billing period (ES-71)
    # Of a pack: it costs what a pay-as-you-go service says, and is of no use before that is paid (ES-80).
    charged = flag()
    charged_at = models.DateTimeField(null=True, blank=True)
    charge_tried_at = models.DateTimeField(null=True, blank=True)
    not_charged_reason = blank_text(100)  # why the last try failed
    cost_node = owner("catalog.RateNode", null=True, blank=True, related_name="+", db_index=False)
    cost_net_micros = models.BigIntegerField(null=True, blank=True)
    cost_tax_micros = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(charged_at=None)
                | Q(charged=True, cost_net_micros__gte=0, cost_tax_micros__gte=0, cost_node__isnull=False),
                name="enabled_service_cost_when_charged",
            ),
            models.UniqueConstraint(fields=["id", "agreement"], name="enabled_service_of_agreement"),
            models.CheckConstraint(
                condition=Q(effective_till=None) | Q(effective_till__gt=F("effective_from")),
                name="enabled_service_ends_after_its_start",
                violation_error_message="effective_till must be later than effective_from",
            ),
        ]

    def __str__(self) -> str:
        return str(self.service)


class EnabledServiceChannel(models.Model):
    """A channel that an enabled pay-as-you-go service covers: two such never overlap on one agreement (ES-19, ES-76)."""

    enabled_service = models.ForeignKey(EnabledService, on_delete=models.CASCADE, related_name="channels")
    agreement = owner("agreements.Agreement", related_name="+", db_index=False)
    domain = models.CharField(max_length=40)
    during = DateTimeRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="enabled_service_channels_never_overlap",
                expressions=[
                    ("agreement", RangeOperators.EQUAL),
                    ("domain", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ],
            )
        ]


class ImportState(models.TextChoices):
    OPEN = "open"
    CONFIRMED = "confirmed"
    CANCELED = "canceled"


class RateImport(Editable):
    """Rates on their way from a file into a tree, and, once confirmed, what was imported (RI-108). Its settings are those the
    next file for the same place of the service begins with (RI-106)."""

    service = owner("catalog.Service", related_name="rate_imports")
    scope = owner("catalog.Scope", related_name="+")
    node = owner("catalog.RateNode", related_name="+", db_index=False)
    place = models.CharField(max_length=TEXT_LENGTH_MAX)  # of the node, in any version of the tree
    user = owner("people.User", null=True, blank=True, related_name="+")
    file_name = name_text()
    checksum = models.CharField(max_length=64)  # SHA-256 of the file
    octets = models.IntegerField()
    settings = models.JSONField()
    headings = models.JSONField(default=list)  # of the sheet, by which the next file is known to be the same supplier's
    counts = models.JSONField(default=dict)
    state = closed_set(ImportState, default=ImportState.OPEN, db_default=ImportState.OPEN)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="rate_import_state"),
            models.CheckConstraint(
                condition=Q(state=ImportState.CONFIRMED, confirmed_at__isnull=False)
                | (~Q(state=ImportState.CONFIRMED) & Q(confirmed_at=None)),
                name="rate_import_confirmed_at",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class RateImportFile(models.Model):
    """What an open import works on; it goes when the import ends (RI-99). `book` is the file as it was read, `preview` what was
    looked at last; both are packed. While a preview is made aside: how many rows are done, and when that was told."""

    rate_import = models.OneToOneField(RateImport, on_delete=models.CASCADE, primary_key=True, related_name="file")
    content = models.BinaryField()
    book = models.BinaryField(null=True)
    preview = models.BinaryField(null=True)
    rows_done = models.IntegerField(default=0)
    told_at = models.DateTimeField(null=True)
    trouble = models.TextField(default="")  # why the preview could not be made
