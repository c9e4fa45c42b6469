"""A client of the user's company."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    from relais.records.parties.models import LegalEntity

    own = LegalEntity.objects.filter(company=company).order_by("pk")[0]
    return {"name": f"Casa Verde {next(_serial)}", "enabled": "on", "own_legal_entity": own.pk, "type": "client"}


SAMPLE = Sample(new=new, change={"description": "Hotels"}, changed="description")
