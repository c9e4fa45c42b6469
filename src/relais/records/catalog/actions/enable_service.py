"""Enable a pay-as-you-go service or a pack for an agreement, change the dates, and so end it (ES-11 to ES-43)."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection, transaction

from relais.records.agreements.models import Agreement
from relais.records.agreements.posting import lock_agreement
from relais.records.catalog.actions.charge_pack import charge_pack
from relais.records.catalog.channels import refresh_channels
from relais.records.catalog.models import PACK_TYPES, EnabledService, Service, ServiceType
from relais.records.errors import Invalid
from relais.records.saving import find, prepare, require_unchanged, save
from relais.records.zones import zone_names

OPEN = frozenset(
    {"effective_from", "effective_from_timezone", "effective_till", "effective_till_timezone", "hidden_from_client"}
)  # service and agreement are a purchase, and final (ES-23)

# The newest message accepted since an instant whose price at this agreement came from the service, or which this very pack paid
# for or counted. Ids are UUIDv7, so only the partitions since then are read.
_NEWEST_SINCE = """
SELECT m.id FROM traffic_message AS m
WHERE m.id >= traffic_uuid_floor(%(since)s) AND m.agreement_ids @> ARRAY[%(agreement)s]::bigint[]
  AND EXISTS (SELECT FROM unnest(m.agreement_ids, m.node_ids, m.pack_ids) AS level (agreement_id, node_id, pack_id)
              JOIN catalog_ratenode AS n ON n.id = level.node_id
              JOIN catalog_scope AS s ON s.id = n.scope_id
              WHERE level.agreement_id = %(agreement)s AND (s.service_id = %(service)s OR level.pack_id = %(enabled)s))
ORDER BY m.id DESC LIMIT 1
"""


def enable_service(enabled: EnabledService, now: datetime) -> EnabledService:
    """Store an unsaved association of a pay-as-you-go service. `Invalid` when the seller, the currency (ES-73), the
    agreement's period (ES-74) or another service on the same channel (ES-19, named) does not fit."""
    return enable(enabled, now, [ServiceType.PAY_AS_YOU_GO], "is not a pay-as-you-go service")


@transaction.atomic
def enable_pack(enabled: EnabledService, now: datetime) -> EnabledService:
    """The same for a unit or monetary pack; packs may overlap (ruling 12). With `charged` it is paid at once, or when its
    start has come (ES-80): `Invalid` when it is to be paid now and there is no rate or not the money."""
    enable(enabled, now, PACK_TYPES, "is not a pack")
    if enabled.charged and enabled.effective_from <= now:
        charge_pack(enabled, now)
    return enabled


@transaction.atomic
def change_enabled_service(
    enabled_id: int, now: datetime, *, unchanged_since: datetime | None = None, **terms: object
) -> EnabledService:
    """Set columns that stay open after creation (`OPEN`), `effective_from` only while it lies ahead (ES-23)."""
    assert terms.keys() <= OPEN, terms.keys() - OPEN
    enabled = _find_enabled(enabled_id, unchanged_since)
    former_from, former_till = enabled.effective_from, enabled.effective_till
    for column, value in terms.items():
        setattr(enabled, column, value)
    if enabled.effective_from != former_from and former_from <= now:
        raise Invalid.of("effective_from", "cannot be changed: the service has started")
    prepare(enabled)
    _require_sound_period(enabled)
    if enabled.effective_till != former_till:
        _require_end_after_events(enabled)
    save(enabled)
    refresh_channels(enabled)
    return enabled


def end_enabled_service(
    enabled_id: int, effective_till: datetime, now: datetime, *, unchanged_since: datetime | None = None
) -> EnabledService:
    """The only way to withdraw one (ES-82): what it rated before stays as it is."""
    return change_enabled_service(enabled_id, now, unchanged_since=unchanged_since, effective_till=effective_till)


@transaction.atomic
def enable(enabled: EnabledService, now: datetime, types: Collection[str], otherwise: str) -> EnabledService:
    """What every kind of purchase must keep; `otherwise` is said of a service that is of none of `types`."""
    prepare(enabled)
    assert enabled._state.adding, "a purchase is made once (ES-23)"
    # the service before the agreement, as whatever changes a service's channels does
    service = find(Service, enabled.service_id)
    agreement = lock_agreement(enabled.agreement_id)
    enabled.service, enabled.agreement = service, agreement
    if service.type not in types:
        raise Invalid.of("service", otherwise)
    _require_fitting_service(service, agreement)
    if not any(version.effective_till is None or version.effective_till > now for version in agreement.versions.all()):
        raise Invalid.of("agreement", "has ended: add a version to it first")
    _require_sound_period(enabled)
    save(enabled)
    refresh_channels(enabled)
    return enabled


def _find_enabled(enabled_id: int, unchanged_since: datetime | None) -> EnabledService:
    place = EnabledService.objects.filter(pk=enabled_id).values_list("service_id", "agreement_id").first()
    if place is not None:
        find(Service, place[0])
        lock_agreement(place[1])
    enabled = find(EnabledService, enabled_id)
    require_unchanged(enabled, unchanged_since)
    return enabled


def _require_fitting_service(service: Service, agreement: Agreement) -> None:
    if service.archived_at is not None:
        raise Invalid.of("service", "is archived")
    if service.company_id != agreement.own_legal_entity.company_id:
        raise Invalid.of("service", "belongs to a company that is not the seller of this agreement")
    if service.currency is not None and service.currency != agreement.currency:
        raise Invalid.of(
            "service",
            "is in %(currency)s, the agreement in %(agreed)s",
            currency=service.currency,
            agreed=agreement.currency,
        )


def _require_sound_period(enabled: EnabledService) -> None:
    """The end is later than the start (ES-75); the dates and some version of the agreement meet (ES-74)."""
    zones = ("effective_from_timezone", "effective_till_timezone")
    if wrong := [column for column in zones if getattr(enabled, column) not in zone_names()]:
        raise Invalid({column: ("is not the IANA name of a time zone",) for column in wrong})
    if enabled.effective_till is not None and enabled.effective_till <= enabled.effective_from:
        raise Invalid.of("effective_till", "must be later than effective_from")
    for version in enabled.agreement.versions.all():
        ends_before = enabled.effective_till is not None and enabled.effective_till <= version.effective_from
        starts_after = version.effective_till is not None and version.effective_till <= enabled.effective_from
        if not ends_before and not starts_after:
            return
    raise Invalid.of("effective_from", "the agreement is not in force at any time of this period")


def _require_end_after_events(enabled: EnabledService) -> None:
    """`Invalid` for an end earlier than the latest event that the association rated (ES-82)."""
    if enabled.effective_till is None:
        return
    where = {
        "since": enabled.effective_till,
        "agreement": enabled.agreement_id,
        "service": enabled.service_id,
        "enabled": enabled.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_SINCE, where)
        row = cursor.fetchone()
    if row is not None:
        accepted_ms = UUID(str(row[0])).int >> 80
        at = datetime.fromtimestamp(accepted_ms // 1000, UTC)
        raise Invalid.of(
            "effective_till", "is too early: a message was charged by it at %(at)s UTC", at=f"{at:%d.%m.%Y %H:%M:%S}"
        )
