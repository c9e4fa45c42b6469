"""What a country that has no rule takes as sender."""

from typing import Any

from tests.pages.samples import Sample, Values


def new(company: Any) -> Values:
    from relais.records.catalog.models import Country
    from relais.records.senders.models import SenderRule

    free = Country.objects.exclude(pk__in=SenderRule.objects.values("country")).exclude(pk__in=("ES", "IT"))
    return {"country": free.order_by("-pk")[0].pk, "names": "not_allowed", "numbers": "allowed", "documents": ""}


SAMPLE = Sample(new=new, change={"names": "document"}, changed="names", who="owner")
