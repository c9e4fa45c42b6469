"""Change what an API key is called and may do, and the secret of its webhook."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import transaction

from relais.records.errors import WHOLE, Invalid
from relais.records.people.actions.create_api_key import set_limits
from relais.records.people.models import ApiKey
from relais.records.saving import find, save
from relais.wire.webhooks import BOTH_SIGN_FOR


@transaction.atomic
def change_api_key(
    api_key_id: int, name: str, rights: int, *, limits: Mapping[str, Any] = MappingProxyType({})
) -> ApiKey:
    """The record, in force with its new rights and `limits` within a second; the key itself stays, and so does what `limits` does
    not name. `Invalid` for a revoked key."""
    record = _in_force(api_key_id)
    record.name, record.rights = name, rights
    set_limits(record, limits)
    save(record)
    return record


@transaction.atomic
def renew_webhook_secret(api_key_id: int, now: datetime) -> ApiKey:
    """Webhooks of the key are signed with a new secret from now on, and with the former one beside it for a day, so that a
    receiver can change over. `Invalid` for a revoked key, and within that day."""
    record = _in_force(api_key_id)
    changed_at = record.webhook_secret_changed_at
    if changed_at is not None and now < changed_at + BOTH_SIGN_FOR:
        raise Invalid.of(WHOLE, "its secret was renewed less than a day ago, and the former one signs still")
    record.webhook_secret_version += 1
    record.webhook_secret_changed_at = now
    save(record)
    return record


@transaction.atomic
def show_webhook_secret(api_key_id: int, now: datetime) -> ApiKey:
    """Its secret is shown to somebody, which the audit tells. `Invalid` for a revoked key."""
    record = _in_force(api_key_id)
    record.webhook_secret_shown_at = now
    save(record)
    return record


def _in_force(api_key_id: int) -> ApiKey:
    record = find(ApiKey, api_key_id)
    if record.revoked_at is not None:
        raise Invalid.of(WHOLE, "the key is revoked and stays as it is: make another")
    return record
