"""How a business verb says no: which field, and why, in words for the person who asked."""

from collections.abc import Iterable, Mapping

WHOLE = ""  # the reason concerns the record, not one of its fields


class Invalid(Exception):
    """Nothing was changed. `reasons`: a field (or a path of fields; "" = the whole record) to what is wrong with it."""

    def __init__(self, reasons: Mapping[str, Iterable[str]]) -> None:
        self.reasons = {field: tuple(words) for field, words in reasons.items()}
        super().__init__(self.reasons)

    @classmethod
    def of(cls, field: str, reason: str) -> "Invalid":
        return cls({field: (reason,)})

    def __str__(self) -> str:
        return "\n".join(
            f"{field}: {reason}" if field else reason for field, words in self.reasons.items() for reason in words
        )
