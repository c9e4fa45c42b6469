"""Rules of versions that several verbs hold to. The caller holds the lock on the agreement's row."""

from datetime import datetime
from enum import Enum

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q, QuerySet

from relais.core.money import MICROS
from relais.records.agreements.models import AgreementVersion
from relais.records.agreements.posting import lock_agreement
from relais.records.currencies import fits_minor_units
from relais.records.errors import Invalid, Reason
from relais.records.saving import find
from relais.records.zones import zone_names

EMAIL_COLUMNS = ("invoice_emails", "account_emails", "rate_change_emails", "service_emails", "payment_alert_emails")
CREDIT_LIMIT_MICROS_MAX = 10**12 * MICROS
ZONE_COLUMNS = ("effective_from_timezone", "effective_till_timezone", "billing_timezone")


class VersionState(Enum):
    EXPIRED = "expired"
    ACTIVE = "active"
    UPCOMING = "upcoming"


def find_version(version_id: int) -> AgreementVersion:
    """Locked, after its agreement as in every verb of versions; `Invalid` when there is none."""
    owning = AgreementVersion.objects.filter(pk=version_id).values_list("agreement_id", flat=True).first()
    if owning is not None:
        lock_agreement(owning)
    return find(AgreementVersion, version_id)


def versions_in_the_way(version: AgreementVersion) -> QuerySet[AgreementVersion]:
    """Other versions of the agreement that share an instant with this one, earliest first."""
    others = AgreementVersion.objects.filter(agreement_id=version.agreement_id).exclude(pk=version.pk)
    meeting = others.filter(Q(effective_till=None) | Q(effective_till__gt=version.effective_from))
    if version.effective_till is not None:
        meeting = meeting.filter(effective_from__lt=version.effective_till)
    return meeting.order_by("effective_from")


def require_sound_terms(version: AgreementVersion, currency: str) -> None:
    """`Invalid` for what the columns' own checks do not see: zones, e-mail lists, decimals of the currency (AG-88)."""
    reasons = {
        column: ("is not the IANA name of a time zone",)
        for column in ZONE_COLUMNS
        if getattr(version, column) not in zone_names()
    }
    for column in EMAIL_COLUMNS:
        wrong = [address for address in addresses(getattr(version, column)) if not is_address(address)]
        if wrong:
            reasons[column] = tuple(
                Reason("%(address)s is not an e-mail address", address=repr(each)) for each in wrong
            )
    limit_micros = version.credit_limit_micros
    if limit_micros is not None and limit_micros < 0:
        reasons["credit_limit_micros"] = ("cannot be negative: leave it blank for no limit, 0 is prepaid",)
    elif limit_micros is not None and limit_micros > CREDIT_LIMIT_MICROS_MAX:
        reasons["credit_limit_micros"] = (
            Reason("is at most %(most)s: leave it blank for no limit", most=CREDIT_LIMIT_MICROS_MAX // MICROS),
        )
    elif limit_micros is not None and not fits_minor_units(limit_micros, currency):
        reasons["credit_limit_micros"] = (Reason("has more decimals than %(currency)s", currency=currency),)
    if reasons:
        raise Invalid(reasons)


def addresses(text: str) -> list[str]:
    """Of a list separated by commas (AG-93); blank is none."""
    return [address.strip() for address in text.split(",")] if text.strip() else []


def is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def state_of(version: AgreementVersion, now: datetime) -> VersionState:
    """Expired, active or upcoming (AG-79): the start belongs to the version, the end does not."""
    if version.effective_from > now:
        return VersionState.UPCOMING
    if version.effective_till is not None and version.effective_till <= now:
        return VersionState.EXPIRED
    return VersionState.ACTIVE
