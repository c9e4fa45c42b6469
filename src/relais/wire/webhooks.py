"""Signatures of webhooks after Standard Webhooks 1.0, symmetric scheme v1, and the secrets they are made with.

Secrets are derived from the product's key, so that they need no place of their own: `subject` is whose they are, and `version`
rises when one is replaced.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

SECRET_PREFIX = "whsec_"
BOTH_SIGN_FOR = timedelta(hours=24)  # after a secret was replaced, the former one signs beside it


def secret_of(product_key: str, subject: str, version: int = 1) -> str:
    """The secret as clients have it: `whsec_` and base64."""
    named = f"callback signature of {subject}" + (f", {version}" if version > 1 else "")
    return SECRET_PREFIX + base64.b64encode(hmac.digest(product_key.encode(), named.encode(), hashlib.sha256)).decode()


def secrets_in_force(
    product_key: str, subject: str, version: int, changed_at: datetime | None, now: datetime
) -> tuple[str, ...]:
    """The secret, and the one before it as long as both sign."""
    newest = secret_of(product_key, subject, version)
    if version > 1 and changed_at is not None and now < changed_at + BOTH_SIGN_FOR:
        return newest, secret_of(product_key, subject, version - 1)
    return (newest,)


def key_of(secret: str) -> bytes:
    """What the secret signs with."""
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX))


def signature_headers(keys: Sequence[bytes], webhook_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The three headers, with a signature for each key."""
    signed = b"%b.%d.%b" % (webhook_id.encode(), timestamp_s, body)
    signatures = [base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
