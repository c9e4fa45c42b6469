"""International bank account numbers (ISO 13616): told apart from other account numbers, and their check digits."""

import re

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def looks_like_iban(text: str) -> bool:
    """Two letters, two digits, then 11 to 30 letters and digits; blanks do not count."""
    return _IBAN.fullmatch(_bare(text)) is not None


def has_right_check_digits(text: str) -> bool:
    """ISO 7064 MOD 97-10 over the account and the country, of a text that looks like an IBAN."""
    bare = _bare(text)
    return int("".join(str(int(character, 36)) for character in bare[4:] + bare[:4])) % 97 == 1


def _bare(text: str) -> str:
    return "".join(text.split()).upper()
