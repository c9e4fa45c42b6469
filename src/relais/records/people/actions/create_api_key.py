"""Make an API key for a client's systems, and take one back."""

import hashlib
import secrets
import string
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import transaction

from relais.records.errors import Invalid
from relais.records.networks import ip_networks
from relais.records.people.models import RIGHTS_ALL, ApiKey
from relais.records.saving import find, save

PREFIX = "rk_"
# Letters and digits alone: a double click takes the whole key, and no shell or header reads more into it.
ALPHABET = string.ascii_letters + string.digits
RANDOM_LENGTH = 43  # of the alphabet: 256 bits
KEY_LENGTH_MIN = 16  # of a given key; a generated one is longer
# Whence, how fast and how long, whom to tell and what.
LIMITS = ("networks", "rps_limit", "expires_at", "webhook_url", "webhook_events")


def digest(key: str) -> bytes:
    """What is stored of a key. A fast hash is enough: keys are random, not words."""
    return hashlib.sha256(key.encode()).digest()


@transaction.atomic
def create_api_key(
    company_id: int,
    name: str,
    rights: int = RIGHTS_ALL,
    *,
    key: str | None = None,
    sandbox: bool = False,
    limits: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[ApiKey, str]:
    """The record and the key itself, which nobody can see again. `key` is given only in scenarios for demos and tests. `limits`:
    those of `LIMITS`, by column; what is absent does not limit."""
    if key is None:
        key = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    elif len(key) < KEY_LENGTH_MIN or not key.isascii() or not key.isprintable() or " " in key:
        raise Invalid.of("key", "at least %(least)s printable ASCII characters without blanks", least=KEY_LENGTH_MIN)
    elif ApiKey.objects.filter(key_hash=digest(key)).exists():
        raise Invalid.of("key", "is in use, or was")  # not "by whom"
    record = ApiKey(company_id=company_id, name=name, key_hash=digest(key), rights=rights, sandbox=sandbox)
    set_limits(record, limits)
    save(record)
    return record, key


def set_limits(record: ApiKey, limits: Mapping[str, Any]) -> None:
    """What there is of `LIMITS`. `Invalid` for networks that are none."""
    for column, value in limits.items():
        assert column in LIMITS, column
        setattr(record, column, ip_networks(value, column) if column == "networks" else value)


@transaction.atomic
def revoke_api_key(api_key_id: int, now: datetime) -> None:
    """Requests with the key are refused from now on; a revoked key stays as it is."""
    record = find(ApiKey, api_key_id)
    if record.revoked_at is None:
        record.revoked_at = max(now, record.created_at)
        record.save()
