"""The id of a request, by which its answer, its log lines and what somebody asks about it later are brought together."""

import itertools
import re
from secrets import token_hex

_WELL_FORMED = re.compile(rb"[A-Za-z0-9._:=+/-]{1,128}")
_PROCESS = token_hex(6).encode()
_numbers = itertools.count(1)


def request_id_of(own: bytes | None) -> bytes:
    """The client's own, where it has 1 to 128 letters, digits and `._:=+/-`; else one that no other request of this installation
    has."""
    if own is not None and _WELL_FORMED.fullmatch(own):
        return own
    return b"%b-%x" % (_PROCESS, next(_numbers))
