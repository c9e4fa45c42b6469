"""Enable bundle initiators and bundle packs; let packs go on from period to period (ES-44 to ES-71, ES-84)."""

from datetime import datetime

from django.db import transaction

from relais.core.billing.periods import BillingPeriod, BillingTerms, Period, VersionTerms, version_period_at
from relais.records.agreements.models import Agreement
from relais.records.agreements.posting import lock_agreement
from relais.records.agreements.terms import version_at
from relais.records.audit import audited
from relais.records.catalog.actions.charge_pack import TRIED_AGAIN_AFTER, charge_pack
from relais.records.catalog.actions.enable_service import enable
from relais.records.catalog.models import EnabledService, Service, ServiceType
from relais.records.catalog.pricing import effective, price_of_member
from relais.records.errors import Invalid
from relais.records.people.models import Actor
from relais.records.saving import find, require_unchanged


def enable_initiator(enabled: EnabledService, now: datetime) -> EnabledService:
    """Store an unsaved association of a bundle initiator; they may overlap (ES-48) and cost nothing (ES-55)."""
    return enable(enabled, now, [ServiceType.BUNDLE_INITIATOR], "is not a bundle initiator")


@transaction.atomic
def enable_bundle_pack(enabled: EnabledService, now: datetime) -> EnabledService:
    """Store an unsaved association of a bundle pack from now to the end of the billing period, and charge it (SV-238).
    `Invalid` without an initiator in force, a price of the pack or of its members, or the money (ES-84)."""
    agreement = lock_agreement(enabled.agreement_id)
    zone = version_zone(agreement, now)
    enabled.effective_from, enabled.effective_till = now, billing_period(agreement, now).end
    enabled.effective_from_timezone = enabled.effective_till_timezone = zone
    enabled.charged = True
    return _enable_and_charge(enabled, now)


@transaction.atomic
def set_auto_extend(enabled_id: int, auto_extend: bool, *, unchanged_since: datetime | None = None) -> EnabledService:
    """The one thing of a bundle pack that stays open (ES-71)."""
    enabled = find(EnabledService, enabled_id)
    require_unchanged(enabled, unchanged_since)
    if enabled.service.type != ServiceType.BUNDLE_PACK:
        raise Invalid.of("auto_extend", "is of bundle packs only")
    enabled.auto_extend = auto_extend
    enabled.save(update_fields=["auto_extend", "updated_at"])
    return enabled


def extend_bundle_packs(now: datetime) -> int:
    """Number of bundle packs that go on in the period now: each one that ended with Auto extend is followed by another of
    the same pack, and charged. What cannot be charged is not extended, and tried again every hour (ES-71, ES-84)."""
    ended = EnabledService.objects.filter(auto_extend=True, effective_till__lte=now, service__archived_at=None)
    ended = ended.exclude(charge_tried_at__gt=now - TRIED_AGAIN_AFTER, charged_at__lt=now - TRIED_AGAIN_AFTER)
    return sum(_extend(enabled_id, now) for enabled_id in ended.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _extend(enabled_id: int, now: datetime) -> bool:
    service_id, agreement_id = EnabledService.objects.values_list("service_id", "agreement_id").get(pk=enabled_id)
    find(Service, service_id)
    lock_agreement(agreement_id)
    former = EnabledService.objects.select_for_update(of=("self",)).select_related("agreement").get(pk=enabled_id)
    if not former.auto_extend or former.effective_till is None:
        return False
    period = billing_period(former.agreement, now)
    follower = EnabledService(
        agreement_id=former.agreement_id,
        service_id=former.service_id,
        effective_from=max(former.effective_till, period.start),
        effective_from_timezone=former.effective_till_timezone,
        effective_till=period.end,
        effective_till_timezone=former.effective_till_timezone,
        auto_extend=True,
        charged=True,
    )
    with audited("Extend Enabled bundle pack", user=None, ip_address=None, actor=Actor.JOB):
        try:
            with transaction.atomic():
                _enable_and_charge(follower, now)
                former.auto_extend = False  # it has its follower
                former.save(update_fields=["auto_extend", "updated_at"])
        except Invalid as refusal:
            former.charge_tried_at, former.not_charged_reason = now, str(refusal)[:100]
            former.save(update_fields=["charge_tried_at", "not_charged_reason", "updated_at"])
            return False
    return True


def _enable_and_charge(enabled: EnabledService, now: datetime) -> EnabledService:
    enable(enabled, now, [ServiceType.BUNDLE_PACK], "is not a bundle pack")
    initiators = EnabledService.objects.filter(
        agreement_id=enabled.agreement_id, service__type=ServiceType.BUNDLE_INITIATOR
    )
    if not effective(initiators, now).exists():
        raise Invalid.of("service", "needs a bundle initiator that is enabled on the agreement now")
    if price_of_member(enabled.agreement_id, now) is None:
        raise Invalid.of("service", "needs a price of Bundle member in a service that is enabled on the agreement now")
    charge_pack(enabled, now)
    return enabled


def billing_period(agreement: Agreement, at: datetime) -> Period:
    """`Invalid` before the agreement's first version."""
    versions = [
        VersionTerms(
            version.effective_from,
            BillingTerms(
                version.billing_timezone,
                BillingPeriod(version.billing_period),
                version.billing_day,
                version.split_by_month,
            ),
            version.tax_bp,
        )
        for version in agreement.versions.order_by("effective_from")
    ]
    try:
        return version_period_at(at, versions)
    except ValueError as error:
        raise Invalid.of("agreement", "is not in force yet") from error


def version_zone(agreement: Agreement, at: datetime) -> str:
    """The name of the agreement's billing time zone."""
    version = version_at(agreement.pk, at)
    return version.billing_timezone if version else "Etc/UTC"
