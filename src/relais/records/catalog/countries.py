"""Countries as forms take them."""

from relais.records.catalog.models import Country
from relais.records.errors import Invalid


def require_country(iso: str, field: str = "country") -> None:
    """`Invalid` unless the dictionary has this ISO 3166 code."""
    if not Country.objects.filter(pk=iso).exists():
        if Country.objects.exists():
            raise Invalid.of(field, "no country %(iso)s", iso=repr(iso))
        raise Invalid.of(field, "no country %(iso)s: the dictionaries are not loaded", iso=repr(iso))
