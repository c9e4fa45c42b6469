"""A connection of the user's own level."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    return {
        "name": f"Iberian carrier {next(_serial)}",
        "host_name": "smpp.carrier.example",
        "port": "2775",
        "system_id": "relais",
        "password": "s3cret",
        "limits": "on",
        "rps_limit": "50",
        "window_limit": "10",
    }


def connection_of(company: Any) -> Any:
    """One that the company keeps, made where there is none."""
    from relais.records.connections.actions.save_vendor_smpp_connection import save_vendor_smpp_connection
    from relais.records.connections.models import VendorSmppConnection

    kept = VendorSmppConnection.objects.filter(company=company).order_by("pk").first()
    made = VendorSmppConnection(
        company=company,
        name=f"Iberian carrier {next(_serial)}",
        host_name="smpp.carrier.example",
        port=2775,
        system_id="relais",
    )
    return kept or save_vendor_smpp_connection(made, "s3cret")


SAMPLE = Sample(new=new, change={"host_name": "smpp2.carrier.example"}, changed="host_name")
