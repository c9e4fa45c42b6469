"""A bundle pack for nothing, on an agreement with an initiator and the prices of packs and members."""

from typing import Any

from tests.pages.samples import Sample, Values
from tests.pages.samples.agreements import an_agreement


def new(company: Any) -> Values:
    from django.utils import timezone

    from relais.records.catalog.models import EnabledService, RateNode, Scope, Service

    now = timezone.now()
    agreement = an_agreement(company)
    made = {
        kind: Service.objects.create(company=company, name="Bundle", type=kind, **terms)
        for kind, terms in {
            "bundle_initiator": {}, "bundle_pack": {"size": 10}, "pay_as_you_go": {"currency": "EUR"}
        }.items()
    }  # fmt: skip
    for service in made.values():
        Scope.objects.create(service=service, effective_from=now)
    prices = made["pay_as_you_go"].scopes.get()
    purchase = {"scope": prices, "domain": "service_purchase", "resource": "bundle_pack"}
    top = RateNode.objects.create(**purchase, price_type="depends_on", split_by="pack")
    RateNode.objects.create(**purchase, parent=top, value=str(made["bundle_pack"].pk), price_type="free")
    RateNode.objects.create(scope=prices, domain="bundle_grouping", resource="bundle_member", price_type="free")
    for kind in ("bundle_initiator", "pay_as_you_go"):
        EnabledService.objects.create(agreement=agreement, service=made[kind], effective_from=now)
    return {"service": made["bundle_pack"].pk, "agreement": agreement.pk}


SAMPLE = Sample(new=new, change={"auto_extend": "on"}, changed="auto_extend")
