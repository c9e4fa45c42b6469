"""A price list of a new service from the costs of another."""

from typing import Any

from tests.pages.samples import Sample, Values


def a_service(company: Any, name: str) -> Any:
    from relais.records.catalog.models import Service

    return Service.objects.create(company=company, name=name, type="pay_as_you_go", currency="EUR")


def new(company: Any) -> Values:
    return {"service": a_service(company, "Sold").pk, "cost_service": a_service(company, "Bought").pk}


def other_costs() -> Any:
    from relais.records.parties.models import Company

    return a_service(Company.objects.get(name="Hornes and Hooves"), "Bought elsewhere").pk


SAMPLE = Sample(new=new, change={"cost_service": other_costs}, changed="cost_service_id")
