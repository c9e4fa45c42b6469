"""Enable a pay-as-you-go service for an agreement (ES-11 to ES-19)."""

from django.db import transaction

from relais.records.agreements.models import Agreement
from relais.records.catalog.channels import refresh_channels
from relais.records.catalog.models import EnabledService, Service, ServiceType
from relais.records.errors import Invalid
from relais.records.saving import find, save


@transaction.atomic
def enable_service(enabled: EnabledService) -> EnabledService:
    """Store an unsaved association. `Invalid` when the seller, the currency (ES-73), the agreement's period (ES-74) or
    another service on the same channel (ES-19, named) does not fit."""
    agreement = find(Agreement, enabled.agreement_id)
    _require_fitting_service(enabled.service, agreement)
    _require_common_period(enabled)
    save(enabled)
    refresh_channels(enabled)
    return enabled


@transaction.atomic
def change_enabled_service(enabled_id: int, **terms: object) -> EnabledService:
    """Set columns that stay open after creation: `effective_till`, `hidden_from_client` (ES-23)."""
    enabled = find(EnabledService, enabled_id)
    find(Agreement, enabled.agreement_id)
    for column, value in terms.items():
        assert column in {"effective_till", "hidden_from_client"}, column
        setattr(enabled, column, value)
    _require_common_period(enabled)
    save(enabled)
    refresh_channels(enabled)
    return enabled


def _require_fitting_service(service: Service, agreement: Agreement) -> None:
    if service.type != ServiceType.PAY_AS_YOU_GO:
        raise Invalid.of("service", "is not a pay-as-you-go service")
    if service.archived_at is not None:
        raise Invalid.of("service", "is archived")
    if service.company_id != agreement.own_legal_entity.company_id:
        raise Invalid.of("service", "belongs to a company that is not the seller of this agreement")
    if service.currency != agreement.currency:
        raise Invalid.of("service", f"is in {service.currency}, the agreement in {agreement.currency}")


def _require_common_period(enabled: EnabledService) -> None:
    """The dates and some version of the agreement have to meet (ES-74)."""
    for version in enabled.agreement.versions.all():
        ends_before = enabled.effective_till is not None and enabled.effective_till <= version.effective_from
        starts_after = version.effective_till is not None and version.effective_till <= enabled.effective_from
        if not ends_before and not starts_after:
            return
    raise Invalid.of("effective_from", "the agreement is not in force at any time of this period")
