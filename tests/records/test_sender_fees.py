"""Fees of sender IDs: taken once, whoever asks and however often; a fee that cannot be taken says why and is tried again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.core.rating.rating_samples import EXAMPLE_1, rows_of

EUR = 1_000_000
NOW = datetime(2025, 6, 10, 12, 0, tzinfo=UTC)
FEES = {key: shape for key, shape in EXAMPLE_1.items() if "fee" in key[1]}


@pytest.fixture
def sender(spain: str) -> Any:
    """Monsters of Telecom Monsters, whose service has the fees of Example 1."""
    from relais.records.catalog.actions.replace_rate_tree import replace_rate_tree
    from relais.records.catalog.models import EnabledService, RateNode
    from relais.records.catalog.pricing import current_scope
    from relais.records.catalog.rows import node_rows
    from relais.records.senders.models import SenderId

    found = SenderId.objects.get(sender_id="Monsters", company__name="Telecom Monsters")
    enabled = EnabledService.objects.filter(agreement=found.agreement, service__type="pay_as_you_go").first()
    assert enabled is not None
    scope = current_scope(enabled.service_id, NOW)
    assert scope is not None
    kept = [
        row for row in node_rows(RateNode.objects.filter(scope=scope, retired_at=None)) if "fee" not in row.resource
    ]
    replace_rate_tree(scope.pk, kept + rows_of(FEES, first_id=max(row.id for row in kept) + 1), NOW)
    return found


def balance(sender: Any) -> int:
    from relais.records.agreements.models import Balance, LedgerEntry, LedgerKind
    from relais.records.senders.models import SenderFee

    told = Balance.objects.get(pk=sender.agreement_id).balance_micros
    entries = LedgerEntry.objects.filter(agreement_id=sender.agreement_id).values_list("amount_micros", flat=True)
    assert told == sum(entries), "the balance is the sum of its ledger"
    taken = SenderFee.objects.filter(agreement_id=sender.agreement_id, charged_at__isnull=False)
    fees = sum(net + tax for net, tax in taken.values_list("net_micros", "tax_micros"))
    posted = LedgerEntry.objects.filter(agreement_id=sender.agreement_id, kind=LedgerKind.FEE)
    assert fees == -sum(posted.values_list("amount_micros", flat=True)), "each fee stands there once"
    return int(told)


def rule_of(sender: Any, **changes: Any) -> Any:
    from relais.records.senders.actions.fees import save_fee_rule
    from relais.records.senders.models import FeeRule

    values = {"effective_from": date(2025, 6, 1), "every": "monthly", "start_day": 1, "days_beforehand": 1,
              "mno": "Vodafone Spain"} | changes  # fmt: skip
    return save_fee_rule(FeeRule(sender=sender, **values))


def due(now: datetime) -> int:
    from relais.records.senders.actions.fees import charge_due_fees

    return charge_due_fees(now)


def test_SID_12_SID_13_SID_240_the_setup_fee_is_taken_on_demand_and_again_only_when_told(sender: Any) -> None:
    """SID-16, SV-74: a rate alone charges nothing. SV-275: without a rate nothing is booked. SID-248: by operator."""
    from relais.records.errors import Invalid
    from relais.records.senders.actions.fees import charge_setup_fee
    from relais.records.senders.models import SenderFee

    before = balance(sender)
    for mno in ("", "Vodafone Spain"):
        with pytest.raises(Invalid, match="Rate not found"):
            charge_setup_fee(sender.pk, "alphanumeric", mno, NOW)
    assert (balance(sender), SenderFee.objects.count()) == (before, 0)
    fee = charge_setup_fee(sender.pk, "alphanumeric", "DIGI mobil", NOW)
    taken = 50 * EUR + fee.tax_micros
    assert (fee.net_micros, balance(sender)) == (50 * EUR, before - taken)
    with pytest.raises(Invalid, match="charged already"):
        charge_setup_fee(sender.pk, "alphanumeric", "DIGI mobil", NOW)
    assert balance(sender) == before - taken
    charge_setup_fee(sender.pk, "alphanumeric", "DIGI mobil", NOW, known_count=1)
    assert balance(sender) == before - 2 * taken


def test_SID_249_a_channel_without_such_a_resource_has_no_fee_and_charges_nothing(sender: Any) -> None:
    from relais.records.errors import Invalid
    from relais.records.senders.actions.fees import charge_setup_fee, has_setup_fee, usage_rate
    from relais.records.senders.models import FeeRule, SenderFee, SenderId

    other = SenderId.objects.create(
        company=sender.company, agreement=sender.agreement, channel="rcs", sender_id="Agent", name="Agent"
    )
    before = balance(sender)
    with pytest.raises(Invalid) as told:
        charge_setup_fee(other.pk, "alphanumeric", "", NOW)
    assert told.value.reasons == {"": ("Rate not found",)}
    rule = FeeRule(sender=other, effective_from=date(2025, 6, 1))
    assert usage_rate(rule, NOW) is None and not has_setup_fee(other, NOW) and has_setup_fee(sender, NOW)
    assert balance(sender) == before and not SenderFee.objects.exists()


def test_SID_28_SID_243_each_period_is_taken_once_by_however_many_workers(sender: Any) -> None:
    """SID-21: the fee for July is taken on 30 June."""
    from django.db import connection

    from relais.records.senders.models import SenderFee

    before, rule = balance(sender), rule_of(sender)

    def work(_: int) -> int:
        try:
            return due(NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        assert sum(workers.map(work, range(4))) == 1
    fee = SenderFee.objects.get(rule=rule)
    assert (fee.net_micros, fee.tries, balance(sender)) == (10 * EUR, 1, before - 10 * EUR - fee.tax_micros)
    zone_midnight = datetime(2025, 6, 29, 20, 0, tzinfo=UTC)
    assert due(zone_midnight) == 0
    assert [due(datetime(2025, 6, 30, 12, 0, tzinfo=UTC)), due(datetime(2025, 7, 20, tzinfo=UTC))] == [1, 0]
    assert due(datetime(2025, 10, 10, tzinfo=UTC)) == 3, "what a worker that was away has missed"
    assert SenderFee.objects.filter(rule=rule).count() == 5


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_SID_243_a_period_that_was_paid_stays_paid_when_the_days_begin_elsewhere(sender: Any, zone: str) -> None:
    from relais.records.agreements.models import AgreementVersion
    from relais.records.senders.models import SenderFee

    rule_of(sender, every="weekly")
    assert due(NOW) == 3, "the weeks of 26 May, 2 and 9 June"
    paid = balance(sender)
    AgreementVersion.objects.filter(agreement_id=sender.agreement_id).update(billing_timezone=zone)
    assert (due(NOW), balance(sender), SenderFee.objects.count()) == (0, paid, 3)
    assert due(NOW + timedelta(days=7)) == 1, "the week of 16 June"


def test_SID_22_SID_23_SID_244_a_fee_that_cannot_be_taken_is_tried_every_hour_and_then_given_up(sender: Any) -> None:
    from relais.records.agreements.models import AgreementVersion
    from relais.records.billing.uncharged import tell_uncharged
    from relais.records.senders.models import SenderFee

    AgreementVersion.objects.filter(agreement_id=sender.agreement_id).update(credit_limit_micros=0)
    from relais.records.agreements.models import LedgerKind
    from relais.records.agreements.posting import post

    post(sender.agreement_id, LedgerKind.CORRECTION, -balance(sender), NOW)
    rule = rule_of(sender, max_retries=3)
    for minutes, tries in ((0, 1), (30, 1), (60, 2), (120, 3), (180, 4), (240, 4), (600, 4)):
        assert due(NOW + timedelta(minutes=minutes)) == 0
        fee = SenderFee.objects.get(rule=rule)
        assert (fee.tries, fee.charged_at) == (tries, None) and "only" in fee.reason, minutes
    assert balance(sender) == 0
    last_try = NOW + timedelta(minutes=180)
    assert tell_uncharged(last_try) == 0, "the version has no address"
    AgreementVersion.objects.filter(agreement_id=sender.agreement_id).update(account_emails="cfo@client.example")
    assert [tell_uncharged(last_try), tell_uncharged(last_try), tell_uncharged(last_try + timedelta(hours=25))] == [
        1,
        0,
        0,
    ]
    other = rule_of(sender, mno="DIGI mobil")
    post(sender.agreement_id, LedgerKind.CORRECTION, 1_000 * EUR, NOW)
    assert due(NOW + timedelta(minutes=700)) == 1, "a fee that was given up is not taken by itself"
    assert SenderFee.objects.get(rule=other).net_micros == 15 * EUR


def test_SID_245_blocked_and_deleted_pay_nothing_and_SID_242_rules_do_not_overlap(sender: Any) -> None:
    """A rule that was used can be ended, and neither changed nor removed."""
    from relais.records.errors import Invalid
    from relais.records.senders.actions.fees import delete_fee_rule, save_fee_rule, usage_rate
    from relais.records.senders.models import FeeRule, SenderId

    rule = rule_of(sender)
    assert usage_rate(rule, NOW) is not None and usage_rate(rule_of(sender, mno="Nobody"), NOW) is None
    for status in ("blocked", "draft"):
        SenderId.objects.filter(pk=sender.pk).update(status=status)
        assert due(NOW) == 0
    SenderId.objects.filter(pk=sender.pk).update(status="active")
    with pytest.raises(Invalid, match="overlaps"):
        rule_of(sender, effective_from=date(2030, 1, 1))
    assert due(NOW) == 1
    rule.refresh_from_db()
    rule.start_day = 9
    with pytest.raises(Invalid, match="End it and add another"):
        save_fee_rule(rule)
    with pytest.raises(Invalid, match="fees were taken"):
        delete_fee_rule(rule.pk)
    rule.refresh_from_db()
    rule.effective_till = date(2025, 6, 30)
    save_fee_rule(rule)
    assert due(datetime(2026, 1, 1, tzinfo=UTC)) == 0
    assert rule_of(sender, effective_from=date(2025, 7, 1)).pk
    unused = FeeRule.objects.get(mno="Nobody")
    delete_fee_rule(unused.pk)
    assert not FeeRule.objects.filter(pk=unused.pk).exists()
