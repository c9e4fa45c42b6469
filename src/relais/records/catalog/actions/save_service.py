"""Make or change the properties of a service (SV-22 to SV-36); archive it, or bring it back (SV-16, SV-266)."""

from datetime import datetime

from django.db import transaction

from relais.records.catalog.actions.replace_rate_tree import refresh_channels_of_service
from relais.records.catalog.models import (
    TYPES_WITH_CURRENCY,
    TYPES_WITH_SIZE,
    EnabledService,
    RateNode,
    Service,
    ServiceType,
)
from relais.records.currencies import fits_minor_units, is_currency
from relais.records.errors import Invalid, Reason
from relais.records.hanging import require_nothing_hanging
from relais.records.saving import find, prepare, require_fixed, require_unchanged, save

SIZE_MAX = 10**15


@transaction.atomic
def save_service(service: Service, *, unchanged_since: datetime | None = None) -> Service:
    """`Invalid` when type or currency change, or the size of an enabled one (SV-262), and when the type lacks the currency
    or size it needs, or has one it does not know (SV-31 to SV-33)."""
    former = prepare(service, unchanged_since)
    if former is not None:
        require_fixed(service, former, ("company", "type", "currency"), "cannot be changed once the service exists")
        if EnabledService.objects.filter(service_id=service.pk).exists():
            require_fixed(service, former, ("size",), "cannot be changed: the service is enabled on an agreement")
        service.archived_at = former.archived_at
    _require_terms_of_type(service)
    save(service)
    return service


@transaction.atomic
def archive_service(service_id: int, now: datetime, *, unchanged_since: datetime | None = None) -> Service:
    """It is no source of rates any more and cannot be enabled anew; nothing is deleted. Never refused (SV-266): the page
    asks first, with `stopped_by_archiving` and `priced_in`. An archived service is left as it is."""
    return _set_archived(service_id, now, unchanged_since)


@transaction.atomic
def unarchive_service(service_id: int, *, unchanged_since: datetime | None = None) -> Service:
    """Its enabled records work again (SV-276). `Invalid` when another service covers a channel of one of them meanwhile."""
    return _set_archived(service_id, None, unchanged_since)


@transaction.atomic
def delete_service(service_id: int, *, unchanged_since: datetime | None = None) -> None:
    """Only one that never got a scope, made by mistake; any other is archived."""
    service = find(Service, service_id)
    require_unchanged(service, unchanged_since)
    require_nothing_hanging(service)
    service.delete()


def stopped_by_archiving(service: Service, now: datetime) -> list[EnabledService]:
    """Where it is enabled now or later, by agreement: the list to confirm (SV-266)."""
    enabled = EnabledService.objects.filter(service=service).exclude(effective_till__lte=now)
    return list(enabled.select_related("agreement__company").order_by("agreement_id", "pk"))


def priced_in(service: Service) -> list[Service]:
    """Services whose rates name this pack: archiving it orphans the price (SV-267)."""
    nodes = RateNode.objects.filter(retired_at=None, value=str(service.pk), parent__split_by="pack")
    naming = nodes.filter(scope__service__company_id=service.company_id).values("scope__service")
    return list(Service.objects.filter(pk__in=naming).order_by("pk"))


def _set_archived(service_id: int, archived_at: datetime | None, unchanged_since: datetime | None) -> Service:
    service = find(Service, service_id)
    require_unchanged(service, unchanged_since)
    if (service.archived_at is None) != (archived_at is None):
        service.archived_at = archived_at
        service.save(update_fields=["archived_at", "updated_at"])
        refresh_channels_of_service(service_id)
    return service


def _require_terms_of_type(service: Service) -> None:
    reasons: dict[str, tuple[str, ...]] = {}
    if service.type in TYPES_WITH_CURRENCY and not service.currency:
        reasons["currency"] = ("is required for this type",)
    elif service.currency and not is_currency(service.currency):
        reasons["currency"] = ("is not the code of a currency",)
    if service.type in TYPES_WITH_SIZE:
        if service.size is None:
            reasons["size"] = ("is required for this type",)
        elif not 0 < service.size <= SIZE_MAX:
            reasons["size"] = (Reason("must be more than 0 and at most %(most)s", most=SIZE_MAX),)
        elif (
            service.type == ServiceType.MONETARY_PACK
            and "currency" not in reasons
            and not fits_minor_units(service.size, service.currency or "")
        ):
            reasons["size"] = (Reason("has more decimals than %(currency)s", currency=service.currency),)
    if reasons:
        raise Invalid(reasons)
