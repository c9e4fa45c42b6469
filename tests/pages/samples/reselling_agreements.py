"""A link between a reseller below the user's company and an agreement under which it buys."""

from datetime import date, timedelta
from typing import Any

from tests.pages.samples import Sample, Values, numbers

FIRST_DAY = date(2020, 1, 1)

_serial = numbers()


def new(company: Any) -> Values:
    """The reseller is made at the first call, and is the same at each further one; links differ by their start."""
    from relais.records.agreements.models import Agreement
    from relais.records.parties.models import Company, LegalEntity

    own = LegalEntity.objects.filter(company=company).order_by("pk")[0]
    name = f"Sub-reseller of {company.name}"
    reseller, _ = Company.objects.get_or_create(
        name=name, parent=company, defaults={"type": "reseller", "own_legal_entity": own}
    )
    entity, _ = LegalEntity.objects.get_or_create(
        company=reseller, name=name, defaults={"legal_company_name": name, "country": "ES"}
    )
    agreement, _ = Agreement.objects.get_or_create(
        company=reseller,
        agreement_code="SUB-1",
        defaults={
            "legal_entity": entity,
            "own_legal_entity": own,
            "agreement_date": FIRST_DAY,
            "currency": "EUR",
        },
    )
    start = FIRST_DAY + timedelta(days=next(_serial))
    return {"legal_entity": entity.pk, "agreement": agreement.pk, "effective_from": f"{start:%d.%m.%Y}, 00:00:00"}


SAMPLE = Sample(new=new, change={"effective_till": "01.01.2030, 00:00:00"}, changed="effective_till")
