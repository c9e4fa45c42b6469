"""The second factor: who is asked for one, by which ways it can be given, and whether what was given is right.

An authenticator app makes codes (RFC 6238), each taken once; recovery codes stand in for it; or a code goes to the phone
number of the profile by SMS. Guesses are limited like those of passwords.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from hmac import compare_digest

import pyotp
from django.db import transaction
from django.db.models import TextChoices
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_noop

from relais.records.access.models import Access, Authenticator, PasswordPolicy, Purpose, RecoveryCode, SmsCode
from relais.records.access.outbox import send_text
from relais.records.access.passwords import access_of
from relais.records.access.policy import policy_of
from relais.records.access.tries import may_try, was_right
from relais.records.errors import WHOLE, Invalid
from relais.records.people.models import User
from relais.records.secrets import unseal
from relais.records.senders.models import SenderStatus

STEP_S = 30
RECOVERY_CODES_COUNT, RECOVERY_OCTETS = 10, 10
CODE_DIGITS, CODE_TRIES = 6, 5
CODE_VALID, CODE_AGAIN = timedelta(minutes=5), timedelta(seconds=60)
TOO_OFTEN = gettext_noop("was wrong too often: wait a while")


class Way(TextChoices):
    APP = "app"
    SMS = "sms"
    RECOVERY = "recovery"


def is_asked_of(user: User) -> bool:
    """Of who has switched it on, in one way or the other, and of everybody whose company demands it (CO-24, ACC-53)."""
    return user.two_factor or user.company.two_factor_required or has_app(user)


def has_app(user: User) -> bool:
    return Authenticator.objects.filter(pk=user.pk).exists()


def ways_of(user: User) -> list[Way]:
    """How the person can give it, the usual one first. With none of them they cannot log in (USR-74, CO-25)."""
    ways = [Way.APP] if has_app(user) else []
    if (user.two_factor or user.company.two_factor_required) and user.phone and code_sender() is not None:
        ways.append(Way.SMS)
    if ways and RecoveryCode.objects.filter(user=user).exists():
        ways.append(Way.RECOVERY)
    return ways


def code_sender() -> PasswordPolicy | None:
    """The System owner's policy, when it names an active sender ID: without one no code can be sent (TFA-68)."""
    in_use = {"code_sender__status": SenderStatus.ACTIVE, "code_sender__deleted_at": None}
    return PasswordPolicy.objects.filter(company__parent=None, **in_use).select_related("code_sender").first()


def is_right(user: User, way: Way, code: str, now: datetime) -> bool:
    """Whether `code` is one of the person's, and from now on used up. `Invalid` when too many were wrong."""
    code = code.replace(" ", "")
    if way == Way.SMS:
        return take_sms_code(user, Purpose.LOG_IN, code, now) is not None
    subject = f"second factor of {user.pk}"
    if not may_try([subject], policy_of(user.company_id), now):
        raise Invalid.of("code", TOO_OFTEN)
    right = take_recovery_code(user, code) if way == Way.RECOVERY else _take_app_code(user, code, now)
    if right:
        was_right(subject)
    return right


def _take_app_code(user: User, code: str, now: datetime) -> bool:
    authenticator = Authenticator.objects.filter(pk=user.pk).first()
    if authenticator is None:
        return False
    step = step_of(unseal(authenticator.secret_encrypted), code, now)
    access = access_of(user)
    return step is not None and bool(Access.objects.filter(pk=access.pk, totp_step__lt=step).update(totp_step=step))


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Which half minute the code belongs to: this one, the last or the next, for clocks that differ a little."""
    app, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    for step in (current, current - 1, current + 1):
        if compare_digest(app.generate_otp(step).encode(), code.encode()):
            return step
    return None


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Ten that are told once; former ones are no good any more."""
    codes = [pyotp.random_base32(32)[: RECOVERY_OCTETS * 8 // 5].lower() for _ in range(RECOVERY_CODES_COUNT)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, code_hash=_digest(code)) for code in codes)
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]


def take_recovery_code(user: User, code: str) -> bool:
    return RecoveryCode.objects.filter(user=user, code_hash=_digest(code)).delete()[0] == 1


def _digest(code: str) -> str:
    """A fast hash is enough: the codes are random."""
    return hashlib.sha256(code.replace("-", "").lower().encode()).hexdigest()


@transaction.atomic
def send_sms_code(user: User, purpose: Purpose, phone: str, now: datetime) -> None:
    """Six digits to that number, and no former ones count any more. `Invalid` within a minute of the last (ACC-50), when there
    were many of late (they cost money), or when the platform has nobody to send them."""
    if code_sender() is None:
        raise Invalid.of(WHOLE, "codes by SMS are not set up here: ask your administrator")
    last = SmsCode.objects.select_for_update().filter(user=user, purpose=purpose).first()
    if last is not None and now - last.sent_at < CODE_AGAIN:
        raise Invalid.of(WHOLE, "a code was sent less than a minute ago: wait for it")
    if not may_try([f"codes sent to {user.pk}"], policy_of(user.company_id), now):
        raise Invalid.of(WHOLE, "too many codes were sent: wait a while")
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    SmsCode.objects.update_or_create(
        user=user,
        purpose=purpose,
        defaults={"phone": phone, "code_hash": _keyed(user, code), "sent_at": now, "tries_left": CODE_TRIES},
    )
    send_text(phone, code, user.language)


def take_sms_code(user: User, purpose: Purpose, code: str, now: datetime) -> str | None:
    """The number that the code was sent to, and the code is used up; None for a wrong one. `Invalid` when it is too late, or
    for one more after five wrong ones."""
    with transaction.atomic():
        sent = SmsCode.objects.select_for_update().filter(user=user, purpose=purpose).first()
        if sent is None or now - sent.sent_at > CODE_VALID:
            raise Invalid.of("code", "is not valid any more: ask for a new one")
        if not sent.tries_left:
            raise Invalid.of("code", "was wrong too often: ask for a new one")
        if compare_digest(sent.code_hash, _keyed(user, code)):
            sent.delete()
            return sent.phone
        sent.tries_left -= 1
        sent.save(update_fields=["tries_left"])
    return None


def _keyed(user: User, code: str) -> str:
    """With the product's key: a million digests are made in a moment."""
    return salted_hmac("relais sms code", f"{user.pk} {code}", algorithm="sha256").hexdigest()
