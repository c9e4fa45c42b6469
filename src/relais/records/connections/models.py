"""Connections to vendors."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from relais.records.columns import Editable, blank_text, flag, name_text, owner


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
    disabled = flag()
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
