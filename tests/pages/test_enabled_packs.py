"""Enabled packs, bundle initiators and bundle packs: their tabs, what they cost, how far they are used (spec 04)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.pages.test_enabled_services import bought, enabling, made, the_service, typed

NOW = datetime.now(UTC)
START = datetime(2025, 1, 1, tzinfo=UTC)
COST = "/bo/pack-cost/"


def priced(*packs: Any, member: str = "") -> Any:
    """A service with the prices of those packs, 40.00 each, enabled for the client."""
    from relais.records.catalog.models import EnabledService, RateNode, Scope

    service = made("Hornes and Hooves", name="Prices", type="pay_as_you_go", currency="EUR")
    scope = Scope.objects.create(service=service, effective_from=START)
    for pack in packs:
        place = {"scope": scope, "domain": "service_purchase", "resource": pack.type}
        top = RateNode.objects.create(**place, price_type="depends_on", split_by="pack")
        RateNode.objects.create(**place, parent=top, value=str(pack.pk), price_type="flat", price_micros=40_000_000)
    if member:
        place = {"scope": scope, "domain": "bundle_grouping", "resource": "bundle_member"}
        RateNode.objects.create(**place, price_type="flat", price_micros=200_000)
    return EnabledService.objects.create(agreement=bought(), service=service, effective_from=START)


def a_pack(**columns: Any) -> Any:
    from relais.records.catalog.models import Scope

    pack = made("Hornes and Hooves", **({"name": "Training pack", "type": "unit_pack", "size": 1000} | columns))
    Scope.objects.create(service=pack, effective_from=START)
    return pack


def balance_micros() -> int:
    return bought().balance.balance_micros


def use(enabled: Any, used: int, reserved: int = 0) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO traffic_pack (pack_id, used, reserved) VALUES (%s, %s, %s)", [enabled.pk, used, reserved]
        )


def cells(client: Any, name: str) -> list[dict[str, str]]:
    """Rows of a list as text, by the labels of its columns."""
    listed = client.get(f"/bo/{name}/").context["list"]
    heads = [head.label for head in listed.headers]
    return [
        dict(zip(heads, (str(cell.html).replace("\N{NO-BREAK SPACE}", " ") for cell in row.cells), strict=True))
        for row in listed.table
    ]


def text(answer: Any) -> str:
    return str(answer.content.decode()).replace("\N{NO-BREAK SPACE}", " ")


def test_ES_3_ES_7_four_tabs_lead_to_one_another_under_one_line_of_the_menu(reseller: Any) -> None:
    """GEN-42: Account management > Enabled services > Enabled packs."""
    from tests.pages.conformance import user_of

    tabs = ("enabled-services", "enabled-packs", "enabled-bundle-initiators", "enabled-bundle-packs")
    for name in tabs:
        page = text(reseller.get(f"/bo/{name}/"))
        assert all(f'href="/bo/{other}/"' in page for other in tabs), name
        assert page.count('<a href="/bo/enabled-services/" aria-current="page">') == 1 + (name == "enabled-services")
    user = user_of("reseller")
    user.no_restrictions, user.deviations = False, {"Enabled packs": "manage"}
    user.save()
    user.roles.clear()
    alone = text(reseller.get("/bo/enabled-packs/"))
    assert 'href="/bo/enabled-services/"' not in alone and '<a href="/bo/enabled-packs/" aria-current="page">' in alone


def test_ES_33_to_ES_37_SV_205_SV_206_the_cost_is_told_when_three_conditions_hold(reseller: Any) -> None:
    """ES-34, ES-35, GEN-32: it comes from a service that prices packs and is enabled on the same agreement."""
    from relais.records.catalog.models import Scope

    pack = a_pack()
    asked = {"service": pack.pk, "agreement": bought().pk, "effective_from_0": "08.12.2023, 00:00:00"}
    offered = reseller.get(f"/bo/enabled-packs/new/?options=agreement&service={pack.pk}").json()["options"]
    assert [option["text"] for option in offered] == ["Telecom Monsters - TM-1, EUR"], "SV-204, SV-263"
    assert "Choose the pack" in text(reseller.get(COST)) and "Rate not found" in text(reseller.get(COST, asked))
    price = priced(pack)
    told = text(reseller.get(COST, asked))
    assert "40.00" in told and "EUR" in told and "circle-check" in told and "Effective: 08.12.2023, 00:00:00" in told
    for service in (pack, price.service):
        for wrong in ({"draft": True}, {"effective_from": NOW + timedelta(days=1)}):
            Scope.objects.filter(service=service).update(**wrong)
            assert "Rate not found" in text(reseller.get(COST, asked)), (service.name, wrong)
            Scope.objects.filter(service=service).update(draft=False, effective_from=START)
    price.hidden_from_client = True
    price.save()
    assert "40.00" in text(reseller.get(COST, asked)), "ES-83: rating does not ask what the client sees"
    price.effective_till = NOW - timedelta(days=1)
    price.save()
    assert "Rate not found" in text(reseller.get(COST, asked))
    for nonsense in (
        {"service": "x"},
        {"service": "9" * 30, "agreement": "\0"},
        {"service": the_service("SMS service").pk},
    ):
        assert "Choose the pack" in text(reseller.get(COST, nonsense))
    form = text(reseller.get("/bo/enabled-packs/new/"))
    assert 'data-show-when="billing=charge"' in form and "Free of charge" in form


def test_ES_26_ES_31_ES_79_ES_80_SV_208_a_charged_pack_debits_its_price_and_shows_it(reseller: Any) -> None:
    """Also ES-28, ES-43: a free one has no cost, and the choice is final."""
    from relais.records.catalog.models import EnabledService

    pack, before = a_pack(), balance_micros()
    now = {"effective_from_0": typed(NOW - timedelta(minutes=1)), "billing": "charge"}
    refused = reseller.post("/bo/enabled-packs/new/", enabling(pack, **now))
    assert refused.status_code == 422 and refused.context["drawer"].form.errors["billing"] == ["Rate not found"]
    assert not EnabledService.objects.filter(service=pack).exists() and balance_micros() == before
    price = priced(pack)
    assert reseller.post("/bo/enabled-packs/new/", enabling(pack, **now)).status_code == 302
    assert balance_micros() == before - 40_000_000
    later = enabling(pack, billing="charge")
    assert reseller.post("/bo/enabled-packs/new/", later).status_code == 302, "it is charged when it comes"
    assert reseller.post("/bo/enabled-packs/new/", enabling(pack)).status_code == 302
    assert balance_micros() == before - 40_000_000
    free, due, charged = cells(reseller, "enabled-packs")
    assert (charged["Cost"], charged["Currency"]) == ("40.00", "EUR") and "Charged" in charged["Charge"]
    assert "To be charged" in due["Charge"] and "Free of charge" in free["Charge"]
    assert "t3" in free["Cost"] and "t3" in due["Currency"], "nothing"
    record = EnabledService.objects.filter(service=pack, charged=True, charged_at=None).get()
    record.not_charged_reason = "Rate not found"
    record.save()
    assert "Not charged" in cells(reseller, "enabled-packs")[1]["Charge"]
    assert "Rate not found" in text(reseller.get(f"/bo/enabled-packs/{record.pk}/"))
    assert "billing" not in reseller.get(f"/bo/enabled-packs/{record.pk}/edit/").context["drawer"].form.fields
    assert "Enabled by" in text(reseller.get(f"/bo/enabled-packs/{record.pk}/")) and price.pk


def test_ES_62_SV_254_what_is_used_and_left_of_a_pack_counts_what_is_reserved(reseller: Any) -> None:
    from relais.records.catalog.models import EnabledService

    units = EnabledService.objects.create(agreement=bought(), service=a_pack(), effective_from=START)
    worth = a_pack(name="Money", type="monetary_pack", currency="EUR", size=1_000_000_000)
    money = EnabledService.objects.create(agreement=bought(), service=worth, effective_from=START)
    assert [row["Left"] for row in cells(reseller, "enabled-packs")] == ["1 000.00", "1 000"]
    use(units, 900, 50)
    use(money, 250_500_000)
    newest, oldest = cells(reseller, "enabled-packs")
    assert (newest["Used"], newest["Left"]) == ("250.50/1 000.00", "749.50")
    assert (oldest["Used"], oldest["Left"]) == ("950/1 000", "50")
    worth.archived_at = NOW
    worth.save()
    assert "missed option Money" in cells(reseller, "enabled-packs")[0]["Service"], "ES-9"


def test_ES_44_to_ES_59_initiators_are_enabled_side_by_side_with_dates_and_zones(reseller: Any) -> None:
    """ES-45 and ES-47 its list; ES-51, ES-52, ES-53, ES-56, ES-57, SV-234, SV-240 its form."""
    from relais.records.catalog.models import EnabledService

    initiator = made("Hornes and Hooves", name="Bundle initiator LA", type="bundle_initiator")
    offered = reseller.get("/bo/enabled-bundle-initiators/new/?options=service").json()["options"]
    assert [option["text"] for option in offered] == ["Bundle initiator LA - Bundle Initiator"], "ES-50, ES-72"
    form = reseller.get(f"/bo/enabled-bundle-initiators/new/?agreement={bought().pk}").context["drawer"].form
    assert form.initial["effective_from"][1] == bought().versions.get().billing_timezone, "ES-54"
    sent = enabling(initiator, hidden_from_client="on")
    for _ in range(2):
        assert reseller.post("/bo/enabled-bundle-initiators/new/", sent).status_code == 302, "ES-48: they may overlap"
    page = text(reseller.get("/bo/enabled-bundle-initiators/new/"))
    for words in ("Service (pack)", "Agreement", "Effective from", "Effective till", "Do not show to client", ">Cancel</button>",
                  "data-save", 'aria-label="Close (Esc)"', 'name="effective_from_1"', 'name="effective_till_1"'):  # fmt: skip
        assert words in page, words
    listed = text(reseller.get("/bo/enabled-bundle-initiators/"))
    assert all(each in listed for each in ("columns-menu", "filter-menu", "New enabled bundle initiator")), "ES-46"
    rows = cells(reseller, "enabled-bundle-initiators")
    assert (
        list(rows[0]) == ["ID", "Company", "Agreement", "Service", "Effective from", "Effective till"]
        and len(rows) == 2
    )
    assert rows[0]["Agreement"] == "TM-1 (EUR)" and rows[0]["Effective till"] == "∞"
    record = EnabledService.objects.latest("pk")
    assert record.hidden_from_client and not record.charged, "ES-55"
    bought().__class__.objects.filter(pk=bought().pk).update(currency="USD")
    assert reseller.post("/bo/enabled-bundle-initiators/new/", sent).status_code == 302, "ES-49: whatever the currency"
    seen = text(reseller.get(f"/bo/enabled-bundle-initiators/{record.pk}/", headers={"HX-Request": "true"}))
    assert (
        "View Enabled bundle initiator" in seen and f"ID {record.pk}" in seen and "Telecom Monsters - TM-1" in seen
    ), "ES-58"
    edited = reseller.get(f"/bo/enabled-bundle-initiators/{record.pk}/edit/").context["drawer"]
    assert (
        set(edited.form.fields) == {"effective_from", "effective_till", "hidden_from_client"}
        and not edited.view.may_delete
    )
    wrong = {**sent, "service": the_service("SMS service").pk}
    assert "service" in reseller.post("/bo/enabled-bundle-initiators/new/", wrong).context["drawer"].form.errors


def test_ES_60_to_ES_71_ES_84_SV_238_a_bundle_pack_runs_to_the_end_of_the_period_and_counts_people(
    reseller: Any,
) -> None:
    """Also ES-66, ES-67, SV-235, SV-236, SV-239, SV-241: it needs an initiator and prices, and is charged on saving."""
    from relais.records.catalog.models import EnabledService

    pack, before = a_pack(name="Bundle_2_pack", type="bundle_pack", size=10), balance_micros()
    offered = reseller.get("/bo/enabled-bundle-packs/new/?options=service").json()["options"]
    assert [option["text"] for option in offered] == ["Bundle_2_pack - 10"], "SV-231"
    form = reseller.get("/bo/enabled-bundle-packs/new/").context["drawer"].form
    assert set(form.fields) == {"service", "agreement", "cost"}, "ES-68: no dates"
    sent = {"service": pack.pk, "agreement": bought().pk}
    refused = reseller.post("/bo/enabled-bundle-packs/new/", sent)
    assert "Needs a bundle initiator" in str(refused.context["drawer"].form.errors)
    initiator = made("Hornes and Hooves", name="I", type="bundle_initiator")
    EnabledService.objects.create(agreement=bought(), service=initiator, effective_from=START)
    refused = reseller.post("/bo/enabled-bundle-packs/new/", sent)
    assert "Needs a price of Bundle member" in str(refused.context["drawer"].form.errors)
    priced(pack, member="0.2")
    assert "40.00" in text(reseller.get(COST, sent))
    assert reseller.post("/bo/enabled-bundle-packs/new/", sent).status_code == 302
    assert balance_micros() == before - 40_000_000
    record = EnabledService.objects.get(service=pack)
    assert not record.auto_extend and record.effective_till is not None and record.effective_till > datetime.now(UTC)
    (row,) = cells(reseller, "enabled-bundle-packs")
    assert list(row)[:7] == ["ID", "Company", "Agreement", "Service", "Used", "Effective from", "Effective till"]
    assert "t3" in row["Used"], "ES-62: blank before the first use"
    use(record, 15)
    assert cells(reseller, "enabled-bundle-packs")[0]["Used"] == "15/10", "ES-63, ES-65: it goes on past its size"
    seen = text(reseller.get(f"/bo/enabled-bundle-packs/{record.pk}/", headers={"HX-Request": "true"}))
    for words in ("View Enabled bundle pack", "Bundle_2_pack", "Telecom Monsters - TM-1, EUR", "Auto extend"):
        assert words in seen, f"ES-61, ES-69: {words}"
    listed = text(reseller.get("/bo/enabled-bundle-packs/"))
    assert all(each in listed for each in ("columns-menu", "filter-menu", "New enabled bundle pack")), "ES-64"
    edit = f"/bo/enabled-bundle-packs/{record.pk}/edit/"
    assert list(reseller.get(edit).context["drawer"].form.fields) == ["auto_extend"]
    assert reseller.post(edit, {"auto_extend": "on"}).status_code == 302
    record.refresh_from_db()
    assert record.auto_extend


def test_ES_87_what_the_system_made_stands_in_the_same_list_with_the_system_as_author(reseller: Any) -> None:
    from relais.records.audit import audited
    from relais.records.catalog.models import EnabledService
    from relais.records.people.models import Actor

    pack = a_pack(name="B", type="bundle_pack", size=10)
    with audited("Extend Enabled bundle pack", user=None, ip_address=None, actor=Actor.JOB):
        record = EnabledService.objects.create(agreement=bought(), service=pack, effective_from=START)
    assert "Enabled by the System" in text(reseller.get(f"/bo/enabled-bundle-packs/{record.pk}/"))
