"""Agreements: on what terms the level serves its clients and resellers. Each is a balance of its own (AG).

The parties never change; terms are those of versions, which have a page of their own (`agreement_versions`).
"""

from typing import Any

from django import forms
from django.db.models import (
    Case,
    CharField,
    Count,
    DecimalField,
    F,
    FilteredRelation,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from relais.backoffice.agreement_parts import (
    DIRECTIONS,
    PERIODS,
    STATES,
    Balance,
    Currency,
    DayOfZone,
    Linked,
    NamedReference,
    available_micros,
    today_in,
)
from relais.backoffice.levels import default_among
from relais.backoffice.terms import EMAILS_HINT, INVOICING_KEYS, VERSION_KEYS, TermsForm, initial_of_new
from relais.backoffice.version_view import version_blocks
from relais.pages.choices import currency_choices
from relais.pages.entity import Block, Column, Entity, Filter, Menu, Section
from relais.pages.forms import DayField, ReferenceField
from relais.pages.kinds import MICROS, OPEN, Badge, Choice, Day, Id, Instant, Kind, Money
from relais.pages.viewer import MANAGE, Viewer
from relais.records.agreements.actions.create_agreement import create_agreement
from relais.records.agreements.models import Agreement, AgreementVersion, Direction
from relais.records.agreements.versions import VersionState, state_of
from relais.records.catalog.models import PACK_TYPES, EnabledService, ServiceType
from relais.records.parties.models import BankAccount, Company, LegalEntity

STATE_CHOICES = [(state, label) for state, (label, _) in STATES.items()]


def _legal_entities(viewer: Viewer, chosen: Any) -> Any:
    return viewer.rows(LegalEntity).filter(company=chosen["company"])


def _accounts_of(field: str) -> Any:
    return lambda viewer, chosen: viewer.rows(BankAccount).filter(legal_entity=chosen[field])


class NewAgreementForm(TermsForm):
    """The agreement and its first version in one form (AG-18 to AG-51)."""

    company = ReferenceField(lambda viewer, chosen: viewer.rows(Company, MANAGE), label="Company")
    direction = forms.ChoiceField(
        label="Direction",
        required=False,
        choices=[(Direction.CLIENT.value, Direction.CLIENT.label)],  # what can be made (AG-22)
        initial=Direction.CLIENT.value,
    )
    legal_entity = ReferenceField(
        _legal_entities, depends_on=("company",), preselects=default_among, label="Legal entity"
    )
    own_legal_entity = ReferenceField(
        lambda viewer, chosen: viewer.rows(LegalEntity).filter(company=viewer.company), label="Own legal entity"
    )
    bank_account = ReferenceField(
        _accounts_of("legal_entity"), depends_on=("legal_entity",), label="Bank account", required=False
    )
    own_bank_account = ReferenceField(
        _accounts_of("own_legal_entity"), depends_on=("own_legal_entity",), label="Own bank account"
    )
    agreement_code = forms.CharField(label="Agreement code", max_length=100)
    agreement_date = DayField(label="Agreement date")
    currency = forms.ChoiceField(label="Currency", choices=currency_choices)

    field_order = ("company", "direction", "legal_entity", "own_legal_entity", "bank_account", "own_bank_account",
                   "agreement_code", "agreement_date", "currency")  # fmt: skip

    class Meta:
        model = Agreement
        fields = ("company", "direction", "legal_entity", "own_legal_entity", "bank_account", "own_bank_account",
                  "agreement_code", "agreement_date", "currency")  # fmt: skip

    def __init__(self, viewer: Viewer, *args: Any, initial: Any = None, **options: Any) -> None:
        own = viewer.rows(LegalEntity).filter(company=viewer.company).order_by("-is_default", "pk").first()
        known = initial_of_new(viewer.zone.key) | {"agreement_date": today_in(viewer.zone, viewer.now)}
        known |= {"own_legal_entity": own.pk} if own else {}
        super().__init__(viewer, *args, initial=known | dict(initial or {}), **options)

    def clean_direction(self) -> str:
        return self.cleaned_data["direction"] or Direction.CLIENT.value

    def store(self) -> Agreement:
        return create_agreement(self.instance, AgreementVersion(**self.terms()))


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With the version in force, else the next, else the last one (AG-77), and how many services and packs there are."""
    now = timezone.now()
    versions = AgreementVersion.objects.filter(agreement=OuterRef("pk"))
    current = versions.filter(Q(effective_till=None) | Q(effective_till__gt=now)).order_by("effective_from")
    last = versions.order_by("-effective_from")
    shown_id = Coalesce(Subquery(current.values("pk")[:1]), Subquery(last.values("pk")[:1]))
    state = Case(
        When(shown__effective_from__gt=now, then=Value("upcoming")),
        When(shown__effective_till__lte=now, then=Value("expired")),
        When(shown__effective_from__isnull=False, then=Value("active")),
        default=Value(""),
        output_field=CharField(),
    )
    return (
        rows.select_related(
            "company", "legal_entity", "own_legal_entity", "bank_account", "own_bank_account", "balance"
        )
        .annotate(shown=FilteredRelation("versions", condition=Q(versions__pk=shown_id)))
        .annotate(
            shown_version_id=F("shown__pk"),
            version_from=F("shown__effective_from"),
            version_from_zone=F("shown__effective_from_timezone"),
            version_till=F("shown__effective_till"),
            version_till_zone=F("shown__effective_till_timezone"),
            version_limit_micros=F("shown__credit_limit_micros"),
            version_zone=F("shown__billing_timezone"),
            version_period=F("shown__billing_period"),
            state=state,
            services_count=_enabled_count([ServiceType.PAY_AS_YOU_GO]),
            packs_count=_enabled_count(PACK_TYPES),
            balance_units=Cast(F("balance__balance_micros"), DecimalField(max_digits=24, decimal_places=6)) / MICROS,
        )
    )


def _enabled_count(types: list[ServiceType]) -> Coalesce:
    found = EnabledService.objects.filter(agreement=OuterRef("pk"), service__type__in=types).order_by()
    counted = found.values("agreement").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _blocks(agreement: Agreement, viewer: Viewer) -> list[Block]:
    """The strip of figures above the parties; the versions below them, with the one that was picked or is in force."""
    versions = list(agreement.versions.order_by("effective_from"))
    picked_id = getattr(agreement, "picked_version_id", None) or agreement.shown_version_id
    picked = next((version for version in versions if version.pk == picked_id), None)
    balance = agreement.balance
    limit_micros = agreement.version_limit_micros  # in force, whichever version is looked at
    shown_micros = picked.credit_limit_micros if picked else None
    manages = viewer.may("Agreements", MANAGE) and viewer.rows(Agreement, MANAGE).filter(pk=agreement.pk).exists()
    may_change = manages and picked is not None and state_of(picked, viewer.now) is not VersionState.EXPIRED
    money = Money("currency", none=OPEN)
    figures = {
        "balance": money.html(balance.balance_micros, agreement),
        "reserved": money.html(balance.reserved_micros, agreement),
        "limit": money.html(shown_micros, agreement) if shown_micros is not None else "unlimited",
        "available": money.html(
            available_micros(balance.balance_micros, balance.reserved_micros, limit_micros), agreement
        ),
        "version_id": picked.pk if picked and may_change else None,
    }
    blocks = [Block("backoffice/agreement_figures.html", figures, before=True)]
    blocks.append(
        Block(
            "backoffice/agreement_services.html",
            {"agreement": agreement, "count": agreement.services_count},
            place="head",
        )
    )
    return blocks + version_blocks(agreement, versions, picked, viewer, manages=manages)


PARTIES = ("company", "agreement_code", "direction", "legal_entity", "agreement_date", "currency", "own_legal_entity",
           "bank_account", "own_bank_account")  # fmt: skip

AGREEMENTS = Entity(
    name="agreements",
    model=Agreement,
    label="Agreement",
    plural="Agreements",
    line="Agreements",
    menu=Menu("Account management", 30),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("company", "Company", NamedReference("companies"), sort="company__name", phone="m1"),
        Column("legal_entity", "Legal entity", sort="legal_entity__name"),
        Column("own_legal_entity", "Own legal entity", sort="own_legal_entity__name", shown=False),
        Column("bank_account", "Bank account", sort="bank_account__name", shown=False),
        Column("own_bank_account", "Own bank account", sort="own_bank_account__name", shown=False),
        Column("agreement_code", "Agreement code", phone="m3"),
        Column("agreement_date", "Agreement date", Day(), shown=False),
        Column("direction", "Direction", Choice(DIRECTIONS), shown=False),
        Column("currency", "Currency", Currency(), shown=False),
        Column("state", "State", Badge(STATES), phone="m4"),
        Column("version_from", "Effective from", DayOfZone("version_from_zone")),
        Column("version_till", "Effective till", DayOfZone("version_till_zone")),
        Column("credit_limit_of_version", "Credit limit", Money("currency", none=OPEN), path="version_limit_micros"),
        Column("balance", "Balance", Balance("currency"), path="balance__balance_micros", phone="m2"),
        Column("version_zone", "Billing time zone", Kind(), shown=False),
        Column("version_period", "Billing period", Choice(PERIODS), shown=False),
        Column(
            "services",
            "Services",
            Linked("enabled-services", "services", "No enabled services"),
            path="services_count",
        ),
        Column("packs", "Packs", Linked("enabled-packs", "packs", "No packs enabled"), path="packs_count", shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("company", "Company", "reference", of=Company),
        Filter("legal_entity", "Legal entity", "reference", of=LegalEntity),
        Filter("agreement_code", "Agreement code"),
        Filter("state", "State", "choice", choices=STATE_CHOICES),
        Filter("direction", "Direction", "choice", choices=Direction.choices),
        Filter("currency", "Currency", "text"),
        Filter("balance", "Balance", "number", path="balance_units"),
        Filter("version_till", "Effective till", "day"),
        Filter("version_period", "Billing period", "choice", choices=list(PERIODS.items())),
        Filter("services", "Number of services", "number", path="services_count"),
        Filter("created_at", "Created", "day"),
    ),
    search=("company__name", "legal_entity__name", "agreement_code"),
    search_hint="Company, legal entity or code",
    sections=(
        Section("Parties", PARTIES),
        Section("Version", VERSION_KEYS),
        Section("Invoicing", INVOICING_KEYS),
        Section(
            "Emails",
            ("invoice_emails", "account_emails", "rate_change_emails", "service_emails", "payment_alert_emails"),
            hint=EMAILS_HINT,
        ),
    ),
    rows=_rows,
    form_of_new=NewAgreementForm,
    blocks=_blocks,
    empty="An agreement holds a client's prices, balance and invoices. Add the company, its legal entity and a bank account "
    "of your own legal entity first.",
)
