"""A service without rates yet, enabled for a client of the user's company."""

from typing import Any

from tests.pages.samples import Sample, Values
from tests.pages.samples.agreements import an_agreement


def enabling(company: Any, **service: Any) -> Values:
    from relais.records.catalog.models import Service

    return {
        "service": Service.objects.create(company=company, name="Later", **service).pk,
        "agreement": an_agreement(company).pk,
        "effective_from_0": "01.01.2040, 00:00:00",
        "effective_from_1": "Etc/UTC",
        "effective_till_1": "Etc/UTC",
    }


def new(company: Any) -> Values:
    return enabling(company, type="pay_as_you_go", currency="EUR")


SAMPLE = Sample(new=new, change={"hidden_from_client": "on"}, changed="hidden_from_client")
