"""Services, their scopes and rate trees, as the BackOffice shows them (spec 10)."""

from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime.now(UTC)


def the_service(name: str) -> Any:
    from relais.records.catalog.models import Service

    return Service.objects.get(name=name)


def page(answer: Any) -> str:
    assert answer.status_code == 200
    return answer.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def test_SV_3_SV_5_SV_6_SV_7_the_list_has_type_size_and_currency_newest_first(reseller: Any) -> None:
    """Also SV-1, SV-4, SV-9, SV-10, SV-19."""
    add = "/bo/services/new/"
    assert (
        reseller.post(add, {"name": "TTS", "type": "unit_pack", "size": "1000", "currency": "EUR"}).status_code == 302
    )
    listed = reseller.get("/bo/services/").context["list"]
    assert [head.label for head in listed.headers][:5] == ["ID", "Name", "Type", "Size", "Currency"]
    cells = [[str(cell.html).replace("\N{NO-BREAK SPACE}", " ") for cell in row.cells][1:4] for row in listed.table]
    assert cells[0] == ["TTS", "Unit pack", "1 000"] and cells[1][:2] == ["SMS service", "Pay-as-you-go"]
    assert the_service("TTS").currency is None, "SV-31: a unit pack has none"
    page_of_list = page(reseller.get("/bo/services/"))
    assert 'popovertarget="columns-menu"' in page_of_list and "New service" in page_of_list
    kinds = {"bundle_initiator": "Bundle Initiator", "bundle_pack": "Bundle Pack", "monetary_pack": "Monetary pack"}
    for kind in kinds:
        assert reseller.post(add, {"name": kind, "type": kind, "size": "10", "currency": "EUR"}).status_code == 302
    listed = reseller.get("/bo/services/").context["list"]
    shown = {str(row.cells[1].html): [str(cell.html) for cell in row.cells[2:5]] for row in listed.table}
    assert {kind: shown[kind][0] for kind in kinds} == kinds
    assert shown["bundle_pack"][1] == "10" and "EUR" not in str(shown["bundle_pack"]), "SV-32"
    assert "10.00" in shown["monetary_pack"][1] and "EUR" in shown["monetary_pack"][2]


def test_SV_22_SV_31_SV_33_SV_34_currency_and_size_go_with_the_type(reseller: Any) -> None:
    """Also SV-23, SV-25, SV-27, SV-35: a type is required, a description is not."""

    def add(**sent: str) -> Any:
        answer = reseller.post("/bo/services/new/", {"name": "New", **sent})
        return {} if answer.status_code == 302 else answer.context["drawer"].form.errors

    assert "currency" in add(type="pay_as_you_go") and "size" in add(type="unit_pack")
    assert (
        "type" in add()
        and "size" in add(type="unit_pack", size="1.5")
        and "name" in add(name="", type="bundle_initiator")
    )
    assert add(type="monetary_pack", size="1000.50", currency="EUR") == {}
    assert the_service("New").size == 1_000_500_000
    pay_as_you_go = add(name="Plain", type="pay_as_you_go", size="5", currency="EUR")
    assert pay_as_you_go == {} and the_service("Plain").size is None


def test_SV_15_SV_262_properties_are_edited_without_type_and_currency(reseller: Any) -> None:
    service = the_service("SMS service")
    drawer = reseller.get(f"/bo/services/{service.pk}/edit/").context["drawer"]
    assert list(drawer.form.fields) == ["name", "description"]
    assert [item.label for item in drawer.sections[0].texts] == ["Type", "Currency"]
    sent = {"name": "SMS to Spain", "description": "x"}
    assert reseller.post(f"/bo/services/{service.pk}/edit/", sent).status_code == 302
    service.refresh_from_db()
    assert service.name == "SMS to Spain"


def test_SV_37_SV_38_SV_47_the_page_shows_properties_scopes_and_which_is_current(reseller: Any) -> None:
    from relais.records.catalog.models import Scope

    service = the_service("SMS service")
    draft = Scope.objects.create(service=service, draft=True, effective_from=NOW)
    Scope.objects.create(service=service, effective_from=NOW - timedelta(days=1))
    body = page(reseller.get(f"/bo/services/{service.pk}/"))
    for text in ("SMS service", "Pay-as-you-go · EUR", "1 agreement", ">Current<", ">Draft<", ">Overlapped<"):
        assert text in body, text
    assert f"/bo/enabled-services/?service={service.pk}" in body and 'href="/bo/services/"' in body
    assert "This scope has no rates yet" in page(reseller.get(f"/bo/scopes/{draft.pk}/"))


def test_SV_55_SV_81_SV_96_the_tree_reads_as_names_prices_and_rules(reseller: Any) -> None:
    body = page(reseller.get(f"/bo/services/{the_service('SMS service').pk}/"))
    for text in ("SMS messaging", "by Resource", "by Direction (MT/MO)", "P2A (MO)", "by Country", "Spain", "by Network",
                 "Scale · Tier", "0.00500 → 0.00400", "0.08000", "Default (Submitted)", "Default (Segments)", "3 steps",
                 "Price, EUR", "Others"):  # fmt: skip
        assert text in body, text
    assert "Missed option" not in body


def test_SV_65_SV_69_what_lacks_something_and_what_the_dictionary_lost_is_marked(reseller: Any) -> None:
    from relais.records.catalog.models import RateNode

    spain = RateNode.objects.get(scope__service__name="SMS service", value="ES")
    RateNode.objects.create(scope=spain.scope, parent=spain, domain=spain.domain, resource=spain.resource,
                            value="99999999", price_type="flat")  # fmt: skip
    body = page(reseller.get(f"/bo/services/{spain.scope.service_id}/"))
    assert "Missed option: 99999999" in body and "Enter a price" in body


def test_a_large_tree_is_read_a_level_at_a_time(reseller: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from relais.records.catalog.models import RateNode

    spain = RateNode.objects.get(scope__service__name="SMS service", value="ES")
    common = {"scope": spain.scope, "parent": spain, "domain": spain.domain, "resource": spain.resource}
    RateNode.objects.bulk_create(
        RateNode(**common, value=f"9{n:06}", price_type="flat", price_micros=n + 1) for n in range(5_000)
    )
    url = f"/bo/scopes/{spain.scope_id}/"
    with CaptureQueriesContext(connection) as queries:
        body = page(reseller.get(url))
    assert len(queries) <= 20 and len(body) < 60_000, len(queries)
    top = RateNode.objects.get(scope=spain.scope, parent=None, resource="sms_message")
    assert f"/rates/?parent={top.pk}" in body and "by Country" not in body
    below = page(reseller.get(f"{url}rates/?parent={top.pk}"))
    assert "A2P (MT)" in below and "<html" not in below
    level = page(reseller.get(f"{url}rates/?parent={spain.pk}"))
    assert level.count("rt-node") == 200 and "offset=200" in level and "Default (Submitted)" in level
    with CaptureQueriesContext(connection) as queries:
        one = RateNode.objects.filter(parent=spain, price_micros=40_000, retired_at=None).first()
        stored = page(reseller.post(f"{url}rates/{one.pk}/", {"price_type": "flat", "price": "0.5"}))
    assert "0.50000" in stored and len(stored) < 8_000 and len(queries) < 60, "one record of many is stored alone"
    shown = RateNode.objects.get(parent=spain, price_micros=500_000, retired_at=None)
    assert "data-marked" in page(reseller.get(f"{url}?open={shown.pk}")), "the way to it is open"
    last = page(reseller.get(f"{url}rates/?parent={spain.pk}&offset=5000"))
    assert "Others" in last and "Show more" not in last


def test_a_service_of_another_company_does_not_exist(owner: Any, reseller: Any) -> None:
    from relais.records.catalog.models import RateNode

    foreign = the_service("SMS wholesale")
    node = RateNode.objects.filter(scope__service=foreign, parent=None)[0]
    assert reseller.get(f"/bo/services/{foreign.pk}/").status_code == 404
    assert reseller.get(f"/bo/scopes/{node.scope_id}/rates/?parent={node.pk}").status_code == 404
    own = the_service("SMS service")
    rates = f"/bo/scopes/{own.scopes.get().pk}/rates/"
    assert reseller.get(f"{rates}?parent={node.pk}").status_code == 404
    assert reseller.get(f"{rates}?parent=x").status_code == 404
    assert owner.post(f"/bo/services/{own.pk}/do/archive/", {"name": own.name}).status_code == 404


def test_SV_36_a_drawer_that_stored_a_service_is_sent_to_its_own_page(reseller: Any) -> None:
    service = the_service("SMS service")
    answer = reseller.get(f"/bo/services/{service.pk}/", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == f"/bo/services/{service.pk}/" and answer.content == b""
