"""Fees of sender IDs: the setup fee on demand, usage fees by rules, each period once (SID-11 to SID-31, SID-240 to SID-249)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet

from relais.core.billing.fees import due_periods
from relais.core.billing.periods import BillingPeriod, BillingTerms, Period
from relais.core.clock import start_of_day
from relais.core.rating.types import Parameter, Rate, Resource
from relais.records.agreements.models import LedgerKind
from relais.records.agreements.posting import lock_balances
from relais.records.agreements.terms import version_at
from relais.records.audit import audited
from relais.records.catalog.actions.charge_pack import RATE_NOT_FOUND, take_price
from relais.records.catalog.pricing import has_rates, price_of_sender_fee
from relais.records.errors import WHOLE, Invalid, Reason
from relais.records.people.models import Actor, User
from relais.records.saving import find, prepare, require_fixed, require_unchanged, save
from relais.records.senders.models import FeeEvery, FeeKind, FeeRule, SenderChannel, SenderFee, SenderId, SenderStatus

_DAY = timedelta(days=1)
_PERIODS = {FeeEvery.MONTH: BillingPeriod.MONTHLY, FeeEvery.WEEK: BillingPeriod.WEEKLY}
WHAT_A_RULE_IS = ("sender", "every", "start_day", "sender_id_type", "mno", "effective_from")


def setup_rate(sender: SenderId, sender_id_type: str, mno: str, at: datetime) -> Rate | None:
    """None = rate not found, also of a sender ID without an agreement."""
    return _rate_of(sender, Resource.SENDER_ID_SETUP_FEE, _properties(sender_id_type, mno), at)


def has_setup_fee(sender: SenderId, at: datetime) -> bool:
    """SID-13: only after a service with that fee holds on its agreement is there something to take."""
    if sender.agreement_id is None or sender.channel != SenderChannel.SMS:
        return False
    return has_rates(sender.agreement_id, Resource.SENDER_ID_SETUP_FEE, at)


def usage_rate(rule: FeeRule, at: datetime) -> Rate | None:
    attributes = _properties(rule.sender_id_type, rule.mno) | {Parameter.PERIODICITY: str(rule.every)}
    return _rate_of(rule.sender, Resource.SENDER_ID_USAGE_FEE, attributes, at)


@transaction.atomic
def charge_setup_fee(
    sender_id: int, sender_id_type: str, mno: str, now: datetime, *, user: User | None = None, known_count: int = 0
) -> SenderFee:
    """Take it from the balance of the sender ID's agreement. `Invalid` without a rate or the money, and for one that was taken
    already for that operator more often than the person knows (SID-240); nothing is booked then."""
    agreement_id = SenderId.objects.filter(pk=sender_id).values_list("agreement_id", flat=True).first()
    if agreement_id is None:
        raise Invalid.of(WHOLE, "has no agreement to be charged to")
    lock_balances([agreement_id])
    sender = find(SenderId, sender_id)
    if setup_fees_taken(sender, mno).count() != known_count:
        raise Invalid.of(WHOLE, "was charged already for this operator")
    rate = setup_rate(sender, sender_id_type, mno, now)
    if rate is None:
        raise Invalid.of(WHOLE, RATE_NOT_FOUND)
    fee = SenderFee(
        agreement_id=agreement_id, sender=sender, kind=FeeKind.SETUP, sender_id_type=sender_id_type, mno=mno, user=user
    )
    _take(fee, rate, now)
    return fee


def setup_fees_taken(sender: SenderId, mno: str) -> QuerySet[SenderFee]:
    return SenderFee.objects.filter(sender=sender, kind=FeeKind.SETUP, mno=mno, charged_at__isnull=False)


@transaction.atomic
def save_fee_rule(rule: FeeRule, *, unchanged_since: datetime | None = None) -> FeeRule:
    """`Invalid` for a sender ID without an agreement, for a rule that overlaps with another of the same properties, and, once a
    fee was taken, for changing what was paid for (SID-242)."""
    former = prepare(rule, unchanged_since)
    sender = find(SenderId, rule.sender_id)
    if sender.agreement_id is None:
        raise Invalid.of("sender", "has no agreement to be charged to")
    rule.company_id = sender.company_id
    if former is not None and former.fees.filter(charged_at__isnull=False).exists():
        require_fixed(rule, former, WHAT_A_RULE_IS, "cannot be changed: fees were taken by it. End it and add another")
    same = FeeRule.objects.filter(
        sender=sender, every=rule.every, sender_id_type=rule.sender_id_type, mno=rule.mno
    ).exclude(pk=rule.pk)
    meeting = same.filter(Q(effective_till=None) | Q(effective_till__gte=rule.effective_from))
    if rule.effective_till is not None:
        meeting = meeting.filter(effective_from__lte=rule.effective_till)
    if meeting.exists():
        raise Invalid.of("effective_from", "overlaps with another rule of the same type, operator and period")
    save(rule)
    return rule


@transaction.atomic
def delete_fee_rule(rule_id: int, *, unchanged_since: datetime | None = None) -> None:
    """`Invalid` once a fee was taken by it: it can be ended then."""
    rule = find(FeeRule, rule_id)
    require_unchanged(rule, unchanged_since)
    if rule.fees.filter(charged_at__isnull=False).exists():
        raise Invalid.of(WHOLE, "cannot be deleted: fees were taken by it. End it instead")
    rule.fees.all().delete()
    rule.delete()


def charge_due_fees(now: datetime) -> int:
    """How many usage fees were taken: of each rule those of the periods whose day has come, in order. Blocked and deleted sender
    IDs pay nothing (SID-245)."""
    rules = FeeRule.objects.select_related("sender").filter(
        effective_from__lte=(now + 40 * _DAY).date(), sender__status=SenderStatus.ACTIVE, sender__deleted_at=None
    )
    known: dict[int, list[SenderFee]] = defaultdict(list)
    columns = ("rule_id", "period_start", "period_end", "charged_at", "tried_at", "tries")
    for fee in SenderFee.objects.filter(rule__in=rules).only(*columns).iterator():
        known[fee.rule_id].append(fee)
    return sum(
        _charge(rule.pk, period, now)
        for rule in rules.order_by("pk")
        for period in _periods_due(rule, now)
        if _open(rule, _fee_of(period, known[rule.pk]), now)
    )


def _periods_due(rule: FeeRule, now: datetime) -> list[Period]:
    """Under the billing zone that speaks now; none without one."""
    if rule.sender.agreement_id is None:
        return []
    version = version_at(rule.sender.agreement_id, now)
    if version is None:
        return []
    zone = ZoneInfo(version.billing_timezone)
    terms = BillingTerms(version.billing_timezone, _PERIODS[FeeEvery(rule.every)], rule.start_day)
    end = None if rule.effective_till is None else start_of_day(rule.effective_till + _DAY, zone)
    return list(due_periods(terms, rule.days_beforehand, start_of_day(rule.effective_from, zone), end, now))


def _fee_of(period: Period, fees: Iterable[SenderFee]) -> SenderFee | None:
    """The one for that period of the calendar, also where another version of the agreement had another zone then."""
    middle = period.start + (period.end - period.start) / 2
    return next((fee for fee in fees if fee.period_start <= middle < fee.period_end), None)


def _open(rule: FeeRule, fee: SenderFee | None, now: datetime) -> bool:
    """Whether it is to be tried now: not taken, its hours since the last try gone by, and tries left (SID-22, SID-23)."""
    if fee is None or fee.tried_at is None:
        return True
    waited = fee.tried_at + timedelta(hours=rule.retry_hours) <= now
    return fee.charged_at is None and waited and fee.tries <= rule.max_retries


@transaction.atomic
def _charge(rule_id: int, period: Period, now: datetime) -> bool:
    """The balance is locked first: whoever charges this agreement waits here, and finds the fee taken."""
    agreement_id = FeeRule.objects.values_list("sender__agreement_id", flat=True).get(pk=rule_id)
    lock_balances([agreement_id])
    rule = find(FeeRule, rule_id)
    known = _fee_of(period, rule.fees.all())
    if not _open(rule, known, now):
        return False  # meanwhile, by another worker
    with audited("Charge Sender ID usage fee", user=None, ip_address=None, actor=Actor.JOB):
        fee = known or SenderFee(
            agreement_id=agreement_id, sender=rule.sender, rule=rule, kind=FeeKind.USAGE,
            sender_id_type=rule.sender_id_type, mno=rule.mno, period_start=period.start, period_end=period.end,
        )  # fmt: skip
        rate = usage_rate(rule, now)
        try:
            if rate is None:
                raise Invalid.of(WHOLE, RATE_NOT_FOUND)
            _take(fee, rate, now)
        except Invalid as refusal:
            fee.tries, fee.tried_at, fee.reason = fee.tries + 1, now, str(refusal)[:200]
            fee.save()
            return False
    return True


def _take(fee: SenderFee, rate: Rate, now: datetime) -> None:
    what = f"Sender ID {fee.kind} fee: {fee.sender}"
    tax_micros = take_price(fee.agreement_id, rate, LedgerKind.FEE, now, note=what, what=Reason("the fee"), of=WHOLE)
    fee.tries, fee.tried_at, fee.charged_at, fee.reason = fee.tries + 1, now, now, ""
    fee.node_id, fee.net_micros, fee.tax_micros = rate.node_id, rate.price_micros, tax_micros
    fee.save()


def _rate_of(sender: SenderId, resource: Resource, attributes: dict[Parameter, str], at: datetime) -> Rate | None:
    """In the service domain of its channel, of which SMS alone has such fees (SID-249)."""
    if sender.agreement_id is None or sender.channel != SenderChannel.SMS:
        return None
    return price_of_sender_fee(sender.agreement_id, resource, attributes, at)


def _properties(sender_id_type: str, mno: str) -> dict[Parameter, str]:
    found = {Parameter.SENDER_ID_TYPE: sender_id_type}
    return found | {Parameter.MNO: mno} if mno else found
