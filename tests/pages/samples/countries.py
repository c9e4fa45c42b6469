"""A country that the shipped dictionary does not have."""

from string import ascii_uppercase
from typing import Any

from tests.pages.samples import Sample, Values, numbers


def new(company: Any) -> Values:
    from relais.records.catalog.models import Country

    known = set(Country.objects.values_list("pk", flat=True))
    iso = next(code for first in "XQ" for second in ascii_uppercase if (code := first + second) not in known)
    return {"iso": iso, "name": f"Utopia {iso}"}


COUNTED = numbers()  # a name is one country's alone
SAMPLE = Sample(new=new, change={"name": lambda: f"Arcadia {next(COUNTED)}"}, changed="name", who="owner")
