"""Change what an API key is called and may do."""

from django.db import transaction

from relais.records.errors import WHOLE, Invalid
from relais.records.people.models import ApiKey
from relais.records.saving import find, save


@transaction.atomic
def change_api_key(api_key_id: int, name: str, rights: int) -> ApiKey:
    """The record, in force with its new rights within a second; the key itself stays. `Invalid` for a revoked key."""
    record = find(ApiKey, api_key_id)
    if record.revoked_at is not None:
        raise Invalid.of(WHOLE, "the key is revoked and stays as it is: make another")
    record.name, record.rights = name, rights
    save(record)
    return record
