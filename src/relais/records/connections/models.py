"""Connections to vendors, of clients to us, and to servers that know who serves a number."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from relais.records.columns import Editable, blank_text, closed_set, flag, name_text, owner


class VendorSmppConnection(Editable):
    """A bind as a transceiver to a provider's SMSC. The password is sealed by `relais.secretbox`."""

    company = owner("parties.Company", related_name="vendor_smpp_connections")
    name = name_text()
    # Whose sender IDs may use it; none = every company that the owner's connections are for (VSMPP-12).
    companies = models.ManyToManyField("parties.Company", blank=True, related_name="+")
    host_name = models.CharField(max_length=255)
    port = models.IntegerField(validators=[MinValueValidator(1), MaxValueValidator(65535)])
    system_id = models.CharField(max_length=64)
    password_encrypted = models.TextField()
    system_type = blank_text(13)
    use_tls = flag()
    rps_limit = models.IntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    window_limit = models.IntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    use_tlv = flag()
    inverse_address_mode = flag()
    # Messages whose sender the vendor refuses are sent once more as from this; "" = they fail (SP-12).
    fallback_sender = blank_text(15)
    disabled = flag()
    disconnected = flag()  # in use, but not bound until somebody connects it
    reconnect_at = models.DateTimeField(null=True, blank=True)  # when new sessions were asked for last
    statuses_map = models.JSONField(default=dict, db_default={}, blank=True)
    options = models.JSONField(default=dict, db_default={}, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"), "company", name="smpp_connection_name_once", violation_error_message="name is taken"
            ),
            models.CheckConstraint(condition=Q(port__range=(1, 65535)), name="smpp_connection_port"),
            models.CheckConstraint(
                condition=(Q(rps_limit=None) | Q(rps_limit__gt=0)) & (Q(window_limit=None) | Q(window_limit__gt=0)),
                name="smpp_connection_limits_positive",
            ),
            models.CheckConstraint(condition=~Q(host_name=""), name="smpp_connection_host_name"),
        ]

    def __str__(self) -> str:
        return self.name


class SslType(models.TextChoices):
    """What a client must bind over. TLS below 1.2 is never negotiated, whatever the guide's label says (CSMPP-21)."""

    NONE = "none", "None"
    TLS = "tls", "SSLv23 / TLSv1.3"


class Datacoding(models.TextChoices):
    """How a text of data_coding 0 is read (CSMPP-13, CSMPP-14)."""

    GSM7 = "gsm7", "GSM 7 Bit"
    ASCII = "ascii", "ASCII"
    LATIN1 = "latin1", "Latin-1"
    UCS2 = "ucs2", "UCS-2"
    BINARY = "binary", "Binary"


class ClientSmppConnection(Editable):
    """What a client's message centre binds to our SMPP server with. The password is sealed by `relais.secretbox`."""

    company = owner("parties.Company", related_name="client_smpp_connections")
    name = name_text()
    network = blank_text(1000)  # addresses and ranges, separated by commas; empty = from anywhere (CSMPP-9)
    login = models.CharField(max_length=15)
    password_encrypted = models.TextField()
    system_type = blank_text(12)
    ssl_type = closed_set(SslType, default=SslType.NONE, db_default=SslType.NONE)
    default_data_coding = closed_set(Datacoding, default=Datacoding.GSM7, db_default=Datacoding.GSM7)
    sessions_limit = models.IntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    rps_limit = models.IntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    window_limit = models.IntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    disabled = flag()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("login"), name="client_smpp_login_once", violation_error_message="login is taken"
            ),
            models.UniqueConstraint(
                Lower("name"), "company", name="client_smpp_name_once", violation_error_message="name is taken"
            ),
            models.CheckConstraint(condition=~Q(login=""), name="client_smpp_login"),
            models.CheckConstraint(condition=Q(ssl_type__in=SslType.values), name="client_smpp_ssl_type"),
            models.CheckConstraint(
                condition=Q(default_data_coding__in=Datacoding.values), name="client_smpp_data_coding"
            ),
            models.CheckConstraint(
                condition=(Q(sessions_limit=None) | Q(sessions_limit__gt=0))
                & (Q(rps_limit=None) | Q(rps_limit__gt=0))
                & (Q(window_limit=None) | Q(window_limit__gt=0)),
                name="client_smpp_limits_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MnpProvider(models.TextChoices):
    """What a number portability server speaks (CO-69)."""

    HTTP = "http", "HTTP"
    ENUM = "enum", "ENUM"


DEFAULT_MNP = "DEFAULT"  # the connection that always exists, under this name; a trigger holds to that
MNP_TIMEOUT_MIN_MS, MNP_TIMEOUT_MAX_MS = 10, 300
MNP_LIFETIME_MAX_S = 30 * 86_400


class MnpConnection(Editable):
    """A server that is asked which operator serves a number now. It is the tenant's. `lifetimes`: seconds an answer holds in that
    country, instead of `lifetime_s`. The password is sealed by `relais.secretbox`; without one the column is empty."""

    name = name_text()
    enabled = flag(True)
    kind = closed_set(MnpProvider, default=MnpProvider.HTTP, db_default=MnpProvider.HTTP)
    address = blank_text(
        1000
    )  # a URL with {number}, or a name server; the DEFAULT one has none until somebody gives it
    enum_suffix = models.CharField(max_length=200, blank=True, default="e164.arpa", db_default="e164.arpa")
    mcc_path = models.CharField(max_length=200, blank=True, default="mcc", db_default="mcc")
    mnc_path = models.CharField(max_length=200, blank=True, default="mnc", db_default="mnc")
    login = blank_text(200)
    password_encrypted = models.TextField(blank=True, default="", db_default="")
    timeout_ms = models.IntegerField(
        default=300, db_default=300,
        validators=[MinValueValidator(MNP_TIMEOUT_MIN_MS), MaxValueValidator(MNP_TIMEOUT_MAX_MS)],
    )  # fmt: skip
    lifetime_s = models.IntegerField(
        default=86_400, db_default=86_400, validators=[MinValueValidator(0), MaxValueValidator(MNP_LIFETIME_MAX_S)]
    )
    lifetimes = models.JSONField(default=dict, db_default={}, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="mnp_connection_name_once", violation_error_message="name is taken"
            ),
            models.CheckConstraint(condition=Q(kind__in=MnpProvider.values), name="mnp_connection_kind"),
            models.CheckConstraint(
                condition=Q(timeout_ms__range=(MNP_TIMEOUT_MIN_MS, MNP_TIMEOUT_MAX_MS))
                & Q(lifetime_s__range=(0, MNP_LIFETIME_MAX_S)),
                name="mnp_connection_times",
            ),
            models.CheckConstraint(condition=Q(enabled=False) | ~Q(address=""), name="mnp_connection_address"),
        ]

    def __str__(self) -> str:
        return self.name
