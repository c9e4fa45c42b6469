"""A network of Spain."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    return {"name": f"Casa Móvil {next(_serial)}", "country": "ES", "operator": "Casa SL"}


SAMPLE = Sample(new=new, change={"operator": "Casa SA"}, changed="operator", who="owner")
