"""Versions of agreements: the terms that change over time (AG-67). They are shown in the agreement's drawer; here they are
added, edited and deleted."""

from typing import Any, ClassVar

from django import forms
from django.db.models import Case, CharField, Q, QuerySet, Value, When
from django.utils import timezone

from relais.backoffice.agreement_parts import (
    DIRECTIONS,
    EMAILS,
    PERIODS,
    STATES,
    AgreementField,
    AgreementLink,
    BillingDay,
    Currency,
    EmailList,
    NamedReference,
    Tax,
    ZonedInstant,
)
from relais.backoffice.terms import EMAILS_HINT, INVOICING_KEYS, VERSION_KEYS, TermsForm, initial_of, initial_of_new
from relais.pages.entity import Action, Column, Entity, Filter, Section
from relais.pages.forms import MoneyField
from relais.pages.kinds import OPEN, Badge, Choice, Day, Flag, Id, Instant, Kind, Money, Number
from relais.pages.viewer import MANAGE, Viewer
from relais.records.agreements.actions.add_agreement_version import add_agreement_version
from relais.records.agreements.actions.change_agreement_version import change_agreement_version
from relais.records.agreements.actions.change_credit_limit import change_credit_limit
from relais.records.agreements.actions.delete_version import delete_version
from relais.records.agreements.models import Agreement, AgreementVersion
from relais.records.agreements.terms import shown_version
from relais.records.agreements.versions import VersionState, state_of

STATE_CHOICES = [(state, label) for state, (label, _) in STATES.items()]
PARTIES = ("company", "legal_entity", "own_legal_entity", "agreement", "agreement_date", "direction", "currency",
           "own_bank_account")  # fmt: skip


class VersionForm(TermsForm):
    """Of an expired version only the code is left open (AG-81)."""

    fixed: ClassVar[tuple[str, ...]] = PARTIES

    class Meta:
        model = AgreementVersion
        fields = ()

    def __init__(
        self, viewer: Viewer, *args: Any, instance: AgreementVersion, initial: Any = None, **options: Any
    ) -> None:
        if state_of(instance, viewer.now) is VersionState.EXPIRED:
            shown = [name for name in self.base_fields if name not in ("version_code", "billing_weekday")]
            self.fixed = (*PARTIES, *shown, "billing_weekday")  # of this form alone
        known = initial_of(instance) | dict(initial or {})
        super().__init__(viewer, *args, instance=instance, initial=known, **options)
        if "credit_limit" in self.fields:
            self.fields["credit_limit"].unit = instance.agreement.currency

    def store(self) -> AgreementVersion:
        terms = self.terms()
        return change_agreement_version(
            self.instance.pk, self.viewer.now, unchanged_since=self.unchanged_since, **terms
        )


class NewVersionForm(TermsForm):
    """Begins with the terms of the version in force, so that only what changes has to be typed (AG-68)."""

    agreement = AgreementField(lambda viewer, chosen: viewer.rows(Agreement, MANAGE).select_related("company"))

    class Meta:
        model = AgreementVersion
        fields = ("agreement",)

    def __init__(self, viewer: Viewer, *args: Any, initial: Any = None, **options: Any) -> None:
        known = initial_of_new(viewer.zone.key)
        asked = str(dict(initial or {}).get("agreement", ""))
        agreement = viewer.rows(Agreement, MANAGE).filter(pk=int(asked)).first() if _is_key(asked) else None
        former = shown_version(agreement.pk, viewer.now) if agreement else None
        if former is not None:
            known |= initial_of(former) | {"version_code": ""}
            known["effective_from"] = (None, former.effective_from_timezone)
            known["effective_till"] = (None, former.effective_till_timezone)
        super().__init__(viewer, *args, initial=known | dict(initial or {}), **options)
        if former is not None and former.effective_till is None:
            told = f"The open version (ID {former.pk}) will end at this moment."
            self.fields["effective_from"].help_text = told
        if agreement is not None:
            self.fields["credit_limit"].unit = agreement.currency

    def store(self) -> AgreementVersion:
        terms = self.terms()
        return add_agreement_version(AgreementVersion(agreement=self.cleaned_data["agreement"], **terms))


def _is_key(text: str) -> bool:
    return text.isdecimal() and len(text) < 19


class LimitForm(forms.Form):
    credit_limit = MoneyField(label="Credit limit", required=False, help_text="Blank: unlimited. 0: prepaid.")

    def __init__(self, data: Any = None, *, record: AgreementVersion | None = None) -> None:
        limit_micros = record.credit_limit_micros if record else None
        super().__init__(data, initial={"credit_limit": limit_micros})
        if record is not None:
            self.fields["credit_limit"].unit = record.agreement.currency


def _change_limit(version: AgreementVersion, viewer: Viewer, data: dict[str, Any]) -> None:
    change_credit_limit(version.pk, data["credit_limit"], viewer.now)


def _is_open(version: AgreementVersion) -> bool:
    return state_of(version, timezone.now()) is not VersionState.EXPIRED


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    now = timezone.now()
    state = Case(
        When(effective_from__gt=now, then=Value("upcoming")),
        When(Q(effective_till__lte=now), then=Value("expired")),
        default=Value("active"),
        output_field=CharField(),
    )
    parties = ("company", "legal_entity", "own_legal_entity", "own_bank_account")
    return rows.annotate(state=state).select_related("agreement", *(f"agreement__{party}" for party in parties))


COLUMNS = (
    Column("id", "ID", Id(), path="pk", sort="pk"),
    Column(
        "company",
        "Company",
        NamedReference("companies"),
        path="agreement__company",
        sort="agreement__company__name",
        phone="m1",
    ),
    Column("agreement", "Agreement", AgreementLink(), sort="agreement__agreement_code", phone="m3"),
    Column("version_code", "Version code"),
    Column("state", "State", Badge(STATES), phone="m4"),
    Column("effective_from", "Effective from", ZonedInstant(zone="effective_from_timezone")),
    Column("effective_till", "Effective till", ZonedInstant(zone="effective_till_timezone", none=OPEN)),
    Column(
        "credit_limit",
        "Credit limit",
        Money("agreement__currency", none=OPEN),
        path="credit_limit_micros",
        phone="m2",
    ),
    Column("billing_timezone", "Billing timezone", Kind(), shown=False),
    Column("billing_period", "Billing period", Choice(PERIODS)),
    Column("billing_day", "Billing day", BillingDay(), shown=False),
    Column("days_for_payment", "Days for payment", Number()),
    Column("tax", "Tax", Tax(), path="tax_bp"),
    Column("split_by_month", "Split by month", Flag(), shown=False),
    Column("account_emails", EMAILS["account_emails"], Kind(), shown=False),
    *(
        Column(column, label, EmailList(), shown=False)
        for column, label in EMAILS.items()
        if column != "account_emails"
    ),
    Column(
        "legal_entity",
        "Legal entity",
        Kind(),
        path="agreement__legal_entity",
        sort="agreement__legal_entity__name",
        shown=False,
    ),
    Column(
        "own_legal_entity",
        "Own legal entity",
        Kind(),
        path="agreement__own_legal_entity",
        sort="agreement__own_legal_entity__name",
        shown=False,
    ),
    Column(
        "own_bank_account",
        "Own bank account",
        Kind(),
        path="agreement__own_bank_account",
        sort="agreement__own_bank_account__name",
        shown=False,
    ),
    Column("agreement_date", "Agreement date", Day(), path="agreement__agreement_date", shown=False),
    Column("direction", "Direction", Choice(DIRECTIONS), path="agreement__direction", shown=False),
    Column("currency", "Currency", Currency(), path="agreement__currency", shown=False),
    Column("created_at", "Created", Instant(), shown=False),
    Column("updated_at", "Updated", Instant(), shown=False),
)

AGREEMENT_VERSIONS = Entity(
    name="agreement-versions",
    model=AgreementVersion,
    label="Agreement version",
    plural="Agreement versions",
    line="Agreements",
    columns=COLUMNS,
    filters=(
        Filter("agreement", "Agreement", "reference", of=Agreement),
        Filter("version_code", "Version code"),
        Filter("state", "State", "choice", choices=STATE_CHOICES),
        Filter("effective_from", "Effective from", "day"),
        Filter("effective_till", "Effective till", "day"),
    ),
    search=("agreement__agreement_code", "agreement__company__name", "version_code"),
    search_hint="Agreement, company or version code",
    sections=(
        Section("Parties", PARTIES, hint="fixed after creation"),
        Section("Version", VERSION_KEYS),
        Section("Invoicing", INVOICING_KEYS),
        Section("Emails", tuple(EMAILS), hint=EMAILS_HINT),
    ),
    rows=_rows,
    form=VersionForm,
    form_of_new=NewVersionForm,
    deletes=lambda version, viewer: delete_version(version.pk, viewer.now),
    actions=(Action("credit-limit", "Change credit limit…", _change_limit, shown=_is_open, form=LimitForm),),
    own_page="agreement-versions-view",
    empty="Terms of agreements in time. A first one is made with its agreement.",
)
