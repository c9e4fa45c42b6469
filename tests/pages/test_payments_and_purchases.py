"""Payments, enabled services and packs as the figures of specs 04 and 08 draw them: rows, forms, windows and their buttons."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.pages.conformance import errors_of
from tests.pages.test_agreements_and_accounts import (
    START,
    agreement,
    agreement_of,
    body,
    cells,
    day,
    entity,
    form_of,
    items,
    labels,
    lines_of,
    owner_company,
    starred,
    version,
)
from tests.pages.test_payments import EUR, SOON, balance, register, sent

PAYMENTS = """\
192 Telecom Monst | 12345 (EUR) | 231313 | 100.00 EUR | 18.11.2025 15:00 | 17.11.2025 | 100.00 EUR | Confirmed | -
191 Telecom Monst | NC-12345 (EUR) | 231321 | 100.00 USD | 24.10.2025 16:07 | 23.10.2025 | 90.00 EUR | Expired | 26.10.2025
190 Demo AY | ACC_FOR_NN (EUR) | RRR-1238798989 | 500 000.00 EUR | 08.07.2025 13:13 | 08.07.2025 | 500 000.00 EUR | Confirmed | -
87 Demo AY | ACC_FOR_NN (EUR) | Payment_L4 | 100.00 EUR | 15.08.2024 09:52 | 15.08.2024 | 100.00 EUR | Expired | 17.08.2024
86 Demo AY | ACC_FOR_NN (EUR) | Payment_L3 | 100.00 EUR | 15.08.2024 09:50 | 15.08.2024 | 100.00 EUR | Expired | 16.08.2024
43 Telecom Monst | NC-12345 (EUR) | 564854 | 0.01 EUR | 12.07.2024 11:47 | 12.07.2024 | 0.01 EUR | Confirmed | -
42 Telecom Monst | NC-12345 (EUR) | 44723 | 0.01 EUR | 10.07.2024 16:53 | 10.07.2024 | 0.01 EUR | Confirmed | -
41 Demo AY | ACC_FOR_NN (EUR) | Payment_L2 | 1 000.00 EUR | 10.07.2024 15:36 | 10.07.2024 | 1 000.00 EUR | Confirmed | -"""
NOTHING = "\N{EN DASH}"
OF_PAYMENTS = ("company", "agreement", "reference_code", "payment_amount", "created_at", "payment_date",
               "replenishment_amount", "status", "confirm_before", "direction", "description", "updated_at")  # fmt: skip


def micros(text: str) -> int:
    return round(float(text.removesuffix(" EUR").removesuffix(" USD").replace(" ", "")) * EUR)


def test_PAY_5_PAY_6_PAY_8_PAY_9_the_rows_of_the_payments_figure(owner: Any) -> None:
    """One Status for what the text calls Confirmed; a day of expiry only where it is not; Created is no payment date."""
    from relais.records.billing.models import Payment

    for company, codes in (("Telecom Monst", ("12345", "NC-12345")), ("Demo AY", ("ACC_FOR_NN",))):
        for code in codes:
            version(agreement(900 + len(code), entity(company, of=company), entity("Own LE"), agreement_code=code))
    for key, _, code, reference, paid, created, dated, credited, status, expires in reversed(lines_of(PAYMENTS)):
        made = Payment.objects.create(
            pk=int(key), agreement=agreement_of(code.removesuffix(" (EUR)")), reference_code=reference,
            payment_amount_micros=micros(paid), payment_currency=paid[-3:], payment_date=day(dated),
            replenishment_amount_micros=micros(credited), confirmed=status == "Confirmed",
            counted=status == "Confirmed", confirm_before=None if expires == "-" else day(expires),
        )  # fmt: skip
        at = datetime.strptime(created, "%d.%m.%Y %H:%M").replace(tzinfo=UTC)
        Payment.objects.filter(pk=made.pk).update(created_at=at, updated_at=at)
    shown = [row for row in cells(owner, "payments", *OF_PAYMENTS) if row[1] in ("Telecom Monst", "Demo AY")]
    assert [row[:10] for row in shown] == [
        [NOTHING if cell == "-" else cell for cell in line] for line in lines_of(PAYMENTS)
    ]
    assert all(row[10:] == ["↓ Inbound", NOTHING, row[5]] for row in shown)

    before = Payment.objects.get(pk=192)
    changed = {"payment_date": "17.11.2025", "reference_code": "231313", "payment_amount": "100", "confirmed": "on",
               "replenishment_amount": "100", "description": "late"}  # fmt: skip
    assert owner.post("/bo/payments/192/edit/", changed).status_code == 302
    after = Payment.objects.get(pk=192)
    assert (after.created_at, after.payment_date) == (before.created_at, date(2025, 11, 17))
    assert after.updated_at > before.updated_at


def test_PAY_7_PAY_23_to_PAY_40_the_form_of_a_payment(owner: Any) -> None:
    """PAY-21, PAY-23, PAY-24, PAY-25, PAY-26, PAY-27, PAY-29, PAY-30, PAY-37, PAY-38, PAY-40; PAY-1: money that came and went."""
    page = body(owner.get("/bo/payments/"))
    assert 'href="/bo/payments/new/"' in page and "New payment</a>" in page and 'popovertarget="columns-menu"' in page
    drawer = owner.get("/bo/payments/new/").context["drawer"]
    form = drawer.form
    assert sorted(starred(form)) == [
        "agreement", "company", "confirm_before", "payment_amount", "payment_currency", "payment_date", "reference_code",
    ]  # fmt: skip
    assert dict(form.fields["direction"].choices) == {"inbound": "Inbound", "outbound": "Outbound"}
    sections = {section.title: section for section in drawer.sections}
    assert [str(field.label) for field in sections["Payment"].fields] == [
        "Company", "Agreement", "Payment date", "Reference code", "Direction", "Payment amount", "Currency of payment",
        "Replenishment amount", "Description",
    ]  # fmt: skip
    assert sections["Deferred payment"].hint == (
        "confirmed payments count in the balance, and others up to the day they must be confirmed before"
    )
    assert [field.name for field in sections["Deferred payment"].fields][:2] == ["confirmed", "confirm_before"]
    page = body(owner.get("/bo/payments/new/"))
    assert "data-save" in page and ">Cancel</button>" in page and 'aria-label="Close (Esc)"' in page
    client = agreement_of("HH-1").company
    offered = owner.get(f"/bo/payments/new/?options=agreement&company={client.pk}").json()["options"]
    assert [option["text"] for option in offered] == ["Hornes and Hooves - HH-1, EUR"]
    for missing in ("company", "agreement", "payment_date", "reference_code", "payment_amount", "payment_currency"):
        answer = owner.post("/bo/payments/new/", {name: value for name, value in sent().items() if name != missing})
        assert missing in answer.context["drawer"].form.errors and answer.status_code == 422
    assert balance() == 1000 * EUR
    register(owner)
    register(owner, direction="outbound", reference_code="2", payment_amount="30")
    rows = {row[1]: row[2:] for row in cells(owner, "payments", "reference_code", "direction", "replenishment_amount")}
    assert rows["231313"] == ["↓ Inbound", "100.00 EUR"] and rows["2"] == ["↑ Outbound", "30.00 EUR"]


def test_PAY_31_PAY_48_PAY_49_PAY_57_the_window_of_a_payment_that_credits_less_than_was_paid(owner: Any) -> None:
    """Within one currency too, the balance moves by what is credited (PAY-32); the window is where a payment is deleted."""
    from relais.api.openapi import document

    made = register(
        owner,
        payment_date="22.09.2023",
        reference_code="1002",
        replenishment_amount="98",
        description="For the economy pack",
    )
    url = f"/bo/payments/{made.pk}"
    assert f'<tr data-href="{url}/"' in body(owner.get("/bo/payments/"))
    window = body(owner.get(f"{url}/"))
    assert ">View Payment</h2>" in window and f">ID {made.pk}</button>" in window
    assert f'href="{url}/edit/"' in window and f'href="{url}/delete/"' in window
    shown = items(window)
    assert {label: shown[label] for label in ("Company", "Agreement", "Payment date", "Reference code", "Direction",
                                              "Payment amount", "Amount in agreement currency", "Description",
                                              "Payment confirmed")} == {
        "Company": "Hornes and Hooves", "Agreement": "Hornes and Hooves - HH-1, EUR", "Payment date": "22.09.2023",
        "Reference code": "1002", "Direction": "↓ Inbound", "Payment amount": "100.00 EUR",
        "Amount in agreement currency": "98.00 EUR", "Description": "For the economy pack", "Payment confirmed": "Yes",
    }  # fmt: skip
    assert balance() == 1098 * EUR
    assert not [path for path in document()["paths"] if "payment" in path], "nobody deletes one but here"
    assert owner.post(f"{url}/delete/").status_code == 302 and balance() == 1000 * EUR


def test_PAY_10_PAY_13_PAY_18_PAY_50_PAY_51_a_payment_on_its_way_and_one_that_has_arrived(owner: Any) -> None:
    """One on its way counts at once, so that traffic goes on; it is confirmed when the money is there, by the box or the verb."""
    from relais.records.agreements.models import Balance

    def status(payment: Any) -> str:
        return dict(cells(owner, "payments", "status"))[str(payment.pk)]

    def stopped() -> bool:
        page = owner.get("/bo/agreements/").context["list"]
        return any('class="bad"' in str(cell.html) for row in page.table for cell in row.cells)

    of = agreement_of("HH-1")
    Balance.objects.filter(agreement=of).update(balance_micros=-500 * EUR)
    assert stopped(), "the credit limit is reached"
    late = register(owner, confirmed="", confirm_before=SOON)
    assert (status(late), balance(), stopped()) == ("Not confirmed", -400 * EUR, False)
    arrived = register(owner, reference_code="2")
    assert status(arrived) == "Confirmed"
    changed = {"payment_date": "01.11.2025", "reference_code": "231313", "payment_amount": "100", "confirmed": "on",
               "replenishment_amount": "100"}  # fmt: skip
    assert owner.post(f"/bo/payments/{late.pk}/edit/", changed).status_code == 302
    assert (status(late), balance()) == ("Confirmed", -300 * EUR), "PAY-54: it counted already"
    asked = body(
        owner.get(
            f"/bo/payments/{register(owner, confirmed='', confirm_before=SOON, reference_code='3').pk}/do/confirm/"
        )
    )
    assert "The money has reached the bank account." in asked
    assert owner.post(f"/bo/payments/{arrived.pk}/do/withdraw/", {"confirm_before": SOON}).status_code == 302
    assert status(arrived) == "Not confirmed"


def enabling(page: str, service: Any, **changes: Any) -> dict[str, Any]:
    moment = (datetime.now(UTC) + timedelta(days=5)).strftime("%d.%m.%Y, %H:%M:%S")
    dates = {"effective_from_0": moment, "effective_from_1": "Etc/UTC", "effective_till_1": "Etc/UTC"}
    extra = {"billing": "free"} if page == "enabled-packs" else {}
    return {"service": service.pk, "agreement": agreement_of("HH-1").pk, **dates, **extra, **changes}


def test_ES_11_ES_12_ES_14_ES_15_ES_17_ES_29_ES_30_ES_32_ES_38_the_forms_of_purchases(owner: Any) -> None:
    """Also ES-7, ES-8, ES-27: what stands above both lists; ES-5, ES-24: which services are on which of them."""
    from relais.records.catalog.models import EnabledService, Service

    top = owner_company()
    plan = Service.objects.create(company=top, name="Plan", type="pay_as_you_go", currency="EUR")
    pack = Service.objects.create(company=top, name="Welcome", type="unit_pack", size=1000)
    money = Service.objects.create(company=top, name="Economy", type="monetary_pack", size=5 * EUR, currency="EUR")
    for page, services, wanted in (
        (
            "enabled-services",
            [plan],
            ["Service", "Agreement", "Effective from", "Effective till", "Do not show to client"],
        ),
        (
            "enabled-packs",
            [pack, money],
            ["Service (pack)", "Agreement", "Effective from", "Effective till", "Billing", "Cost"],
        ),
    ):
        form = form_of(owner, f"/bo/{page}/new/")
        assert sorted(labels(form)) == sorted(wanted)
        optional = ("effective_till", "hidden_from_client", "cost")
        assert starred(form) == [name for name in form.fields if name not in optional]
        assert form.fields["effective_till"].help_text == "Blank: ∞ (indefinitely)"
        opened = body(owner.get(f"/bo/{page}/new/"))
        assert "data-save" in opened and ">Cancel</button>" in opened and 'aria-label="Close (Esc)"' in opened
        assert opened.count('name="effective_from_1"') == opened.count('name="effective_till_1"') == 1
        for missing in ("service", "agreement", "effective_from_0"):
            answer = owner.post(f"/bo/{page}/new/", enabling(page, services[0]) | {missing: ""})
            assert missing.removesuffix("_0") in answer.context["drawer"].form.errors
        for service in services:
            answer = owner.post(f"/bo/{page}/new/", enabling(page, service, effective_from_0="01.03.2025, 00:00:00"))
            assert answer.status_code == 302, errors_of(answer)
            assert EnabledService.objects.get(service=service).effective_till is None
    agreement_field = form_of(owner, "/bo/enabled-packs/new/").fields["agreement"]
    assert agreement_field.help_text.startswith("A pack is used before the service")
    assert {row[1] for row in cells(owner, "enabled-services", "service")} == {"SMS wholesale", "Plan"}
    assert {row[1] for row in cells(owner, "enabled-packs", "service")} == {"Welcome", "Economy"}
    for page in ("enabled-services", "enabled-packs"):
        listed = body(owner.get(f"/bo/{page}/?effective_from_min=2020-01-01"))
        assert f'href="/bo/{page}/new/"' in listed and 'popovertarget="columns-menu"' in listed
        assert 'popovertarget="filter-menu"' in listed and f'href="/bo/{page}/">Clear</a>' in listed


def test_ES_2_ES_21_ES_22_ES_40_ES_41_ES_42_the_windows_of_purchases(owner: Any) -> None:
    """As in the figures; a purchase is one as soon as it is there, also before it begins."""
    from relais.records.catalog.models import EnabledService, Service

    top = owner_company()
    demo = agreement(900, entity("Demo", of="Demo AY"), entity("Own LE"), agreement_code="emul_Agreement")
    petshop = agreement(901, entity("HH", of="Hornes and Hooves Ltd"), entity("Own LE"), agreement_code="1234")
    version(demo)
    version(petshop)
    plan = Service.objects.create(company=top, name="WhatsApp default", type="pay_as_you_go", currency="EUR")
    pack = Service.objects.create(company=top, name="Pack for Petshop", type="unit_pack", size=1000)
    for page, label, key, of, service, since, zone, said in (
        ("enabled-services", "Enabled service", 207, demo, plan, datetime(2024, 12, 25, 8, 30, 16, tzinfo=UTC), "Etc/UTC",
         ("Demo AY - emul_Agreement, EUR", "25.12.2024, 08:30:16 Etc/UTC")),
        ("enabled-packs", "Enabled pack", 45, petshop, pack, datetime(2023, 11, 8, 10, 20, 19, tzinfo=UTC), "Etc/GMT",
         ("Hornes and Hooves Ltd - 1234, EUR", "08.11.2023, 10:20:19 Etc/GMT")),
    ):  # fmt: skip
        EnabledService.objects.create(
            pk=key, agreement=of, service=service, effective_from_timezone=zone, effective_from=since,
            effective_till_timezone="Africa/Abidjan",
        )  # fmt: skip
        assert f'<tr data-href="/bo/{page}/{key}/"' in body(owner.get(f"/bo/{page}/"))
        window = body(owner.get(f"/bo/{page}/{key}/"))
        assert f">View {label}</h2>" in window and f">ID {key}</button>" in window
        assert f'href="/bo/{page}/{key}/edit/"' in window and 'aria-label="Close (Esc)"' in window
        shown = items(window)
        assert (shown["Service"], shown["Agreement"], shown["Effective from"]) == (service.name, *said)
        assert shown["Effective till"] == "∞ (indefinitely) Africa/Abidjan"
        edit = body(owner.get(f"/bo/{page}/{key}/edit/"))
        assert f">Edit {label}</h2>" in edit and "data-save" in edit and f'href="/bo/{page}/{key}/"' in edit
        till = {"effective_till_0": "01.01.2040, 00:00:00", "effective_till_1": "Etc/UTC"}
        assert owner.post(f"/bo/{page}/{key}/edit/", till).status_code == 302
        assert EnabledService.objects.get(pk=key).effective_till == datetime(2040, 1, 1, tzinfo=UTC)

    service = Service.objects.create(company=top, name="Later", type="unit_pack", size=7)
    EnabledService.objects.create(agreement=demo, service=service, effective_from=START + timedelta(days=36500))
    shown = {row[1]: row[2] for row in cells(owner, "agreements", "agreement_code", "packs")}
    assert (shown["emul_Agreement"], shown["1234"]) == ("packs 1", "packs 1")
