"""What the tab Finance of a company's page shows: agreements of one of its legal entities, their payments and services."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.safestring import SafeString

from relais.backoffice.agreement_parts import day_in
from relais.backoffice.entities.payments import DIRECTIONS, PAYMENTS, STATUSES
from relais.pages.kinds import Badge, Money
from relais.pages.viewer import MANAGE, Viewer
from relais.records.agreements.models import Agreement, AgreementVersion
from relais.records.billing.models import Payment
from relais.records.catalog.models import EnabledService
from relais.records.parties.models import Company, LegalEntity

# The lines of the permission group Finance (USR-27): whoever has none of them does not see the tab (CO-68).
FINANCE_LINES = ("Payments", "Invoices and charges", "Services", "Additional fees", "EDR Rerate")
OPERATIONS = {"invoices": "Invoices", "payments": "Payments"}
PAYMENTS_SHOWN_MAX = 25
SERVICES_SHOWN_MAX = 100
UNLIMITED = "Unlimited"
INDEFINITELY = "∞ (indefinitely)"


@dataclass(frozen=True, slots=True)
class Card:
    """One agreement (CO-37)."""

    agreement: Agreement
    balance: SafeString
    credit_limit: SafeString
    starts: str
    ends: str


@dataclass(frozen=True, slots=True)
class PaymentLine:
    payment: Payment
    direction: str
    amount: SafeString
    status: SafeString


def sees_finance(viewer: Viewer) -> bool:
    return any(viewer.may(line) for line in FINANCE_LINES)


def finance(company: Company, viewer: Viewer, entity_key: str, operation: str) -> dict[str, Any]:
    """What the tab's template shows. Without a valid `entity_key` it is the default legal entity, else the first by name."""
    entities = list(viewer.rows(LegalEntity).filter(company=company).order_by("-is_default", "name"))
    chosen = next((each for each in entities if str(each.pk) == entity_key), entities[0] if entities else None)
    operation = operation if operation in OPERATIONS else "invoices"
    context: dict[str, Any] = {
        "entities": entities,
        "chosen": chosen,
        "operation": operation,
        "operations": OPERATIONS,
        "may_see_payments": viewer.may("Payments"),
        "may_add_entity": viewer.may("Legal entities", MANAGE),
    }
    if chosen is None:
        return context
    agreements = viewer.rows(Agreement).filter(company=company, legal_entity=chosen)
    context |= {"cards": list(_cards(agreements, viewer.now)), "services": _services(agreements, viewer)}
    if operation == "payments" and context["may_see_payments"]:
        context["payments"] = list(_payments(agreements, viewer))
    return context


def _cards(agreements: QuerySet[Agreement], now: datetime) -> Iterable[Card]:
    """The limit is that of the version in force, or of the last one where none is."""
    versions = AgreementVersion.objects.filter(agreement=OuterRef("pk"))
    begun = versions.filter(effective_from__lte=now).order_by("-effective_from")
    running = begun.filter(Q(effective_till=None) | Q(effective_till__gt=now)).values("pk")[:1]
    last = versions.order_by("-effective_from").values("pk")[:1]
    first = versions.order_by("effective_from").values("pk")[:1]
    rows: Any = agreements.select_related("balance").annotate(
        running_id=Subquery(running), last_id=Subquery(last), first_id=Subquery(first)
    )
    rows = list(rows.order_by("-pk"))
    found = AgreementVersion.objects.in_bulk(
        {key for row in rows for key in (row.running_id, row.last_id, row.first_id) if key}
    )
    for row in rows:
        first_version, last_version = found.get(row.first_id), found.get(row.last_id)
        terms = found.get(row.running_id) or last_version
        yield Card(
            row,
            Money("currency").html(row.balance.balance_micros, row),
            Money("currency", none=UNLIMITED).html(terms.credit_limit_micros if terms else None, row),
            day_in(first_version.effective_from, first_version.effective_from_timezone) if first_version else "",
            day_in(last_version.effective_till, last_version.effective_till_timezone)
            if last_version and last_version.effective_till
            else INDEFINITELY,
        )


def _payments(agreements: QuerySet[Agreement], viewer: Viewer) -> Iterable[PaymentLine]:
    rows = PAYMENTS.queryset(viewer).filter(agreement__in=agreements.values("pk")).order_by("-pk")[:PAYMENTS_SHOWN_MAX]
    amount, badge = Money("payment_currency"), Badge(STATUSES)
    for row in rows:
        yield PaymentLine(
            row,
            DIRECTIONS[row.direction],
            amount.html(row.payment_amount_micros, row),
            badge.html(row.status, row),
        )


def _services(agreements: QuerySet[Agreement], viewer: Viewer) -> list[EnabledService]:
    rows = viewer.rows(EnabledService).filter(agreement__in=agreements.values("pk")).select_related("service")
    return list(rows.order_by("-effective_from", "-pk")[:SERVICES_SHOWN_MAX])
