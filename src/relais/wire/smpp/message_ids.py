"""Forms of a message id: the one in a receipt is often not written like the one in the response it belongs to.

Given the id of a *receipt*, `id_forms` lists how the *response* may have written it, likeliest first. The ids of
responses are kept as answered; no form is ever guessed beyond what the rule allows.
"""

import re
from enum import StrEnum


class IdRule(StrEnum):
    """How a vendor writes ids: a setting of the connection."""

    ANY = "any"  # exact, then every rule below, one fault at a time
    AS_IS = "as_is"
    CASE_FOLD = "case_fold"  # letters may change case
    STRIP_ZEROS = "strip_zeros"  # leading zeros on one side
    HEX_TO_DEC = "hex_to_dec"  # hexadecimal in the response, decimal in the receipt
    DEC_TO_HEX = "dec_to_hex"  # decimal in the response, hexadecimal in the receipt


_PADDED_TO = (8, 10, 16, 20)  # widths of ids that vendors fill with zeros
_DECIMAL = re.compile(r"[0-9]{1,40}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{1,32}")


def id_forms(receipt_id: str, rule: IdRule = IdRule.ANY) -> tuple[str, ...]:
    """What the response's id may have been; no form twice, none empty, () for an empty id.

    The exact form comes first, except under the two conversions: where the operator says that one side counts in
    hexadecimal, equal digits are another message's, so that the exact form is the last resort.
    """
    if not receipt_id:
        return ()
    match rule:
        case IdRule.AS_IS:
            return (receipt_id,)
        case IdRule.CASE_FOLD:
            forms = [receipt_id, receipt_id.lower(), receipt_id.upper()]
        case IdRule.STRIP_ZEROS:
            forms = [receipt_id, *_zero_forms(receipt_id)]
        case IdRule.HEX_TO_DEC:
            spelled = _as_hexadecimal(receipt_id)
            forms = [form for spelling in spelled for form in (spelling, *_zero_forms(spelling))]
            forms.append(receipt_id)
        case IdRule.DEC_TO_HEX:
            spelled = _as_decimal(receipt_id)
            forms = [form for spelling in spelled for form in (spelling, *_zero_forms(spelling))]
            forms.append(receipt_id)
        case IdRule.ANY:
            if receipt_id.isdigit():
                forms = [receipt_id, *_zero_forms(receipt_id)]
            else:
                forms = [receipt_id, receipt_id.lower(), receipt_id.upper(), *_zero_forms(receipt_id)]
            forms += _as_hexadecimal(receipt_id)
            forms += _as_decimal(receipt_id)
    return tuple(dict.fromkeys(forms))


def _zero_forms(text: str) -> list[str]:
    """Without leading zeros, and filled up to the usual widths; only where the id looks like a number."""
    if not _HEXADECIMAL.fullmatch(text):
        return []
    bare = text.lstrip("0") or "0"
    length = len(bare)
    return [bare, *["0" * (width - length) + bare for width in _PADDED_TO if width > length]]


def _as_hexadecimal(text: str) -> list[str]:
    """A decimal id as the response would have written it in hexadecimal."""
    if not _DECIMAL.fullmatch(text):
        return []
    spelled = f"{int(text):X}"
    return [spelled, spelled.lower()]


def _as_decimal(text: str) -> list[str]:
    """A hexadecimal id as the response would have written it in decimal."""
    return [str(int(text, 16))] if _HEXADECIMAL.fullmatch(text) else []
