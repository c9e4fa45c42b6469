"""What is kept of people's log-ins: the policy of a company, former passwords, sessions, second factors, failed tries.

Only what people decide (the policy, an authenticator) is audited by row; what log-ins leave behind is told by notes.
"""

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from relais.records.access.parameters import PARAMETERS
from relais.records.columns import Editable, blank_text, closed_set, flag, owner


def _parameter(name: str) -> models.PositiveSmallIntegerField:
    default = PARAMETERS[name].default
    return models.PositiveSmallIntegerField(default=default, db_default=default)


def _person(related_name: str, **options: object) -> models.OneToOneField:
    return models.OneToOneField("people.User", models.CASCADE, primary_key=True, related_name=related_name, **options)


class PasswordPolicy(Editable):
    """The policy as a company that sells has set it. Read it through `policy.policy_of`, which joins that of every level."""

    company = models.OneToOneField("parties.Company", models.CASCADE, related_name="password_policy")
    length_min = _parameter("length_min")
    groups_min = _parameter("groups_min")
    history_count = _parameter("history_count")
    valid_days = _parameter("valid_days")
    change_again_hours = _parameter("change_again_hours")
    unused_days = _parameter("unused_days")
    idle_minutes = _parameter("idle_minutes")
    tries_max = _parameter("tries_max")
    tries_minutes = _parameter("tries_minutes")
    # Of the System owner's policy alone: who log-in codes by SMS come from; its agreement pays for them.
    code_sender = owner("senders.SenderId", null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(**{f"{name}__range": (parameter.least, parameter.most)}),
                name=f"password_policy_{name}",
                violation_error_message=f"{name} takes {parameter.least} to {parameter.most}",
            )
            for name, parameter in PARAMETERS.items()
        ]

    def __str__(self) -> str:
        return f"Password policy of {self.company}"


class Access(models.Model):
    """What log-ins have left of a person. `must_change`: the password is a default one, set by somebody else."""

    user = _person("access")
    password_changed_at = models.DateTimeField()
    must_change = flag()
    last_access_at = models.DateTimeField()
    totp_step = models.BigIntegerField(default=0, db_default=0)  # of the last code taken: none is taken twice


class FormerPassword(models.Model):
    """The hash of a password that a person had or has; as many are kept as the history asks for."""

    user = models.ForeignKey("people.User", models.CASCADE, related_name="former_passwords")
    password_hash = models.CharField(max_length=128)


class Session(AbstractBaseSession):
    """A session of Django's that knows whose it is and where it was begun."""

    user = models.ForeignKey("people.User", models.CASCADE, null=True, related_name="sessions")
    started_at = models.DateTimeField(db_default=Now(), editable=False)
    seen_at = models.DateTimeField(db_default=Now())
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = blank_text()

    @classmethod
    def get_session_store_class(cls) -> type:
        from relais.records.access.sessions import SessionStore

        return SessionStore


class Try(models.Model):
    """One guess at something secret, counted before it is looked at. `subject`: what was guessed at, or from where."""

    subject = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject", "at"], name="access_try_subject")]


class Authenticator(Editable):
    """An app that makes one-time codes (RFC 6238), in use from when its first code was shown."""

    user = _person("authenticator")
    secret_encrypted = models.TextField()


class RecoveryCode(models.Model):
    """The digest of a code that stands in for the second factor, once."""

    user = models.ForeignKey("people.User", models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)


class Purpose(models.TextChoices):
    LOG_IN = "log_in"
    NUMBER = "number"


class SmsCode(models.Model):
    """The code last sent to a person for a purpose. `phone`: where it went; of a new number this is all that is kept of it."""

    user = models.ForeignKey("people.User", models.CASCADE, related_name="sms_codes", db_index=False)
    purpose = closed_set(Purpose)
    phone = models.CharField(max_length=15)
    code_hash = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    tries_left = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "purpose"], name="sms_code_once_a_purpose"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="sms_code_purpose"),
        ]


class Avatar(models.Model):
    """A person's picture, made anew by us from what was sent; `User.avatar` has its digest."""

    user = _person("picture")
    image = models.BinaryField()
