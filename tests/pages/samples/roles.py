"""A role for the Client portal, of the user's own company."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    return {
        "name": f"Writer {next(_serial)}",
        "interface": "client_portal",
        "description": "Writes campaigns",
        "levels-of": "",
        "levels-level-Broadcast": "manage",
        "levels-level-Dashboard": "view",
    }


SAMPLE = Sample(new=new, change={"description": "Writes and sends campaigns"}, changed="description")
