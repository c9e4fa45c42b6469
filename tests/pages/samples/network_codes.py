"""A code of a network that is there."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    from relais.records.catalog.models import Network

    return {"mcc": "999", "mnc": f"{next(_serial):03}", "network": Network.objects.filter(country="ES")[0].pk}


def another() -> Any:
    """Asked when it is sent: the dictionary is there by then."""
    from relais.records.catalog.models import Network

    return Network.objects.filter(country="ES")[1].pk


SAMPLE = Sample(new=new, change={"network": another}, changed="network_id", who="owner")
