"""The password policy's rules of form (PWD-1, PWD-2, PWD-22)."""

LENGTH_MIN, LENGTH_MAX = 8, 128
GROUPS_MIN = 3


def weaknesses(password: str) -> tuple[str, ...]:
    """Why it cannot be taken; empty when it can. Letters of any alphabet count; a blank is a special character (PWD-15)."""
    found = []
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        found.append(f"takes {LENGTH_MIN} to {LENGTH_MAX} characters")
    groups = {_group(character) for character in password}
    if len(groups) < GROUPS_MIN:
        found.append(f"takes {GROUPS_MIN} of: capitals, small letters, digits, special characters")
    return tuple(found)


def _group(character: str) -> str:
    if character.isupper():
        return "capital"
    if character.isalpha():
        return "small letter"
    return "digit" if character.isdecimal() else "special"
