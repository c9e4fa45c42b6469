"""Fee rules and price lists by country in scenario files; and a file that is applied beside somebody who buys a pack."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.records.conftest import EUR, NOW, START, Books
from tests.records.test_purchases import PACK, PRICE, deposit, limit, priced, unit_pack

from relais.records.errors import Invalid

PRICING = """
services:
  - {name: World, company: Hornes and Hooves, type: pay_as_you_go, currency: EUR}
fee_rules:
  - {company: Telecom Monsters, channel: sms, sender_id: Monsters, every: monthly, sender_id_type: alphanumeric, mno: BT,
     effective_from: 2025-06-01, start_day: 1, days_beforehand: 1}
  - {company: Telecom Monsters, channel: sms, sender_id: Monsters, every: weekly, sender_id_type: alphanumeric, mno: "",
     effective_from: 2025-06-01, max_retries: 3}
country_prices:
  - {company: Hornes and Hooves, service: World, cost_company: System owner, cost_service: SMS wholesale, profit: "25.00",
     by_hand: {FR: "0.09"}}
"""


@pytest.fixture
def apply(tmp_path: Path) -> Callable[[str], Any]:
    def apply_text(text: str) -> Any:
        from relais.records.apply import apply_file

        file = tmp_path / "part.yaml"
        file.write_text(text, encoding="utf-8")
        return apply_file(file, NOW)

    return apply_text


def test_SID_17_WC_9_fee_rules_and_country_prices_stand_in_a_file(spain: str, apply: Callable[[str], Any]) -> None:
    """Applied twice it changes nothing; what a page changed is put right; a fault changes nothing."""
    from relais.records.catalog.actions.price_countries import lines_of
    from relais.records.catalog.models import CountryPrices
    from relais.records.senders.models import FeeRule

    summary = str(apply(PRICING))
    assert "fee_rules: 2 created" in summary and "country_prices: 1 created" in summary
    rule = FeeRule.objects.get(mno="BT")
    assert (rule.start_day, rule.days_beforehand, rule.effective_from) == (1, 1, date(2025, 6, 1))
    prices = CountryPrices.objects.get()
    sold = {line.iso: (line.sale_micros, line.by_hand) for line in lines_of(prices, NOW)}
    assert sold == {"ES": (37_500, False), "FR": (90_000, True)}
    assert "unchanged" in str(apply(PRICING)).splitlines()

    changed = PRICING.replace("days_beforehand: 1", "days_beforehand: 5").replace('FR: "0.09"', 'FR: "0.08"')
    summary = str(apply(changed.replace('profit: "25.00"', 'profit: "-10.00"')))
    assert "fee_rules: 1 changed, 1 unchanged" in summary and "country_prices: 1 changed" in summary
    sold = {line.iso: (line.sale_micros, line.by_hand) for line in lines_of(prices, NOW)}
    assert sold == {"ES": (27_000, False), "FR": (80_000, True)}
    before = list(FeeRule.objects.order_by("pk").values()), list(CountryPrices.objects.values())
    for wrong, reason in (
        ('profit: "-100.00"', "a percentage from -99.99"),
        ('profit: "25.00", by_hand: {XX: "1"}', "there is no such country"),
        ("by_hand: {FR: 0.08}", "an amount is written as a text"),
    ):
        with pytest.raises(Invalid, match=reason):
            apply(changed.replace('profit: "25.00",\n     by_hand: {FR: "0.08"}', wrong))
    with pytest.raises(Invalid, match="overlaps with another rule"):
        apply(PRICING.replace("effective_from: 2025-06-01, start_day", "effective_from: 2025-07-01, start_day"))
    assert before == (list(FeeRule.objects.order_by("pk").values()), list(CountryPrices.objects.values()))


def test_a_file_a_payment_and_a_purchase_of_one_agreement_wait_for_each_other_in_one_order(
    books: Books, apply: Callable[[str], Any]
) -> None:
    """Whoever buys a pack has locked service and agreement, and goes on to the balance. A payment has the balance, and names the
    agreement; a file brings a payment, and buys the same pack. Each of the two would wait for the other for ever."""
    from django.db import connection, transaction

    from relais.records.agreements.posting import lock_agreement
    from relais.records.billing.actions.register_payment import register_payment
    from relais.records.billing.models import Payment
    from relais.records.catalog.actions.enable_service import enable_pack
    from relais.records.catalog.models import EnabledService, Service
    from relais.records.saving import find

    limit(books, 0)
    deposit(books, 50 * EUR)
    pack = unit_pack(books)
    priced(books, pack)
    dsn = connection.get_connection_params()
    locked, paid = threading.Event(), threading.Event()

    def buys() -> None:
        try:
            with transaction.atomic():
                find(Service, pack.pk)
                lock_agreement(books.agreement.pk)
                locked.set()
                assert paid.wait(20), "the payment waits for the agreement"
                until_somebody_waits(dsn)
                enabled = EnabledService(agreement=books.agreement, service=pack, effective_from=START, charged=True)
                enable_pack(enabled, NOW)
        finally:
            connection.close()

    def pays_and_applies() -> None:
        try:
            assert locked.wait(20)
            register_payment(
                Payment(agreement=books.agreement, payment_date=date(2025, 6, 1), reference_code="P-1", confirmed=True,
                        payment_amount_micros=EUR, payment_currency="EUR", replenishment_amount_micros=EUR),
                NOW,
            )  # fmt: skip
            paid.set()
            apply(
                "payments:\n  - {agreement: C-1, payment_date: 2025-06-02, reference_code: P-2, payment_amount: '1.00',"
                " payment_confirmed: true}\nenabled_services:\n  - {agreement: C-1, service: Pack,"
                " effective_from: '2025-06-02T00:00:00Z', billing: charge}\n"
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as people:
        for done in [people.submit(buys), people.submit(pays_and_applies)]:
            done.result(60)
    assert EnabledService.objects.filter(service=pack, charged_at__isnull=False).count() == 2
    assert sorted(kind for kind, _ in books.ledger()) == [1, 1, 1, PACK, PACK]
    assert books.balance_micros() == 52 * EUR - 2 * PRICE


def until_somebody_waits(parameters: dict[str, Any]) -> None:
    """Until a session of the database waits for a lock of another."""
    names = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(
        **{name: parameters[name] for name in names if name in parameters}, autocommit=True
    ) as session:
        end = datetime.now(UTC).timestamp() + 20
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        while not session.execute(waiting).fetchone()[0]:  # type: ignore[index]  # a count has a row
            assert datetime.now(UTC).timestamp() < end, "nobody waits"
