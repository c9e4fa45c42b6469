"""A sender ID of a client, over a connection of the user's own level."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers
from tests.pages.samples.agreements import an_agreement
from tests.pages.samples.vendor_smpp_connections import connection_of

_serial = numbers()


def new(company: Any) -> Values:
    agreement = an_agreement(company)
    return {
        "sender_id": f"Casa{next(_serial)}",
        "name": "Casa Verde",
        "company": agreement.company_id,
        "agreement": agreement.pk,
        "status": "draft",
        "vendor_type": "smpp",
        "smpp_connection": connection_of(company).pk,
    }


# A deleted sender ID stays as a row (SID-246). Its agreement has no service with a setup fee.
SAMPLE = Sample(
    new=new,
    change={"name": "Casa Azul"},
    changed="name",
    deleted_as="update",
    never_new=frozenset({"setup-fee", "webhook-secret", "renew-secret", "allow-again"}),
)
