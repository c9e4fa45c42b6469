"""The fields of an agreement version: the same when an agreement is made and when a version is added or edited."""

from decimal import Decimal
from typing import Any

from django import forms

from relais.backoffice.agreement_parts import EMAILS, PERIODS, WEEKDAYS
from relais.pages.forms import (
    FROM_EXPLAINED,
    TILL_EXPLAINED,
    MoneyField,
    RecordForm,
    ZonedField,
    ZoneField,
    explained,
)
from relais.records.agreements.models import AgreementVersion, BillingPeriod

VERSION_KEYS = ("version_code", "credit_limit", "effective_from", "effective_till")
INVOICING_KEYS = ("billing_timezone", "billing_period", "billing_day", "billing_weekday", "days_for_payment", "tax",
                  "split_by_month")  # fmt: skip
EMAILS_HINT = "several addresses with commas; blank uses Account emails"


EMAIL_HINTS = {
    "invoice_emails": "Where invoices are sent",
    "account_emails": "Registration and activation of the account, trouble with sending",
    "rate_change_emails": "Notices of rate changes",
    "service_emails": "Technical notices",
    "payment_alert_emails": "Alerts about payments and their confirmation",
}


def _emails(name: str) -> forms.CharField:
    return forms.CharField(label=EMAILS[name], required=False, max_length=2000, help_text=EMAIL_HINTS[name])


class TermsForm(RecordForm):
    """Gathers the columns of a version; `terms()` has them once the form is valid."""

    version_code = forms.CharField(label="Version code", required=False, max_length=100)
    credit_limit = MoneyField(label="Credit limit", required=False, help_text="Blank: unlimited. 0: prepaid.")
    effective_from = explained(ZonedField(label="Effective from"), FROM_EXPLAINED)
    effective_till = explained(
        ZonedField(label="Effective till", required=False, help_text="Blank: ∞ (indefinitely)"), TILL_EXPLAINED
    )
    billing_timezone = ZoneField(label="Billing timezone")
    billing_period = forms.ChoiceField(label="Billing period", choices=[("", ""), *PERIODS.items()])
    billing_day = forms.IntegerField(
        label="Billing day",
        required=False,
        min_value=1,
        max_value=31,
        help_text="Day of the month: 29 to 31 is its last",
    )
    billing_weekday = forms.TypedChoiceField(
        label="Billing day", required=False, coerce=int, empty_value=None, choices=list(enumerate(WEEKDAYS, start=1))
    )
    days_for_payment = forms.IntegerField(label="Days for payment", min_value=0)
    tax = forms.DecimalField(label="Tax", min_value=0, max_value=100, max_digits=5, decimal_places=2, required=False)
    split_by_month = forms.BooleanField(label="Split by month", required=False)
    invoice_emails = _emails("invoice_emails")
    account_emails = _emails("account_emails")
    rate_change_emails = _emails("rate_change_emails")
    service_emails = _emails("service_emails")
    payment_alert_emails = _emails("payment_alert_emails")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        shown = {"billing_day": "monthly|quarterly", "billing_weekday": "weekly", "split_by_month": "daily|weekly"}
        for name, periods in shown.items():
            if name in self.fields:
                self.fields[name].show_when = f"billing_period={periods}"
        for name in ("tax", "days_for_payment"):
            if name in self.fields:
                self.fields[name].widget = forms.TextInput({"inputmode": "decimal", "class": "num"})
        if "tax" in self.fields:
            self.fields["tax"].unit = "%"
        for name in INVOICING_KEYS:
            if name in self.fields:
                self.fields[name].place = "c4 m6"  # three in a row

    def clean_billing_day(self) -> int:
        """The day of the month, of the week, or 1 where a period has none (AG-38)."""
        day: int | None = self.cleaned_data.get("billing_day")
        match self.cleaned_data.get("billing_period"):
            case BillingPeriod.DAILY:
                return 1
            case BillingPeriod.WEEKLY:
                chosen = self.fields["billing_weekday"].clean(self["billing_weekday"].data)
                return chosen or day or 1
        if day is None:
            raise forms.ValidationError("Enter the day on which the invoice is issued, 1 to 31.")
        return day

    def terms(self) -> dict[str, Any]:
        """By column of the version, of the fields that the form has."""
        found: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            match name:
                case "effective_from" | "effective_till":
                    found[name], found[f"{name}_timezone"] = value
                case "credit_limit":
                    found["credit_limit_micros"] = value
                case "tax":
                    found["tax_bp"] = int((value or 0) * 100)
                case "billing_weekday":
                    continue
                case _ if name in _COLUMNS:
                    found[name] = value
        return found


_COLUMNS = {field.attname for field in AgreementVersion._meta.concrete_fields}


def initial_of(version: AgreementVersion) -> dict[str, Any]:
    """What a form shows of a version that is there."""
    found = {name: getattr(version, name) for name in TermsForm.base_fields if name in _COLUMNS}
    return found | {
        "credit_limit": version.credit_limit_micros,
        "effective_from": (version.effective_from, version.effective_from_timezone),
        "effective_till": (version.effective_till, version.effective_till_timezone),
        "billing_weekday": version.billing_day if version.billing_period == BillingPeriod.WEEKLY else None,
        "tax": Decimal(version.tax_bp).scaleb(-2),
    }


def initial_of_new(zone: str) -> dict[str, Any]:
    """In the zone of whoever enters it; monthly invoices on the 1st."""
    return {
        "effective_from": (None, zone),
        "effective_till": (None, zone),
        "billing_timezone": zone,
        "billing_period": BillingPeriod.MONTHLY.value,
        "billing_day": 1,
        "days_for_payment": 0,
        "tax": Decimal("0.00"),
    }
