"""Make or change a period in which a service's rates hold, with a tree copied from another one (SV-39 to SV-50, SV-277)."""

from datetime import datetime

from django.db import transaction

from relais.records.catalog.actions.replace_rate_tree import LINES_COUNT_MAX, refresh_channels_of_service
from relais.records.catalog.copying import copy_below
from relais.records.catalog.models import RateNode, Scope, Service, ServiceType
from relais.records.catalog.rows import TERMS
from relais.records.catalog.whole import tree_as_a_whole
from relais.records.errors import Invalid
from relais.records.saving import find, prepare, require_fixed, save


@transaction.atomic
def save_scope(scope: Scope, *, copied_from: Scope | None = None, unchanged_since: datetime | None = None) -> Scope:
    """`Invalid` for an end that is not later than the start, when another service covers a channel of it where both are
    enabled, and for a copy of a tree with other cells or of another company's."""
    former = prepare(scope, unchanged_since)
    if former is not None:
        require_fixed(scope, former, ("service",), "cannot be changed once the scope exists")
    service = find(Service, scope.service_id)
    if copied_from is not None:
        _require_alike(copied_from.service, service)
    save(scope)
    if copied_from is not None:
        copy_tree(copied_from, scope)
    refresh_channels_of_service(service.pk)
    return scope


def copy_tree(source: Scope, target: Scope) -> None:
    """Into a scope without rates. The copy counts for itself: its scales begin anew."""
    live = RateNode.objects.filter(scope=source, retired_at=None)
    if live.count() > LINES_COUNT_MAX:
        tree_as_a_whole()
    tops = list(live.filter(parent=None).order_by("pk"))
    copies = RateNode.objects.bulk_create(
        RateNode(scope=target, domain=top.domain, resource=top.resource, **{term: getattr(top, term) for term in TERMS})
        for top in tops
    )
    copy_below([(top.pk, copy.pk) for top, copy in zip(tops, copies, strict=True)], target.pk, carried=False)


def has_prices(service: Service) -> bool:
    """Whether its trees have price types, and not statuses (SV-55 to SV-58)."""
    return service.type == ServiceType.PAY_AS_YOU_GO


def _require_alike(source: Service, target: Service) -> None:
    if source.company_id != target.company_id:
        raise Invalid.of("copy_service", "belongs to another company")
    if has_prices(source) != has_prices(target):
        raise Invalid.of(
            "copy_service", "has a tree of another kind: prices and statuses cannot be copied to one another"
        )
