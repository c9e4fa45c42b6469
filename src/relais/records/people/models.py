"""Users of the two interfaces, and the keys of client systems."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from relais.records.columns import Editable, blank_text, closed_set, flag, name_text, owner

LOGIN = RegexValidator(r"\A[A-Za-z0-9._@-]{3,60}\Z", "3 to 60 letters, digits, dots, hyphens, underscores or at signs")


class Interface(models.TextChoices):
    BACKOFFICE = "backoffice"
    CLIENT_PORTAL = "client_portal"


class User(AbstractBaseUser, Editable):
    """A person of a company; a login exists once an interface, compared without case (USR-58)."""

    interface = closed_set(Interface)
    company = owner("parties.Company", related_name="users")
    login = models.CharField(max_length=60, validators=[LOGIN])
    first_name = name_text()
    middle_name = blank_text()
    last_name = name_text()
    birthday = models.DateField(null=True, blank=True)
    job_title = blank_text()
    phone = blank_text(20)
    e_mail = models.EmailField()
    country = blank_text(2)
    language = models.CharField(max_length=10, default="en", db_default="en")
    timezone = blank_text(64)
    two_factor = flag()
    no_restrictions = flag()
    is_active = flag(True)

    USERNAME_FIELD = "login"
    EMAIL_FIELD = "e_mail"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "interface",
                Lower("login"),
                name="user_login_once_an_interface",
                violation_error_message="login is taken",
            ),
            models.CheckConstraint(condition=Q(interface__in=Interface.values), name="user_interface"),
            models.CheckConstraint(condition=Q(phone="") | Q(phone__regex=r"^[0-9]{7,15}$"), name="user_phone_digits"),
        ]


class ApiKeyRight(models.IntegerChoices):
    """Bits of `ApiKey.rights`."""

    SEND = 1
    STATUS = 2
    BALANCE = 4


RIGHTS_ALL = 7
DIGEST_OCTETS = 32  # SHA-256


class ApiKey(models.Model):
    """The digest of a key that was shown once. Two keys in force of one company have different names."""

    company = owner("parties.Company", related_name="api_keys")
    name = name_text()
    key_hash = models.BinaryField(max_length=DIGEST_OCTETS, unique=True)
    rights = models.SmallIntegerField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                "company",
                condition=Q(revoked_at=None),
                name="api_key_name_once",
                violation_error_message="name is taken",
            ),
            models.CheckConstraint(condition=Q(rights__range=(1, RIGHTS_ALL)), name="api_key_rights"),
        ]
