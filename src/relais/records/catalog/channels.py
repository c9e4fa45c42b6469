"""Which channels an enabled pay-as-you-go service covers: the domains its rates in use have (ES-19, ES-76).

Kept as rows, because an exclusion constraint can only see rows. Whatever changes a service's domains, its dates or
its being archived calls `refresh_channels`, holding the lock on the agreement's row.
"""

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from relais.records.catalog.models import EnabledService, EnabledServiceChannel, RateNode, Service, ServiceType
from relais.records.errors import Invalid


def domains_of(service: Service) -> frozenset[str]:
    """Domains with rates in a scope that is not a draft; none for an archived service, nor for packs and bundles."""
    if service.archived_at is not None or service.type != ServiceType.PAY_AS_YOU_GO:
        return frozenset()
    nodes = RateNode.objects.filter(scope__service=service, scope__draft=False, parent=None, retired_at=None)
    return frozenset(nodes.values_list("domain", flat=True))


@transaction.atomic
def refresh_channels(enabled: EnabledService) -> None:
    """Bring the rows up to date; `Invalid` naming the service in the way when two would cover a channel at once."""
    during = DateTimeTZRange(enabled.effective_from, enabled.effective_till, "[)")
    wanted = domains_of(enabled.service)
    stale = EnabledServiceChannel.objects.filter(enabled_service=enabled)
    if {(row.domain, row.during) for row in stale} == {(domain, during) for domain in wanted}:
        return
    stale.delete()
    meeting = EnabledServiceChannel.objects.filter(
        agreement_id=enabled.agreement_id, domain__in=wanted, during__overlap=during
    ).select_related("enabled_service__service")
    if other := meeting.order_by("pk").first():
        blocker = other.enabled_service
        raise Invalid.of(
            "service",
            "overlaps %(service)s (enabled service ID %(id)s), which covers %(domain)s then",
            service=repr(blocker.service.name),
            id=blocker.pk,
            domain=other.domain,
        )
    EnabledServiceChannel.objects.bulk_create(
        EnabledServiceChannel(enabled_service=enabled, agreement_id=enabled.agreement_id, domain=domain, during=during)
        for domain in sorted(wanted)
    )
