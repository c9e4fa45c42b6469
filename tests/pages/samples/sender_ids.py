"""A sender ID of a client, over a connection of the user's own level."""

from datetime import date, datetime
from itertools import count
from typing import Any

from tests.pages.samples import Sample, Values
from tests.pages.samples.vendor_smpp_connections import connection_of

_serial = count(1)


def agreement_with_client(seller: Any) -> Any:
    """One that the company sells under, made where there is none."""
    from relais.records.agreements.models import Agreement, AgreementVersion
    from relais.records.parties.models import Company

    sold = Agreement.objects.filter(company__parent=seller).order_by("pk").first()
    if sold is not None:
        return sold
    client = Company.objects.filter(parent=seller).order_by("pk")[0]
    made = Agreement.objects.create(
        company=client,
        legal_entity=client.legal_entities.all()[0],
        own_legal_entity=seller.legal_entities.all()[0],
        agreement_code="Sample",
        agreement_date=date(2025, 1, 1),
        currency="EUR",
    )
    AgreementVersion.objects.create(
        agreement=made,
        effective_from=datetime.fromisoformat("2025-01-01T00:00:00+00:00"),
        billing_timezone="Etc/UTC",
        billing_period="monthly",
    )
    return made


def new(company: Any) -> Values:
    agreement = agreement_with_client(company)
    return {
        "sender_id": f"Casa{next(_serial)}",
        "name": "Casa Verde",
        "company": agreement.company_id,
        "agreement": agreement.pk,
        "status": "draft",
        "vendor_type": "smpp",
        "smpp_connection": connection_of(company).pk,
    }


# Deleted sender IDs stay as rows (SID-246), so the audit has a change and no deletion.
SAMPLE = Sample(new=new, change={"name": "Casa Azul"}, changed="name", deletable=False)
