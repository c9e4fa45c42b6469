"""Half-open ranges of instants as PostgreSQL sees them, for exclusion constraints and overlap queries."""

from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary
from django.db.models import Func


class TsTzRange(Func):
    """tstzrange(from, till): start inclusive, end exclusive; a null end is unbounded."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()

    def __init__(self, effective_from: str, effective_till: str) -> None:
        super().__init__(effective_from, effective_till, RangeBoundary())

    def deconstruct(self) -> tuple[str, tuple[str, str], dict[str, object]]:
        """For migrations: the two columns alone."""
        first, last = self.source_expressions[:2]
        return "relais.records.ranges.TsTzRange", (first.name, last.name), {}
