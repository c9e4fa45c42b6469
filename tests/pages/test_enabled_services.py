"""Enabled services and packs (spec 04)."""

from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime.now(UTC)


def typed(instant: datetime) -> str:
    return instant.strftime("%d.%m.%Y, %H:%M:%S")


def the_service(name: str) -> Any:
    from relais.records.catalog.models import Service

    return Service.objects.get(name=name)


def made(company: str, **columns: Any) -> Any:
    from relais.records.catalog.models import Service
    from relais.records.parties.models import Company

    return Service.objects.create(company=Company.objects.get(name=company), **columns)


def bought() -> Any:
    from relais.records.agreements.models import Agreement

    return Agreement.objects.get(agreement_code="TM-1")


def enabling(service: Any, **changes: Any) -> dict[str, Any]:
    dates = {
        "effective_from_0": typed(NOW + timedelta(days=5)),
        "effective_from_1": "Etc/UTC",
        "effective_till_1": "Etc/UTC",
    }
    return {"service": service.pk, "agreement": bought().pk, "billing": "free", **dates, **changes}


def test_ES_6_ES_10_the_list_has_its_columns_with_an_open_end_as_infinity(reseller: Any) -> None:
    listed = reseller.get("/bo/enabled-services/").context["list"]
    assert [head.label for head in listed.headers] == [
        "ID",
        "Company",
        "Agreement",
        "Service",
        "Effective from",
        "Effective till",
    ]
    row = next(row for row in listed.table if "SMS service" in str([cell.html for cell in row.cells]))
    assert [str(cell.html) for cell in row.cells][1:3] == ["Telecom Monsters", "TM-1 (EUR)"]
    assert str(row.cells[-1].html) == "∞"


def test_ES_72_ES_73_ES_74_what_fits_is_offered(reseller: Any) -> None:
    """ES-1, SV-233: services among the enabled services, packs among the enabled packs."""
    dollars = made("Hornes and Hooves", name="Dollars", type="pay_as_you_go", currency="USD")
    made("Hornes and Hooves", name="Old", type="pay_as_you_go", currency="EUR", archived_at=NOW)
    made("Hornes and Hooves", name="Pack", type="unit_pack", size=1000)
    offered = reseller.get("/bo/enabled-services/new/?options=service").json()["options"]
    assert [option["text"] for option in offered] == ["Dollars - USD", "SMS service - EUR"]
    offered = reseller.get("/bo/enabled-packs/new/?options=service").json()["options"]
    assert [option["text"] for option in offered] == ["Pack - 1\N{NO-BREAK SPACE}000"]
    url = "/bo/enabled-services/new/?options=agreement&service="
    assert reseller.get(f"{url}{dollars.pk}").json()["options"] == []
    offered = reseller.get(f"{url}{the_service('SMS service').pk}").json()["options"]
    assert [option["text"] for option in offered] == ["Telecom Monsters - TM-1, EUR"]
    bought().versions.update(effective_till=NOW - timedelta(days=1))
    assert reseller.get(f"{url}{the_service('SMS service').pk}").json()["options"] == []


def test_SV_8_two_services_that_read_alike_are_told_apart_by_their_ids(reseller: Any) -> None:
    twins = [made("Hornes and Hooves", name="TTS", type="pay_as_you_go", currency="EUR") for _ in range(2)]
    offered = reseller.get("/bo/enabled-services/new/?options=service&term=TTS").json()["options"]
    assert {option["text"] for option in offered} == {f"TTS - EUR (ID {twin.pk})" for twin in twins}


def test_ES_18_ES_19_ES_76_an_overlap_on_a_channel_is_refused_with_the_name_of_the_other(reseller: Any) -> None:
    from relais.records.catalog.models import EnabledService

    answer = reseller.post("/bo/enabled-services/new/", enabling(the_service("SMS service")))
    assert answer.status_code == 422
    assert "overlaps 'SMS service'" in str(answer.context["drawer"].form.errors).lower() or "SMS service" in str(
        answer.context["drawer"].form.errors
    )
    assert EnabledService.objects.filter(agreement=bought()).count() == 1
    first = EnabledService.objects.get(agreement=bought())
    edge = NOW + timedelta(days=5)
    form = {"effective_till_0": typed(edge), "effective_till_1": "Etc/UTC"}
    assert reseller.post(f"/bo/enabled-services/{first.pk}/edit/", form).status_code == 302
    touching = enabling(the_service("SMS service"), effective_from_0=typed(edge))
    assert reseller.post("/bo/enabled-services/new/", touching).status_code == 302


def test_ES_23_ES_82_service_and_agreement_are_final_and_the_end_is_the_only_way_out(reseller: Any) -> None:
    from relais.records.catalog.models import EnabledService

    enabled = EnabledService.objects.get(agreement=bought())
    drawer = reseller.get(f"/bo/enabled-services/{enabled.pk}/edit/").context["drawer"]
    assert set(drawer.form.fields) == {"effective_till", "hidden_from_client"}, "it has started"
    assert not drawer.view.may_delete
    assert reseller.post(f"/bo/enabled-services/{enabled.pk}/delete/").status_code == 404
    sent = {"effective_till_0": "31.12.2024, 00:00:00", "effective_till_1": "Etc/UTC", "hidden_from_client": "on"}
    answer = reseller.post(f"/bo/enabled-services/{enabled.pk}/edit/", sent)
    assert answer.status_code == 422 and "effective_till" in answer.context["drawer"].form.errors, "ES-75"
    sent["effective_till_0"] = typed(NOW + timedelta(days=9))
    assert reseller.post(f"/bo/enabled-services/{enabled.pk}/edit/", sent).status_code == 302
    enabled.refresh_from_db()
    assert enabled.hidden_from_client and enabled.effective_till_timezone == "Etc/UTC"
    upcoming = made("Hornes and Hooves", name="Later", type="pay_as_you_go", currency="EUR")
    assert reseller.post("/bo/enabled-services/new/", enabling(upcoming)).status_code == 302
    later = EnabledService.objects.latest("pk")
    assert "effective_from" in reseller.get(f"/bo/enabled-services/{later.pk}/edit/").context["drawer"].form.fields


def test_ES_20_ES_75_the_view_names_the_agreement_and_dates_in_the_zone_they_were_given_in(reseller: Any) -> None:
    """SV-232: the form has both dates with their zones, and the checkbox."""
    from relais.records.catalog.models import EnabledService

    enabled = EnabledService.objects.get(agreement=bought())
    body = reseller.get(f"/bo/enabled-services/{enabled.pk}/").content.decode()
    assert "Telecom Monsters - TM-1, EUR" in body
    assert '01.01.2025, 00:00:00 <span class="t3">Etc/UTC</span>' in body
    form = reseller.get("/bo/enabled-services/new/").context["drawer"].form
    assert set(form.fields) == {"agreement", "service", "effective_from", "effective_till", "hidden_from_client"}
    start = form.initial["effective_from"]
    assert abs(start[0] - datetime.now(UTC)) < timedelta(minutes=5), "ES-75: now"


def test_ES_9_SV_18_an_archived_service_is_a_missed_option(reseller: Any) -> None:
    service = the_service("SMS service")
    asked = reseller.get(f"/bo/services/{service.pk}/do/archive/").content.decode()
    assert "Telecom Monsters (TM-1)" in asked, "SV-17: whose traffic stops"
    assert reseller.post(f"/bo/services/{service.pk}/do/archive/", {"name": "another"}).status_code in (200, 422)
    service.refresh_from_db()
    assert service.archived_at is None
    assert reseller.post(f"/bo/services/{service.pk}/do/archive/", {"name": "SMS service"}).status_code == 302
    assert "missed option SMS service" in reseller.get("/bo/enabled-services/").content.decode()
    assert reseller.post(f"/bo/services/{service.pk}/do/unarchive/").status_code == 302
    assert "missed option" not in reseller.get("/bo/enabled-services/").content.decode()


def test_ES_25_ES_33_ES_43_a_free_pack_is_enabled_beside_others_and_ended(reseller: Any) -> None:
    from relais.records.catalog.models import EnabledService

    pack = made("Hornes and Hooves", name="Training pack", type="unit_pack", size=1000)
    labels = {choice.label for choice in reseller.get("/bo/enabled-packs/").context["list"].column_choices}
    assert labels >= {"ID", "Agreement", "Service", "Company", "Cost", "Currency", "Effective from", "Effective till"}
    for _ in range(2):
        assert reseller.post("/bo/enabled-packs/new/", enabling(pack)).status_code == 302, (
            "ruling 12: packs may overlap"
        )
    assert reseller.get("/bo/enabled-packs/").context["list"].count.number == 2
    assert reseller.get("/bo/enabled-services/").context["list"].count.number == 2
    enabled = EnabledService.objects.latest("pk")
    assert list(reseller.get(f"/bo/enabled-packs/{enabled.pk}/edit/").context["drawer"].form.fields) == [
        "effective_from",
        "effective_till",
    ]
    assert reseller.get(f"/bo/enabled-services/{enabled.pk}/").status_code == 404


def test_ES_16_ES_85_what_the_seller_hides_is_not_seen_and_every_purchase_is_audited(owner: Any, reseller: Any) -> None:
    """SV-237."""
    from relais.records.catalog.models import EnabledService
    from relais.records.people.models import AuditLine

    enabled = EnabledService.objects.get(agreement__agreement_code="HH-1")
    assert reseller.get(f"/bo/enabled-services/{enabled.pk}/").status_code == 200
    assert reseller.get(f"/bo/enabled-services/{enabled.pk}/edit/").status_code == 404
    sent = {"effective_till_1": "Etc/UTC", "hidden_from_client": "on"}
    assert owner.post(f"/bo/enabled-services/{enabled.pk}/edit/", sent).status_code == 302
    assert reseller.get(f"/bo/enabled-services/{enabled.pk}/").status_code == 404
    line = AuditLine.objects.filter(table="catalog_enabledservice", operation="update").latest("pk")
    assert line.new["hidden_from_client"] is True and "owner" in line.action.user_name
