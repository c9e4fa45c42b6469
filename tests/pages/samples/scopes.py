"""A period of a service, its rates copied from another one's; its end is moved."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    from django.utils import timezone

    from relais.records.catalog.models import Scope, Service

    terms = {"company": company, "type": "pay_as_you_go", "currency": "EUR"}
    service, source = (Service.objects.create(name=f"Scoped {next(_serial)}", **terms) for _ in range(2))
    return {
        "service": service.pk,
        "effective_from_0": "01.01.2040, 00:00:00",
        "effective_from_1": "Etc/UTC",
        "effective_till_1": "Etc/UTC",
        "copy": "on",
        "copy_service": source.pk,
        "copy_scope": Scope.objects.create(service=source, effective_from=timezone.now()).pk,
    }


SAMPLE = Sample(new=new, change={"effective_till_0": "01.01.2041, 00:00:00"}, changed="effective_till")
