"""Who serves a phone number now, out of what a number portability server answers: NAPTR records (RFC 6116) or a JSON document.

Servers spell one operator in several ways: an MNC has two digits in most countries and three in some, and some fill it up with
zeros. So an answer is a row of codes that may be meant, the likeliest first; which of them there is, the dictionary knows.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_CODE = re.compile(r"[0-9]{3}")
_TEL_DIGITS = str.maketrans("", "", "+-.() ")
_PARTS_OF_REGEXP = 4  # delimiter pattern delimiter replacement delimiter flags


class Malformed(ValueError):
    """An answer that cannot be read; the text says why."""


class Serving(NamedTuple):
    """What a server says of a number. `codes`: MCC-MNCs that may be meant. `routing_number`: E.164 digits of the network it was
    ported to (RFC 4694 `rn`), where no code is said. Neither: it is served where its range says, or is not known."""

    codes: tuple[str, ...] = ()
    routing_number: str | None = None

    @property
    def named(self) -> bool:
        return bool(self.codes) or self.routing_number is not None


RANGE = Serving()
"""Not ported, or not known: the number range counts."""


class Naptr(NamedTuple):
    """What counts of a NAPTR record (RFC 3403 §4.1)."""

    order: int
    preference: int
    flags: str
    service: str
    regexp: str


def enum_name(digits: str, suffix: str) -> str:
    """The domain name to ask for: the digits backwards, a label each (RFC 6116 §3.2)."""
    return f"{'.'.join(reversed(digits))}.{suffix.strip('.')}"


def codes_of(mcc: str, mnc: str) -> tuple[str, ...]:
    """MCC-MNCs that may be meant by the two; `Malformed` for what can be none."""
    if not _CODE.fullmatch(mcc) or not (mnc.isascii() and mnc.isdigit() and 1 <= len(mnc) <= 3):
        raise Malformed(f"MCC {mcc[:10]!r} and MNC {mnc[:10]!r} are no code of an operator")
    found = [mnc] if len(mnc) > 1 else [f"0{mnc}", f"00{mnc}"]
    if len(mnc) == 3 and mnc.startswith("0"):
        found.append(mnc[1:])
    elif len(mnc) == 2:
        found.append(f"0{mnc}")
    return tuple(f"{mcc}{each}" for each in found)


def of_json(document: Any, mcc_path: str, mnc_path: str) -> Serving:
    """`mcc_path` and `mnc_path`: names and places in lists, separated by dots. Without `mnc_path` the first leads to MCC and MNC
    as one. What is absent, null or empty says nothing."""
    mcc = _text(_at(document, mcc_path))
    if not mnc_path:
        mcc, mnc = mcc[:3], mcc[3:].lstrip("-_ ")
    else:
        mnc = _text(_at(document, mnc_path))
    return Serving(codes_of(mcc, mnc)) if mcc or mnc else RANGE


def of_naptr(records: Iterable[Naptr]) -> Serving:
    """The first record, in their order, that says where the number is served."""
    for record in sorted(records):
        if record.flags.lower() == "u" and record.service.lower().startswith("e2u+"):
            serving = _of_uri(_replacement(record.regexp))
            if serving.named:
                return serving
    return RANGE


def _replacement(regexp: str) -> str:
    parts = regexp.split(regexp[:1]) if regexp else []
    if len(parts) != _PARTS_OF_REGEXP:
        raise Malformed(f"the regular expression {regexp[:60]!r} does not have its three delimiters")
    return parts[2]


def _of_uri(uri: str) -> Serving:
    """Parameters of `tel:`, `pstn:` and `sip:` URIs, and bare lists of them; names in small or capital letters."""
    given: dict[str, str] = {}
    for part in uri.replace("?", ";").replace("@", ";").split(";"):
        name, _, value = part.partition("=")
        given.setdefault(name.strip().lower(), value.strip())
    if _says_error(given):
        return RANGE
    if given.get("mccmnc"):
        return Serving(codes_of(given["mccmnc"][:3], given["mccmnc"][3:].lstrip("-_ ")))
    if given.get("mcc") or given.get("mnc"):
        return Serving(codes_of(given.get("mcc", ""), given.get("mnc", "")))
    if given.get("rn"):
        return Serving(routing_number=_routing_number(given["rn"], given.get("rn-context", "")))
    return RANGE


def _says_error(given: Mapping[str, str]) -> bool:
    return any(given.get(name, "0").strip("0") for name in ("err", "gsm_error_code"))


def _routing_number(rn: str, context: str) -> str:
    """In international form; a local one needs its context (RFC 4694 §5.1)."""
    whole = rn if rn.startswith("+") else f"{context}{rn}"
    digits = whole.translate(_TEL_DIGITS)
    if not whole.startswith("+") or not (digits.isascii() and digits.isdigit()):
        raise Malformed(f"the routing number {rn[:30]!r} is not in international form")
    return digits


def _at(document: Any, path: str) -> Any:
    """What the path leads to; None where it leads nowhere."""
    for name in path.split("."):
        if isinstance(document, Mapping):
            document = document.get(name)
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def _text(value: Any) -> str:
    """A code as text: some servers say it as a number."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Malformed("the path does not lead to a text or a number")
    return str(value).strip()
