"""Payments in their form: edits, automatic ones, warnings, repetition, and two people at once."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from tests.records.conftest import EUR, NOW, Books
from tests.records.test_parties import reasons_of
from tests.records.test_payments import BEFORE_MIDNIGHT, IN_TIME, MIDNIGHT, registered


def changed(payment: Any, now: Any = NOW, **columns: Any) -> Any:
    from relais.records.billing.actions.change_payment import change_payment

    return change_payment(payment.pk, now, **columns)


def test_PAY_69_an_edited_amount_is_posted_exactly_and_the_same_again_changes_nothing(books: Books) -> None:
    payment = registered(books)
    for _ in range(2):
        changed(payment, replenishment_amount_micros=97_990_000, description="corrected")
        assert books.ledger() == [(1, 98 * EUR), (2, -98 * EUR), (1, 97_990_000)]
    changed(payment, payment_amount_micros=99 * EUR)  # what was paid does not move the balance
    assert books.balance_micros() == 97_990_000


def test_PAY_69_the_amount_of_an_outbound_payment_is_corrected_with_its_sign(books: Books) -> None:
    payment = registered(books, direction="outbound")
    changed(payment, replenishment_amount_micros=10 * EUR)
    assert books.ledger() == [(1, -98 * EUR), (2, 98 * EUR), (1, -10 * EUR)]


def test_PAY_69_a_lapsed_payments_amount_waits_for_its_confirmation(books: Books) -> None:
    from relais.records.billing.actions.lapse_payments import lapse_payments

    payment = registered(books, confirmed=False, confirm_before=IN_TIME)
    lapse_payments(MIDNIGHT)
    changed(payment, MIDNIGHT, replenishment_amount_micros=5 * EUR)
    assert books.balance_micros() == 0
    changed(payment, MIDNIGHT, confirmed=True, replenishment_amount_micros=6 * EUR)
    assert books.ledger() == [(1, 98 * EUR), (2, -98 * EUR), (1, 6 * EUR)]


@pytest.mark.parametrize(
    "fixed", [{"direction": "outbound"}, {"payment_currency": "USD"}, {"agreement_id": 77}, {"automatic": True}]
)
def test_PAY_69_agreement_direction_and_currency_are_fixed(books: Books, fixed: dict[str, Any]) -> None:
    payment = registered(books)
    assert reasons_of(changed, payment, **fixed) == {next(iter(fixed)): ("is fixed once the payment exists",)}
    unchanged = {column: getattr(payment, column) for column in fixed}
    assert changed(payment, **unchanged).counted


def test_PAY_22_every_step_of_a_payments_life_is_reached_through_the_form(books: Books) -> None:
    from relais.records.billing.actions.lapse_payments import lapse_payments
    from relais.records.billing.counting import PaymentStatus, status_of

    payment = registered(books, confirmed=False, confirm_before=IN_TIME)
    assert status_of(payment, BEFORE_MIDNIGHT) == PaymentStatus.NOT_CONFIRMED
    assert status_of(payment, MIDNIGHT) == PaymentStatus.EXPIRED  # the balance follows when the job has run
    lapse_payments(MIDNIGHT)
    payment = changed(payment, MIDNIGHT, confirm_before=date(2025, 7, 1))
    assert (status_of(payment, MIDNIGHT), books.balance_micros()) == (PaymentStatus.NOT_CONFIRMED, 98 * EUR)
    payment = changed(payment, MIDNIGHT, confirmed=True)
    assert (status_of(payment, MIDNIGHT), payment.confirm_before) == (PaymentStatus.CONFIRMED, None)
    payment = changed(payment, MIDNIGHT, confirmed=False, confirm_before=date(2025, 7, 1))
    assert status_of(payment, MIDNIGHT) == PaymentStatus.NOT_CONFIRMED
    assert books.ledger() == [(1, 98 * EUR), (2, -98 * EUR), (1, 98 * EUR)]


def test_PAY_11_PAY_56_PAY_67_withdrawing_needs_a_deadline_later_than_today(books: Books) -> None:
    payment = registered(books)
    assert reasons_of(changed, payment, confirmed=False) == {
        "confirm_before": ("is required while the payment is not confirmed",)
    }
    assert reasons_of(changed, payment, confirmed=False, confirm_before=NOW.date()) == {
        "confirm_before": ("must be later than today",)
    }
    assert changed(payment, confirm_before=IN_TIME).confirm_before is None  # hidden while confirmed (PAY-39)
    assert books.ledger() == [(1, 98 * EUR)]


def test_PAY_70_the_date_of_a_confirmed_payment_cannot_be_moved_into_the_future(books: Books) -> None:
    payment = registered(books)
    tomorrow = NOW.date() + timedelta(days=1)
    assert list(reasons_of(changed, payment, payment_date=tomorrow)) == ["payment_date"]
    awaiting = registered(books, reference_code="R-2", confirmed=False, confirm_before=IN_TIME)
    assert changed(awaiting, payment_date=tomorrow).counted
    assert list(reasons_of(changed, awaiting, confirmed=True)) == ["payment_date"]
    assert changed(awaiting, payment_date=date(2001, 1, 1), confirmed=True).confirmed


def test_PAY_62_within_one_currency_the_credited_amount_follows_unless_it_is_given(books: Books) -> None:
    registered(books, replenishment_amount_micros=None)
    assert books.balance_micros() == 100 * EUR
    assert reasons_of(
        registered, books, reference_code="R-2", payment_currency="USD", replenishment_amount_micros=None
    ) == {"replenishment_amount_micros": ("is required: type the amount in EUR",)}


def test_PAY_33_PAY_35_PAY_36_a_payment_in_another_currency_has_a_rate_and_its_date(books: Books) -> None:
    from relais.records.billing.amounts import exchange_rate_micros

    payment = registered(books, payment_currency="USD", replenishment_amount_micros=90 * EUR)
    assert exchange_rate_micros(payment) == 1_111_100
    assert payment.exchange_rate_date == payment.payment_date
    assert changed(payment, replenishment_amount_micros=60 * EUR).exchange_rate_date == payment.payment_date
    payment.refresh_from_db()
    assert exchange_rate_micros(payment) == 1_666_700
    plain = registered(books, reference_code="R-2", exchange_rate_date=NOW.date())
    assert (exchange_rate_micros(plain), plain.exchange_rate_date) == (None, None)


def test_PAY_61_amounts_stay_payable_when_they_are_edited(books: Books) -> None:
    payment = registered(books)
    assert reasons_of(changed, payment, replenishment_amount_micros=-EUR, payment_amount_micros=1) == {
        "payment_amount_micros": ("has more decimals than EUR",),
        "replenishment_amount_micros": ("must be more than 0: the direction carries the sign",),
    }
    assert list(reasons_of(changed, payment, replenishment_amount_micros=10**19)) == ["replenishment_amount_micros"]


def test_PAY_64_a_reported_payment_is_booked_once_however_often_it_is_reported(books: Books) -> None:
    from relais.records.billing.actions.register_payment import register_automatic_payment
    from relais.records.billing.models import Payment

    def reported() -> Any:
        return register_automatic_payment(
            Payment(
                agreement=books.agreement,
                payment_date=NOW.date(),
                reference_code="tx-1 ",
                payment_amount_micros=10 * EUR,
                payment_currency="EUR",
                replenishment_amount_micros=10 * EUR,
            ),
            NOW,
        )

    first = reported()
    assert (first.confirmed, first.automatic) == (True, True)
    assert reported().pk == first.pk
    assert books.ledger() == [(1, 10 * EUR)]
    assert reasons_of(changed, first, replenishment_amount_micros=EUR) == {
        "replenishment_amount_micros": ("of an automatic payment cannot be changed",)
    }
    assert changed(first, description="card").description == "card"
    assert not changed(first, confirmed=False, confirm_before=IN_TIME).confirmed


def test_PAY_64_a_reference_code_typed_anew_has_to_be_intended(books: Books) -> None:
    registered(books)
    second = registered(books, reference_code="R-2")
    assert list(reasons_of(changed, second, reference_code=" R-1")) == ["reference_code"]
    assert changed(second, reference_code="R-1", duplicate_intended=True).reference_code == "R-1"


def test_PAY_68_a_warning_tells_what_the_balance_would_become(books: Books) -> None:
    from relais.records.agreements.models import Balance
    from relais.records.billing.counting import balance_after

    payment = registered(books)
    books.version.credit_limit_micros = 10 * EUR
    books.version.save()
    Balance.objects.filter(agreement=books.agreement).update(reserved_micros=20 * EUR)
    gone = balance_after(payment, NOW, counts=False)
    assert (gone.now_micros, gone.then_micros, gone.reserved_micros, gone.stops_traffic) == (
        98 * EUR,
        0,
        20 * EUR,
        True,
    )
    less = balance_after(payment, NOW, counts=True, amount_micros=50 * EUR)
    assert (less.then_micros, less.stops_traffic) == (50 * EUR, False)
    assert not balance_after(payment, NOW, counts=True, amount_micros=990 * EUR).stops_traffic
    books.version.credit_limit_micros = None
    books.version.save()
    assert not balance_after(payment, NOW, counts=False).stops_traffic


def test_GEN_73_a_payment_changed_meanwhile_is_neither_changed_confirmed_nor_deleted(books: Books) -> None:
    from relais.records.billing.actions.confirm_payment import confirm_payment
    from relais.records.billing.actions.delete_payment import delete_payment
    from relais.records.saving import Changed

    payment = registered(books)
    payment.refresh_from_db()
    seen = payment.updated_at
    changed(payment, description="first", unchanged_since=seen)
    for act in (confirm_payment, delete_payment):
        with pytest.raises(Changed):
            act(payment.pk, NOW, unchanged_since=seen)
    with pytest.raises(Changed):
        changed(payment, replenishment_amount_micros=EUR, unchanged_since=seen)
    assert books.balance_micros() == 98 * EUR


def at_once(*acts: Callable[[], Any]) -> list[str]:
    """Each in a session of its own, released together; the names of what they raised, sorted."""
    from django.db import connection

    gate, raised = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        try:
            gate.wait()
            act()
        except Exception as error:  # told to the test, which knows what to expect
            raised.append(type(error).__name__)
        finally:
            connection.close()

    sessions = [threading.Thread(target=run, args=(act,)) for act in acts]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join()
    return sorted(raised)


def test_PAY_55_PAY_58_whatever_two_people_do_at_once_the_ledger_explains_the_balance(books: Books) -> None:
    from relais.records.billing.actions.confirm_payment import confirm_payment
    from relais.records.billing.actions.delete_payment import delete_payment
    from relais.records.billing.actions.lapse_payments import lapse_payments
    from relais.records.billing.models import Payment

    expected_micros = 0
    for number in range(6):
        lapsed = registered(books, reference_code=f"L-{number}", confirmed=False, confirm_before=IN_TIME)
        lapse_payments(MIDNIGHT)
        confirms = partial(confirm_payment, lapsed.pk, MIDNIGHT)
        edits = partial(changed, lapsed, MIDNIGHT, replenishment_amount_micros=5 * EUR)
        pairs = ((confirms, confirms), (edits, edits), (edits, confirms))
        for pair in pairs:
            assert at_once(*pair) == []
        assert Payment.objects.get(pk=lapsed.pk).replenishment_amount_micros == 5 * EUR
        expected_micros += 5 * EUR
        books.ledger()
        assert books.balance_micros() == expected_micros
        if number % 2:
            assert at_once(*[partial(delete_payment, lapsed.pk, MIDNIGHT)] * 2) == ["Invalid"]
            expected_micros -= 5 * EUR
            books.ledger()
    assert books.balance_micros() == expected_micros


def test_PAY_64_two_callbacks_and_two_hands_at_once_book_once(books: Books) -> None:
    from relais.records.billing.actions.register_payment import register_automatic_payment
    from relais.records.billing.models import Payment

    def reported() -> Any:
        return register_automatic_payment(
            Payment(
                agreement=books.agreement,
                payment_date=NOW.date(),
                reference_code="tx-1",
                payment_amount_micros=10 * EUR,
                payment_currency="EUR",
                replenishment_amount_micros=10 * EUR,
            ),
            NOW,
        )

    assert at_once(reported, reported, reported) == []
    assert at_once(lambda: registered(books), lambda: registered(books)) == ["Invalid"]
    assert books.ledger() == [(1, 10 * EUR), (1, 98 * EUR)]


def test_PAY_60_a_deadline_that_passes_while_somebody_edits_is_counted_right(books: Books) -> None:
    from relais.records.billing.actions.lapse_payments import lapse_payments

    payment = registered(books, confirmed=False, confirm_before=IN_TIME)
    assert (
        at_once(
            lambda: lapse_payments(MIDNIGHT),
            lambda: changed(payment, MIDNIGHT, confirm_before=date(2025, 7, 1), replenishment_amount_micros=3 * EUR),
        )
        == []
    )
    books.ledger()
    assert books.balance_micros() == 3 * EUR
