"""The password policy's rules of form (PWD-1, PWD-2, PWD-22)."""

from collections.abc import Iterator

from relais.records.errors import Reason

LENGTH_MIN, LENGTH_MAX = 8, 128
GROUPS_MIN = 3


def weaknesses(password: str, length_min: int = LENGTH_MIN, groups_min: int = GROUPS_MIN) -> tuple[str, ...]:
    """Why it cannot be taken; empty when it can. Letters of any alphabet count; a blank is a special character (PWD-15)."""
    return tuple(_weaknesses(password, length_min, groups_min))


def _weaknesses(password: str, length_min: int, groups_min: int) -> Iterator[str]:
    if not length_min <= len(password) <= LENGTH_MAX:
        yield Reason("takes %(least)s to %(most)s characters", least=length_min, most=LENGTH_MAX)
    if len({_group(character) for character in password}) < groups_min:
        yield Reason("takes %(count)s of: capitals, small letters, digits, special characters", count=groups_min)


def _group(character: str) -> str:
    if character.isupper():
        return "capital"
    if character.isalpha():
        return "small letter"
    return "digit" if character.isdecimal() else "special"
