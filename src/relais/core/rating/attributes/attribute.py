"""What an attribute file says, and the forms that several of them share."""

import re
from dataclasses import dataclass
from enum import Enum

from relais.core.rating.types import Parameter

ID = re.compile(r"[1-9][0-9]{0,18}")
_CLOSED = re.compile(r"\w+(\|\w+)+")
WORD = re.compile(r"\S(?:.{0,198}\S)?")  # names and keys of dictionaries, without blanks around them


class Family(Enum):
    """Resources that know the same attributes."""

    TRAFFIC = "traffic"  # every message and call
    WHATSAPP = "whatsapp"
    RCS = "rcs"
    SETUP_FEE = "setup_fee"
    USAGE_FEE = "usage_fee"
    PACK = "pack"
    ADDITIONAL = "additional"


@dataclass(frozen=True, slots=True)
class Attribute:
    """`form` of every value, matched whole; `families` that may be split by it; `counts`: a scale may keep a counter for
    each of its values (SV-285)."""

    parameter: Parameter
    form: re.Pattern[str]
    families: frozenset[Family]
    counts: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The values of a closed set; none where more may stand than can be listed."""
        return tuple(self.form.pattern.split("|")) if _CLOSED.fullmatch(self.form.pattern) else ()


def one_of(*words: str) -> re.Pattern[str]:
    """The form of a closed set of values."""
    return re.compile("|".join(words))
