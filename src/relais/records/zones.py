"""Time zones that a form may name."""

from functools import cache
from zoneinfo import available_timezones


@cache
def zone_names() -> frozenset[str]:
    """IANA names; Etc/GMT+3 lies west of Greenwich, as IANA has it (AG-92)."""
    return frozenset(available_timezones())
