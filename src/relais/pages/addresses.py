"""URLs without arguments, looked up once: a page names dozens of them, and Django composes each anew."""

from functools import lru_cache

from django.conf import settings
from django.urls import get_script_prefix, get_urlconf, reverse

NAMES_COUNT_MAX = 4096


def address(name: str) -> str:
    """`reverse(name)` in the URLconf of the request."""
    return _address(name, get_urlconf() or settings.ROOT_URLCONF, get_script_prefix())


@lru_cache(NAMES_COUNT_MAX)
def _address(name: str, urlconf: str, prefix: str) -> str:
    return reverse(name, urlconf)
