"""A legal entity of a client of the user's company."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    from relais.records.parties.models import Company

    client = Company.objects.filter(parent=company).order_by("pk")[0]
    name = f"Casa Verde Hoteles {next(_serial)}"
    return {"name": name, "company": client.pk, "legal_company_name": f"{name} SA", "country": "ES"}


SAMPLE = Sample(new=new, change={"legal_address": "Calle Mayor 1, Madrid"}, changed="legal_address")
