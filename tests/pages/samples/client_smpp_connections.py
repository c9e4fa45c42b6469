"""A client's connection to the SMPP server."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    from relais.records.parties.models import Company

    client = Company.objects.filter(parent=company).order_by("pk")[0]
    number = next(_serial)
    return {
        "name": f"Message centre {number}",
        "company": client.pk,
        "network": "192.0.2.0/24, 2001:db8::1",
        "login": f"mc{number}",
        "password": "s3cret",
        "ssl_type": "tls",
        "default_data_coding": "gsm7",
    }


SAMPLE = Sample(new=new, change={"network": "198.51.100.7"}, changed="network")
