"""A hasher for tests of many passwords: the product's own, with a thousandth of its work."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Quick(PBKDF2PasswordHasher):
    iterations = 1_000

    def must_update(self, encoded: str) -> bool:
        """No hash is made anew at a log-in: that would end the person's other sessions."""
        return False


@contextmanager
def quick_hashes() -> Iterator[None]:
    from django.test import override_settings

    with override_settings(PASSWORD_HASHERS=["tests.records.hashing.Quick"]):
        yield
