"""What each step of a payment's life does to the balance and to the ledger."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.records.conftest import EUR, NOW, Books

IN_TIME = date(2025, 6, 20)
BEFORE_MIDNIGHT = datetime(2025, 6, 19, 21, 59, 59, tzinfo=UTC)  # Madrid is two hours ahead in June
MIDNIGHT = datetime(2025, 6, 19, 22, 0, tzinfo=UTC)


def registered(books: Books, now: datetime = NOW, **fields: Any) -> Any:
    from relais.records.billing.actions.register_payment import register_payment
    from relais.records.billing.models import Payment

    defaults = {
        "agreement": books.agreement,
        "payment_date": date(2025, 6, 14),
        "reference_code": "R-1",
        "payment_amount_micros": 100 * EUR,
        "payment_currency": "EUR",
        "replenishment_amount_micros": 98 * EUR,
        "confirmed": True,
    }
    return register_payment(Payment(**(defaults | fields)), now)


def refused(books: Books, field: str, **fields: Any) -> str:
    """The reason; nothing was booked."""
    from relais.records.errors import Invalid

    before = books.ledger()
    with pytest.raises(Invalid) as refusal:
        registered(books, **fields)
    assert books.ledger() == before
    assert list(refusal.value.reasons) == [field]
    return refusal.value.reasons[field][0]


def test_PAY_20_PAY_32_a_confirmed_payment_raises_the_balance_by_its_replenishment_amount(books: Books) -> None:
    assert registered(books).counted
    assert books.balance_micros() == 98 * EUR
    assert books.ledger() == [(1, 98 * EUR)]


def test_PAY_28_an_outbound_payment_lowers_the_balance(books: Books) -> None:
    registered(books, direction="outbound")
    assert books.ledger() == [(1, -98 * EUR)]


def test_PAY_12_an_unconfirmed_payment_counts_from_its_creation_and_its_confirmation_books_nothing(
    books: Books,
) -> None:
    from relais.records.billing.actions.confirm_payment import confirm_payment

    payment = registered(books, confirmed=False, confirm_before=IN_TIME)
    assert books.ledger() == [(1, 98 * EUR)]
    for _ in range(2):
        confirmed = confirm_payment(payment.pk, NOW)
        assert (confirmed.confirmed, confirmed.confirm_before) == (True, None)
    assert books.ledger() == [(1, 98 * EUR)]


def test_PAY_17_PAY_60_it_lapses_at_the_midnight_that_begins_the_deadline_in_the_billing_zone(books: Books) -> None:
    from relais.records.billing.actions.lapse_payments import lapse_payments

    registered(books, confirmed=False, confirm_before=IN_TIME)
    assert lapse_payments(BEFORE_MIDNIGHT) == 0
    assert books.balance_micros() == 98 * EUR
    assert lapse_payments(MIDNIGHT) == 1
    assert lapse_payments(MIDNIGHT) == 0
    assert books.ledger() == [(1, 98 * EUR), (2, -98 * EUR)]


def test_PAY_15_PAY_55_a_lapsed_payment_counts_again_when_it_is_confirmed(books: Books) -> None:
    from relais.records.billing.actions.confirm_payment import confirm_payment
    from relais.records.billing.actions.lapse_payments import lapse_payments

    payment = registered(books, confirmed=False, confirm_before=IN_TIME)
    lapse_payments(MIDNIGHT)
    assert confirm_payment(payment.pk, MIDNIGHT).counted
    assert books.ledger() == [(1, 98 * EUR), (2, -98 * EUR), (1, 98 * EUR)]


def test_PAY_22_a_lapsed_payment_with_a_later_deadline_counts_again(books: Books) -> None:
    from relais.records.billing.actions.lapse_payments import lapse_payments
    from relais.records.billing.actions.move_deadline import move_deadline

    payment = registered(books, confirmed=False, confirm_before=IN_TIME)
    lapse_payments(MIDNIGHT)
    assert not move_deadline(payment.pk, date(2025, 7, 1), MIDNIGHT).confirmed
    assert books.balance_micros() == 98 * EUR


def test_PAY_56_a_withdrawn_confirmation_leaves_the_payment_counting_until_its_deadline(books: Books) -> None:
    from relais.records.billing.actions.lapse_payments import lapse_payments
    from relais.records.billing.actions.withdraw_confirmation import withdraw_confirmation
    from relais.records.errors import Invalid

    payment = registered(books)
    with pytest.raises(Invalid, match="later than today"):
        withdraw_confirmation(payment.pk, NOW.date(), NOW)
    withdraw_confirmation(payment.pk, IN_TIME, NOW)
    assert books.ledger() == [(1, 98 * EUR)]
    with pytest.raises(Invalid, match="not confirmed"):
        withdraw_confirmation(payment.pk, IN_TIME, NOW)
    assert lapse_payments(MIDNIGHT) == 1
    assert books.balance_micros() == 0


def test_PAY_58_deleting_takes_a_counting_payment_out_and_leaves_the_balance_for_a_lapsed_one(books: Books) -> None:
    from relais.records.billing.actions.delete_payment import delete_payment
    from relais.records.billing.actions.lapse_payments import lapse_payments

    counting = registered(books)
    lapsed = registered(books, reference_code="R-2", confirmed=False, confirm_before=IN_TIME)
    lapse_payments(MIDNIGHT)
    delete_payment(lapsed.pk, MIDNIGHT)
    assert books.balance_micros() == 98 * EUR
    delete_payment(counting.pk, MIDNIGHT)
    assert books.ledger() == [(1, 98 * EUR), (1, 98 * EUR), (2, -98 * EUR), (2, -98 * EUR)]


def test_PAY_11_PAY_67_an_unconfirmed_payment_needs_a_deadline_later_than_today(books: Books) -> None:
    assert "is required" in refused(books, "confirm_before", confirmed=False)
    assert "later than today" in refused(books, "confirm_before", confirmed=False, confirm_before=NOW.date())


def test_PAY_64_a_repeated_reference_code_has_to_be_intended(books: Books) -> None:
    from relais.records.billing.actions.register_payment import register_payment
    from relais.records.billing.models import Payment

    first = registered(books)
    assert "another payment" in refused(books, "reference_code")
    copy = Payment.objects.get(pk=first.pk)
    copy.pk = None
    copy._state.adding = True
    register_payment(copy, NOW, duplicate_intended=True)
    assert books.balance_micros() == 2 * 98 * EUR


def test_PAY_61_amounts_are_positive_and_have_the_decimals_of_their_currency(books: Books) -> None:
    assert "more decimals than EUR" in refused(books, "replenishment_amount_micros", replenishment_amount_micros=1_001)
    assert "more decimals than JPY" in refused(
        books, "payment_amount_micros", payment_currency="JPY", payment_amount_micros=EUR // 2
    )
    assert "must be more than 0" in refused(books, "payment_amount_micros", payment_amount_micros=0)


def test_PAY_70_a_confirmed_payment_cannot_be_of_a_day_to_come(books: Books) -> None:
    assert "future" in refused(books, "payment_date", payment_date=date(2025, 6, 16))
    assert registered(books, payment_date=date(2025, 6, 16), confirmed=False, confirm_before=IN_TIME).counted


def test_PAY_59_PAY_63_the_balance_is_what_was_credited_less_what_was_paid_out_and_captured(books: Books) -> None:
    """To the micro-unit; a lapsed payment is no part of it, what is reserved stands beside it, and no rate is kept. GEN-17."""
    from relais.records.agreements.models import Balance, LedgerKind
    from relais.records.agreements.posting import post
    from relais.records.billing.actions.lapse_payments import lapse_payments
    from relais.records.billing.models import Payment

    Balance.objects.filter(agreement=books.agreement).update(reserved_micros=7)
    for number, cents in enumerate((10, 20, 1)):  # in binary floating point 0.1 + 0.2 is not 0.3
        registered(books, reference_code=f"C-{number}", replenishment_amount_micros=cents * 10_000)
    assert books.balance_micros() == 310_000
    registered(books, reference_code="out", direction="outbound", replenishment_amount_micros=40 * EUR)
    registered(books, reference_code="late", confirmed=False, confirm_before=IN_TIME)
    lapse_payments(MIDNIGHT)
    post(books.agreement.pk, LedgerKind.MESSAGES_CAPTURED, -123_457, NOW, None, "")
    assert books.balance_micros() == 310_000 - 40 * EUR - 123_457
    assert sum(amount for _, amount in books.ledger()) == books.balance_micros()
    assert Balance.objects.get(agreement=books.agreement).reserved_micros == 7
    assert not [field.name for field in Payment._meta.concrete_fields if field.name.endswith("rate")]


def test_PAY_52_PAY_53_PAY_72_the_client_is_told_once_by_mail_that_a_payment_is_confirmed(
    books: Books, records: str
) -> None:
    """NTF-32: at the payment alert e-mails, else at the account e-mails, else nowhere; the confirmation stands in any case."""
    from tests.account.test_reset_by_mail import mail_server, text_of, work

    from relais.records.billing.actions.change_payment import change_payment
    from relais.records.billing.actions.confirm_payment import confirm_payment
    from relais.records.billing.actions.register_payment import register_automatic_payment
    from relais.records.billing.actions.withdraw_confirmation import withdraw_confirmation
    from relais.records.billing.models import Payment
    from relais.records.errors import Invalid

    def told(alerts: str, account: str) -> None:
        books.version.payment_alert_emails, books.version.account_emails = alerts, account
        books.version.save()

    told("", "")
    assert registered(books, reference_code="nobody").confirmed
    told("pay@client.example, cfo@client.example", "account@client.example")
    unconfirmed = registered(books, reference_code="by button", confirmed=False, confirm_before=IN_TIME)
    edited = registered(books, reference_code="by form", confirmed=False, confirm_before=IN_TIME)
    withdrawn = registered(books, reference_code="withdrawn")
    withdraw_confirmation(withdrawn.pk, IN_TIME, NOW)
    change_payment(edited.pk, NOW, confirmed=True)
    change_payment(edited.pk, NOW, description="said twice")
    for _ in range(2):
        confirm_payment(unconfirmed.pk, NOW)
    with pytest.raises(Invalid):
        registered(books, reference_code="by form")
    told("", "account@client.example")
    at_once = registered(books, reference_code="at once")
    top_up = Payment(agreement=books.agreement, payment_date=date(2025, 6, 14), reference_code="card", payment_currency="EUR",
                     payment_amount_micros=EUR)  # fmt: skip
    register_automatic_payment(top_up, NOW)
    assert at_once.confirmed and top_up.confirmed
    assert Payment.objects.filter(confirmed=True).count() == 5
    with mail_server() as sink:
        work(records)
        work(records)
    assert sorted((mail["To"], mail["Subject"]) for mail in sink.mails) == [
        ("account@client.example", "Payment at once is confirmed"),
        ("cfo@client.example", "Payment by button is confirmed"),
        ("cfo@client.example", "Payment by form is confirmed"),
        ("pay@client.example", "Payment by button is confirmed"),
        ("pay@client.example", "Payment by form is confirmed"),
    ]
    text = text_of(sink.mails[0])
    assert "100.00 EUR of 14.06.2025" in text and "98.00 EUR count on the balance of agreement C-1" in text
