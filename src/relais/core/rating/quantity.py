"""How many units an event has (SV-106, SV-279)."""

from relais.core.rating.types import QuantityRule

SECONDS_A_MINUTE = 60


def units_of(rule: QuantityRule, segments_count: int = 1, duration_s: int = 0) -> int:
    """Segments, each minute begun, or seconds; a call has at least one unit, also before its duration is known. Everything
    else is one."""
    if rule is QuantityRule.SEGMENTS:
        return segments_count
    if rule is QuantityRule.MINUTES:
        return max(1, -(-duration_s // SECONDS_A_MINUTE))
    if rule is QuantityRule.SECONDS:
        return max(1, duration_s)
    return 1
