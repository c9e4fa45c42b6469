"""Switch the second factor on and off: an authenticator app, a phone number (ACC-30 to ACC-37, ACC-50 to ACC-54, ACC-59)."""

from datetime import datetime

from django.db import transaction

from relais.records.access.models import Access, Authenticator, Purpose
from relais.records.access.passwords import access_of
from relais.records.access.second_factor import new_recovery_codes, send_sms_code, step_of, take_sms_code, ways_of
from relais.records.access.sessions import end_sessions
from relais.records.errors import WHOLE, Invalid
from relais.records.people.models import User
from relais.records.saving import find, save
from relais.records.secrets import seal

PHONE_DIGITS_MAX = 15


@transaction.atomic
def add_authenticator(user: User, secret: str, code: str, now: datetime, session_key: str) -> list[str]:
    """The app that holds `secret` and shows `code` now is asked at every log-in; the codes for when it is lost, told once.
    All sessions but this one end. `Invalid` for a wrong code."""
    step = step_of(secret, code.replace(" ", ""), now)
    if step is None:
        raise Invalid.of("code", "is not the one that the app shows now")
    Authenticator.objects.update_or_create(user=user, defaults={"secret_encrypted": seal(secret)})
    Access.objects.filter(pk=access_of(user).pk).update(totp_step=step)
    end_sessions(user, but=session_key)
    return new_recovery_codes(user)


@transaction.atomic
def remove_authenticator(user: User) -> None:
    """`Invalid` when the company demands a second factor and there is no other."""
    Authenticator.objects.filter(pk=user.pk).delete()
    if user.company.two_factor_required and not ways_of(user):
        raise Invalid.of(WHOLE, "your company demands a second factor, and the app is your only one")
    if not ways_of(user):
        user.recovery_codes.all().delete()


def ask_for_number(user: User, phone: str, now: datetime) -> str:
    """Send a code to a number that is only pending (ACC-50, ACC-54); its digits. `Invalid` for what is no number."""
    digits = phone.strip().removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and 7 <= len(digits) <= PHONE_DIGITS_MAX):
        raise Invalid.of("phone", "takes 7 to 15 digits in international form, such as 34612345678")
    send_sms_code(user, Purpose.NUMBER, digits, now)
    return digits


def number_of(user: User, code: str, now: datetime) -> str:
    """The number that the code was sent to, and the code is used up. `Invalid` for a wrong one, which stays counted: not
    to be called inside a transaction."""
    phone = take_sms_code(user, Purpose.NUMBER, code.replace(" ", ""), now)
    if phone is None:
        raise Invalid.of("code", "is not the one that was sent")
    return phone


@transaction.atomic
def set_number(user: User, phone: str) -> None:
    """A number shown to be the person's is in the profile from now on, and asked at every log-in. All sessions end (ACC-31,
    ACC-52)."""
    record = find(User, user.pk)
    record.phone, record.two_factor = phone, True
    save(record)
    end_sessions(record)


@transaction.atomic
def disable_number(user: User) -> None:
    """It stays in the profile and gets no more codes (ACC-36, ACC-59). `Invalid` when the company demands them (ACC-53)."""
    if user.company.two_factor_required:
        raise Invalid.of(WHOLE, "your company demands two-factor authentication: it cannot be switched off")
    record = find(User, user.pk)
    record.two_factor = False
    save(record)
    if not ways_of(record):
        record.recovery_codes.all().delete()
