"""How a business verb says no: which field, and why, in words for the person who asked."""

from collections.abc import Iterable, Mapping

WHOLE = ""  # the reason concerns the record, not one of its fields


class Reason(str):
    """A reason with values in it. It reads in English, as any other; `text` has `%(name)s` where `values` go, so that it can be
    told in another language. A value that is a reason, or a list with reasons in it, is translated as well; other texts are
    names."""

    text: str
    values: Mapping[str, object]

    def __new__(cls, text: str, **values: object) -> "Reason":
        made = super().__new__(cls, text % {name: _told(each) for name, each in values.items()} if values else text)
        made.text, made.values = text, values
        return made


def _told(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


class Invalid(Exception):
    """Nothing was changed. `reasons`: a field (or a path of fields; "" = the whole record) to what is wrong with it."""

    def __init__(self, reasons: Mapping[str, Iterable[str]]) -> None:
        self.reasons = {field: tuple(words) for field, words in reasons.items()}
        super().__init__(self.reasons)

    @classmethod
    def of(cls, field: str, reason: str, **values: object) -> "Invalid":
        """One reason; with `values` it is a `Reason`."""
        return cls({field: (Reason(reason, **values) if values else reason,)})

    def __str__(self) -> str:
        return "\n".join(
            f"{field}: {reason}" if field else reason for field, words in self.reasons.items() for reason in words
        )
