"""Packs and bundles on an agreement: when their price is taken, and when they are of use."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.records.conftest import EUR, NOW, START, Books
from tests.records.test_services import enabled, service_of

from relais.core.rating.types import NodeRow

PACK, PRICE = 6, 10 * EUR
HOUR = timedelta(hours=1)
JULY = datetime(2025, 6, 30, 22, 0, tzinfo=UTC)  # midnight in Madrid
AUGUST = datetime(2025, 7, 31, 22, 0, tzinfo=UTC)
INCLUDED = [NodeRow(1, None, "sms_messaging", "sms_message", "included")]
MEMBERS = [NodeRow(1, None, "bundle_grouping", "bundle_member", "included")]


def priced(books: Books, *packs: Any, member: bool = False, **dates: Any) -> Any:
    """The price service of these packs, enabled."""
    rows = []
    for number, pack in enumerate(packs):
        place = {"domain": "service_purchase", "resource": pack.type}
        rows += [
            NodeRow(2 * number + 1, None, **place, price_type="depends_on", split_by="pack"),
            NodeRow(2 * number + 2, 2 * number + 1, **place, price_type="flat", value=str(pack.pk), price_micros=PRICE),
        ]
    if member:
        rows.append(NodeRow(99, None, "bundle_grouping", "bundle_member", "flat", price_micros=200_000))
    return enabled(books, service_of(books, "Prices", rows), **dates)


def unit_pack(books: Books, name: str = "Pack") -> Any:
    return service_of(books, name, INCLUDED, type="unit_pack", currency=None, size=1000)


def bought(books: Books, pack: Any, effective_from: datetime = START, **fields: Any) -> Any:
    from relais.records.catalog.actions.enable_service import enable_pack
    from relais.records.catalog.models import EnabledService

    record = EnabledService(
        agreement=books.agreement, service=pack, effective_from=effective_from, **({"charged": True} | fields)
    )
    return enable_pack(record, NOW)


def deposit(books: Books, micros: int) -> None:
    from relais.records.agreements.models import LedgerKind
    from relais.records.agreements.posting import post

    post(books.agreement.pk, LedgerKind.PAYMENT, micros, NOW)


def limit(books: Books, micros: int | None, tax_bp: int = 0) -> None:
    books.version.credit_limit_micros, books.version.tax_bp = micros, tax_bp
    books.version.save()


def test_SV_208_SV_209_ES_31_the_price_is_taken_once_and_with_tax(books: Books) -> None:
    """Also ES-79, SV-288: net and tax are kept beside the rate."""
    from relais.records.catalog.actions.charge_pack import charge_due_packs

    limit(books, 0, tax_bp=2100)
    deposit(books, 50 * EUR)
    pack = unit_pack(books)
    priced(books, pack)
    record = bought(books, pack)
    assert charge_due_packs(NOW + 2 * HOUR) == 0
    assert books.ledger() == [(1, 50 * EUR), (PACK, -12_100_000)]
    assert (record.cost_net_micros, record.cost_tax_micros, record.charged_at) == (PRICE, 2_100_000, NOW)
    assert record.cost_node.price_micros == PRICE


def test_SV_207_a_pack_free_of_charge_needs_no_price(books: Books) -> None:
    bought(books, unit_pack(books), charged=False)
    assert books.ledger() == []


def test_ES_80_a_pack_that_starts_now_is_refused_without_a_rate_or_the_money(books: Books) -> None:
    """Also SV-206, ES-36, ES-37: pack and price need a scope in force that is no draft. Nothing is kept of a refusal."""
    from relais.records.catalog.models import EnabledService, Scope
    from relais.records.errors import Invalid

    limit(books, 0)
    pack = unit_pack(books)
    with pytest.raises(Invalid, match="Rate not found"):
        bought(books, pack)
    price = priced(books, pack)
    for service in (pack, price.service):
        Scope.objects.filter(service=service).update(draft=True)
        with pytest.raises(Invalid, match="Rate not found"):
            bought(books, pack)
        Scope.objects.filter(service=service).update(draft=False)
    with pytest.raises(Invalid, match=r"costs 10\.00 and only 0\.00 is available"):
        bought(books, pack)
    deposit(books, PRICE - 1)
    with pytest.raises(Invalid, match="is available"):
        bought(books, pack)
    assert EnabledService.objects.filter(service=pack).count() == 0
    deposit(books, 1)
    bought(books, pack)
    assert books.balance_micros() == 0


def test_ES_80_a_pack_with_a_start_to_come_is_charged_when_it_comes_and_tried_every_hour(books: Books) -> None:
    """Also ES-2: it counts as bought, and is of no use before."""
    from relais.records.catalog.actions.charge_pack import charge_due_packs

    limit(books, 0)
    pack = unit_pack(books)
    record = bought(books, pack, NOW + HOUR)
    priced(books, pack)
    assert charge_due_packs(NOW) == 0
    assert charge_due_packs(NOW + HOUR) == 0
    record.refresh_from_db()
    assert record.charged_at is None
    assert record.not_charged_reason == "the pack costs 10.00 and only 0.00 is available"
    deposit(books, 30 * EUR)
    assert charge_due_packs(NOW + HOUR + timedelta(minutes=59)) == 0
    assert charge_due_packs(NOW + 2 * HOUR) == 1
    assert charge_due_packs(NOW + 4 * HOUR) == 0
    record.refresh_from_db()
    assert (record.charged_at, record.not_charged_reason) == (NOW + 2 * HOUR, "")
    assert books.ledger() == [(1, 30 * EUR), (PACK, -PRICE)]


def test_ES_84_a_bundle_pack_needs_its_initiator_its_prices_and_the_money(books: Books) -> None:
    """Also SV-236, SV-238, ES-70: it runs from now to the end of the billing period, in the zone of the agreement."""
    from relais.records.catalog.actions.enable_bundle import enable_bundle_pack, enable_initiator
    from relais.records.catalog.models import EnabledService
    from relais.records.errors import Invalid

    limit(books, 0)
    pack = service_of(books, "Bundle", MEMBERS, type="bundle_pack", currency=None, size=100)
    initiator = service_of(books, "Initiator", INCLUDED, type="bundle_initiator", currency=None)

    def buy(**fields: Any) -> Any:
        return enable_bundle_pack(EnabledService(agreement=books.agreement, service=pack, **fields), NOW)

    with pytest.raises(Invalid, match="needs a bundle initiator"):
        buy()
    for _ in range(2):  # ES-48: equal ones are accepted
        enable_initiator(EnabledService(agreement=books.agreement, service=initiator, effective_from=START), NOW)
    with pytest.raises(Invalid, match="needs a price of Bundle member"):
        buy()
    priced(books, pack, member=True)
    with pytest.raises(Invalid, match="is available"):
        buy()
    with pytest.raises(Invalid, match="is not a bundle initiator"):
        enable_initiator(EnabledService(agreement=books.agreement, service=pack, effective_from=START), NOW)
    assert EnabledService.objects.filter(service=pack).count() == 0
    deposit(books, 15 * EUR)
    record = buy()
    assert (record.effective_from, record.effective_till) == (NOW, JULY)
    assert record.effective_till_timezone == "Europe/Madrid"
    assert books.ledger() == [(1, 15 * EUR), (PACK, -PRICE)]


def test_ES_71_auto_extend_follows_on_and_what_cannot_be_paid_is_not_made(books: Books) -> None:
    from relais.records.catalog.actions.enable_bundle import (
        enable_bundle_pack,
        enable_initiator,
        extend_bundle_packs,
        set_auto_extend,
    )
    from relais.records.catalog.models import EnabledService

    limit(books, 0)
    deposit(books, 25 * EUR)
    pack = service_of(books, "Bundle", MEMBERS, type="bundle_pack", currency=None, size=100)
    initiator = service_of(books, "Initiator", INCLUDED, type="bundle_initiator", currency=None)
    enable_initiator(EnabledService(agreement=books.agreement, service=initiator, effective_from=START), NOW)
    priced(books, pack, member=True)
    first = enable_bundle_pack(EnabledService(agreement=books.agreement, service=pack), NOW)
    assert extend_bundle_packs(JULY) == 0  # it is off on creation
    set_auto_extend(first.pk, True)
    assert extend_bundle_packs(JULY - HOUR) == 0
    assert extend_bundle_packs(JULY) == 1
    assert extend_bundle_packs(JULY + HOUR) == 0
    assert extend_bundle_packs(AUGUST) == 0
    rows = list(EnabledService.objects.filter(service=pack).order_by("pk"))
    assert [(row.effective_from, row.effective_till, row.auto_extend) for row in rows] == [
        (NOW, JULY, False),
        (JULY, AUGUST, True),
    ]
    assert rows[1].not_charged_reason == "charged: the pack costs 10.00 and only 5.00 is available"
    deposit(books, 5 * EUR)
    assert extend_bundle_packs(AUGUST + timedelta(minutes=10)) == 0
    assert extend_bundle_packs(AUGUST + HOUR) == 1
    assert books.balance_micros() == 0


def test_ES_80_ES_84_who_pays_is_written_to_once_a_day_when_a_pack_cannot_be_charged(
    books: Books, records: str
) -> None:
    """Ruling 17: at the payment alert e-mails, else at the account e-mails; a pack that was paid meanwhile is told no more."""
    from tests.account.test_reset_by_mail import mail_server, text_of, work

    from relais.records.billing.uncharged import tell_uncharged
    from relais.records.catalog.actions.charge_pack import charge_due_packs

    limit(books, 0)
    pack = unit_pack(books)
    priced(books, pack)
    bought(books, pack, NOW + HOUR)
    later = NOW + HOUR
    assert (charge_due_packs(later), tell_uncharged(later)) == (0, 0), "nobody to be told"
    books.version.account_emails = "cfo@client.example"
    books.version.save()
    assert [tell_uncharged(later), tell_uncharged(later)] == [1, 0]
    books.version.payment_alert_emails = "pay@client.example, alert@client.example"
    books.version.save()
    for hours, expected in ((2, 0), (23, 0), (26, 1), (27, 0)):
        at = NOW + hours * HOUR
        assert (charge_due_packs(at), tell_uncharged(at)) == (0, expected), hours
    deposit(books, 30 * EUR)
    paid = NOW + 60 * HOUR
    assert (charge_due_packs(paid), tell_uncharged(paid)) == (1, 0)
    with mail_server() as sink:
        work(records)
    assert sorted(mail["To"] for mail in sink.mails) == [
        "alert@client.example", "cfo@client.example", "pay@client.example",
    ]  # fmt: skip
    assert {mail["Subject"] for mail in sink.mails} == {"Pack could not be charged"}
    text = text_of(sink.mails[0])
    assert "Reason: the pack costs 10.00 and only 0.00 is available." in text and "agreement C-1 with R." in text
