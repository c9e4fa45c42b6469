"""Countries as forms take them."""

from relais.records.catalog.models import Country
from relais.records.errors import Invalid


def require_country(iso: str, field: str = "country") -> None:
    """`Invalid` unless the dictionary has this ISO 3166 code."""
    if not Country.objects.filter(pk=iso).exists():
        loaded = Country.objects.exists()
        raise Invalid.of(field, f"no country {iso!r}" + ("" if loaded else ": the dictionaries are not loaded"))
