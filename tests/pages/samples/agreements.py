"""An agreement of the user's company with a client of its own."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def terms() -> Values:
    return {
        "effective_from_0": "01.01.2026, 00:00:00",
        "effective_from_1": "Europe/Madrid",
        "effective_till_1": "Europe/Madrid",
        "credit_limit": "500.00",
        "billing_timezone": "Europe/Madrid",
        "billing_period": "monthly",
        "billing_day": "1",
        "days_for_payment": "14",
        "tax": "21.00",
        "account_emails": "a@casa.example",
    }


def an_account(entity: Any, level: Any) -> Any:
    """A bank account of the legal entity that the company keeps, at a bank of its own; made where it has none."""
    from relais.records.parties.models import Bank, BankAccount

    found = BankAccount.objects.filter(legal_entity=entity, level=level).order_by("pk").first()
    bank, _ = Bank.objects.get_or_create(
        company=level,
        swift_code="OWNBESMM",
        branch_code="001",
        defaults={"name": "House bank", "country": "ES", "address": "Plaza Mayor 1, Madrid"},
    )
    return found or BankAccount.objects.create(
        level=level,
        legal_entity=entity,
        bank=bank,
        name=f"Account {next(_serial)}",
        account_holder=entity.name,
        account_number=f"ES91 2100 0418 {next(_serial)}",
    )


def new(company: Any) -> Values:
    from relais.records.parties.models import LegalEntity

    entity = LegalEntity.objects.filter(company__parent=company).order_by("pk")[0]
    own = LegalEntity.objects.filter(company=company).order_by("pk")[0]
    return terms() | {
        "company": entity.company_id,
        "legal_entity": entity.pk,
        "own_legal_entity": own.pk,
        "bank_account": an_account(entity, company).pk,
        "own_bank_account": an_account(own, company).pk,
        "agreement_code": f"A-{next(_serial)}",
        "agreement_date": "24.11.2025",
        "currency": "EUR",
    }


def an_agreement(company: Any) -> Any:
    """One that the company sells under, made where it has none."""
    from datetime import UTC, date, datetime

    from relais.records.agreements.actions.create_agreement import create_agreement
    from relais.records.agreements.models import Agreement, AgreementVersion
    from relais.records.parties.models import LegalEntity

    found = Agreement.objects.filter(own_legal_entity__company=company).order_by("pk").first()
    if found is not None:
        return found
    entity = LegalEntity.objects.filter(company__parent=company).order_by("pk")[0]
    own = LegalEntity.objects.filter(company=company).order_by("pk")[0]
    return create_agreement(
        Agreement(
            company=entity.company,
            legal_entity=entity,
            own_legal_entity=own,
            own_bank_account=an_account(own, company),
            agreement_code=f"A-{next(_serial)}",
            agreement_date=date(2025, 1, 1),
            currency="EUR",
        ),
        AgreementVersion(
            effective_from=datetime(2025, 1, 1, tzinfo=UTC), billing_timezone="Etc/UTC", billing_period="monthly"
        ),
    )


SAMPLE = Sample(new=new)
