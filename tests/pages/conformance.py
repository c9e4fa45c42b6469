"""Entities of the BackOffice for parametrized tests, and how the tests read what pages show.

Declarations need Django's models, and those need a configured Django: the names are read from the modules' folder, and the
declarations only inside a test.
"""

import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "src" / "relais" / "backoffice" / "entities"
DECLARED = re.compile(r"^\s+name=\"([a-z0-9-]+)\",$", re.MULTILINE)


def entity_names() -> list[str]:
    """Of every declared entity, in the order of the files."""
    return [name for path in sorted(FOLDER.glob("*.py")) for name in DECLARED.findall(path.read_text(encoding="utf-8"))]


def entity(name: str) -> Any:
    from relais.backoffice.site import BACKOFFICE

    return BACKOFFICE.entities[name]


def errors_of(answer: Any) -> str:
    """What a form that came back says is wrong, for a failing test's message."""
    form = answer.context and answer.context.get("drawer") and getattr(answer.context["drawer"], "form", None)
    return str(form.errors.get_json_data()) if form else answer.content.decode()[:2000]
