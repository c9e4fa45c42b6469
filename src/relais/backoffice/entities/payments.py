"""Payments: money received from clients and paid out to them (PAY). Verbs move the balance; the page says what it becomes."""

from copy import deepcopy
from typing import Any, ClassVar

from django import forms
from django.db.models import Case, CharField, QuerySet, Value, When
from django.utils import timezone
from django.utils.safestring import SafeString

from relais.backoffice.agreement_parts import AgreementField, AgreementLink, NamedReference, today_in
from relais.backoffice.payment_parts import EffectWidget, RateWidget, effect_of, rate_text
from relais.pages.choices import currency_choices
from relais.pages.entity import Action, Block, Column, Entity, Filter, Menu, Section
from relais.pages.forms import DayField, MoneyField, RecordForm, ReferenceField
from relais.pages.kinds import Badge, Computed, Day, Flag, Id, Instant, Kind, Money
from relais.pages.viewer import MANAGE, Viewer
from relais.records.agreements.models import Agreement
from relais.records.billing.actions.change_payment import change_payment, open_columns
from relais.records.billing.actions.confirm_payment import confirm_payment
from relais.records.billing.actions.delete_payment import delete_payment
from relais.records.billing.actions.move_deadline import move_deadline
from relais.records.billing.actions.register_payment import register_payment
from relais.records.billing.actions.withdraw_confirmation import withdraw_confirmation
from relais.records.billing.counting import PaymentStatus, balance_after
from relais.records.billing.models import Payment, PaymentDirection
from relais.records.errors import Invalid
from relais.records.parties.models import Company

STATUSES = {
    PaymentStatus.CONFIRMED.value: ("Confirmed", "ok"),
    PaymentStatus.NOT_CONFIRMED.value: ("Not confirmed", "warn"),
    PaymentStatus.EXPIRED.value: ("Expired", "bad"),
}
STATUS_CHOICES = [(status, label) for status, (label, _) in STATUSES.items()]
DIRECTIONS = dict(PaymentDirection.choices)
ARROWS = {PaymentDirection.INBOUND: "↓ Inbound", PaymentDirection.OUTBOUND: "↑ Outbound"}
REPEATED = "duplicate_intended"  # asked for once the code is found to have been used (PAY-64)


def _agreements(viewer: Viewer, chosen: Any) -> QuerySet[Any]:
    return viewer.rows(Agreement, MANAGE).filter(company=chosen["company"]).select_related("company")


class PaymentForm(RecordForm):
    """What is open of a payment that exists (PAY-69)."""

    payment_date = DayField(label="Payment date")
    reference_code = forms.CharField(label="Reference code", max_length=100)
    payment_amount = MoneyField(label="Payment amount", help_text="What was paid")
    replenishment_amount = MoneyField(label="Replenishment amount", help_text="What is credited to the account")
    description = forms.CharField(
        label="Description", required=False, max_length=2000, widget=forms.Textarea({"rows": 2})
    )
    exchange_rate = forms.CharField(label="Exchange rate", required=False, widget=RateWidget)
    exchange_rate_date = DayField(label="Exchange rate date", required=False, help_text="Blank: the payment date")
    confirmed = forms.BooleanField(label="Payment confirmed", required=False)
    confirm_before = DayField(
        label="Confirm payment before", required=False, help_text="Until the beginning of this day the payment counts"
    )
    effect = forms.CharField(label="Balance", required=False, widget=EffectWidget)
    duplicate_intended = forms.BooleanField(label="The reference code is meant to be the same", required=False)

    fixed: ClassVar[tuple[str, ...]] = ("company", "agreement", "direction", "payment_currency")

    class Meta:
        model = Payment
        fields = ("payment_date", "reference_code", "exchange_rate_date", "description", "confirmed", "confirm_before")

    def __init__(self, viewer: Viewer, *args: Any, instance: Payment | None = None, **options: Any) -> None:
        if instance is not None:
            closed = {"payment_date", "reference_code", "payment_amount", "replenishment_amount", "exchange_rate_date"}
            opened = {column.removesuffix("_micros") for column in open_columns(instance)}
            self.fixed = (*PaymentForm.fixed, *(closed - opened))  # of this form alone
        super().__init__(viewer, *args, instance=instance, **options)
        for name in ("exchange_rate", "exchange_rate_date"):
            if name in self.fields:
                self.fields[name].show_when = "currencies_differ=true"
        self.fields["confirm_before"].show_when = "confirmed=|"
        self.fields["confirm_before"].required = not self.data.get("confirmed")  # wherever it is shown (PAY-39)
        self.fields["effect"].place = "c12"
        effect = self.fields["effect"].widget
        effect.payment_id = instance.pk if instance else None
        effect.currencies_differ = bool(instance and instance.payment_currency != instance.agreement.currency)
        if instance is not None and "payment_amount" in self.fields:
            self.fields["payment_amount"].unit = instance.payment_currency
            self.fields["replenishment_amount"].unit = instance.agreement.currency
        if REPEATED not in self.data:
            del self.fields[REPEATED]

    def store(self) -> Payment:
        told = self.cleaned_data
        columns = {
            (f"{name}_micros" if name.endswith("_amount") else name): told[name]
            for name in told
            if name not in ("exchange_rate", "effect", REPEATED)
        }

        def change(intended: bool) -> Payment:
            return change_payment(
                self.instance.pk,
                self.viewer.now,
                duplicate_intended=intended,
                unchanged_since=self.unchanged_since,
                **columns,
            )

        return self._verb(change)

    def _verb(self, run: Any) -> Payment:
        try:
            payment: Payment = run(bool(self.cleaned_data.get(REPEATED)))
        except Invalid as invalid:
            if "reference_code" in invalid.reasons and REPEATED not in self.fields:
                self.fields[REPEATED] = deepcopy(self.base_fields[REPEATED])
            raise
        return payment


class NewPaymentForm(PaymentForm):
    company = ReferenceField(lambda viewer, chosen: viewer.rows(Company, MANAGE), label="Company")
    agreement = AgreementField(_agreements, depends_on=("company",), label="Agreement", search=("agreement_code",))
    direction = forms.ChoiceField(
        label="Direction",
        required=False,
        choices=PaymentDirection.choices,
        initial=PaymentDirection.INBOUND.value,
        help_text="Inbound: from the client, raises the balance",
    )
    payment_currency = forms.ChoiceField(label="Currency of payment", choices=currency_choices)
    replenishment_amount = MoneyField(
        label="Replenishment amount",
        required=False,
        help_text="Blank: the amount paid, when the currency is the account's",
    )

    class Meta:
        model = Payment
        fields = ("agreement", "direction", "payment_currency", *PaymentForm.Meta.fields)

    def __init__(self, viewer: Viewer, *args: Any, initial: Any = None, **options: Any) -> None:
        known = {"payment_date": today_in(viewer.zone, viewer.now)} | dict(initial or {})
        asked = str(known.get("agreement", ""))
        if asked.isdecimal() and len(asked) < 19 and "company" not in known:
            agreement = viewer.rows(Agreement, MANAGE).filter(pk=int(asked)).first()
            known |= {"company": agreement.company_id, "payment_currency": agreement.currency} if agreement else {}
        super().__init__(viewer, *args, initial=known, **options)

    def clean_direction(self) -> str:
        return self.cleaned_data["direction"] or PaymentDirection.INBOUND.value

    def store(self) -> Payment:
        told = self.cleaned_data
        self.instance.payment_amount_micros = told["payment_amount"]
        self.instance.replenishment_amount_micros = told["replenishment_amount"]
        return self._verb(
            lambda intended: register_payment(self.instance, self.viewer.now, duplicate_intended=intended)
        )


class DeadlineForm(forms.Form):
    confirm_before = DayField(label="Confirm payment before")

    def __init__(self, data: Any = None, *, record: Payment | None = None) -> None:
        super().__init__(data, initial={"confirm_before": record.confirm_before if record else None})
        self.fields["confirm_before"].help_text = "Until the beginning of this day the payment counts"


class WithdrawForm(DeadlineForm):
    """Says what the balance becomes if nobody confirms the payment again (PAY-68)."""

    def __init__(self, data: Any = None, *, record: Payment | None = None) -> None:
        super().__init__(data, record=record)
        if record is not None:
            after = balance_after(record, timezone.now(), counts=False)
            told = effect_of(after, record.agreement.currency)
            self.fields["confirm_before"].help_text = f"If nobody confirms it by then: {told}"


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    status = Case(
        When(confirmed=True, then=Value(PaymentStatus.CONFIRMED.value)),
        When(counted=True, then=Value(PaymentStatus.NOT_CONFIRMED.value)),
        default=Value(PaymentStatus.EXPIRED.value),
        output_field=CharField(),
    )
    return rows.annotate(status=status).select_related("agreement__company")


def _blocks(payment: Payment, viewer: Viewer) -> list[Block]:
    told = effect_of(balance_after(payment, viewer.now, counts=False), payment.agreement.currency)
    context = {"counted": payment.counted, "told": told}
    return [Block("backoffice/payment_deletion.html", context, place="deletion")]


def _rate(payment: Payment) -> tuple[SafeString | str, str]:
    text = rate_text(payment)
    return (text, text) if text else (SafeString('<span class="t3">same currency</span>'), "")


def _arrow(payment: Payment) -> tuple[str, str]:
    return ARROWS[PaymentDirection(payment.direction)], DIRECTIONS[payment.direction]


COLUMNS = (
    Column("id", "ID", Id(), path="pk", sort="pk"),
    Column("company", "Company", NamedReference("companies"), path="agreement__company",
           sort="agreement__company__name", phone="m1"),
    Column("agreement", "Agreement", AgreementLink(), sort="agreement__agreement_code"),
    Column("reference_code", "Reference code", phone="m3"),
    Column("payment_amount", "Payment amount", Money("payment_currency"), path="payment_amount_micros"),
    Column("payment_currency", "Currency", Kind(), shown=False),
    Column("created_at", "Created", Instant(), shown=False),
    Column("updated_at", "Updated", Instant(), shown=False),
    Column("description", "Description", Kind(), shown=False),
    Column("direction", "Direction", Computed(_arrow), sort="direction"),
    Column("payment_date", "Payment date", Day()),
    Column("replenishment_amount", "Amount in agreement currency", Money("agreement__currency"),
           path="replenishment_amount_micros", phone="m2"),
    Column("agreement_currency", "Agreement currency", Kind(), path="agreement__currency", shown=False),
    Column("status", "Status", Badge(STATUSES), phone="m4"),
    Column("confirm_before", "Expiry date of confirmation", Day(), shown=False),
    Column("exchange_rate", "Exchange rate", Computed(_rate), sort=None, shown=False),
    Column("exchange_rate_date", "Exchange rate date", Day(), shown=False),
    Column("confirmed", "Payment confirmed", Flag(), shown=False),
    Column("automatic", "Automatic", Flag(), shown=False),
)  # fmt: skip

PAYMENTS = Entity(
    name="payments",
    model=Payment,
    label="Payment",
    plural="Payments",
    line="Payments",
    menu=Menu("Finance", 10),
    columns=COLUMNS,
    filters=(
        Filter("company", "Company", "reference", path="agreement__company", of=Company),
        Filter("agreement", "Agreement", "reference", of=Agreement),
        Filter("reference_code", "Reference code"),
        Filter("status", "Status", "choice", choices=STATUS_CHOICES),
        Filter("direction", "Direction", "choice", choices=PaymentDirection.choices),
        Filter("payment_currency", "Currency"),
        Filter("payment_date", "Payment date", "day"),
        Filter("confirm_before", "Expiry date of confirmation", "day"),
        Filter("created_at", "Created", "day"),
    ),
    search=("agreement__company__name", "agreement__agreement_code", "reference_code", "description"),
    search_hint="Company, agreement or reference code",
    sections=(
        Section(
            "Payment",
            (
                "company",
                "agreement",
                "payment_date",
                "reference_code",
                "direction",
                "payment_amount",
                "payment_currency",
                "replenishment_amount",
                "description",
                "duplicate_intended",
            ),
        ),
        Section("Currency exchange details", ("exchange_rate", "exchange_rate_date")),
        Section(
            "Deferred payment",
            ("status", "confirmed", "confirm_before", "effect"),
            hint="confirmed payments count in the balance, and others up to the day they must be confirmed before",
        ),
    ),
    rows=_rows,
    form=PaymentForm,
    form_of_new=NewPaymentForm,
    deletes=lambda payment, viewer: delete_payment(payment.pk, viewer.now),
    actions=(
        Action(
            "confirm",
            "Confirm…",
            lambda payment, viewer, data: confirm_payment(payment.pk, viewer.now),
            shown=lambda payment: not payment.confirmed,
            confirm="The money has reached the bank account. The payment counts in the balance from now on.",
            bulk=True,
        ),
        Action(
            "move-deadline",
            "Move deadline…",
            lambda payment, viewer, data: move_deadline(payment.pk, data["confirm_before"], viewer.now),
            shown=lambda payment: not payment.confirmed,
            confirm="The payment counts until the day given; an expired one counts again.",
            form=DeadlineForm,
        ),
        Action(
            "withdraw",
            "Withdraw confirmation…",
            lambda payment, viewer, data: withdraw_confirmation(payment.pk, data["confirm_before"], viewer.now),
            shown=lambda payment: payment.confirmed,
            form=WithdrawForm,
        ),
    ),
    blocks=_blocks,
    empty="A payment raises or lowers the balance of an agreement. Add the company and its agreement first.",
)
