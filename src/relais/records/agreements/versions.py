"""Rules of versions that several verbs hold to. The caller holds the lock on the agreement's row."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q, QuerySet

from relais.records.agreements.models import AgreementVersion
from relais.records.currencies import fits_minor_units
from relais.records.errors import Invalid
from relais.records.zones import zone_names

EMAIL_COLUMNS = ("invoice_emails", "account_emails", "rate_change_emails", "service_emails", "payment_alert_emails")
ZONE_COLUMNS = ("effective_from_timezone", "effective_till_timezone", "billing_timezone")


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
        wrong = [address for address in _addresses(getattr(version, column)) if not _is_address(address)]
        if wrong:
            reasons[column] = tuple(f"{address!r} is not an e-mail address" for address in wrong)
    limit_micros = version.credit_limit_micros
    if limit_micros is not None and not fits_minor_units(limit_micros, currency):
        reasons["credit_limit"] = (f"has more decimals than {currency}",)
    if reasons:
        raise Invalid(reasons)


def _addresses(text: str) -> list[str]:
    """Of a list separated by commas (AG-93); blank is none."""
    return [address.strip() for address in text.split(",")] if text.strip() else []


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
