"""Secrets in rows, sealed with the product's key as Django was configured with it. The data plane uses the box itself."""

from django.conf import settings

from relais.secretbox import NotOurs, SecretBox


def seal(text: str) -> str:
    """What a `*_encrypted` column stores."""
    return _box().encrypt(text)


def unseal(sealed: str) -> str:
    """The text; `NotOurs` for one sealed with a key that is gone."""
    return _box().decrypt(sealed)


def holds(sealed: str, text: str) -> bool:
    """Whether `sealed` is `text`; one sealed with a key that is gone is not."""
    try:
        return _box().decrypt(sealed) == text
    except NotOurs:
        return False


def _box() -> SecretBox:
    return SecretBox(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
