"""Take the price of a pack from the balance, once, at its Effective from (ES-31, ES-79, ES-80)."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from relais.core.money import add_tax, format_micros
from relais.core.rating.types import Rate
from relais.records.agreements.models import Balance, LedgerKind
from relais.records.agreements.posting import lock_balances, post
from relais.records.agreements.terms import version_at
from relais.records.audit import audited
from relais.records.catalog.models import EnabledService
from relais.records.catalog.pricing import price_of_pack
from relais.records.errors import Invalid, Reason
from relais.records.people.models import Actor

TRIED_AGAIN_AFTER = timedelta(hours=1)
RATE_NOT_FOUND = Reason("Rate not found")


def charge_pack(enabled: EnabledService, now: datetime) -> None:
    """Charge a stored association that the caller has locked or just made. `Invalid` when there is no rate, or Available
    does not cover it; nothing is charged then. Inside a transaction only."""
    assert enabled.charged and enabled.charged_at is None
    lock_balances([enabled.agreement_id])
    rate = price_of_pack(enabled.service, enabled.agreement_id, now)
    if rate is None:
        raise Invalid.of("charged", RATE_NOT_FOUND)
    tax_micros = take_price(
        enabled.agreement_id,
        rate,
        LedgerKind.PACK,
        now,
        note=str(enabled.service),
        what=Reason("the pack"),
        of="charged",
    )
    enabled.charged_at, enabled.charge_tried_at, enabled.not_charged_reason = now, now, ""
    enabled.cost_node_id = rate.node_id
    enabled.cost_net_micros, enabled.cost_tax_micros = rate.price_micros, tax_micros
    enabled.save()


def take_price(
    agreement_id: int, rate: Rate, kind: LedgerKind, now: datetime, *, note: str, what: Reason, of: str
) -> int:
    """Takes what the rate says and its tax from the balance, which the caller has locked; the tax. `Invalid` for the field `of`
    when Available does not cover `what`."""
    version = version_at(agreement_id, now)
    tax_micros = add_tax(rate.price_micros, version.tax_bp if version else 0)
    gross_micros = rate.price_micros + tax_micros
    balance = Balance.objects.get(pk=agreement_id)
    if version is not None and version.credit_limit_micros is not None:
        available_micros = balance.balance_micros - balance.reserved_micros + version.credit_limit_micros
        if gross_micros > available_micros and gross_micros:
            raise Invalid.of(
                of,
                "%(what)s costs %(cost)s and only %(available)s is available",
                what=what,
                cost=format_micros(gross_micros, 2),
                available=format_micros(available_micros, 2),
            )
    if gross_micros:
        post(agreement_id, kind, -gross_micros, now, note=note[:200])
    return tax_micros


def charge_due_packs(now: datetime) -> int:
    """Number of packs charged whose time has come. One that cannot be is of no use until it can; it is tried every hour."""
    due = Q(charge_tried_at=None) | Q(charge_tried_at__lte=now - TRIED_AGAIN_AFTER)
    lasts = Q(effective_till=None) | Q(effective_till__gt=now)
    packs = EnabledService.objects.filter(due, lasts, charged=True, charged_at=None, effective_from__lte=now)
    ids = packs.filter(service__archived_at=None).order_by("pk").values_list("pk", flat=True)
    return sum(_charge(enabled_id, now) for enabled_id in ids)


@transaction.atomic
def _charge(enabled_id: int, now: datetime) -> bool:
    lock_balances(EnabledService.objects.filter(pk=enabled_id).values_list("agreement_id", flat=True))
    enabled = EnabledService.objects.select_for_update(of=("self",)).select_related("service").get(pk=enabled_id)
    if enabled.charged_at is not None:
        return False  # meanwhile, by another worker
    with audited("Charge Enabled pack", user=None, ip_address=None, actor=Actor.JOB):
        try:
            charge_pack(enabled, now)
        except Invalid as refusal:
            enabled.charge_tried_at = now
            enabled.not_charged_reason = refusal.reasons["charged"][0][:100]
            enabled.save(update_fields=["charge_tried_at", "not_charged_reason", "updated_at"])
            return False
    return True
