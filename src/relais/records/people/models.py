"""Users of the two interfaces with their roles, departments and preferences, the keys of client systems, and the audit.

Rows of the audit come from triggers (migration 0004) and from `relais.records.audit`; they never change.
"""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.validators import MinValueValidator, RegexValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from relais.records.columns import TEXT_LENGTH_MAX, Editable, blank_text, closed_set, flag, name_text, owner

LOGIN = RegexValidator(r"\A[A-Za-z0-9._@-]{3,60}\Z", "3 to 60 letters, digits, dots, hyphens, underscores or at signs")


class Interface(models.TextChoices):
    BACKOFFICE = "backoffice"
    CLIENT_PORTAL = "client_portal"


class Theme(models.TextChoices):
    SYSTEM = "", "As the device"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


ROLE_NAME_MAX = 40  # ROLE-9


class Role(Editable):
    """Levels of permission lines under a name. A system role has a `key`, no company, and its levels in code (ROLE-29); any
    other belongs to the company that made it, and is for that one and its direct children, or for `companies` only (ROLE-16).

    `levels`: line → "view" or "manage"; see `relais.records.people.permissions`.
    """

    interface = closed_set(Interface)
    key = models.CharField(max_length=30, blank=True, default="", db_default="", editable=False)
    company = owner("parties.Company", null=True, blank=True, related_name="roles")
    name = models.CharField(max_length=ROLE_NAME_MAX)
    description = blank_text(TEXT_LENGTH_MAX)
    levels = models.JSONField(default=dict, db_default={}, blank=True)
    companies: Any = models.ManyToManyField("parties.Company", related_name="roles_for_it", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "interface", "company", Lower("name"), name="role_name_once", nulls_distinct=False,
                violation_error_message="name is taken",
            ),
            models.CheckConstraint(condition=Q(interface__in=Interface.values), name="role_interface"),
            models.CheckConstraint(
                condition=Q(key="", company__isnull=False) | (~Q(key="") & Q(company=None)), name="role_system_or_owned"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def is_system(self) -> bool:
        return self.key != ""


class Department(Editable):
    """Decides which conversations a user of the Client portal reaches (USR-49). Those without a company exist for every one
    (USR-50): nobody changes them."""

    company = owner("parties.Company", null=True, blank=True, related_name="departments")
    name = name_text()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "company", Lower("name"), name="department_name_once", nulls_distinct=False,
                violation_error_message="name is taken",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class LiveUsers(models.Manager["User"]):
    """Without those that were deleted (USR-66)."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(deleted_at=None)


class User(AbstractBaseUser, Editable):
    """A person of a company; a login exists once an interface, compared without case, and is not used again (USR-58, USR-66).

    What a person may do is the highest of the roles', but for `deviations` (line → level, "none" too), unless there are
    `no_restrictions`; `permissions.effective_levels` puts it together.
    """

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
    roles: Any = models.ManyToManyField(Role, through="people.UserRole", related_name="users", blank=True)
    deviations = models.JSONField(default=dict, db_default={}, blank=True)
    department = owner("people.Department", null=True, blank=True, related_name="users")
    is_active = flag(True)
    blocked_at = models.DateTimeField(null=True, blank=True, editable=False)  # for inactivity (PWD-9); only then set
    avatar = blank_text(16)  # the digest of the person's picture; empty without one
    theme = closed_set(Theme, blank=True, default=Theme.SYSTEM, db_default=Theme.SYSTEM)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = LiveUsers()
    everybody: Any = models.Manager()

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
            models.CheckConstraint(condition=Q(theme__in=Theme.values), name="user_theme"),
            models.CheckConstraint(
                condition=Q(interface=Interface.BACKOFFICE, department=None)
                | Q(interface=Interface.CLIENT_PORTAL, department__isnull=False),
                name="user_department",
            ),
            models.CheckConstraint(condition=Q(deleted_at=None) | Q(is_active=False), name="user_deleted_is_out"),
        ]

    def __str__(self) -> str:
        return self.login

    @property
    def full_name(self) -> str:
        """First, middle and last name, as far as there are any; else the login."""
        names = (self.first_name, self.middle_name, self.last_name)
        return " ".join(name.strip() for name in names if name.strip()) or self.login

    @property
    def initials(self) -> str:
        """One or two capitals that stand for the person where there is room for no more."""
        names = [name.strip() for name in (self.first_name, self.last_name) if name.strip()]
        return "".join(name[0] for name in names or [self.login]).upper()


class UserRole(models.Model):
    """A role of a user; there may be several (USR-71)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    role = owner("people.Role", related_name="given")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="user_role_once")]

    def __str__(self) -> str:
        return f"{self.role} of {self.user}"


class ApiKeyRight(models.IntegerChoices):
    """Bits of `ApiKey.rights`."""

    SEND = 1
    STATUS = 2
    BALANCE = 4


RIGHTS_ALL = 7
DIGEST_OCTETS = 32  # SHA-256


class WebhookEvents(models.TextChoices):
    """Which changes of a message's status are told."""

    EVERY = "every", "Every change of status"
    FINAL = "final", "Final status only"


class ApiKey(models.Model):
    """The digest of a key that was shown once. Two keys in force of one company have different names."""

    company = owner("parties.Company", related_name="api_keys")
    name = name_text()
    key_hash = models.BinaryField(max_length=DIGEST_OCTETS, unique=True)
    rights = models.SmallIntegerField()
    sandbox = flag()  # what it sends is judged and answered, and neither charged nor sent
    # Told of messages that name no address themselves; signed with a secret derived from the key's id and this version.
    webhook_url = models.CharField(
        max_length=TEXT_LENGTH_MAX, blank=True, default="", db_default="", validators=[URLValidator(["http", "https"])]
    )
    # What is told, there and at addresses that messages name: of messages that do not say so themselves.
    webhook_events = closed_set(WebhookEvents, default=WebhookEvents.EVERY, db_default=WebhookEvents.EVERY)
    webhook_secret_version = models.SmallIntegerField(default=1, db_default=1, editable=False)
    webhook_secret_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    webhook_secret_shown_at = models.DateTimeField(
        null=True, blank=True, editable=False
    )  # so that the audit tells who saw it
    networks = blank_text(1000)  # addresses and ranges, separated by commas; empty = from anywhere
    rps_limit = models.IntegerField(null=True, blank=True, validators=[MinValueValidator(1)])  # messages a second
    expires_at = models.DateTimeField(null=True, blank=True)
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
            models.CheckConstraint(condition=Q(rps_limit=None) | Q(rps_limit__gt=0), name="api_key_limit_positive"),
            models.CheckConstraint(condition=Q(webhook_events__in=WebhookEvents.values), name="api_key_webhook_events"),
        ]

    def __str__(self) -> str:
        return self.name


SAVED_FILTER_NAME_MAX = 60
PAGE_SIZE_MAX = 1000


class ListPreference(models.Model):
    """How a person last arranged the list of an entity (GEN-68): columns in order, by key, and rows a page."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="list_preferences", db_index=False)
    entity = models.CharField(max_length=60)
    columns = models.JSONField(default=list, db_default=[], blank=True)
    page_size = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "entity"], name="list_preference_once_an_entity"),
            models.CheckConstraint(
                condition=Q(page_size=None) | Q(page_size__range=(1, PAGE_SIZE_MAX)), name="list_preference_page_size"
            ),
        ]


class SavedFilter(models.Model):
    """A named query of a person on the list of an entity; `query` is the part of the address after the question mark."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_filters", db_index=False)
    entity = models.CharField(max_length=60)
    name = models.CharField(max_length=SAVED_FILTER_NAME_MAX)
    query = models.CharField(max_length=TEXT_LENGTH_MAX, blank=True)
    position = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "user",
                "entity",
                Lower("name"),
                name="saved_filter_name_once",
                violation_error_message="name is taken",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Actor(models.TextChoices):
    USER = "user"
    SYSTEM = "system"
    API = "api"
    JOB = "job"


class Operation(models.TextChoices):
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


def _remembered(to: str, **options: Any) -> Any:
    """A reference that outlives the row it points to: the audit is not changed when a user or company goes (AUD-16)."""
    return models.ForeignKey(
        to, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", **options
    )


class AuditAction(models.Model):
    """One thing that was done, with a line for each row it changed. `user_id` may name a user that is gone.

    `company` is that of the first line, or where there is none the actor's, or else the System owner: whose affair it was.
    """

    at = models.DateTimeField(db_default=Now(), editable=False)
    actor = closed_set(Actor)
    user = _remembered("people.User")
    user_name = blank_text()
    interface = blank_text(30)
    ip_address = models.GenericIPAddressField(null=True)
    action = name_text()
    on_behalf_of = _remembered("parties.Company")
    company = _remembered("parties.Company")
    known: Any = None  # the company again, where rows were asked for somebody who may know it

    class Meta:
        indexes = [
            models.Index(fields=["-at"], name="audit_action_newest"),
            models.Index(fields=["company", "-id"], name="audit_action_company"),
            models.Index(fields=["user", "-id"], name="audit_action_user"),
            models.Index(fields=["action", "-id"], name="audit_action_action"),
        ]
        constraints = [models.CheckConstraint(condition=Q(actor__in=Actor.values), name="audit_action_actor")]

    def __str__(self) -> str:
        return self.action


class AuditLine(models.Model):
    """A changed row: all its columns when it was made or deleted, those that changed otherwise; secrets are masked.

    `elsewhere` tells the few lines that concern another company than their action does.
    """

    action = models.ForeignKey(AuditAction, on_delete=models.DO_NOTHING, related_name="lines")
    table = models.CharField(max_length=63, db_column="table_name")
    operation = closed_set(Operation)
    object_id = models.CharField(max_length=200)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    company = _remembered("parties.Company")
    elsewhere = flag()

    class Meta:
        indexes = [
            models.Index(fields=["company", "action"], name="audit_line_company"),
            models.Index(fields=["company", "action"], condition=Q(elsewhere=True), name="audit_line_elsewhere"),
            models.Index(fields=["table", "object_id"], name="audit_line_object"),
            models.Index(fields=["table", "action"], name="audit_line_table"),
        ]
        constraints = [models.CheckConstraint(condition=Q(operation__in=Operation.values), name="audit_line_operation")]
