"""A link between a reseller below the user's company and an agreement under which it buys."""

from datetime import date
from itertools import count
from typing import Any

from tests.pages.samples import Sample, Values

_serial = count(1)


def new(company: Any) -> Values:
    from relais.records.agreements.models import Agreement
    from relais.records.parties.models import Company, LegalEntity

    own = LegalEntity.objects.filter(company=company).order_by("pk")[0]
    name = f"Sub-reseller {next(_serial)}"
    reseller = Company.objects.create(name=name, parent=company, type="reseller", own_legal_entity=own)
    entity = LegalEntity.objects.create(company=reseller, name=name, legal_company_name=name, country="ES")
    agreement = Agreement.objects.create(
        company=reseller, legal_entity=entity, own_legal_entity=own, agreement_code="SUB-1",
        agreement_date=date(2025, 1, 1), currency="EUR",
    )  # fmt: skip
    return {"legal_entity": entity.pk, "agreement": agreement.pk, "effective_from": "21.11.2023, 00:00:00"}


SAMPLE = Sample(new=new, change={"effective_till": "01.01.2030, 00:00:00"}, changed="effective_till")
