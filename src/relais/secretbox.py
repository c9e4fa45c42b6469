"""Secrets at rest: sealed with keys derived from the product's secret key, so that the database alone tells nothing.

Both planes use it; nothing here knows of either. Several keys may be given, newest first: what older ones sealed is still
opened, which is how a key is changed.
"""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class NotOurs(ValueError):
    """Sealed with another key, or damaged."""


class SecretBox:
    """Seals and opens texts. `secret_keys`: newest first, at least one."""

    def __init__(self, *secret_keys: str) -> None:
        if not secret_keys:
            raise ValueError("a secret key is needed")
        self._fernets = MultiFernet([Fernet(_derived(key)) for key in secret_keys])

    def encrypt(self, text: str) -> str:
        """The sealed text, ASCII; another one each time."""
        return self._fernets.encrypt(text.encode()).decode("ascii")

    def decrypt(self, sealed: str) -> str:
        """The text that was sealed; `NotOurs` when none of the keys opens it."""
        try:
            return self._fernets.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise NotOurs("this secret was sealed with another key: set RELAIS_SECRET_KEY to that one") from error


def _derived(secret_key: str) -> bytes:
    """A Fernet key for this purpose alone (RFC 5869 with one block, no salt)."""
    pseudo_random = hmac.digest(bytes(32), secret_key.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(hmac.digest(pseudo_random, b"relais secrets at rest\x01", hashlib.sha256))
