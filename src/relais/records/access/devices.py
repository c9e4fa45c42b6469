"""What a browser says of itself, in words that a person tells sessions apart by. It may say anything; nothing relies on it."""

BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def device_of(user_agent: str) -> str:
    """ "Firefox, Windows"; "" when nothing is recognised."""
    return ", ".join(
        next((name for sign, name in known if sign in user_agent), "") for known in (BROWSERS, SYSTEMS)
    ).strip(", ")
