"""What a purchase costs: the price of a pack in the pay-as-you-go service of the same agreement (SV-77, ES-35)."""

from datetime import datetime

from django.db.models import Q, QuerySet

from relais.core.rating.tree import compile_tree, lookup
from relais.core.rating.types import Domain, Parameter, Rate, Resource
from relais.records.catalog.models import EnabledService, RateNode, Scope, Service, ServiceType
from relais.records.catalog.rows import node_rows

PURCHASES = {
    ServiceType.UNIT_PACK: Resource.UNIT_PACK,
    ServiceType.MONETARY_PACK: Resource.MONETARY_PACK,
    ServiceType.BUNDLE_PACK: Resource.BUNDLE_PACK,
}


def effective(rows: QuerySet[EnabledService], at: datetime) -> QuerySet[EnabledService]:
    """Those that hold at that instant, of services that are not archived."""
    holds = Q(effective_from__lte=at) & (Q(effective_till=None) | Q(effective_till__gt=at))
    return rows.filter(holds, service__archived_at=None)


def current_scope(service_id: int, at: datetime) -> Scope | None:
    """The scope to rate by: no draft, and of several the one created first (SV-50)."""
    holds = Q(effective_from__lte=at) & (Q(effective_till=None) | Q(effective_till__gt=at))
    return Scope.objects.filter(holds, service_id=service_id, draft=False).order_by("pk").first()


def price_of_pack(pack: Service, agreement_id: int, at: datetime) -> Rate | None:
    """The rate of buying it on the agreement at that instant; None = rate not found (SV-206). A scale prices no purchase."""
    if current_scope(pack.pk, at) is None:
        return None
    rate = _rate(
        agreement_id, at, Domain.SERVICE_PURCHASE, PURCHASES[ServiceType(pack.type)], {Parameter.PACK: str(pack.pk)}
    )
    return rate if rate is None or rate.scale is None else None


def price_of_member(agreement_id: int, at: datetime) -> Rate | None:
    """The rate of a member beyond the size of a bundle pack."""
    return _rate(agreement_id, at, Domain.BUNDLE_GROUPING, Resource.BUNDLE_MEMBER, {})


def price_of_sender_fee(
    agreement_id: int, resource: Resource, attributes: dict[Parameter, str], at: datetime
) -> Rate | None:
    """The rate of setting up or using a sender ID (SV-72, SV-73); None = rate not found. A scale prices no fee."""
    rate = _rate(agreement_id, at, Domain.SMS_MESSAGING, resource, attributes)
    return rate if rate is None or rate.scale is None else None


def has_rates(agreement_id: int, resource: Resource, at: datetime) -> bool:
    """Whether any service in force on the agreement prices that at all."""
    services = EnabledService.objects.filter(agreement_id=agreement_id, service__type=ServiceType.PAY_AS_YOU_GO)
    ids = effective(services, at).values_list("service_id", flat=True)
    scopes = [scope for service_id in ids if (scope := current_scope(service_id, at)) is not None]
    return RateNode.objects.filter(scope__in=scopes, resource=resource, retired_at=None).exists()


def _rate(
    agreement_id: int, at: datetime, domain: Domain, resource: Resource, attributes: dict[Parameter, str]
) -> Rate | None:
    services = EnabledService.objects.filter(agreement_id=agreement_id, service__type=ServiceType.PAY_AS_YOU_GO)
    for service_id in effective(services, at).order_by("pk").values_list("service_id", flat=True):
        scope = current_scope(service_id, at)
        if scope is None:
            continue
        nodes = RateNode.objects.filter(scope=scope, domain=domain, resource=resource, retired_at=None)
        rate = lookup(compile_tree(node_rows(nodes)), domain, resource, attributes)
        if isinstance(rate, Rate):
            return rate
    return None
