"""Payments as the BackOffice lists, registers and changes them (spec 08)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

EUR = 1_000_000
TODAY = datetime.now(UTC).date()
SOON = (TODAY + timedelta(days=30)).strftime("%d.%m.%Y")


def agreement() -> Any:
    from relais.records.agreements.models import Agreement

    return Agreement.objects.select_related("company").get(agreement_code="HH-1")


def balance() -> int:
    from relais.records.agreements.models import Balance

    return Balance.objects.get(agreement=agreement()).balance_micros


def sent(**changes: Any) -> dict[str, Any]:
    """A confirmed payment of 100 EUR by the owner's reseller."""
    return {
        "company": agreement().company_id,
        "agreement": agreement().pk,
        "payment_date": TODAY.strftime("%d.%m.%Y"),
        "reference_code": "231313",
        "direction": "inbound",
        "payment_amount": "100.00",
        "payment_currency": "EUR",
        "confirmed": "on",
        **changes,
    }


def register(client: Any, **changes: Any) -> Any:
    from relais.records.billing.models import Payment

    answer = client.post("/bo/payments/new/", sent(**changes))
    assert answer.status_code == 302, answer.context["drawer"].form.errors
    return Payment.objects.latest("pk")


def refused(answer: Any) -> Any:
    assert answer.status_code == 422
    return answer.context["drawer"].form.errors


def test_PAY_3_PAY_4_every_column_of_the_list_exists(owner: Any) -> None:
    listed = owner.get("/bo/payments/").context["list"]
    labels = {choice.label for choice in listed.column_choices}
    assert labels >= {"ID", "Company", "Agreement", "Reference code", "Payment amount", "Currency", "Created", "Updated",
                      "Description", "Direction", "Payment date", "Amount in agreement currency", "Agreement currency",
                      "Status", "Expiry date of confirmation"}  # fmt: skip
    assert 8 <= len(listed.headers) <= 11


def test_PAY_19_PAY_20_PAY_62_a_confirmed_payment_counts_at_once_with_the_amount_paid(owner: Any) -> None:
    before = balance()
    payment = register(owner)
    assert balance() == before + 100 * EUR
    assert (payment.replenishment_amount_micros, payment.confirm_before) == (100 * EUR, None)
    (row,) = owner.get("/bo/payments/?reference_code=231313&status=confirmed").context["list"].table
    assert row.pk == payment.pk


def test_PAY_11_PAY_39_PAY_67_an_unconfirmed_payment_needs_a_later_deadline(owner: Any) -> None:
    before = balance()
    assert "confirm_before" in refused(owner.post("/bo/payments/new/", sent(confirmed="")))
    late = sent(confirmed="", confirm_before=TODAY.strftime("%d.%m.%Y"))
    assert refused(owner.post("/bo/payments/new/", late))["confirm_before"] == ["Must be later than today"]
    assert balance() == before
    register(owner, confirmed="", confirm_before=SOON)
    assert balance() == before + 100 * EUR, "PAY-12: it counts from the moment it is created"


def test_PAY_28_an_outbound_payment_lowers_the_balance_and_inbound_is_the_default(owner: Any) -> None:
    before = balance()
    register(owner, direction="outbound")
    assert balance() == before - 100 * EUR
    assert register(owner, direction="", reference_code="2").direction == "inbound"


def test_PAY_33_PAY_34_PAY_36_PAY_62_with_two_currencies_both_amounts_are_typed_and_the_rate_follows(
    owner: Any,
) -> None:
    dollars = {"payment_currency": "USD", "reference_code": "231321"}
    assert "replenishment_amount" in refused(owner.post("/bo/payments/new/", sent(**dollars)))
    payment = register(owner, **dollars, replenishment_amount="90.00")
    assert payment.exchange_rate_date == payment.payment_date == TODAY
    assert "1 EUR = 1.1111 USD" in owner.get(f"/bo/payments/{payment.pk}/").content.decode()
    euros = register(owner, reference_code="3")
    assert euros.exchange_rate_date is None


def test_PAY_34_PAY_68_the_form_says_the_rate_and_what_the_balance_becomes_before_saving(owner: Any) -> None:
    asked = sent(payment_currency="USD", replenishment_amount="90.00")
    answer = owner.get("/bo/payment-effect/", asked)
    body = answer.content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "checked" in body and "1 EUR = 1.1111 USD" in body
    assert "The balance goes from 1 000.00 EUR to 1 090.00 EUR." in body
    body = owner.get("/bo/payment-effect/", sent(direction="outbound", payment_amount="1 600")).content.decode()
    assert "checked" not in body and "Nothing that costs money can be sent then." in body
    assert owner.get("/bo/payment-effect/", {"agreement": "x", "payment_amount": "-"}).status_code == 200
    assert balance() == 1000 * EUR


def test_PAY_61_amounts_are_more_than_zero_and_fit_their_currency(owner: Any) -> None:
    for wrong in ({"payment_amount": "0"}, {"payment_amount": "-5"}, {"payment_amount": "1.005"}):
        assert "payment_amount" in refused(owner.post("/bo/payments/new/", sent(**wrong)))
    assert balance() == 1000 * EUR


def test_PAY_64_a_repeated_reference_code_asks_and_is_then_allowed(owner: Any) -> None:
    register(owner)
    answer = owner.post("/bo/payments/new/", sent())
    assert "reference_code" in refused(answer) and "duplicate_intended" in answer.context["drawer"].form.fields
    assert "duplicate_intended" in answer.content.decode()
    assert balance() == 1100 * EUR
    register(owner, duplicate_intended="on")
    assert balance() == 1200 * EUR


def test_PAY_70_a_future_date_is_refused_for_a_confirmed_payment_only(owner: Any) -> None:
    assert "payment_date" in refused(owner.post("/bo/payments/new/", sent(payment_date=SOON)))
    register(owner, payment_date=SOON, confirmed="", confirm_before=SOON)


def test_PAY_47_PAY_69_the_view_names_the_agreement_and_edit_leaves_the_rest_as_text(owner: Any) -> None:
    payment = register(owner)
    assert "Hornes and Hooves - HH-1, EUR" in owner.get(f"/bo/payments/{payment.pk}/").content.decode()
    drawer = owner.get(f"/bo/payments/{payment.pk}/edit/").context["drawer"]
    assert not {"company", "agreement", "direction", "payment_currency"} & set(drawer.form.fields)
    changed = {"payment_date": "01.11.2025", "reference_code": "9", "payment_amount": "50", "confirmed": "on",
               "replenishment_amount": "49"}  # fmt: skip
    assert owner.post(f"/bo/payments/{payment.pk}/edit/", changed).status_code == 302
    payment.refresh_from_db()
    assert (payment.reference_code, payment.payment_date, balance()) == ("9", date(2025, 11, 1), 1049 * EUR)
    type(payment).objects.filter(pk=payment.pk).update(automatic=True)
    fields = set(owner.get(f"/bo/payments/{payment.pk}/edit/").context["drawer"].form.fields)
    assert "description" in fields and not fields & {"payment_amount", "replenishment_amount", "reference_code"}


def test_PAY_22_PAY_55_PAY_56_confirm_withdraw_and_move_the_deadline(owner: Any) -> None:
    payment = register(owner, confirmed="", confirm_before=SOON)
    url = f"/bo/payments/{payment.pk}/do"
    assert owner.post(f"{url}/confirm/").status_code == 302
    payment.refresh_from_db()
    assert (payment.confirmed, payment.confirm_before, balance()) == (True, None, 1100 * EUR)
    assert owner.get(f"{url}/move-deadline/").status_code == 404, "a confirmed payment has no deadline"
    asked = owner.get(f"{url}/withdraw/").content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "the balance goes from 1 100.00 EUR to 1 000.00 EUR" in asked, "PAY-68"
    assert owner.post(f"{url}/withdraw/", {"confirm_before": "01.01.2020"}).status_code in (409, 422)
    assert owner.post(f"{url}/withdraw/", {"confirm_before": SOON}).status_code == 302
    payment.refresh_from_db()
    assert (payment.confirmed, balance()) == (False, 1100 * EUR)


def test_PAY_14_PAY_15_PAY_16_an_expired_payment_is_shown_so_and_counts_again_with_a_later_deadline(owner: Any) -> None:
    from relais.records.billing.actions.lapse_payments import lapse_payments

    payment = register(owner, confirmed="", confirm_before=SOON)
    lapse_payments(datetime.now(UTC) + timedelta(days=31))
    assert balance() == 1000 * EUR
    (row,) = owner.get("/bo/payments/?status=expired").context["list"].table
    assert row.pk == payment.pk
    later = (TODAY + timedelta(days=60)).strftime("%d.%m.%Y")
    assert owner.post(f"/bo/payments/{payment.pk}/do/move-deadline/", {"confirm_before": later}).status_code == 302
    assert balance() == 1100 * EUR
    assert [row.pk for row in owner.get("/bo/payments/?status=not_confirmed").context["list"].table] == [payment.pk]


def test_PAY_58_PAY_68_PAY_71_the_deletion_says_what_the_balance_becomes_and_is_audited(owner: Any) -> None:
    from relais.records.people.models import AuditLine

    payment = register(owner)
    asked = owner.get(f"/bo/payments/{payment.pk}/delete/").content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "The balance goes from 1 100.00 EUR to 1 000.00 EUR." in asked
    assert balance() == 1100 * EUR
    assert owner.post(f"/bo/payments/{payment.pk}/delete/").status_code == 302
    assert balance() == 1000 * EUR
    line = AuditLine.objects.filter(table="billing_payment", operation="delete").latest("pk")
    assert line.old["reference_code"] == "231313"


def test_a_payment_of_another_level_does_not_exist_and_one_that_was_received_cannot_be_changed(
    owner: Any, reseller: Any
) -> None:
    from relais.records.billing.models import Payment

    foreign = Payment.objects.get(agreement__agreement_code="TM-1")
    assert owner.get(f"/bo/payments/{foreign.pk}/").status_code == 404
    bought = Payment.objects.get(agreement__agreement_code="HH-1")
    assert reseller.get(f"/bo/payments/{bought.pk}/").status_code == 200
    for verb in ("edit", "delete", "do/withdraw"):
        assert reseller.post(f"/bo/payments/{bought.pk}/{verb}/").status_code == 404
    offered = reseller.get(f"/bo/payments/new/?options=agreement&company={bought.agreement.company_id}").json()
    assert offered["options"] == []
