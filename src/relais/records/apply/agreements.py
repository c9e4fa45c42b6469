"""Agreements with their versions, and reselling agreements, in scenario files."""

from datetime import datetime
from typing import Any, ClassVar

from relais.records.agreements.actions.add_agreement_version import add_agreement_version
from relais.records.agreements.actions.change_agreement_version import change_agreement_version
from relais.records.agreements.actions.create_agreement import make_agreement
from relais.records.agreements.actions.save_reselling_agreement import save_reselling_agreement
from relais.records.agreements.models import Agreement, AgreementVersion, BillingPeriod, ResellingAgreement
from relais.records.agreements.versions import EMAIL_COLUMNS
from relais.records.apply import references
from relais.records.apply.section import Outcome, Run, Section, assign, changed_if
from relais.records.apply.shapes import (
    Entry,
    Field,
    Shape,
    anything,
    capitals,
    day,
    flag,
    full_text,
    instant,
    money,
    one_of,
    percent_bp,
    text,
    whole,
)
from relais.records.currencies import is_currency
from relais.records.errors import Invalid
from relais.records.parties.models import Company

VERSION: Shape = {
    "version_code": Field(text),
    "effective_from": Field(instant, required=True),
    "effective_from_timezone": Field(full_text),
    "effective_till": Field(instant, blank=True),
    "effective_till_timezone": Field(full_text),
    "credit_limit": Field(money, blank=True),
    "billing_timezone": Field(full_text, required=True),
    "billing_period": Field(one_of(*BillingPeriod.values), required=True),
    "billing_day": Field(whole(1, 31)),
    "split_by_month": Field(flag),
    "days_for_payment": Field(whole(0, 3650), required=True),
    "tax": Field(percent_bp),
    **{column: Field(text) for column in EMAIL_COLUMNS},
}
VERSION_COLUMNS = {"credit_limit": "credit_limit_micros", "tax": "tax_bp"}


class Agreements(Section):
    name = "agreements"
    key = ("company", "agreement_code")
    label = "agreement_code"
    shape: ClassVar[Shape] = {
        "agreement_code": Field(full_text, required=True),
        "company": Field(full_text, required=True),
        "direction": Field(one_of("client")),
        "legal_entity": Field(full_text, required=True),
        "own_legal_entity": Field(full_text, required=True),
        "bank_account": Field(full_text, blank=True),
        "own_bank_account": Field(full_text, required=True),
        "agreement_date": Field(day, required=True),
        "currency": Field(capitals, required=True),
        "versions": Field(anything, required=True, entries=VERSION),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        company = references.company(entry["company"])
        columns = self._columns(entry, company)
        found = Agreement.objects.filter(company=company, agreement_code__iexact=entry["agreement_code"]).first()
        if found is not None:
            assign(found, columns, final=columns)  # AG-66
            return changed_if(_apply_versions(entry, found, run))
        if not entry["versions"]:
            raise Invalid.of("versions", "an agreement has at least one version")
        record = make_agreement(Agreement(company=company, agreement_code=entry["agreement_code"], **columns))
        _apply_versions(entry, record, run)
        return Outcome.CREATED

    def _columns(self, entry: Entry, company: Company) -> dict[str, Any]:
        if company.parent is None:
            raise Invalid.of("company", "the System owner has nobody above it to make an agreement with")
        if not is_currency(entry["currency"]):
            raise Invalid.of("currency", f"{entry['currency']!r} is not the code of a currency")
        entity = references.legal_entity(entry["legal_entity"], of=company)
        own_entity = references.legal_entity(entry["own_legal_entity"], "own_legal_entity", of=company.parent)
        columns = {
            "legal_entity": entity,
            "own_legal_entity": own_entity,
            "own_bank_account": references.bank_account(entry["own_bank_account"], own_entity, "own_bank_account"),
            "agreement_date": entry["agreement_date"],
            "currency": entry["currency"],
        }
        if entry.get("bank_account") is not None:
            columns["bank_account"] = references.bank_account(entry["bank_account"], entity, "bank_account")
        return columns


def _apply_versions(entry: Entry, agreement: Agreement, run: Run) -> bool:
    """Whether any version was made or changed. Earlier ones first, so that each new one closes its predecessor."""
    changed = False
    for version in sorted(entry["versions"], key=lambda version: version["effective_from"]):
        try:
            changed |= _apply_version(version, agreement, run.now)
        except Invalid as refusal:
            raise Invalid(
                {f"{version.path}.{_version_field(column)}".rstrip("."): reasons
                 for column, reasons in refusal.reasons.items()}
            ) from refusal  # fmt: skip
    return changed


def _apply_version(entry: Entry, agreement: Agreement, now: datetime) -> bool:
    terms = {VERSION_COLUMNS.get(name, name): value for name, value in entry.values.items()}
    found = AgreementVersion.objects.filter(agreement=agreement, effective_from=entry["effective_from"]).first()
    if found is None:
        zone = entry["billing_timezone"]
        zones = {"effective_from_timezone": zone, "effective_till_timezone": zone}
        add_agreement_version(AgreementVersion(agreement=agreement, **(zones | terms)))
        return True
    if entry.get("effective_till") is None and _is_followed(found):
        terms.pop("effective_till", None)  # open-ended in the file: it lasts until the version after it
    differing = {column: value for column, value in terms.items() if getattr(found, column) != value}
    if differing:
        change_agreement_version(found.pk, now, **differing)
    return bool(differing)


def _is_followed(version: AgreementVersion) -> bool:
    following = AgreementVersion.objects.filter(agreement_id=version.agreement_id)
    return version.effective_till is not None and following.filter(effective_from=version.effective_till).exists()


def _version_field(column: str) -> str:
    return {column: field for field, column in VERSION_COLUMNS.items()}.get(column, column)


class ResellingAgreements(Section):
    name = "reselling_agreements"
    key = ("legal_entity", "agreement", "effective_from")
    label = "agreement"
    shape: ClassVar[Shape] = {
        "legal_entity": Field(full_text, required=True),
        "agreement": Field(full_text, required=True),
        "effective_from": Field(instant, required=True),
        "effective_till": Field(instant, blank=True),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        entity = references.legal_entity(entry["legal_entity"])
        agreement = references.agreement(entry["agreement"], of=entity.company)
        same = {"legal_entity": entity, "agreement": agreement, "effective_from": entry["effective_from"]}
        found = ResellingAgreement.objects.filter(**same).first()
        record = found or ResellingAgreement(**same)
        changed = assign(record, self.given(entry, ("effective_till",)))
        if found is None or changed:
            save_reselling_agreement(record)
        return Outcome.CREATED if found is None else changed_if(changed)
